//! Instruction sets: what each can do with a line of sixteen f32 lanes, and the only doors to its code.
//!
//! A kernel compiled for an instruction set may run only where that set exists. [`Kernels`] keeps that
//! promise: its pointers are private, and it is built only after [`Capabilities`] has said yes.

#[cfg(target_arch = "x86_64")]
mod avx2;
#[cfg(target_arch = "x86_64")]
mod avx512;
mod capabilities;
#[cfg(target_arch = "aarch64")]
mod neon;
mod portable;

pub(crate) use capabilities::Capabilities;
#[cfg(test)]
pub(crate) use portable::Portable;

use crate::kernel::LINE;
use crate::{Level, Metric};

/// A line of sixteen f32 lanes and what the kernels do with it. `Self` is the proof that the instruction set exists.
pub(crate) trait Isa: Copy {
    /// Sixteen f32 lanes, in as many registers as the instruction set needs.
    type Line: Copy;
    /// How many lines of sums to keep at once for a single row. Measured; about what the registers hold.
    const LINES_AT_ONCE: usize;
    /// The same for a batch of four rows, which are computed one after the other if it is too few for them.
    const LINES_IN_BATCH: usize;

    fn zero(self) -> Self::Line;
    fn load(self, line: &[f32; LINE]) -> Self::Line;
    /// A line of fewer than sixteen elements; what is absent reads as zero.
    fn load_partial(self, slice: &[f32]) -> Self::Line;
    fn add(self, a: Self::Line, b: Self::Line) -> Self::Line;
    fn sub(self, a: Self::Line, b: Self::Line) -> Self::Line;
    /// a × b + c, fused on every instruction set but the portable one.
    fn mul_add(self, a: Self::Line, b: Self::Line, c: Self::Line) -> Self::Line;
    /// The sum of all lanes, by halves: lane i with i + 8, then i + 4, i + 2 and i + 1.
    fn sum(self, line: Self::Line) -> f32;
}

/// [`Isa::sum`] where the compiler is trusted to find the instructions.
#[inline(always)]
fn sum_lanes(lanes: [f32; LINE]) -> f32 {
    let mut sums = lanes;
    for half in [8, 4, 2, 1] {
        for i in 0..half {
            sums[i] += sums[i + half];
        }
    }
    sums[0]
}

/// The square root, correctly rounded.
#[inline(always)]
pub(crate) fn sqrt(x: f64) -> f64 {
    // `libm` has the instruction too, but encoded without AVX: after code with wider registers it costs
    // hundreds of cycles.
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

/// The entry points of one (element, metric, level). Public only to the sealed trait behind [`crate::Element`].
#[derive(Clone, Copy)]
#[allow(unreachable_pub)]
pub struct Kernels<T> {
    distance: unsafe fn(&[T], &[T]) -> f32,
    distance_batch_4: unsafe fn(&[T], [&[T]; 4]) -> [f32; 4],
}

impl<T> Kernels<T> {
    #[inline(always)]
    pub(crate) fn distance(&self, a: &[T], b: &[T]) -> f32 {
        // SAFETY: `kernels_f32` hands out a table only for an instruction set that this machine has.
        unsafe { (self.distance)(a, b) }
    }

    #[inline(always)]
    pub(crate) fn distance_batch_4(&self, query: &[T], rows: [&[T]; 4]) -> [f32; 4] {
        // SAFETY: as in `distance`.
        unsafe { (self.distance_batch_4)(query, rows) }
    }
}

/// The f32 kernels of `level`, or `None` where the machine lacks it.
pub(crate) fn kernels_f32(metric: Metric, level: Level) -> Option<Kernels<f32>> {
    if !level.is_available() {
        return None;
    }
    match level {
        Level::Scalar => Some(portable::kernels_f32(metric)),
        #[cfg(target_arch = "x86_64")]
        Level::Avx2 => Some(avx2::kernels_f32(metric)),
        #[cfg(target_arch = "x86_64")]
        Level::Avx512 => Some(avx512::kernels_f32(metric)),
        #[cfg(target_arch = "aarch64")]
        Level::Neon => Some(neon::kernels_f32(metric)),
        #[allow(unreachable_patterns)]
        _ => None,
    }
}

/// Instantiates the generic body of every metric for one instruction set: `$isa` is its [`Isa`], `$features`
/// what its functions are compiled with.
macro_rules! instantiate_f32 {
    ($isa:ident $(, $features:literal)?) => {
        /// The entry points of this instruction set. To call them is sound only where it exists.
        pub(super) fn kernels_f32(metric: $crate::Metric) -> $crate::isa::Kernels<f32> {
            use $crate::{Metric, kernel, metric as rule};

            macro_rules! entry {
                ($rule:ty, $sums:literal) => {{
                    $(#[target_feature(enable = $features)])?
                    unsafe fn distance(a: &[f32], b: &[f32]) -> f32 {
                        // SAFETY: runs only where the capability was found, and it covers every feature of the token.
                        let isa = unsafe { $isa::assume_available() };
                        kernel::distance::<_, $rule, $sums>(isa, a, b)
                    }
                    $(#[target_feature(enable = $features)])?
                    unsafe fn distance_batch_4(query: &[f32], rows: [&[f32]; 4]) -> [f32; 4] {
                        // SAFETY: runs only where the capability was found, and it covers every feature of the token.
                        let isa = unsafe { $isa::assume_available() };
                        kernel::distance_batch_4::<_, $rule, $sums>(isa, query, rows)
                    }
                    $crate::isa::Kernels { distance, distance_batch_4 }
                }};
            }
            match metric {
                Metric::SquaredEuclidean => entry!(rule::SquaredEuclidean, 1),
                Metric::InnerProduct => entry!(rule::InnerProduct, 1),
                Metric::Cosine => entry!(rule::Cosine, 3),
            }
        }
    };
}
use instantiate_f32;
