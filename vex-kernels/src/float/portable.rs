//! Arrays of lanes for any target: the compiler vectorises them with what the target guarantees.

use half::{bf16, f16};

use super::ops::{FloatOps, LINE, sum_lanes};
use crate::cpu::Portable;

impl FloatOps for Portable {
    type Line = [f32; LINE];
    const LINES_AT_ONCE: usize = 4;
    const LINES_IN_BATCH: usize = 0;

    #[inline(always)]
    fn load_f16(self, line: &[f16; LINE]) -> Self::Line {
        let mut wide = [0.0; LINE];
        for (wide, element) in wide.iter_mut().zip(line) {
            *wide = widen_f16(*element);
        }
        wide
    }

    #[inline(always)]
    fn load_bf16(self, line: &[bf16; LINE]) -> Self::Line {
        let mut wide = [0.0; LINE];
        for (wide, element) in wide.iter_mut().zip(line) {
            *wide = f32::from_bits(u32::from(element.to_bits()) << 16);
        }
        wide
    }

    #[inline(always)]
    fn load_bf16_pair(self, pair: &[bf16; 2 * LINE]) -> [Self::Line; 2] {
        let words: [u32; LINE] = bytemuck::cast(*pair);
        let mut lines = [[0.0; LINE]; 2];
        for i in 0..LINE {
            let (low, high) = (words[i] << 16, words[i] & 0xffff_0000);
            let (even, odd) = if cfg!(target_endian = "little") { (low, high) } else { (high, low) };
            (lines[0][i], lines[1][i]) = (f32::from_bits(even), f32::from_bits(odd));
        }
        lines
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
        sum_lanes(line)
    }
}

/// Without a branch, so that the compiler vectorises it: the bits of the magnitude, read as an f32
/// and scaled by 2¹¹², are right for normal and subnormal values alike; infinities and NaN get
/// their exponent.
#[inline(always)]
fn widen_f16(element: f16) -> f32 {
    let bits = u32::from(element.to_bits());
    let magnitude = (bits & 0x7fff) << 13;
    let scaled = f32::from_bits(magnitude) * f32::from_bits((127 + 112) << 23);
    let special = if magnitude >= 0x7c00 << 13 { 0x7f80_0000 } else { 0 };
    f32::from_bits(scaled.to_bits() | special | (bits & 0x8000) << 16)
}
