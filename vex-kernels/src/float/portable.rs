//! Arrays of lanes for any target. The compiler vectorizes the loops with what the target
//! guarantees.

use half::{bf16, f16};

use super::ops::{FloatOps, LANES, sum_lanes};
use crate::cpu::Portable;

impl FloatOps for Portable {
    type Register = [f32; LANES];
    const REGISTERS_AT_ONCE: usize = 4;
    const REGISTERS_IN_BATCH: usize = 0;

    #[inline(always)]
    fn load_f16(self, register: &[f16; LANES]) -> Self::Register {
        let mut wide = [0.0; LANES];
        for (wide, element) in wide.iter_mut().zip(register) {
            *wide = widen_f16(*element);
        }
        wide
    }

    #[inline(always)]
    fn load_bf16(self, register: &[bf16; LANES]) -> Self::Register {
        let mut wide = [0.0; LANES];
        for (wide, element) in wide.iter_mut().zip(register) {
            *wide = f32::from_bits(u32::from(element.to_bits()) << 16);
        }
        wide
    }

    #[inline(always)]
    fn load_bf16_pair(self, pair: &[bf16; 2 * LANES]) -> [Self::Register; 2] {
        let words: [u32; LANES] = bytemuck::cast(*pair);
        let mut registers = [[0.0; LANES]; 2];
        for i in 0..LANES {
            let (low, high) = (words[i] << 16, words[i] & 0xffff_0000);
            let (even, odd) = if cfg!(target_endian = "little") { (low, high) } else { (high, low) };
            (registers[0][i], registers[1][i]) = (f32::from_bits(even), f32::from_bits(odd));
        }
        registers
    }

    #[inline(always)]
    fn load_partial(self, slice: &[f32]) -> Self::Register {
        let mut register = [0.0; LANES];
        register[..slice.len()].copy_from_slice(slice);
        register
    }

    #[inline(always)]
    fn add(self, mut a: Self::Register, b: Self::Register) -> Self::Register {
        for (a, b) in a.iter_mut().zip(b) {
            *a += b;
        }
        a
    }

    #[inline(always)]
    fn sub(self, mut a: Self::Register, b: Self::Register) -> Self::Register {
        for (a, b) in a.iter_mut().zip(b) {
            *a -= b;
        }
        a
    }

    /// Not fused: without the instruction a fused multiply-add is a slow library call.
    #[inline(always)]
    fn mul_add(self, a: Self::Register, b: Self::Register, mut c: Self::Register) -> Self::Register {
        for (c, (a, b)) in c.iter_mut().zip(a.iter().zip(b)) {
            *c += a * b;
        }
        c
    }

    #[inline(always)]
    fn sum(self, register: Self::Register) -> f32 {
        sum_lanes(register)
    }
}

/// An f16 as an f32, without a branch, so that the compiler vectorizes it.
///
/// The bits of the magnitude are read as an f32 and scaled by 2¹¹². That is right for normal and
/// subnormal values alike. Infinities and NaN get their exponent.
#[inline(always)]
fn widen_f16(element: f16) -> f32 {
    let bits = u32::from(element.to_bits());
    let magnitude = (bits & 0x7fff) << 13;
    let scaled = f32::from_bits(magnitude) * f32::from_bits((127 + 112) << 23);
    let special = if magnitude >= 0x7c00 << 13 { 0x7f80_0000 } else { 0 };
    f32::from_bits(scaled.to_bits() | special | (bits & 0x8000) << 16)
}
