//! x86-64-v3 and AVX-VNNI: a register has 256 bits for 32 elements.

use core::arch::x86_64::__m256i;

use super::super::ops::{Integer, IntegerOps};
use super::super::tail;
use super::{bias_correction, cosines};
use crate::cpu::{Avx2Vnni, x86};

impl Avx2Vnni {
    /// Makes signed bytes unsigned by adding 128, or unsigned bytes signed by subtracting it.
    #[inline(always)]
    fn bias(self, register: __m256i) -> __m256i {
        self.avx2._mm256_xor_si256(register, self.avx._mm256_set1_epi8(-128))
    }
}

impl IntegerOps for Avx2Vnni {
    type Elements<T: Integer> = [T; 32];
    type Register = __m256i;
    type Sums = __m256i;
    const SUMS_AT_ONCE: usize = 12;

    #[inline(always)]
    fn correction<X: Integer, Y: Integer>() -> i64 {
        bias_correction::<X, Y>()
    }

    #[inline(always)]
    fn registers<T: Integer>(slice: &[T]) -> (&[[T; 32]], &[T]) {
        slice.as_chunks()
    }

    #[inline(always)]
    fn load<T: Integer>(self, register: &[T; 32]) -> __m256i {
        bytemuck::cast(*register)
    }

    #[inline(always)]
    fn load_tail<T: Integer>(self, whole: &[T], tail: &[T]) -> __m256i {
        if let Some(last) = whole.last_chunk::<32>() {
            let mask = bytemuck::cast(*tail::last_bytes::<32>(tail.len()));
            return self.avx2._mm256_and_si256(bytemuck::cast(*last), mask);
        }
        let halves = match (tail.first_chunk::<16>(), tail.last_chunk::<16>()) {
            (Some(first), Some(last)) => {
                let mask = bytemuck::cast(*tail::last_bytes::<16>(tail.len() - 16));
                let rest = self.sse2._mm_and_si128(bytemuck::cast(*last), mask);
                (bytemuck::cast(*first), rest)
            }
            _ => (bytemuck::cast(tail::short(tail)), bytemuck::Zeroable::zeroed()),
        };
        self.avx._mm256_set_m128i(halves.1, halves.0)
    }

    #[inline(always)]
    fn products<X: Integer, Y: Integer>(self, sums: __m256i, x: __m256i, y: __m256i) -> __m256i {
        match (X::SIGNED, Y::SIGNED) {
            (true, true) => self.dot(sums, self.bias(y), x),
            (false, false) => self.dot(sums, x, self.bias(y)),
            (true, false) => self.dot(sums, y, x),
            (false, true) => self.dot(sums, x, y),
        }
    }

    #[inline(always)]
    fn elements<X: Integer>(self, sums: __m256i, x: __m256i) -> __m256i {
        let ones = self.avx._mm256_set1_epi8(1);
        if X::SIGNED { self.dot(sums, ones, x) } else { self.dot(sums, x, ones) }
    }

    #[inline(always)]
    fn add(self, a: __m256i, b: __m256i) -> __m256i {
        self.avx2._mm256_add_epi32(a, b)
    }

    #[inline(always)]
    fn total(self, sums: __m256i) -> i32 {
        x86::total(*self, sums)
    }

    #[inline(always)]
    fn totals(self, rows: [__m256i; 4]) -> [i32; 4] {
        x86::totals(*self, rows)
    }

    #[inline(always)]
    fn cosines(self, dots: [f64; 4], norms: [f64; 4]) -> [f64; 4] {
        cosines(*self, dots, norms)
    }
}
