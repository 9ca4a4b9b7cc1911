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
    const LINES_AT_ONCE: usize = 4;
    const LINES_IN_BATCH: usize = 0;

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
        line[..slice.len()].copy_from_slice(slice);
        line
    }

    #[inline(always)]
    fn add(self, mut a: Self::Line, b: Self::Line) -> Self::Line {
        for (a, b) in a.iter_mut().zip(b) {
            *a += b;
        }
        a
    }

    #[inline(always)]
    fn sub(self, mut a: Self::Line, b: Self::Line) -> Self::Line {
        for (a, b) in a.iter_mut().zip(b) {
            *a -= b;
        }
        a
    }

    /// Not fused: without the instruction a fused multiply-add is a slow library call.
    #[inline(always)]
    fn mul_add(self, a: Self::Line, b: Self::Line, mut c: Self::Line) -> Self::Line {
        for (c, (a, b)) in c.iter_mut().zip(a.iter().zip(b)) {
            *c += a * b;
        }
        c
    }

    #[inline(always)]
    fn sum(self, line: Self::Line) -> f32 {
        super::sum_lanes(line)
    }
}

super::instantiate_f32!(Portable);
