//! x86-64-v3 and AVX-VNNI: a cache line is two registers of 256 bits. An instruction adds four
//! products of bytes to a lane of 32 bits.

use core::arch::x86_64::__m256i;

use super::super::body::{MAX_CACHE_LINES, PackedOps};
use crate::cpu::{Avx2Vnni, x86};

impl PackedOps for Avx2Vnni {
    /// The sums of low codes, and sixteen times the sums of high ones. To shift the sums once is
    /// cheaper than to shift each register of codes. Half of all elements are in each, and 32,768 ·
    /// 240 · 128 < 2³¹.
    type Sums = [__m256i; 2];
    type Lanes = __m256i;
    const CACHE_LINES: usize = MAX_CACHE_LINES;
    const CHAINS: usize = 4;
    const BATCH: bool = true;

    #[inline(always)]
    fn products(
        self,
        [mut low, mut high]: [__m256i; 2],
        query: &[i8; 128],
        codes: &[u8; 64],
    ) -> [__m256i; 2] {
        let query: [__m256i; 4] = bytemuck::cast(*query);
        let codes: [__m256i; 2] = bytemuck::cast(*codes);
        let (low_bits, high_bits) = (self.avx._mm256_set1_epi8(0x0f), self.avx._mm256_set1_epi8(-0x10));
        for half in 0..2 {
            low = self.dot(low, self.avx2._mm256_and_si256(codes[half], low_bits), query[half]);
            high = self.dot(high, self.avx2._mm256_and_si256(codes[half], high_bits), query[2 + half]);
        }
        [low, high]
    }

    #[inline(always)]
    fn add(self, a: [__m256i; 2], b: [__m256i; 2]) -> [__m256i; 2] {
        [self.avx2._mm256_add_epi32(a[0], b[0]), self.avx2._mm256_add_epi32(a[1], b[1])]
    }

    #[inline(always)]
    fn widen(self, lanes: __m256i, [low, high]: [__m256i; 2]) -> __m256i {
        let high = self.avx2._mm256_srai_epi32::<4>(high);
        self.avx2._mm256_add_epi32(lanes, self.avx2._mm256_add_epi32(low, high))
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
