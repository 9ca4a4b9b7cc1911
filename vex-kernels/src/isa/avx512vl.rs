//! x86-64-v4 with lines of two 256-bit registers, for processors that halve everything of 512 bits and convert f16 slower then: AMD's
//! fourth generation widens eight at a time twice a cycle, sixteen once in a cycle and a half.

use core::arch::asm;
use core::arch::x86_64::__m256;

use half::f16;

use super::avx512::first_lanes;

type Avx512Vl = super::avx2::By256<true>;

/// Fewer than sixteen halves, widened as they are loaded; what is absent reads as zero. The intrinsics are a masked load, a shuffle and the
/// conversion, which the compiler cannot join, since the conversion would have to be masked for it.
///
/// # Safety
/// This machine has AVX-512F and VL.
#[inline]
#[target_feature(enable = "avx512f,avx512vl")]
pub(super) unsafe fn widen_partial_f16(slice: &[f16]) -> [__m256; 2] {
    let present = first_lanes(slice.len());
    let (low, high): (__m256, __m256);
    // SAFETY: the caller's promise; the masks enable only lanes below the slice's length, and what they do not enable is not read.
    // A signaling NaN sets the flag of an invalid operation in MXCSR, so `preserves_flags` would be a lie.
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

/// 1.0, unknown to the compiler, which would replace a product with it.
#[inline(always)]
pub(super) fn opaque_one() -> f32 {
    let mut bits = 1.0f32.to_bits();
    // SAFETY: there is no instruction.
    unsafe { asm!("/* {bits:e} */", bits = inout(reg) bits, options(pure, nomem, nostack, preserves_flags)) };
    f32::from_bits(bits)
}

super::float::compile_float!(
    @distances Avx512Vl,
    (#[target_feature(
        enable = "sse,sse2,fxsr,sse3,ssse3,sse4.1,sse4.2,popcnt,avx,avx2,bmi1,bmi2,fma,lzcnt,f16c,avx512f,avx512bw,avx512cd,avx512dq,avx512vl"
    )])
);
