//! The square root of an f64, without `std`.

/// The square root, correctly rounded.
#[inline(always)]
pub(crate) fn sqrt(x: f64) -> f64 {
    // `libm` uses the instruction too, but encoded without AVX. After code with wider registers
    // that encoding costs hundreds of cycles.
    #[cfg(all(target_arch = "x86_64", target_feature = "sse2"))]
    {
        use core::arch::x86_64::{_mm_cvtsd_f64, _mm_set_sd, _mm_sqrt_sd};
        // SAFETY: here and below, the target guarantees SSE2.
        let x = unsafe { _mm_set_sd(x) };
        // SAFETY: as above.
        let root = unsafe { _mm_sqrt_sd(x, x) };
        // SAFETY: as above.
        unsafe { _mm_cvtsd_f64(root) }
    }
    #[cfg(not(all(target_arch = "x86_64", target_feature = "sse2")))]
    libm::sqrt(x)
}
