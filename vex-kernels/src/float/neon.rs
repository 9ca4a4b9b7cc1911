//! AArch64 Advanced SIMD: sixteen lanes are four registers of 128 bits.

use half::{bf16, f16};
use pulp::{Simd, f32x4};

use super::ops::{FloatOps, LANES, sum_lanes};
use crate::cpu::Neon;

impl FloatOps for Neon {
    type Register = [f32x4; 4];
    const REGISTERS_AT_ONCE: usize = 4;
    const REGISTERS_IN_BATCH: usize = 4;

    #[inline(always)]
    fn load_f16(self, register: &[f16; LANES]) -> Self::Register {
        let fours: [[u16; 4]; 4] = bytemuck::cast(*register);
        each_of_4(fours, |four| {
            let wide: core::arch::aarch64::float32x4_t;
            let four: core::arch::aarch64::uint16x4_t = bytemuck::cast(four);
            // Inline assembly, because the intrinsic is younger than the oldest supported compiler.
            // SAFETY: the instruction is part of Advanced SIMD. It writes its output and, for a
            // signaling NaN, the flag of an invalid operation in FPSR. So `preserves_flags` would
            // be untrue.
            unsafe {
                core::arch::asm!("fcvtl {wide:v}.4s, {four:v}.4h", wide = lateout(vreg) wide, four = in(vreg) four,
                    options(pure, nomem, nostack));
            }
            bytemuck::cast(wide)
        })
    }

    #[inline(always)]
    fn load_bf16(self, register: &[bf16; LANES]) -> Self::Register {
        let fours: [[u16; 4]; 4] = bytemuck::cast(*register);
        // A bf16 is the upper half of an f32.
        each_of_4(fours, |four| bytemuck::cast(each_of_4(four, |bits| u32::from(bits) << 16)))
    }

    #[inline(always)]
    fn load_bf16_pair(self, pair: &[bf16; 2 * LANES]) -> [Self::Register; 2] {
        let fours: [[u32; 4]; 4] = bytemuck::cast(*pair);
        let low = each_of_4(fours, |four| bytemuck::cast(each_of_4(four, |word| word << 16)));
        [low, each_of_4(fours, |four| bytemuck::cast(each_of_4(four, |word| word & 0xffff_0000)))]
    }

    #[inline(always)]
    fn load_partial(self, slice: &[f32]) -> Self::Register {
        let quarter = |i: usize| self.partial_load_f32s(&slice[slice.len().min(4 * i)..]);
        [quarter(0), quarter(1), quarter(2), quarter(3)]
    }

    #[inline(always)]
    fn add(self, a: Self::Register, b: Self::Register) -> Self::Register {
        [
            self.add_f32s(a[0], b[0]),
            self.add_f32s(a[1], b[1]),
            self.add_f32s(a[2], b[2]),
            self.add_f32s(a[3], b[3]),
        ]
    }

    #[inline(always)]
    fn sub(self, a: Self::Register, b: Self::Register) -> Self::Register {
        [
            self.sub_f32s(a[0], b[0]),
            self.sub_f32s(a[1], b[1]),
            self.sub_f32s(a[2], b[2]),
            self.sub_f32s(a[3], b[3]),
        ]
    }

    #[inline(always)]
    fn mul_add(self, a: Self::Register, b: Self::Register, c: Self::Register) -> Self::Register {
        [
            self.mul_add_f32s(a[0], b[0], c[0]),
            self.mul_add_f32s(a[1], b[1], c[1]),
            self.mul_add_f32s(a[2], b[2], c[2]),
            self.mul_add_f32s(a[3], b[3], c[3]),
        ]
    }

    #[inline(always)]
    fn sum(self, register: Self::Register) -> f32 {
        sum_lanes(bytemuck::cast(register))
    }
}

/// `f` of each of four. Not by `map` of an array, whose closure the compiler may call.
#[inline(always)]
fn each_of_4<T, U>([a, b, c, d]: [T; 4], f: impl Fn(T) -> U) -> [U; 4] {
    [f(a), f(b), f(c), f(d)]
}
