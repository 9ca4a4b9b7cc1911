//! AArch64 Advanced SIMD: a line is four 128-bit registers.

use pulp::aarch64::Neon as Token;
use pulp::{Simd, f32x4};

use super::Isa;
use crate::kernel::LINE;

#[derive(Clone, Copy)]
pub(crate) struct Neon(Token);

impl Neon {
    /// # Safety
    /// This machine has every feature of `pulp::aarch64::Neon`.
    #[inline(always)]
    unsafe fn assume_available() -> Self {
        // SAFETY: the caller's promise.
        Self(unsafe { Token::new_unchecked() })
    }
}

impl Isa for Neon {
    type Line = [f32x4; 4];
    const LINES_AT_ONCE: usize = 4;
    const LINES_IN_BATCH: usize = 4;

    #[inline(always)]
    fn zero(self) -> Self::Line {
        [self.0.splat_f32s(0.0); 4]
    }

    #[inline(always)]
    fn load(self, line: &[f32; LINE]) -> Self::Line {
        bytemuck::cast(*line)
    }

    #[inline(always)]
    fn load_partial(self, slice: &[f32]) -> Self::Line {
        let quarter = |i: usize| self.0.partial_load_f32s(&slice[slice.len().min(4 * i)..]);
        [quarter(0), quarter(1), quarter(2), quarter(3)]
    }

    #[inline(always)]
    fn add(self, a: Self::Line, b: Self::Line) -> Self::Line {
        [
            self.0.add_f32s(a[0], b[0]),
            self.0.add_f32s(a[1], b[1]),
            self.0.add_f32s(a[2], b[2]),
            self.0.add_f32s(a[3], b[3]),
        ]
    }

    #[inline(always)]
    fn sub(self, a: Self::Line, b: Self::Line) -> Self::Line {
        [
            self.0.sub_f32s(a[0], b[0]),
            self.0.sub_f32s(a[1], b[1]),
            self.0.sub_f32s(a[2], b[2]),
            self.0.sub_f32s(a[3], b[3]),
        ]
    }

    #[inline(always)]
    fn mul_add(self, a: Self::Line, b: Self::Line, c: Self::Line) -> Self::Line {
        [
            self.0.mul_add_f32s(a[0], b[0], c[0]),
            self.0.mul_add_f32s(a[1], b[1], c[1]),
            self.0.mul_add_f32s(a[2], b[2], c[2]),
            self.0.mul_add_f32s(a[3], b[3], c[3]),
        ]
    }

    #[inline(always)]
    fn sum(self, line: Self::Line) -> f32 {
        super::sum_lanes(bytemuck::cast(line))
    }
}

super::instantiate_f32!(Neon, "neon");
