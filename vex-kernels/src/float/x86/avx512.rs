//! x86-64-v4: sixteen lanes are one register of 512 bits.
//!
//! The dot product of BF16 (VDPBF16PS) is not used. Libraries that do take 0.77 to 1.16 of the time
//! of these kernels (inner products from the first-level cache, EPYC of the fourth generation). But
//! the instruction sums neighboring elements in one lane, so that the bits would depend on the
//! machine. And it reads denormals as zero. Times a large element that is no small error, and no
//! bound relative to Σ|aᵢ bᵢ| covers it.

use core::arch::x86_64::{__m512, _MM_FROUND_CUR_DIRECTION};

use half::{bf16, f16};
use pulp::{MemMask, Simd, b16, f32x16, u16x16, u32x16};

use super::super::ops::{FloatOps, LANES};
use super::{align_stack, cosines, first_lanes};
use crate::cpu::Avx512;

impl Avx512 {
    /// Widening is exact, so the rounding mode does not matter. This form of the intrinsic names
    /// the current mode. The usual one suppresses exceptions, and that encoding has no operand in
    /// memory: it would need a load and a shuffle more.
    #[inline(always)]
    fn widen_f16(self, halves: u16x16) -> f32x16 {
        bytemuck::cast(self.avx512f._mm512_cvt_roundph_ps::<_MM_FROUND_CUR_DIRECTION>(bytemuck::cast(halves)))
    }

    /// A bf16 is the upper half of an f32.
    #[inline(always)]
    fn widen_bf16(self, halves: u16x16) -> f32x16 {
        let wide = self.avx512f._mm512_cvtepu16_epi32(bytemuck::cast(halves));
        bytemuck::cast(self.avx512f._mm512_slli_epi32::<16>(wide))
    }

    /// The lower halves of words, then the upper ones.
    #[inline(always)]
    fn split_bf16(self, words: u32x16) -> [f32x16; 2] {
        let low = self.avx512f._mm512_slli_epi32::<16>(bytemuck::cast(words));
        let high = self.and_u32s(words, self.splat_u32s(0xffff_0000));
        [bytemuck::cast(low), bytemuck::cast(high)]
    }

    #[inline(always)]
    fn load_partial_u16(self, slice: &[u16]) -> u16x16 {
        let present = first_lanes(slice.len());
        // SAFETY: the capability `avx512` covers BW and VL, and the mask enables only lanes below
        // the slice's length.
        let lanes = unsafe { core::arch::x86_64::_mm256_maskz_loadu_epi16(present, slice.as_ptr().cast()) };
        bytemuck::cast(lanes)
    }
}

impl FloatOps for Avx512 {
    type Register = f32x16;
    const REGISTERS_AT_ONCE: usize = 16;
    const REGISTERS_IN_BATCH: usize = 16;
    const UNROLLED: usize = 384;

    #[inline(always)]
    fn align_stack(self) {
        align_stack();
    }

    #[inline(always)]
    fn load_f16(self, register: &[f16; LANES]) -> f32x16 {
        self.widen_f16(bytemuck::cast(*register))
    }

    #[inline(always)]
    fn load_bf16(self, register: &[bf16; LANES]) -> f32x16 {
        self.widen_bf16(bytemuck::cast(*register))
    }

    #[inline(always)]
    fn load_bf16_pair(self, pair: &[bf16; 2 * LANES]) -> [f32x16; 2] {
        self.split_bf16(bytemuck::cast(*pair))
    }

    #[inline(always)]
    fn load_partial_bf16_pair(self, slice: &[bf16]) -> [f32x16; 2] {
        let present = ((1u64 << slice.len().min(2 * LANES)) - 1) as u32;
        // SAFETY: the capability `avx512` covers BW, and the mask enables only lanes below the
        // slice's length.
        let lanes = unsafe { core::arch::x86_64::_mm512_maskz_loadu_epi16(present, slice.as_ptr().cast()) };
        self.split_bf16(bytemuck::cast(lanes))
    }

    #[inline(always)]
    fn load_partial_f16(self, slice: &[f16]) -> f32x16 {
        self.widen_f16(self.load_partial_u16(bytemuck::cast_slice(slice)))
    }

    #[inline(always)]
    fn load_partial_bf16(self, slice: &[bf16]) -> f32x16 {
        self.widen_bf16(self.load_partial_u16(bytemuck::cast_slice(slice)))
    }

    #[inline(always)]
    fn load_partial(self, slice: &[f32]) -> f32x16 {
        let mask = MemMask::new(b16(first_lanes(slice.len())));
        // SAFETY: the mask enables only lanes below the slice's length, and a slice of f32 is
        // aligned as one.
        unsafe { self.mask_load_ptr_f32s(mask, slice.as_ptr()) }
    }

    #[inline(always)]
    fn add(self, a: f32x16, b: f32x16) -> f32x16 {
        self.add_f32s(a, b)
    }

    #[inline(always)]
    fn sub(self, a: f32x16, b: f32x16) -> f32x16 {
        self.sub_f32s(a, b)
    }

    #[inline(always)]
    fn mul_add(self, a: f32x16, b: f32x16, c: f32x16) -> f32x16 {
        self.mul_add_f32s(a, b, c)
    }

    #[inline(always)]
    fn sum(self, register: Self::Register) -> f32 {
        self.reduce_sum_f32s(register)
    }

    /// Four sums at once take half of the shuffles and a third of the additions of four sums one
    /// after the other.
    #[inline(always)]
    fn sums(self, rows: [f32x16; 4]) -> [f32; 4] {
        let f = self.avx512f;
        let [a, b, c, d]: [__m512; 4] = bytemuck::cast(rows);
        // Eight lanes of each row are left, then four, two and one. The first step takes the lower
        // two quarters of both registers and the upper two. The second step takes even and odd
        // quarters.
        let ab = f._mm512_add_ps(f._mm512_shuffle_f32x4::<0x44>(a, b), f._mm512_shuffle_f32x4::<0xee>(a, b));
        let cd = f._mm512_add_ps(f._mm512_shuffle_f32x4::<0x44>(c, d), f._mm512_shuffle_f32x4::<0xee>(c, d));
        let (even, odd) = (f._mm512_shuffle_f32x4::<0x88>(ab, cd), f._mm512_shuffle_f32x4::<0xdd>(ab, cd));
        let four = f._mm512_add_ps(even, odd);
        let two = f._mm512_add_ps(four, f._mm512_permute_ps::<0b01_00_11_10>(four));
        let one = f._mm512_add_ps(two, f._mm512_permute_ps::<0b10_11_00_01>(two));
        let v = self.avx;
        let (ab, cd) = (
            f._mm512_castps512_ps256(one),
            bytemuck::cast(f._mm512_extractf64x4_pd::<1>(bytemuck::cast(one))),
        );
        let acbd = v._mm256_blend_ps::<0b1100_1100>(ab, cd);
        let (ac, bd) = (v._mm256_castps256_ps128(acbd), v._mm256_extractf128_ps::<1>(acbd));
        bytemuck::cast(self.sse4_1._mm_blend_ps::<0b1010>(ac, bd))
    }

    #[inline(always)]
    fn cosines(self, dots: [f32; 4], norms: [f64; 4]) -> [f64; 4] {
        cosines(**self, dots, norms)
    }
}
