//! Distances between vectors, with the widest instruction set that the machine has.
//!
//! ```
//! use vex_kernels::{Distance, Metric};
//!
//! let distance = Distance::<f32>::new(Metric::SquaredEuclidean);
//! assert_eq!(distance.distance(&[0.0, 0.0], &[3.0, 4.0]), 25.0);
//! let rows = [[1.0, 0.0], [0.0, 2.0], [3.0, 0.0], [0.0, 4.0]];
//! let four = distance.distance_batch_4(&[0.0, 0.0], rows.each_ref().map(|row| &row[..]));
//! assert_eq!(four, [1.0, 4.0, 9.0, 16.0]);
//! ```
//!
//! A [`Distance`] is resolved once, for the best [`Level`] that was detected, and then called without
//! further checks of the processor.
//!
//! # Bits
//! Every level sums over the same 64 virtual lanes and reduces them in the same order. A batch of four
//! gives the same bits as four single calls, and all levels that have a fused multiply-add (AVX2, AVX-512,
//! NEON) give the same bits as each other. The portable level rounds every product and stays within the
//! same bound.
//!
//! Packed bits are counted exactly at every level.
//!
//! # Error bound
//! With u = 2⁻²⁴, γₖ = k u / (1 − k u) and m = ⌈n / 64⌉ + 6, for `n` finite elements whose sums do not
//! overflow (the standard analysis: N. Higham, *Accuracy and Stability of Numerical Algorithms*, 2nd ed., section 3.1):
//!
//! | metric | bound of the absolute error |
//! |---|---|
//! | inner product | γₘ Σ\|aᵢ bᵢ\| + n 2⁻¹⁴⁹ |
//! | squared Euclidean | γₘ₊₂ Σ(aᵢ − bᵢ)² + n 2⁻¹⁴⁹ |
//! | cosine | 2 γₘ + 5 u, where no square underflows |
//! | Hamming | 0 below 2²⁴ differing bits, u of the count above |
//! | Jaccard | u of the quotient |
//!
//! Half precision (f16, bf16) is widened exactly as it is loaded: the bound is that of the widened vectors.
//!
//! # `no_std`
//! Without the default feature `std` the crate needs neither an allocator nor the standard library; detection
//! on x86 then asks CPUID and XCR0 itself.
#![no_std]
#![deny(unsafe_code)]

#[cfg(any(feature = "std", test))]
extern crate std;

mod bits;
mod code_product;
mod distance;
mod element;
mod integer;
// The only two places that may hold `unsafe`: loads and calls that an instruction set gates, and prefetches.
#[allow(unsafe_code)]
mod isa;
mod kernel;
mod level;
mod metric;
#[allow(unsafe_code)]
mod prefetch;
pub mod reference;
#[cfg(test)]
mod tests;

pub use code_product::CodeProduct;
pub use distance::{BoundQuery, Distance};
pub use element::Element;
pub use half::{bf16, f16};
pub use level::Level;
pub use metric::Metric;
pub use prefetch::prefetch;
