//! x86-64 with sixteen lanes in two registers of 256 bits: x86-64-v3, and the same for x86-64-v4.
//!
//! x86-64-v4 has this beside [registers of 512 bits](super::avx512), for processors that halve
//! every operation of 512 bits and convert f16 more slowly in them. AMD's Zen 4 widens eight f16 at
//! a time twice a cycle, and sixteen once in a cycle and a half.

use core::arch::asm;
use core::arch::x86_64::__m256;
use core::ops::Deref;

use half::{bf16, f16};
use pulp::x86::V3;
use pulp::{MemMask, Simd, f32x8, m32x8, u16x16, u32x8};

use super::super::ops::{FloatOps, LANES};
use super::{align_stack, cosines, first_lanes};
use crate::cpu::{Avx2, Avx512Vl};

/// A token whose sixteen lanes are two registers of 256 bits.
trait By256: Copy + Deref<Target = V3> {
    /// Whether the token stands for x86-64-v4, which has twice as many registers, and masks.
    const V4: bool;

    /// The first eight elements of a slice that may have fewer. Absent ones read as zero.
    #[inline(always)]
    fn load_half(self, slice: &[f32]) -> f32x8 {
        const INDEX: [i32; 8] = [0, 1, 2, 3, 4, 5, 6, 7];
        let length = self.splat_i32s(slice.len().min(8) as i32);
        let mask: m32x8 = self.greater_than_i32s(length, bytemuck::cast(INDEX));
        // SAFETY: the mask enables only lanes below the slice's length, and a slice of f32 is
        // aligned as one.
        unsafe { self.mask_load_ptr_f32s(MemMask::new(mask), slice.as_ptr()) }
    }

    /// The first sixteen elements of a slice that may have fewer. Absent ones read as zero.
    ///
    /// Without AVX-512 there is no masked load of 16-bit elements. So whole 32-bit words are loaded
    /// with a mask, and a single element that is left is inserted behind them.
    #[inline(always)]
    fn load_partial_u16(self, slice: &[u16]) -> u16x16 {
        const INDEX: u32x8 = u32x8(0, 1, 2, 3, 4, 5, 6, 7);
        let slice = &slice[..slice.len().min(LANES)];
        let whole = self.splat_u32s(slice.len() as u32 / 2);
        let mask = bytemuck::cast(self.greater_than_u32s(whole, INDEX));
        // The intrinsic itself, since the function of `pulp` around it asks for the alignment of a
        // word.
        // SAFETY: the mask enables only words that end within the slice, and the instruction loads
        // from any address.
        let words = unsafe { self.avx2._mm256_maskload_epi32(slice.as_ptr().cast(), mask) };
        let left = if slice.len() % 2 == 1 { slice[slice.len() - 1] } else { 0 };
        let left =
            self.and_u32s(bytemuck::cast(self.equal_u32s(whole, INDEX)), self.splat_u32s(u32::from(left)));
        bytemuck::cast(self.or_u32s(bytemuck::cast(words), left))
    }
}

impl By256 for Avx2 {
    const V4: bool = false;
}

impl By256 for Avx512Vl {
    const V4: bool = true;
}

impl<I: By256> FloatOps for I {
    type Register = [f32x8; 2];
    const REGISTERS_AT_ONCE: usize = if I::V4 { 16 } else { 4 };
    const WIDENED_AT_ONCE: usize = if I::V4 { 16 } else { 2 };
    const REGISTERS_IN_BATCH: usize = if I::V4 { 8 } else { 4 };

    #[inline(always)]
    fn align_stack(self) {
        align_stack();
    }

    #[inline(always)]
    fn load_f16(self, register: &[f16; LANES]) -> Self::Register {
        use core::arch::x86_64::_mm256_cvtph_ps;
        // SAFETY: the capability `avx2` covers F16C.
        let widen = |half: [u16; 8]| unsafe { _mm256_cvtph_ps(bytemuck::cast(half)) };
        let [low, high]: [[u16; 8]; 2] = bytemuck::cast(*register);
        [bytemuck::cast(widen(low)), bytemuck::cast(widen(high))]
    }

    #[inline(always)]
    fn load_bf16(self, register: &[bf16; LANES]) -> Self::Register {
        let widen = |half: [u16; 8]| {
            // A bf16 is the upper half of an f32.
            let wide = self.avx2._mm256_cvtepu16_epi32(bytemuck::cast(half));
            bytemuck::cast(self.avx2._mm256_slli_epi32::<16>(wide))
        };
        let [low, high]: [[u16; 8]; 2] = bytemuck::cast(*register);
        [widen(low), widen(high)]
    }

    #[inline(always)]
    fn load_bf16_pair(self, pair: &[bf16; 2 * LANES]) -> [Self::Register; 2] {
        let [first, second]: [u32x8; 2] = bytemuck::cast(*pair);
        let low = |words: u32x8| bytemuck::cast(self.avx2._mm256_slli_epi32::<16>(bytemuck::cast(words)));
        let high = |words| bytemuck::cast(self.and_u32s(words, self.splat_u32s(0xffff_0000)));
        [[low(first), low(second)], [high(first), high(second)]]
    }

    #[inline(always)]
    fn load_partial_f16(self, slice: &[f16]) -> Self::Register {
        if const { I::V4 } {
            // SAFETY: `V4` covers AVX-512F and VL.
            let widened: [__m256; 2] = unsafe { widen_partial_f16(slice) };
            return bytemuck::cast(widened);
        }
        self.load_f16(&bytemuck::cast(self.load_partial_u16(bytemuck::cast_slice(slice))))
    }

