//! AArch64 Advanced SIMD, with the dot product of bytes or without: a cache line is four registers
//! of 128 bits.

use core::arch::aarch64::{int8x16_t, int16x8_t, int32x4_t, uint8x16_t};

use pulp::aarch64::Neon as Simd;

use super::body::{MAX_CACHE_LINES, PackedOps};
use crate::cpu::{Neon, NeonDotprod};

/// The low and the high codes of 16 bytes. They fit signed bytes.
#[inline(always)]
fn unpack(simd: Simd, codes: uint8x16_t) -> [int8x16_t; 2] {
    let low = simd.neon.vandq_u8(codes, simd.neon.vdupq_n_u8(0x0f));
    [bytemuck::cast(low), bytemuck::cast(simd.neon.vshrq_n_u8::<4>(codes))]
}

impl PackedOps for NeonDotprod {
    type Sums = [int32x4_t; 4];
    type Lanes = int32x4_t;
    const CACHE_LINES: usize = MAX_CACHE_LINES;
    const CHAINS: usize = 1;
    const BATCH: bool = true;

    #[inline(always)]
    fn products(self, mut sums: [int32x4_t; 4], query: &[i8; 128], codes: &[u8; 64]) -> [int32x4_t; 4] {
        let query: [int8x16_t; 8] = bytemuck::cast(*query);
        let codes: [uint8x16_t; 4] = bytemuck::cast(*codes);
        for quarter in 0..4 {
            let [low, high] = unpack(*self, codes[quarter]);
            sums[quarter] = self.dot(self.dot(sums[quarter], low, query[quarter]), high, query[4 + quarter]);
        }
        sums
    }

    #[inline(always)]
    fn widen(self, lanes: int32x4_t, [a, b, c, d]: [int32x4_t; 4]) -> int32x4_t {
        let neon = self.neon;
        neon.vaddq_s32(lanes, neon.vaddq_s32(neon.vaddq_s32(a, b), neon.vaddq_s32(c, d)))
    }

    #[inline(always)]
    fn total(self, lanes: int32x4_t) -> i32 {
        self.neon.vaddvq_s32(lanes)
    }
}

impl Neon {
    #[inline(always)]
    fn add_products(self, sums: int16x8_t, x: int8x16_t, y: int8x16_t) -> int16x8_t {
        let neon = self.neon;
        let low = neon.vmlal_s8(sums, neon.vget_low_s8(x), neon.vget_low_s8(y));
        neon.vmlal_high_s8(low, x, y)
    }
}

impl PackedOps for Neon {
    /// Lanes of 16 bits: one register for each quarter of a cache line.
    type Sums = [int16x8_t; 4];
    type Lanes = int32x4_t;
    /// A cache line adds four products to each lane, of at most 15 · 128 = 1,920. And 4 · 4 · 1,920
    /// = 30,720 < 2¹⁵.
    const CACHE_LINES: usize = 4;
    const CHAINS: usize = 1;
    const BATCH: bool = false;

    #[inline(always)]
    fn products(self, mut sums: [int16x8_t; 4], query: &[i8; 128], codes: &[u8; 64]) -> [int16x8_t; 4] {
        let query: [int8x16_t; 8] = bytemuck::cast(*query);
        let codes: [uint8x16_t; 4] = bytemuck::cast(*codes);
        for quarter in 0..4 {
            let [low, high] = unpack(*self, codes[quarter]);
            sums[quarter] = self.add_products(sums[quarter], low, query[quarter]);
            sums[quarter] = self.add_products(sums[quarter], high, query[4 + quarter]);
        }
        sums
    }

    #[inline(always)]
    fn widen(self, mut lanes: int32x4_t, sums: [int16x8_t; 4]) -> int32x4_t {
        for sums in sums {
            lanes = self.neon.vpadalq_s16(lanes, sums);
        }
        lanes
    }

    #[inline(always)]
    fn total(self, lanes: int32x4_t) -> i32 {
        self.neon.vaddvq_s32(lanes)
    }
}
