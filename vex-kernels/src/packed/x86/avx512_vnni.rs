//! x86-64-v4 and AVX512_VNNI: a cache line is one register of 512 bits. An instruction adds four
//! products of bytes to a lane of 32 bits.

use core::arch::x86_64::__m512i;

use super::super::body::{MAX_CACHE_LINES, PackedOps};
use crate::cpu::{Avx512Vnni, x86};

impl PackedOps for Avx512Vnni {
    /// The sums of low codes, and sixteen times the sums of high ones. To shift the sums once is
    /// cheaper than to shift each register of codes. Half of all elements are in each, and 32,768 ·
    /// 240 · 128 < 2³¹.
    type Sums = [__m512i; 2];
    type Lanes = __m512i;
    const CACHE_LINES: usize = MAX_CACHE_LINES;
    const CHAINS: usize = 3;
    const BATCH: bool = true;

    #[inline(always)]
    fn products(self, [low, high]: [__m512i; 2], query: &[i8; 128], codes: &[u8; 64]) -> [__m512i; 2] {
        let query: [__m512i; 2] = bytemuck::cast(*query);
        let codes: __m512i = bytemuck::cast(*codes);
        let low_bits = self.avx512f._mm512_set1_epi8(0x0f);
        let high_bits = self.avx512f._mm512_set1_epi8(-0x10);
        [
            self.dot(low, self.avx512f._mm512_and_si512(codes, low_bits), query[0]),
            self.dot(high, self.avx512f._mm512_and_si512(codes, high_bits), query[1]),
        ]
    }

    #[inline(always)]
    fn add(self, a: [__m512i; 2], b: [__m512i; 2]) -> [__m512i; 2] {
        [self.avx512f._mm512_add_epi32(a[0], b[0]), self.avx512f._mm512_add_epi32(a[1], b[1])]
    }

    #[inline(always)]
    fn widen(self, lanes: __m512i, [low, high]: [__m512i; 2]) -> __m512i {
        let high = self.avx512f._mm512_srai_epi32::<4>(high);
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
