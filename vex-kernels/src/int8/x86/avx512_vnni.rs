//! x86-64-v4 and AVX512_VNNI: a register has 512 bits for 64 elements.

use core::arch::x86_64::{__m512i, _mm512_maskz_loadu_epi8};

use super::super::ops::{Integer, IntegerOps};
use super::{bias_correction, cosines};
use crate::cpu::{Avx512Vnni, x86};

impl Avx512Vnni {
    /// Makes signed bytes unsigned by adding 128, or unsigned bytes signed by subtracting it.
    #[inline(always)]
    fn bias(self, register: __m512i) -> __m512i {
        self.avx512f._mm512_xor_si512(register, self.avx512f._mm512_set1_epi8(-128))
    }
}

impl IntegerOps for Avx512Vnni {
    type Elements<T: Integer> = [T; 64];
    type Register = __m512i;
    type Sums = __m512i;
    const SUMS_AT_ONCE: usize = 20;

    #[inline(always)]
    fn correction<X: Integer, Y: Integer>() -> i64 {
        bias_correction::<X, Y>()
    }

    #[inline(always)]
    fn registers<T: Integer>(slice: &[T]) -> (&[[T; 64]], &[T]) {
        slice.as_chunks()
    }

    #[inline(always)]
    fn load<T: Integer>(self, register: &[T; 64]) -> __m512i {
        bytemuck::cast(*register)
    }

    #[inline(always)]
    fn load_tail<T: Integer>(self, _: &[T], tail: &[T]) -> __m512i {
        let present = (1u64 << (tail.len() % 64)) - 1;
        // SAFETY: the capability `avx512` covers BW, and the mask enables only elements of the
        // tail.
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
        let ones = self.avx512f._mm512_set1_epi8(1);
        if X::SIGNED { self.dot(sums, ones, x) } else { self.dot(sums, x, ones) }
    }

    #[inline(always)]
    fn add(self, a: __m512i, b: __m512i) -> __m512i {
        self.avx512f._mm512_add_epi32(a, b)
    }

    #[inline(always)]
    fn total(self, sums: __m512i) -> i32 {
        self.avx512f._mm512_reduce_add_epi32(sums)
    }

    #[inline(always)]
    fn totals(self, rows: [__m512i; 4]) -> [i32; 4] {
        x86::totals_of_16(*self, rows)
    }

    #[inline(always)]
    fn cosines(self, dots: [f64; 4], norms: [f64; 4]) -> [f64; 4] {
        cosines(**self, dots, norms)
    }
}
