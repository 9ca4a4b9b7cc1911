//! x86-64-v4: a line is one 512-bit register.

use pulp::x86::V4;
use pulp::{MemMask, Simd, b16, f32x16};

use super::Isa;
use crate::kernel::LINE;

#[derive(Clone, Copy)]
pub(crate) struct Avx512(V4);

impl Avx512 {
    /// # Safety
    /// This machine has every feature of `V4`.
    #[inline(always)]
    unsafe fn assume_available() -> Self {
        // SAFETY: the caller's promise.
        Self(unsafe { V4::new_unchecked() })
    }
}

impl Isa for Avx512 {
    type Line = f32x16;
    const LINES_AT_ONCE: usize = 16;
    const LINES_IN_BATCH: usize = 16;

    #[inline(always)]
    fn zero(self) -> f32x16 {
        self.0.splat_f32s(0.0)
    }

    #[inline(always)]
    fn load(self, line: &[f32; LINE]) -> f32x16 {
        bytemuck::cast(*line)
    }

    #[inline(always)]
    fn load_partial(self, slice: &[f32]) -> f32x16 {
        let present = (1u32 << slice.len().min(LINE)) - 1;
        let mask = MemMask::new(b16(present as u16));
        // SAFETY: the mask enables only lanes below the slice's length.
        unsafe { self.0.mask_load_ptr_f32s(mask, slice.as_ptr()) }
    }

    #[inline(always)]
    fn add(self, a: f32x16, b: f32x16) -> f32x16 {
        self.0.add_f32s(a, b)
    }

    #[inline(always)]
    fn sub(self, a: f32x16, b: f32x16) -> f32x16 {
        self.0.sub_f32s(a, b)
    }

    #[inline(always)]
    fn mul_add(self, a: f32x16, b: f32x16, c: f32x16) -> f32x16 {
        self.0.mul_add_f32s(a, b, c)
    }

    #[inline(always)]
    fn sum(self, line: Self::Line) -> f32 {
        self.0.reduce_sum_f32s(line)
    }
}

super::instantiate_f32!(
    Avx512,
    "sse,sse2,fxsr,sse3,ssse3,sse4.1,sse4.2,popcnt,avx,avx2,bmi1,bmi2,fma,lzcnt,avx512f,avx512bw,avx512cd,avx512dq,avx512vl"
);
