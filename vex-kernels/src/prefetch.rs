//! Hints to the memory system.

/// Asks the processor to load the first `lines` cache lines (64 bytes each) of `slice` into its
/// cache: all of the slice if it has no more.
///
/// A hint: it never faults and never reads past the slice. Where stable Rust has no such
/// instruction for the target, it does nothing. Else it takes one instruction for each cache line.
#[inline(always)]
pub fn prefetch<T>(slice: &[T], lines: usize) {
    let lines = lines.min(size_of_val(slice).div_ceil(64));
    for line in 0..lines {
        // Every 64 bytes from the start of the slice, which need not be the start of a cache line.
        prefetch_line(slice.as_ptr().cast::<u8>().wrapping_add(line * 64));
    }
}

#[cfg(all(target_arch = "x86_64", target_feature = "sse2"))]
#[inline(always)]
fn prefetch_line(line: *const u8) {
    use core::arch::x86_64::{_MM_HINT_T0, _mm_prefetch};
    // SAFETY: SSE is part of x86_64, and a prefetch of any address has no architectural effect.
    unsafe { _mm_prefetch::<_MM_HINT_T0>(line.cast()) }
}

#[cfg(target_arch = "aarch64")]
#[inline(always)]
fn prefetch_line(line: *const u8) {
    // SAFETY: a prefetch of any address has no architectural effect.
    unsafe {
        core::arch::asm!("prfm pldl1keep, [{line}]", line = in(reg) line, options(readonly, nostack, preserves_flags));
    }
}

#[cfg(not(any(all(target_arch = "x86_64", target_feature = "sse2"), target_arch = "aarch64")))]
#[inline(always)]
fn prefetch_line(_: *const u8) {}