    #[inline(always)]
    fn load_partial_bf16(self, slice: &[bf16]) -> Self::Register {
        self.load_bf16(&bytemuck::cast(self.load_partial_u16(bytemuck::cast_slice(slice))))
    }

    #[inline(always)]
    fn load_partial_bf16_pair(self, slice: &[bf16]) -> [Self::Register; 2] {
        let (first, second) = slice.split_at(slice.len().min(LANES));
        let load = |half| self.load_partial_u16(bytemuck::cast_slice(half));
        self.load_bf16_pair(&bytemuck::cast([load(first), load(second)]))
    }

    #[inline(always)]
    fn load_partial(self, slice: &[f32]) -> Self::Register {
        let (low, high) = slice.split_at(slice.len().min(8));
        [self.load_half(low), self.load_half(high)]
    }

    #[inline(always)]
    fn add(self, a: Self::Register, b: Self::Register) -> Self::Register {
        [self.add_f32s(a[0], b[0]), self.add_f32s(a[1], b[1])]
    }

    #[inline(always)]
    fn sub(self, a: Self::Register, b: Self::Register) -> Self::Register {
        if const { I::V4 } {
            // Widening f16 competes with additions for execution units, and the units that multiply
            // have time left. So half of the differences become multiply-adds: a − 1 × b, rounded
            // once, is a − b.
            let one = self.splat_f32s(opaque_one());
            return [self.sub_f32s(a[0], b[0]), self.negate_mul_add_f32s(b[1], one, a[1])];
        }
        [self.sub_f32s(a[0], b[0]), self.sub_f32s(a[1], b[1])]
    }

    #[inline(always)]
    fn mul_add(self, a: Self::Register, b: Self::Register, c: Self::Register) -> Self::Register {
        [self.mul_add_f32s(a[0], b[0], c[0]), self.mul_add_f32s(a[1], b[1], c[1])]
    }

    #[inline(always)]
    fn sum(self, register: Self::Register) -> f32 {
        self.reduce_sum_f32s(self.add_f32s(register[0], register[1]))
    }

    /// Four sums at once take half of the shuffles and a third of the additions of four sums one
    /// after the other.
    #[inline(always)]
    fn sums(self, rows: [Self::Register; 4]) -> [f32; 4] {
        let v = self.avx;
        let rows: [[__m256; 2]; 4] = bytemuck::cast(rows);
        let [[a, x], [b, y], [c, z], [d, w]] = rows;
        let (a, b) = (v._mm256_add_ps(a, x), v._mm256_add_ps(b, y));
        let (c, d) = (v._mm256_add_ps(c, z), v._mm256_add_ps(d, w));
        // Now eight lanes of each row are left. Then four, where a register of ab and of cd has a
        // half for each row, then two, then one.
        let (low, high) = (v._mm256_permute2f128_ps::<0x20>(a, b), v._mm256_permute2f128_ps::<0x31>(a, b));
        let ab = v._mm256_add_ps(low, high);
        let (low, high) = (v._mm256_permute2f128_ps::<0x20>(c, d), v._mm256_permute2f128_ps::<0x31>(c, d));
        let cd = v._mm256_add_ps(low, high);
        let two = v._mm256_add_ps(
            v._mm256_shuffle_ps::<0b01_00_01_00>(ab, cd),
            v._mm256_shuffle_ps::<0b11_10_11_10>(ab, cd),
        );
        let one = v._mm256_add_ps(two, v._mm256_permute_ps::<0b10_11_00_01>(two));
        let (ac, bd) = (v._mm256_castps256_ps128(one), v._mm256_extractf128_ps::<1>(one));
        bytemuck::cast(self.sse4_1._mm_blend_ps::<0b1010>(ac, bd))
    }

    #[inline(always)]
    fn cosines(self, dots: [f32; 4], norms: [f64; 4]) -> [f64; 4] {
        cosines(*self, dots, norms)
    }
}

/// Widens fewer than sixteen f16 as they are loaded. Absent ones read as zero.
///
/// Intrinsics would take a masked load, a shuffle and the conversion. The compiler cannot join the
/// three, since the conversion itself would have to be masked.
///
/// # Safety
/// This machine has AVX-512F and VL.
#[inline]
#[target_feature(enable = "avx512f,avx512vl")]
unsafe fn widen_partial_f16(slice: &[f16]) -> [__m256; 2] {
    let present = first_lanes(slice.len());
    let (low, high): (__m256, __m256);
    // SAFETY: the caller's promise. The masks enable only lanes below the slice's length, and other
    // lanes are not read. A signaling NaN sets the flag of an invalid operation in MXCSR, so
    // `preserves_flags` would be untrue.
    unsafe {
        asm!(
            "vcvtph2ps {low:y}{{{low_present}}}{{z}}, [{halves}]",
            "vcvtph2ps {high:y}{{{high_present}}}{{z}}, [{halves} + 16]",
            halves = in(reg) slice.as_ptr(),
            low_present = in(kreg) present,
            high_present = in(kreg) present >> 8,
            low = out(zmm_reg) low,
            high = lateout(zmm_reg) high,
            options(pure, readonly, nostack),
        );
    }
    [low, high]
}

/// 1.0, hidden from the compiler, which would otherwise drop the multiplication.
#[inline(always)]
fn opaque_one() -> f32 {
    let mut bits = 1.0f32.to_bits();
    // SAFETY: there is no instruction.
    unsafe { asm!("/* {bits:e} */", bits = inout(reg) bits, options(pure, nomem, nostack, preserves_flags)) };
    f32::from_bits(bits)
}
