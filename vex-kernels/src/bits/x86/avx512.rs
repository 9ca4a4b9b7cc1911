//! x86-64-v4: eight words are one register of 512 bits. VPOPCNTDQ counts the bits of each word in
//! one instruction. Without it, bits are counted through the table of half bytes.

use core::arch::x86_64::{__m128i, __m256i, __m512i, _mm512_popcnt_epi64};
use core::ops::Deref;

use pulp::x86::V4;
use pulp::{MemMask, Simd, b8};

use super::super::ops::{BitOps, WORDS};
use super::HALF_BYTE_COUNTS;
use crate::cpu::{Avx512, Avx512Vpopcntdq};

/// A token whose registers have 512 bits.
trait By512: Copy + Deref<Target = V4> {
    /// The number of bits that are set in each word.
    fn count_words(self, register: __m512i) -> __m512i;
}

impl By512 for Avx512 {
    #[inline(always)]
    fn count_words(self, register: __m512i) -> __m512i {
        let counts = bytemuck::cast([HALF_BYTE_COUNTS; 4]);
        let four_bits = bytemuck::cast([0x0fu8; 64]);
        let low = self.avx512f._mm512_and_si512(register, four_bits);
        let high = self.avx512f._mm512_and_si512(self.avx512bw._mm512_srli_epi16::<4>(register), four_bits);
        let bytes = self.avx512bw._mm512_add_epi8(
            self.avx512bw._mm512_shuffle_epi8(counts, low),
            self.avx512bw._mm512_shuffle_epi8(counts, high),
        );
        self.avx512bw._mm512_sad_epu8(bytes, self.zero())
    }
}

impl By512 for Avx512Vpopcntdq {
    #[inline(always)]
    fn count_words(self, register: __m512i) -> __m512i {
        // SAFETY: the capability `avx512_vpopcntdq`, which this token stands for.
        unsafe { _mm512_popcnt_epi64(register) }
    }
}

impl<I: By512> BitOps for I {
    type Register = __m512i;
    type Count = __m512i;
    const MASKS_REGISTERS: bool = true;

    #[inline(always)]
    fn load_partial(self, slice: &[u64]) -> __m512i {
        let present = MemMask::new(b8(((1u32 << slice.len().min(WORDS)) - 1) as u8));
        // SAFETY: the mask enables only words below the slice's length, and a slice of u64 is
        // aligned as one.
        let words = unsafe { self.mask_load_ptr_u64s(present, slice.as_ptr()) };
        bytemuck::cast(words)
    }

    #[inline(always)]
    fn or(self, a: __m512i, b: __m512i) -> __m512i {
        self.avx512f._mm512_or_si512(a, b)
    }

    #[inline(always)]
    fn xor(self, a: __m512i, b: __m512i) -> __m512i {
        self.avx512f._mm512_xor_si512(a, b)
    }

    #[inline(always)]
    fn count(self, count: __m512i, register: __m512i) -> __m512i {
        self.add(count, self.count_words(register))
    }

    #[inline(always)]
    fn add(self, a: __m512i, b: __m512i) -> __m512i {
        self.avx512f._mm512_add_epi64(a, b)
    }

    #[inline(always)]
    fn sum(self, count: __m512i) -> u64 {
        self.avx512f._mm512_reduce_add_epi64(count) as u64
    }

    /// The two counts are added together from the start, so that only the first step is done twice.
    #[inline(always)]
    fn sum_pair(self, [a, b]: [__m512i; 2]) -> [f64; 2] {
        let V4 { avx512f, avx512dq, avx2, sse2, .. } = *self;
        let both = avx512f
            ._mm512_add_epi64(avx512f._mm512_unpacklo_epi64(a, b), avx512f._mm512_unpackhi_epi64(a, b));
        let [low, high]: [__m256i; 2] = bytemuck::cast(both);
        let [low, high]: [__m128i; 2] = bytemuck::cast(avx2._mm256_add_epi64(low, high));
        bytemuck::cast(avx512dq._mm_cvtepi64_pd(sse2._mm_add_epi64(low, high)))
    }
}
