//! x86-64-v3: a line is 16 elements, widened to 16 bits as they are loaded. (`maddubs`, which multiplies bytes, saturates.)

use core::arch::x86_64::{__m128i, __m256i};

use pulp::x86::V3;

use super::tail;
use crate::integer::{Integer, Integers};

#[derive(Clone, Copy)]
struct Avx2(V3);

impl Avx2 {
    /// # Safety
    /// This machine has every feature of `V3`.
    #[inline(always)]
    unsafe fn assume_available() -> Self {
        // SAFETY: the caller's promise.
        Self(unsafe { V3::new_unchecked() })
    }

    #[inline(always)]
    fn widen<T: Integer>(self, line: __m128i) -> __m256i {
        match T::SIGNED {
            true => self.0.avx2._mm256_cvtepi8_epi16(line),
            false => self.0.avx2._mm256_cvtepu8_epi16(line),
        }
    }
}

impl Integers for Avx2 {
    type Block<T: Integer> = [T; 16];
    type Line = __m256i;
    type Sums = __m256i;
    const SUMS_AT_ONCE: usize = 8;

    #[inline(always)]
    fn correction<X: Integer, Y: Integer>() -> i64 {
        0
    }

    #[inline(always)]
    fn lines<T: Integer>(slice: &[T]) -> (&[[T; 16]], &[T]) {
        slice.as_chunks()
    }

    #[inline(always)]
    fn zero(self) -> __m256i {
        bytemuck::Zeroable::zeroed()
    }

    #[inline(always)]
    fn load<T: Integer>(self, line: &[T; 16]) -> __m256i {
        self.widen::<T>(bytemuck::cast(*line))
    }

    #[inline(always)]
    fn load_tail<T: Integer>(self, whole: &[T], tail: &[T]) -> __m256i {
        self.widen::<T>(match whole.last_chunk::<16>() {
            Some(last) => {
                let mask = bytemuck::cast(*tail::last_bytes::<16>(tail.len()));
                self.0.sse2._mm_and_si128(bytemuck::cast(*last), mask)
            }
            None => bytemuck::cast(tail::short(tail)),
        })
    }

    #[inline(always)]
    fn products<X: Integer, Y: Integer>(self, sums: __m256i, x: __m256i, y: __m256i) -> __m256i {
        self.add(sums, self.0.avx2._mm256_madd_epi16(x, y))
    }

    #[inline(always)]
    fn difference<T: Integer>(self, a: __m256i, b: __m256i) -> __m256i {
        self.0.avx2._mm256_sub_epi16(a, b)
    }

    #[inline(always)]
    fn add(self, a: __m256i, b: __m256i) -> __m256i {
        self.0.avx2._mm256_add_epi32(a, b)
    }

    #[inline(always)]
    fn total(self, sums: __m256i) -> i32 {
        total(self.0, sums)
    }

    #[inline(always)]
    fn totals(self, rows: [__m256i; 4]) -> [i32; 4] {
        totals(self.0, rows)
    }

    #[inline(always)]
    fn cosines(self, dots: [f64; 4], norms: [f64; 4]) -> [f64; 4] {
        cosines(self.0, dots, norms)
    }
}

/// The sum of eight lanes.
#[inline(always)]
pub(in crate::isa) fn total(v3: V3, sums: __m256i) -> i32 {
    let high = v3.avx2._mm256_extracti128_si256::<1>(sums);
    let four = v3.sse2._mm_add_epi32(v3.avx._mm256_castsi256_si128(sums), high);
    let two = v3.sse2._mm_add_epi32(four, v3.sse2._mm_shuffle_epi32::<0b01_00_11_10>(four));
    let one = v3.sse2._mm_add_epi32(two, v3.sse2._mm_shuffle_epi32::<0b10_11_00_01>(two));
    v3.sse2._mm_cvtsi128_si32(one)
}

/// The sums of eight lanes each. Four at once take a third of the shuffles of four in turn.
#[inline(always)]
pub(in crate::isa) fn totals(v3: V3, [a, b, c, d]: [__m256i; 4]) -> [i32; 4] {
    let ab = v3.avx2._mm256_hadd_epi32(a, b);
    let cd = v3.avx2._mm256_hadd_epi32(c, d);
    let halves = v3.avx2._mm256_hadd_epi32(ab, cd);
    let high = v3.avx2._mm256_extracti128_si256::<1>(halves);
    bytemuck::cast(v3.sse2._mm_add_epi32(v3.avx._mm256_castsi256_si128(halves), high))
}

/// Four take as long as one.
#[inline(always)]
pub(super) fn cosines(v3: V3, dots: [f64; 4], norms: [f64; 4]) -> [f64; 4] {
    let roots = v3.avx._mm256_sqrt_pd(bytemuck::cast(norms));
    bytemuck::cast(v3.avx._mm256_div_pd(bytemuck::cast(dots), roots))
}

super::compile_integers!(
    Avx2,
    "sse,sse2,fxsr,sse3,ssse3,sse4.1,sse4.2,popcnt,avx,avx2,bmi1,bmi2,fma,lzcnt,f16c"
);
