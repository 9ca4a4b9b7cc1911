//! x86-64-v4: a line is 32 elements, widened to 16 bits as they are loaded.

use core::arch::x86_64::__m512i;

use pulp::x86::V4;

use super::avx2;
use crate::integer::{Integer, Integers};

#[derive(Clone, Copy)]
struct Avx512(V4);

impl Avx512 {
    /// # Safety
    /// This machine has every feature of `V4`.
    #[inline(always)]
    unsafe fn assume_available() -> Self {
        // SAFETY: the caller's promise.
        Self(unsafe { V4::new_unchecked() })
    }
}

impl Integers for Avx512 {
    type Block<T: Integer> = [T; 32];
    type Line = __m512i;
    type Sums = __m512i;
    const SUMS_AT_ONCE: usize = 20;

    #[inline(always)]
    fn correction<X: Integer, Y: Integer>() -> i64 {
        0
    }

    #[inline(always)]
    fn lines<T: Integer>(slice: &[T]) -> (&[[T; 32]], &[T]) {
        slice.as_chunks()
    }

    #[inline(always)]
    fn zero(self) -> __m512i {
        bytemuck::Zeroable::zeroed()
    }

    #[inline(always)]
    fn load<T: Integer>(self, line: &[T; 32]) -> __m512i {
        let line = bytemuck::cast(*line);
        match T::SIGNED {
            true => self.0.avx512bw._mm512_cvtepi8_epi16(line),
            false => self.0.avx512bw._mm512_cvtepu8_epi16(line),
        }
    }

    #[inline(always)]
    fn load_tail<T: Integer>(self, _: &[T], tail: &[T]) -> __m512i {
        let present = ((1u64 << tail.len().min(32)) - 1) as u32;
        // SAFETY: the capability `avx512` covers BW and VL, and the mask enables only elements of the tail.
        let line = unsafe { core::arch::x86_64::_mm256_maskz_loadu_epi8(present, tail.as_ptr().cast()) };
        self.load::<T>(&bytemuck::cast(line))
    }

    #[inline(always)]
    fn products<X: Integer, Y: Integer>(self, sums: __m512i, x: __m512i, y: __m512i) -> __m512i {
        self.add(sums, self.0.avx512bw._mm512_madd_epi16(x, y))
    }

    #[inline(always)]
    fn difference<T: Integer>(self, a: __m512i, b: __m512i) -> __m512i {
        self.0.avx512bw._mm512_sub_epi16(a, b)
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
        totals(self.0, rows)
    }

    #[inline(always)]
    fn cosines(self, dots: [f64; 4], norms: [f64; 4]) -> [f64; 4] {
        avx2::cosines(*self.0, dots, norms)
    }
}

/// The sums of sixteen lanes each. Four at once take a third of the shuffles of four in turn.
#[inline(always)]
pub(in crate::isa) fn totals(v4: V4, [a, b, c, d]: [__m512i; 4]) -> [i32; 4] {
    let f = v4.avx512f;
    let ab = f._mm512_add_epi32(f._mm512_unpacklo_epi32(a, b), f._mm512_unpackhi_epi32(a, b));
    let cd = f._mm512_add_epi32(f._mm512_unpacklo_epi32(c, d), f._mm512_unpackhi_epi32(c, d));
    let four = f._mm512_add_epi32(f._mm512_unpacklo_epi64(ab, cd), f._mm512_unpackhi_epi64(ab, cd));
    let high = f._mm512_extracti64x4_epi64::<1>(four);
    let two = v4.avx2._mm256_add_epi32(f._mm512_castsi512_si256(four), high);
    let high = v4.avx2._mm256_extracti128_si256::<1>(two);
    bytemuck::cast(v4.sse2._mm_add_epi32(v4.avx._mm256_castsi256_si128(two), high))
}

super::compile_integers!(
    Avx512,
    "sse,sse2,fxsr,sse3,ssse3,sse4.1,sse4.2,popcnt,avx,avx2,bmi1,bmi2,fma,lzcnt,f16c,avx512f,avx512bw,avx512cd,avx512dq,avx512vl"
);
