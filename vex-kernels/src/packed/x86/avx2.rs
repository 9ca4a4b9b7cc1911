//! x86-64-v3: a cache line is two registers of 256 bits. An instruction multiplies bytes and adds
//! the products in pairs. It saturates at 16 bits, which 4-bit codes cannot reach.

use core::arch::x86_64::__m256i;

use pulp::x86::V3;

use super::super::body::PackedOps;
use crate::cpu::{Avx2, x86};

/// The low and the high four bits of each byte.
#[inline(always)]
fn unpack(v3: V3, codes: __m256i) -> [__m256i; 2] {
    let mask = v3.avx._mm256_set1_epi8(0x0f);
    let high = v3.avx2._mm256_srli_epi16::<4>(codes);
    [v3.avx2._mm256_and_si256(codes, mask), v3.avx2._mm256_and_si256(high, mask)]
}

impl PackedOps for Avx2 {
    /// Lanes of 16 bits: one register for each half of a cache line.
    type Sums = [__m256i; 2];
    type Lanes = __m256i;
    /// A cache line adds two pairs of products to each lane, and a pair is at most 2 · 15 · 128 =
    /// 3,840. And 4 · 2 · 3,840 = 30,720 < 2¹⁵.
    const CACHE_LINES: usize = 4;
    const CHAINS: usize = 1;
    const BATCH: bool = true;

    #[inline(always)]
    fn products(self, mut sums: [__m256i; 2], query: &[i8; 128], codes: &[u8; 64]) -> [__m256i; 2] {
        let query: [__m256i; 4] = bytemuck::cast(*query);
        let codes: [__m256i; 2] = bytemuck::cast(*codes);
        for half in 0..2 {
            let [low, high] = unpack(*self, codes[half]);
            let low = self.avx2._mm256_maddubs_epi16(low, query[half]);
            let high = self.avx2._mm256_maddubs_epi16(high, query[2 + half]);
            sums[half] = self.avx2._mm256_add_epi16(sums[half], self.avx2._mm256_add_epi16(low, high));
        }
        sums
    }

    #[inline(always)]
    fn widen(self, lanes: __m256i, [a, b]: [__m256i; 2]) -> __m256i {
        let ones = self.avx._mm256_set1_epi16(1);
        let (a, b) = (self.avx2._mm256_madd_epi16(a, ones), self.avx2._mm256_madd_epi16(b, ones));
        self.avx2._mm256_add_epi32(lanes, self.avx2._mm256_add_epi32(a, b))
    }

    #[inline(always)]
    fn total(self, lanes: __m256i) -> i32 {
        x86::total(*self, lanes)
    }

    #[inline(always)]
    fn totals(self, rows: [__m256i; 4]) -> [i32; 4] {
        x86::totals(*self, rows)
    }
}
