//! Distances between vectors, with the widest instruction set that the machine has.
//!
//! Use this crate to compare vectors in code of your own: an exact search, an index, firmware. It
//! takes slices and returns distances. For an index that finds neighbors, use the crate `vex`, or
//! `vex-graph` where there is no operating system.
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
//! A [`Distance`] is resolved once, for the best instruction set of the machine. Its calls check
//! nothing about the processor. [`Distance::bind`] keeps what depends on a query alone.
//! [`Distance::distance_many`] compares a query with many rows of a matrix.
//!
//! # Elements
//!
//! | query, row | metrics | a distance is | and |
//! |---|---|---|---|
//! | `f32`, `f32` | squared Euclidean, inner product, cosine | `f32` | within the bound below |
//! | `f16`, `f16`; `bf16`, `bf16`; `f32`, `f16`; `f32`, `bf16` | the same | `f32` | widened to `f32` as it is loaded, which is exact; then as `f32` |
//! | `i8`, `i8`; `u8`, `u8` | the same | `f64` | an exact integer; cosine in `f64` |
//! | `i8`, `u8` | inner product | `f64` | exact; [`Product`] gives it as `i32`, for quantized search |
//! | `u64`, `u64`: bits, 64 to a word | Hamming, Jaccard | `f32` | exact up to 2²⁴ bits; Jaccard rounds once |
//!
//! ```
//! use vex_kernels::{Distance, Metric, f16};
//!
//! let halves = [1.0, 2.0].map(f16::from_f32);
//! assert_eq!(Distance::<f16>::new(Metric::InnerProduct).distance(&halves, &halves), -5.0);
//! assert_eq!(Distance::<f32, f16>::new(Metric::InnerProduct).distance(&[1.0, 1.0], &halves), -3.0);
//! assert_eq!(Distance::<i8>::new(Metric::SquaredEuclidean).distance(&[-128, 0], &[127, 1]), 65_026.0);
//! assert_eq!(Distance::<u8>::new(Metric::InnerProduct).distance(&[255, 2], &[255, 1]), -65_027.0);
//! assert_eq!(Distance::<u64>::new(Metric::Hamming).distance(&[0b1011], &[0b0110]), 3.0);
//! assert!(Distance::<f32>::try_new(Metric::Hamming).is_none());
//! ```
//!
//! # Integers
//! Vectors of `i8` and of `u8` have the metrics of numbers. Queries of `i8` have the inner product
//! with rows of `u8`. Sums are exact at any length: lanes of 32 bits are emptied into totals of 64
//! bits before any lane can overflow. An f64 holds every sum of up to 2³⁷ elements. Only the cosine
//! rounds: in the product of the norms, its root, the quotient and the difference from one. These
//! four steps are the same everywhere, so every instruction set gives the same bits.
//!
//! [`Product`] gives an inner product as an `i32`. Its query has 8 bits an element, and a row is
//! 8-bit codes ([`Code8`]), 4-bit codes ([`Code4`]) or 2-bit codes ([`Code2`]).
//!
//! # Bits
//! Every kernel of floats sums over the same 64 virtual lanes and reduces the lanes in the same
//! order. So a batch of four gives the same bits as four single calls, and a bound query the same
//! as an unbound one. Instruction sets that have a fused multiply-add (AVX2, AVX-512, NEON) give
//! the same bits as each other. Portable code rounds every product and stays within the same bound.
//!
//! # Error bound
//! Let u = 2⁻²⁴, γₖ = k u / (1 − k u) and m = ⌈n / 64⌉ + 6, for `n` finite elements whose sums do
//! not overflow. The bounds follow from the standard analysis (N. Higham, *Accuracy and Stability
//! of Numerical Algorithms*, 2nd ed., section 3.1):
//!
//! | metric | bound of the absolute error |
//! |---|---|
//! | inner product | γₘ Σ\|aᵢ bᵢ\| + n 2⁻¹⁴⁹ |
//! | squared Euclidean | γₘ₊₂ Σ(aᵢ − bᵢ)² + n 2⁻¹⁴⁹ |
//! | cosine | 2 γₘ + 5 u, where no square underflows |
//!
//! # Special values
//! The same on every instruction set:
//!
//! | input | squared Euclidean | inner product | cosine |
//! |---|---|---|---|
//! | no elements | 0 | 0 | 1 |
//! | a zero vector and a finite one | as computed | 0, never −0 | 1 |
//! | NaN anywhere | NaN | NaN | NaN |
//! | an infinity against finite elements | ∞ | ∓∞, or NaN against a zero | NaN |
//! | infinities of one sign at one place | NaN | −∞ | NaN |
//! | a sum beyond the largest f32 | ∞ | ∓∞, or NaN where both signs overflow | NaN, against a zero vector, too |
//! | denormals | kept, not flushed | kept | a vector whose squares all underflow counts as zero |
//! | lengths that differ | panic | panic | panic |
//!
//! The cosine of f32 and bf16 is computed from squares. The bound holds for vectors of lengths from
//! about 2⁻⁵⁰ (9e-16) to 2⁶⁴ (1.8e19). Shorter vectors lose digits until all squares underflow,
//! below a length of 2⁻⁷⁵. A caller who has others scales them first. `vex-graph` does so, and its
//! cosine does not depend on lengths. All vectors of f16 are within the range.
//!
//! Integers have no special values, and their sums are exact at any length. Two empty sets of bits
//! are at Jaccard distance 0.
//!
//! # Which code runs
//! [`Distance::name`] names the instructions that run. [`resolved`] lists them for every element
//! and metric. Each pair of element and metric falls back on its own. With the feature `std`, the
//! environment variable `VEX_SIMD` (`scalar`, `neon`, `avx2`, `avx512`) caps the [`Isa`]. It is
//! read once. Another name panics, since a typo would otherwise void a measurement unnoticed.
//! [`Distance::all`] and [`Distance::with_isa`] ignore the cap, so that tests reach everything that
//! the machine has.
//!
//! # Features
//! - `std` (default): instruction sets are detected by the standard library, and `VEX_SIMD` caps
//!   them.
//! - `serde`: a [`Metric`] can be read and written by the crate serde, as its name.
//!
//! # `no_std`
//! Without the default feature `std` the crate needs neither an allocator nor the standard library.
//! Detection on x86-64 then asks CPUID for the instructions, and XCR0 for the registers that the
//! operating system saves. Where neither can be asked, [`assume_available`] takes the caller's
//! word. Targets without floating-point registers get the portable kernels.
//!
//! # Adding to it
//! A family of kernels is a folder: `float/`, `int8/`, `packed/` (4-bit and 2-bit codes) or
//! `bits/`.
//!
//! | file | holds |
//! |---|---|
//! | `body.rs` | the algorithm, written once |
//! | `ops.rs` (in `packed/` a part of `body.rs`) | the operations that the algorithm asks of an instruction set |
//! | `x86/`, `neon.rs`, `portable.rs` | these operations, implemented |
//! | `rules.rs` | the metrics, or the layouts of codes |
//! | `mod.rs` | the table of implementations |
//!
//! - *A metric*: a rule in its family, a variant of [`Metric`], an entry in the family's table.
//! - *An element*: an entry in `element.rs`. A floating-point element also says how sixteen of it
//!   are loaded, on each instruction set.
//! - *An instruction set*: a `Capability`, and a token in `cpu/x86.rs` or `cpu/neon.rs` with its
//!   target features. Each family that gains by it gets its operations, and a place in the family's
//!   table.
//!
//! The tests run every variant that exists, without a change to them. Each addition gets a
//! benchmark.
#![no_std]
#![deny(unsafe_code)]
// Every public function says when it fails.
#![warn(clippy::missing_errors_doc, clippy::missing_panics_doc)]

#[cfg(any(feature = "std", test))]
extern crate std;

mod bits;
// `unsafe` is in this folder, in `x86/` and `neon.rs` of the families, and in `prefetch.rs`. Apart
// from tests, nothing else has it.
#[allow(unsafe_code)]
mod cpu;
mod distance;
mod element;
mod float;
mod int8;
mod metric;
mod name;
mod packed;
#[allow(unsafe_code)]
mod prefetch;
mod product;
pub mod reference;
mod rows;
#[cfg(test)]
mod tests;

pub use cpu::{Isa, Work, assume_available};
pub use distance::{BoundQuery, Distance};
pub use element::{Element, Resolved, resolved};
pub use half::{bf16, f16};
pub use metric::Metric;
pub use name::NameError;
pub use prefetch::prefetch;
pub use product::{Code, Code2, Code4, Code8, Product};
