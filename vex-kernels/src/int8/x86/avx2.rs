//! x86-64-v3: a register has 256 bits for 16 elements, which are widened to 16 bits as they are
//! loaded. The instruction that multiplies bytes (`maddubs`) saturates.

use core::arch::x86_64::{__m128i, __m256i};

use super::super::ops::{Integer, IntegerOps};
use super::super::tail;
use super::cosines;
use crate::cpu::{Avx2, x86};

impl Avx2 {
    #[inline(always)]
    fn widen<T: Integer>(self, register: __m128i) -> __m256i {
        match T::SIGNED {
            true => self.avx2._mm256_cvtepi8_epi16(register),
            false => self.avx2._mm256_cvtepu8_epi16(register),
        }
    }
}

impl IntegerOps for Avx2 {
    type Elements<T: Integer> = [T; 16];
    type Register = __m256i;
    type Sums = __m256i;
    const SUMS_AT_ONCE: usize = 8;

    #[inline(always)]
    fn registers<T: Integer>(slice: &[T]) -> (&[[T; 16]], &[T]) {
        slice.as_chunks()
    }

    #[inline(always)]
    fn load<T: Integer>(self, register: &[T; 16]) -> __m256i {
        self.widen::<T>(bytemuck::cast(*register))
    }

    #[inline(always)]
    fn load_tail<T: Integer>(self, whole: &[T], tail: &[T]) -> __m256i {
        self.widen::<T>(match whole.last_chunk::<16>() {
            Some(last) => {
                let mask = bytemuck::cast(*tail::last_bytes::<16>(tail.len()));
                self.sse2._mm_and_si128(bytemuck::cast(*last), mask)
            }
            None => bytemuck::cast(tail::short(tail)),
        })
    }

    #[inline(always)]
    fn products<X: Integer, Y: Integer>(self, sums: __m256i, x: __m256i, y: __m256i) -> __m256i {
        self.add(sums, self.avx2._mm256_madd_epi16(x, y))
    }

    #[inline(always)]
    fn difference<T: Integer>(self, a: __m256i, b: __m256i) -> __m256i {
        self.avx2._mm256_sub_epi16(a, b)
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
