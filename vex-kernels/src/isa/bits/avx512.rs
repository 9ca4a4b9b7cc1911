//! x86-64-v4: a line is one 512-bit register, counted through the table of half bytes.

use core::arch::x86_64::{__m128i, __m256i, __m512i};

use pulp::x86::V4;
use pulp::{MemMask, Simd, b8};

use super::BitIsa;
use super::avx2::HALF_BYTE_COUNTS;
use crate::bits::WORDS;

#[derive(Clone, Copy)]
pub(super) struct Avx512(V4);

impl Avx512 {
    /// # Safety
    /// This machine has every feature of `V4`.
    #[inline(always)]
    pub(super) unsafe fn assume_available() -> Self {
        // SAFETY: the caller's promise.
        Self(unsafe { V4::new_unchecked() })
    }
}

impl BitIsa for Avx512 {
    type Line = __m512i;
    type Count = __m512i;
    const MASKS_LINES: bool = true;

    #[inline(always)]
    fn zero(self) -> __m512i {
        bytemuck::cast([0u64; 8])
    }

    #[inline(always)]
    fn load(self, line: &[u64; WORDS]) -> __m512i {
        bytemuck::cast(*line)
    }

    #[inline(always)]
    fn load_partial(self, slice: &[u64]) -> __m512i {
        let present = MemMask::new(b8(((1u32 << slice.len().min(WORDS)) - 1) as u8));
        // SAFETY: the mask enables only words below the slice's length, and a slice of u64 is aligned as one.
        let words = unsafe { self.0.mask_load_ptr_u64s(present, slice.as_ptr()) };
        bytemuck::cast(words)
    }

    #[inline(always)]
    fn or(self, a: __m512i, b: __m512i) -> __m512i {
        self.0.avx512f._mm512_or_si512(a, b)
    }

    #[inline(always)]
    fn xor(self, a: __m512i, b: __m512i) -> __m512i {
        self.0.avx512f._mm512_xor_si512(a, b)
    }

    #[inline(always)]
    fn count(self, count: __m512i, line: __m512i) -> __m512i {
        let counts = bytemuck::cast([HALF_BYTE_COUNTS; 4]);
        let four_bits = bytemuck::cast([0x0fu8; 64]);
        let low = self.0.avx512f._mm512_and_si512(line, four_bits);
        let high = self.0.avx512f._mm512_and_si512(self.0.avx512bw._mm512_srli_epi16::<4>(line), four_bits);
        let bytes = self.0.avx512bw._mm512_add_epi8(
            self.0.avx512bw._mm512_shuffle_epi8(counts, low),
            self.0.avx512bw._mm512_shuffle_epi8(counts, high),
        );
        self.add(count, self.0.avx512bw._mm512_sad_epu8(bytes, self.zero()))
    }

    #[inline(always)]
    fn add(self, a: __m512i, b: __m512i) -> __m512i {
        self.0.avx512f._mm512_add_epi64(a, b)
    }

    #[inline(always)]
    fn sum(self, count: __m512i) -> u64 {
        self.0.avx512f._mm512_reduce_add_epi64(count) as u64
    }

    /// Together from the start, so that only the first step is taken twice.
    #[inline(always)]
    fn sum_pair(self, [a, b]: [__m512i; 2]) -> [f64; 2] {
        let V4 { avx512f, avx512dq, avx2, sse2, .. } = self.0;
        let both = avx512f
            ._mm512_add_epi64(avx512f._mm512_unpacklo_epi64(a, b), avx512f._mm512_unpackhi_epi64(a, b));
        let [low, high]: [__m256i; 2] = bytemuck::cast(both);
        let [low, high]: [__m128i; 2] = bytemuck::cast(avx2._mm256_add_epi64(low, high));
        bytemuck::cast(avx512dq._mm_cvtepi64_pd(sse2._mm_add_epi64(low, high)))
    }
}

super::compile_bits!(
    Avx512,
    "sse,sse2,fxsr,sse3,ssse3,sse4.1,sse4.2,popcnt,avx,avx2,bmi1,bmi2,fma,lzcnt,f16c,avx512f,avx512bw,avx512cd,avx512dq,avx512vl"
);
