//! x86-64-v4 with VPOPCNTDQ, which counts the bits of eight words in one instruction.

use core::arch::x86_64::{__m512i, _mm512_popcnt_epi64};

use super::BitIsa;
use super::avx512::Avx512;
use crate::bits::WORDS;

#[derive(Clone, Copy)]
pub(super) struct Vpopcntdq(Avx512);

impl Vpopcntdq {
    /// # Safety
    /// This machine has AVX512_VPOPCNTDQ and every feature of `V4`.
    #[inline(always)]
    unsafe fn assume_available() -> Self {
        // SAFETY: the caller's promise.
        Self(unsafe { Avx512::assume_available() })
    }
}

impl BitIsa for Vpopcntdq {
    type Line = __m512i;
    type Count = __m512i;
    const MASKS_LINES: bool = true;

    #[inline(always)]
    fn zero(self) -> __m512i {
        self.0.zero()
    }

    #[inline(always)]
    fn load(self, line: &[u64; WORDS]) -> __m512i {
        self.0.load(line)
    }

    #[inline(always)]
    fn load_partial(self, slice: &[u64]) -> __m512i {
        self.0.load_partial(slice)
    }

    #[inline(always)]
    fn or(self, a: __m512i, b: __m512i) -> __m512i {
        self.0.or(a, b)
    }

    #[inline(always)]
    fn xor(self, a: __m512i, b: __m512i) -> __m512i {
        self.0.xor(a, b)
    }

    #[inline(always)]
    fn count(self, count: __m512i, line: __m512i) -> __m512i {
        // SAFETY: the capability `avx512_vpopcntdq`, which this token stands for.
        let words = unsafe { _mm512_popcnt_epi64(line) };
        self.0.add(count, words)
    }

    #[inline(always)]
    fn add(self, a: __m512i, b: __m512i) -> __m512i {
        self.0.add(a, b)
    }

    #[inline(always)]
    fn sum(self, count: __m512i) -> u64 {
        self.0.sum(count)
    }

    #[inline(always)]
    fn sum_pair(self, counts: [__m512i; 2]) -> [f64; 2] {
        self.0.sum_pair(counts)
    }
}

super::compile_bits!(
    Vpopcntdq,
    "sse,sse2,fxsr,sse3,ssse3,sse4.1,sse4.2,popcnt,avx,avx2,bmi1,bmi2,fma,lzcnt,f16c,avx512f,avx512bw,avx512cd,avx512dq,avx512vl,avx512vpopcntdq"
);
