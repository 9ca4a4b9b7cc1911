//! x86-64-v3: eight words are two registers of 256 bits. Half bytes are looked up in a table of
//! sixteen counts (W. Muła, N. Kurz and D. Lemire, *Faster Population Counts Using AVX2
//! Instructions*, 2018, section 2).

use core::arch::asm;
use core::arch::x86_64::{__m128i, __m256i, _mm256_maskload_epi64};

use pulp::x86::V3;

use super::super::ops::{BitOps, WORDS};
use super::HALF_BYTE_COUNTS;
use crate::cpu::Avx2;

impl Avx2 {
    /// The first four words of a slice that may have fewer. Absent ones read as zero.
    #[inline(always)]
    fn load_half(self, slice: &[u64]) -> __m256i {
        let length = self.avx._mm256_set1_epi64x(slice.len().min(WORDS) as i64);
        let present = self.avx2._mm256_cmpgt_epi64(length, bytemuck::cast([0i64, 1, 2, 3]));
        // SAFETY: the capability `avx2` covers AVX2, and the mask enables only words below the
        // slice's length.
        unsafe { _mm256_maskload_epi64(slice.as_ptr().cast(), present) }
    }

    /// The number of bits that are set in each byte.
    #[inline(always)]
    fn count_bytes(self, words: __m256i) -> __m256i {
        let counts = bytemuck::cast([HALF_BYTE_COUNTS; 2]);
        let four_bits = bytemuck::cast([0x0fu8; 32]);
        let low = self.avx2._mm256_and_si256(words, four_bits);
        let high = self.avx2._mm256_and_si256(self.avx2._mm256_srli_epi16::<4>(words), four_bits);
        self.avx2._mm256_add_epi8(
            self.avx2._mm256_shuffle_epi8(counts, low),
            self.avx2._mm256_shuffle_epi8(counts, high),
        )
    }
}

impl BitOps for Avx2 {
    type Register = [__m256i; 2];
    type Count = __m256i;
    const BY_WORD: usize = 2 * WORDS;

    #[inline(always)]
    fn load_partial(self, slice: &[u64]) -> Self::Register {
        let (low, high) = slice.split_at(slice.len().min(WORDS / 2));
        [self.load_half(low), self.load_half(high)]
    }

    #[inline(always)]
    fn or(self, a: Self::Register, b: Self::Register) -> Self::Register {
        [self.avx2._mm256_or_si256(a[0], b[0]), self.avx2._mm256_or_si256(a[1], b[1])]
    }

    #[inline(always)]
    fn xor(self, a: Self::Register, b: Self::Register) -> Self::Register {
        [self.avx2._mm256_xor_si256(a[0], b[0]), self.avx2._mm256_xor_si256(a[1], b[1])]
    }

    #[inline(always)]
    fn count(self, count: __m256i, [low, high]: Self::Register) -> __m256i {
        // The sum of two counts of a byte is at most 16, so counts are widened once for both
        // registers.
        let bytes = self.avx2._mm256_add_epi8(self.count_bytes(low), self.count_bytes(high));
        let words = self.avx2._mm256_sad_epu8(bytes, self.zero());
        self.avx2._mm256_add_epi64(count, words)
    }

    #[inline(always)]
    fn count_word(self, word: u64) -> u64 {
        let mut count = word;
        // Not `count_ones`: the compiler would put the words into registers of 256 bits again.
        // SAFETY: the capability `avx2` covers POPCNT, which changes this register and the flags
        // alone.
        unsafe { asm!("popcnt {0}, {0}", inout(reg) count, options(pure, nomem, nostack)) };
        count
    }

    #[inline(always)]
    fn add(self, a: __m256i, b: __m256i) -> __m256i {
        self.avx2._mm256_add_epi64(a, b)
    }

    #[inline(always)]
    fn sum(self, count: __m256i) -> u64 {
        let [a, b, c, d]: [u64; 4] = bytemuck::cast(count);
        (a + c) + (b + d)
    }

    /// The two counts are added together from the start, so that only the first step is done twice.
    #[inline(always)]
    fn sum_pair(self, [a, b]: [__m256i; 2]) -> [f64; 2] {
        let V3 { avx2, sse2, .. } = *self;
        let both = avx2._mm256_add_epi64(avx2._mm256_unpacklo_epi64(a, b), avx2._mm256_unpackhi_epi64(a, b));
        let [low, high]: [__m128i; 2] = bytemuck::cast(both);
        // The bits of an integer below 2⁵², as the fraction of the f64 2⁵², make 2⁵² plus that
        // integer.
        const BASE: f64 = (1u64 << 52) as f64;
        let above_base = sse2._mm_or_si128(sse2._mm_add_epi64(low, high), bytemuck::cast([BASE; 2]));
        let [a, b]: [f64; 2] = bytemuck::cast(above_base);
        [a - BASE, b - BASE]
    }
}
