//! x86-64-v4: a register has 512 bits for 32 elements, which are widened to 16 bits as they are
//! loaded.

use core::arch::x86_64::__m512i;

use super::super::ops::{Integer, IntegerOps};
use super::cosines;
use crate::cpu::{Avx512, x86};

impl IntegerOps for Avx512 {
    type Elements<T: Integer> = [T; 32];
    type Register = __m512i;
    type Sums = __m512i;
    const SUMS_AT_ONCE: usize = 20;

    #[inline(always)]
    fn registers<T: Integer>(slice: &[T]) -> (&[[T; 32]], &[T]) {
        slice.as_chunks()
    }

    #[inline(always)]
    fn load<T: Integer>(self, register: &[T; 32]) -> __m512i {
        let register = bytemuck::cast(*register);
        match T::SIGNED {
            true => self.avx512bw._mm512_cvtepi8_epi16(register),
            false => self.avx512bw._mm512_cvtepu8_epi16(register),
        }
    }

    #[inline(always)]
    fn load_tail<T: Integer>(self, _: &[T], tail: &[T]) -> __m512i {
        let present = ((1u64 << tail.len().min(32)) - 1) as u32;
        // SAFETY: the capability `avx512` covers BW and VL, and the mask enables only elements of
        // the tail.
        let register = unsafe { core::arch::x86_64::_mm256_maskz_loadu_epi8(present, tail.as_ptr().cast()) };
        self.load::<T>(&bytemuck::cast(register))
    }

    #[inline(always)]
    fn products<X: Integer, Y: Integer>(self, sums: __m512i, x: __m512i, y: __m512i) -> __m512i {
        self.add(sums, self.avx512bw._mm512_madd_epi16(x, y))
    }

    #[inline(always)]
    fn difference<T: Integer>(self, a: __m512i, b: __m512i) -> __m512i {
        self.avx512bw._mm512_sub_epi16(a, b)
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
