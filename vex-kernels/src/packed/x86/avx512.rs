//! x86-64-v4: a cache line is one register of 512 bits. An instruction multiplies bytes and adds
//! the products in pairs. It saturates at 16 bits, which 4-bit codes cannot reach.

use core::arch::x86_64::__m512i;

use super::super::body::PackedOps;
use crate::cpu::{Avx512, x86};

impl PackedOps for Avx512 {
    /// Lanes of 16 bits: the sums of low codes, and of high ones.
    type Sums = [__m512i; 2];
    type Lanes = __m512i;
    /// A cache line adds one pair of products to each lane, of at most 2 · 15 · 128 = 3,840. And 8
    /// · 3,840 = 30,720 < 2¹⁵.
    const CACHE_LINES: usize = 8;
    const CHAINS: usize = 1;
    const BATCH: bool = true;

    #[inline(always)]
    fn products(self, [low, high]: [__m512i; 2], query: &[i8; 128], codes: &[u8; 64]) -> [__m512i; 2] {
        let query: [__m512i; 2] = bytemuck::cast(*query);
        let codes: __m512i = bytemuck::cast(*codes);
        let mask = self.avx512f._mm512_set1_epi8(0x0f);
        let shifted = self.avx512bw._mm512_srli_epi16::<4>(codes);
        let codes =
            [self.avx512f._mm512_and_si512(codes, mask), self.avx512f._mm512_and_si512(shifted, mask)];
        [
            self.avx512bw._mm512_add_epi16(low, self.avx512bw._mm512_maddubs_epi16(codes[0], query[0])),
            self.avx512bw._mm512_add_epi16(high, self.avx512bw._mm512_maddubs_epi16(codes[1], query[1])),
        ]
    }

    #[inline(always)]
    fn widen(self, lanes: __m512i, [low, high]: [__m512i; 2]) -> __m512i {
        let ones = self.avx512f._mm512_set1_epi16(1);
        let low = self.avx512bw._mm512_madd_epi16(low, ones);
        let high = self.avx512bw._mm512_madd_epi16(high, ones);
        self.avx512f._mm512_add_epi32(lanes, self.avx512f._mm512_add_epi32(low, high))
    }

    #[inline(always)]
    fn total(self, lanes: __m512i) -> i32 {
        self.avx512f._mm512_reduce_add_epi32(lanes)
    }

    #[inline(always)]
    fn totals(self, rows: [__m512i; 4]) -> [i32; 4] {
        x86::totals_of_16(*self, rows)
    }
}
