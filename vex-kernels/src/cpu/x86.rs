//! Tokens of x86-64, and sums over lanes that more than one family needs.

use core::arch::x86_64::{__m256i, __m512i, _mm256_dpbusd_avx_epi32, _mm512_dpbusd_epi32};

use pulp::x86::{V3, V4};

use super::token::tokens;

tokens! {
    /// x86-64-v3: AVX2 and fused multiply-add.
    Avx2(V3), Avx2 "avx2", Avx2, [V3];

    /// x86-64-v3 with AVX-VNNI.
    Avx2Vnni(V3), Avx2 "avx2+vnni", Avx2 AvxVnni, [V3 "avxvnni"];

    /// x86-64-v4: AVX-512 F, BW, CD, DQ and VL.
    Avx512(V4), Avx512 "avx512", Avx512, [V4];

    /// x86-64-v4 in registers of 256 bits, of which it has 32, with masks for them.
    Avx512Vl(V3), Avx512 "avx512vl", Avx512, [V4];

    /// x86-64-v4 with AVX512_VNNI.
    Avx512Vnni(V4), Avx512 "avx512+vnni", Avx512 Avx512Vnni, [V4 "avx512vnni"];

    /// x86-64-v4 with AVX512_VPOPCNTDQ.
    Avx512Vpopcntdq(V4), Avx512 "avx512+vpopcntdq", Avx512 Avx512Vpopcntdq, [V4 "avx512vpopcntdq"];
}

impl Avx2Vnni {
    /// Adds four products of unsigned and signed bytes to each 32-bit lane. Nothing saturates.
    #[inline(always)]
    pub(crate) fn dot(self, sums: __m256i, unsigned: __m256i, signed: __m256i) -> __m256i {
        // SAFETY: `Self` exists only where AVX-VNNI does.
        unsafe { _mm256_dpbusd_avx_epi32(sums, unsigned, signed) }
    }
}

impl Avx512Vnni {
    /// Adds four products of unsigned and signed bytes to each 32-bit lane. Nothing saturates.
    #[inline(always)]
    pub(crate) fn dot(self, sums: __m512i, unsigned: __m512i, signed: __m512i) -> __m512i {
        // SAFETY: `Self` exists only where AVX512_VNNI does.
        unsafe { _mm512_dpbusd_epi32(sums, unsigned, signed) }
    }
}

/// The sum of eight lanes.
#[inline(always)]
pub(crate) fn total(v3: V3, sums: __m256i) -> i32 {
    let high = v3.avx2._mm256_extracti128_si256::<1>(sums);
    let four = v3.sse2._mm_add_epi32(v3.avx._mm256_castsi256_si128(sums), high);
    let two = v3.sse2._mm_add_epi32(four, v3.sse2._mm_shuffle_epi32::<0b01_00_11_10>(four));
    let one = v3.sse2._mm_add_epi32(two, v3.sse2._mm_shuffle_epi32::<0b10_11_00_01>(two));
    v3.sse2._mm_cvtsi128_si32(one)
}

/// The sums of eight lanes each. Four sums at once take a third of the shuffles of four calls of
/// [`total`].
#[inline(always)]
pub(crate) fn totals(v3: V3, [a, b, c, d]: [__m256i; 4]) -> [i32; 4] {
    // A horizontal addition adds neighboring lanes of two registers, within each half of 128 bits.
    // After two of them, each half has one partial sum for each of a, b, c and d.
    let ab = v3.avx2._mm256_hadd_epi32(a, b);
    let cd = v3.avx2._mm256_hadd_epi32(c, d);
    let halves = v3.avx2._mm256_hadd_epi32(ab, cd);
    let high = v3.avx2._mm256_extracti128_si256::<1>(halves);
    bytemuck::cast(v3.sse2._mm_add_epi32(v3.avx._mm256_castsi256_si128(halves), high))
}

/// The sums of sixteen lanes each. Four sums at once take a third of the shuffles of four sums one
/// after the other.
#[inline(always)]
pub(crate) fn totals_of_16(v4: V4, [a, b, c, d]: [__m512i; 4]) -> [i32; 4] {
    let f = v4.avx512f;
    // Each step interleaves lanes of two registers and adds them. After the third step, each
    // quarter of 128 bits has one partial sum for each of a, b, c and d.
    let ab = f._mm512_add_epi32(f._mm512_unpacklo_epi32(a, b), f._mm512_unpackhi_epi32(a, b));
    let cd = f._mm512_add_epi32(f._mm512_unpacklo_epi32(c, d), f._mm512_unpackhi_epi32(c, d));
    let four = f._mm512_add_epi32(f._mm512_unpacklo_epi64(ab, cd), f._mm512_unpackhi_epi64(ab, cd));
    let high = f._mm512_extracti64x4_epi64::<1>(four);
    let two = v4.avx2._mm256_add_epi32(f._mm512_castsi512_si256(four), high);
    let high = v4.avx2._mm256_extracti128_si256::<1>(two);
    bytemuck::cast(v4.sse2._mm_add_epi32(v4.avx._mm256_castsi256_si128(two), high))
}
