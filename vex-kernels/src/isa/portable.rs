//! Arrays of lanes for any target: the compiler vectorises them with what the target guarantees.

use super::Isa;
use crate::kernel::LINE;

#[derive(Clone, Copy)]
pub(crate) struct Portable;

impl Portable {
    /// # Safety
    /// None: unsafe only in that the other instruction sets have such a function too.
    #[inline(always)]
    unsafe fn assume_available() -> Self {
        Self
    }
}

impl Isa for Portable {
    type Line = [f32; LINE];
    const LINES_AT_ONCE: usize = 2;

    #[inline(always)]
    fn zero(self) -> Self::Line {
        [0.0; LINE]
    }

    #[inline(always)]
    fn load(self, line: &[f32; LINE]) -> Self::Line {
        *line
    }

    #[inline(always)]
    fn load_partial(self, slice: &[f32]) -> Self::Line {
        let mut line = [0.0; LINE];
        for (lane, element) in line.iter_mut().zip(slice) {
            *lane = *element;
        }
        line
    }

    #[inline(always)]
    fn add(self, a: Self::Line, b: Self::Line) -> Self::Line {
        core::array::from_fn(|i| a[i] + b[i])
    }

    #[inline(always)]
    fn sub(self, a: Self::Line, b: Self::Line) -> Self::Line {
        core::array::from_fn(|i| a[i] - b[i])
    }

    /// Not fused: without the instruction a fused multiply-add is a slow library call.
    #[inline(always)]
    fn mul_add(self, a: Self::Line, b: Self::Line, c: Self::Line) -> Self::Line {
        core::array::from_fn(|i| a[i] * b[i] + c[i])
    }

    #[inline(always)]
    fn lanes(self, line: Self::Line) -> [f32; LINE] {
        line
    }
}

super::instantiate_f32!(Portable);
