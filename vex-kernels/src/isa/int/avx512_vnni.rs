//! x86-64-v4 and AVX512_VNNI: a line is one 512-bit register of 64 elements.

use core::arch::x86_64::{__m512i, _mm512_dpbusd_epi32, _mm512_maskz_loadu_epi8};

use pulp::x86::V4;

use super::{avx2, avx512};
use crate::integer::{Integer, Integers};

#[derive(Clone, Copy)]
struct Avx512Vnni(V4);

impl Avx512Vnni {
    /// # Safety
    /// This machine has AVX512_VNNI and every feature of `V4`.
    #[inline(always)]
    unsafe fn assume_available() -> Self {
        // SAFETY: the caller's promise.
        Self(unsafe { V4::new_unchecked() })
    }

    /// Four products of unsigned and signed bytes to a lane. Nothing saturates.
    #[inline(always)]
    fn dot(self, sums: __m512i, unsigned: __m512i, signed: __m512i) -> __m512i {
        // SAFETY: `Self` exists only where AVX512_VNNI does.
        unsafe { _mm512_dpbusd_epi32(sums, unsigned, signed) }
    }

    /// Signed to unsigned by adding 128, or back by subtracting it.
    #[inline(always)]
    fn bias(self, line: __m512i) -> __m512i {
        self.0.avx512f._mm512_xor_si512(line, self.0.avx512f._mm512_set1_epi8(-128))
    }
}

impl Integers for Avx512Vnni {
    type Block<T: Integer> = [T; 64];
    type Line = __m512i;
    type Sums = __m512i;
    const SUMS_AT_ONCE: usize = 20;

    #[inline(always)]
    fn correction<X: Integer, Y: Integer>() -> i64 {
        match (X::SIGNED, Y::SIGNED) {
            (true, true) => -128,
            (false, false) => 128,
            _ => 0,
        }
    }

    #[inline(always)]
    fn lines<T: Integer>(slice: &[T]) -> (&[[T; 64]], &[T]) {
        slice.as_chunks()
    }

    #[inline(always)]
    fn zero(self) -> __m512i {
        bytemuck::Zeroable::zeroed()
    }

    #[inline(always)]
    fn load<T: Integer>(self, line: &[T; 64]) -> __m512i {
        bytemuck::cast(*line)
    }

    #[inline(always)]
    fn load_tail<T: Integer>(self, _: &[T], tail: &[T]) -> __m512i {
        let present = (1u64 << (tail.len() % 64)) - 1;
        // SAFETY: the capability `avx512` covers BW, and the mask enables only elements of the tail.
        unsafe { _mm512_maskz_loadu_epi8(present, tail.as_ptr().cast()) }
    }

    #[inline(always)]
    fn products<X: Integer, Y: Integer>(self, sums: __m512i, x: __m512i, y: __m512i) -> __m512i {
        match (X::SIGNED, Y::SIGNED) {
            (true, true) => self.dot(sums, self.bias(y), x),
            (false, false) => self.dot(sums, x, self.bias(y)),
            (true, false) => self.dot(sums, y, x),
            (false, true) => self.dot(sums, x, y),
        }
    }

    #[inline(always)]
    fn elements<X: Integer>(self, sums: __m512i, x: __m512i) -> __m512i {
        let ones = self.0.avx512f._mm512_set1_epi8(1);
        if X::SIGNED { self.dot(sums, ones, x) } else { self.dot(sums, x, ones) }
    }

    #[inline(always)]
    fn add(self, a: __m512i, b: __m512i) -> __m512i {
        self.0.avx512f._mm512_add_epi32(a, b)
    }

    #[inline(always)]
    fn total(self, sums: __m512i) -> i32 {
        self.0.avx512f._mm512_reduce_add_epi32(sums)
    }

    #[inline(always)]
    fn totals(self, rows: [__m512i; 4]) -> [i32; 4] {
        avx512::totals(self.0, rows)
    }

    #[inline(always)]
    fn cosines(self, dots: [f64; 4], norms: [f64; 4]) -> [f64; 4] {
        avx2::cosines(*self.0, dots, norms)
    }
}

super::compile_integers!(
    Avx512Vnni,
    "sse,sse2,fxsr,sse3,ssse3,sse4.1,sse4.2,popcnt,avx,avx2,bmi1,bmi2,fma,lzcnt,f16c,avx512f,avx512bw,avx512cd,avx512dq,avx512vl,avx512vnni"
);
