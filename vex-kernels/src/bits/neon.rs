//! AArch64 Advanced SIMD: eight words are four registers of 128 bits, and an instruction counts the
//! bits of each byte.

use core::arch::aarch64::{uint8x16_t, uint64x2_t};

use super::ops::BitOps;
use crate::cpu::Neon;

impl BitOps for Neon {
    type Register = [uint8x16_t; 4];
    type Count = uint64x2_t;

    #[inline(always)]
    fn load_partial(self, slice: &[u64]) -> Self::Register {
        let word = |i: usize| slice.get(i).copied().unwrap_or(0);
        bytemuck::cast([word(0), word(1), word(2), word(3), word(4), word(5), word(6), word(7)])
    }

    #[inline(always)]
    fn or(self, a: Self::Register, b: Self::Register) -> Self::Register {
        let neon = self.neon;
        [
            neon.vorrq_u8(a[0], b[0]),
            neon.vorrq_u8(a[1], b[1]),
            neon.vorrq_u8(a[2], b[2]),
            neon.vorrq_u8(a[3], b[3]),
        ]
    }

    #[inline(always)]
    fn xor(self, a: Self::Register, b: Self::Register) -> Self::Register {
        let neon = self.neon;
        [
            neon.veorq_u8(a[0], b[0]),
            neon.veorq_u8(a[1], b[1]),
            neon.veorq_u8(a[2], b[2]),
            neon.veorq_u8(a[3], b[3]),
        ]
    }

    #[inline(always)]
    fn count(self, count: uint64x2_t, [q0, q1, q2, q3]: Self::Register) -> uint64x2_t {
        let neon = self.neon;
        // The sum of four counts of a byte is at most 32, so counts are widened once for all four
        // registers.
        let low = neon.vaddq_u8(neon.vcntq_u8(q0), neon.vcntq_u8(q1));
        let high = neon.vaddq_u8(neon.vcntq_u8(q2), neon.vcntq_u8(q3));
        let fours = neon.vpaddlq_u16(neon.vpaddlq_u8(neon.vaddq_u8(low, high)));
        neon.vpadalq_u32(count, fours)
    }

    #[inline(always)]
    fn add(self, a: uint64x2_t, b: uint64x2_t) -> uint64x2_t {
        self.neon.vaddq_u64(a, b)
    }

    #[inline(always)]
    fn sum(self, count: uint64x2_t) -> u64 {
        self.neon.vaddvq_u64(count)
    }
}
