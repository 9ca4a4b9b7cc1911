//! Approximate nearest neighbors in a graph: HNSW, the hierarchical navigable small world graph of
//! Malkov & Yashunin (2016, arXiv 1603.09320).
//!
//! Use this crate to search or build a graph without an operating system, in memory of your own, or
//! with threads of your own. Nodes have dense ids, and there are no files. For an index with keys,
//! files and threads use the crate `vex`. For distances alone use `vex-kernels`.
//!
//! ```
//! use std::convert::Infallible;
//! use std::ops::ControlFlow;
//! use vex_graph::{Hnsw, Metric, Neighbor, Params, Scratch, SearchParams, Serial, search};
//!
//! let vectors = [[0.0f32, 1.0], [3.0, 0.0], [0.0, 2.0], [4.0, 4.0]];
//! let mut source = vectors.iter();
//! let (graph, order) = Hnsw::build(
//!     Metric::SquaredEuclidean,
//!     2,
//!     Params::default(),
//!     vectors.len(),
//!     |vector: &mut [f32]| -> Result<(), Infallible> {
//!         vector.copy_from_slice(source.next().expect("one call for each vector"));
//!         Ok(())
//!     },
//!     &Serial,
//!     |_linked| ControlFlow::Continue(()),
//! )?;
//!
//! let mut scratch = Scratch::new();
//! let mut found = [Neighbor::default(); 2];
//! search(&graph.view(), &[0.0, 1.2], &SearchParams::new(2).ef_search(50), &mut scratch, &mut found)?;
//! assert_eq!(found.map(|neighbor| order[neighbor.id as usize]), [0, 2]);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! [`search_filtered`] finds the nearest of some nodes, [`search_radius`] all within a distance,
//! and [`Batches`] the next nearest.
//!
//! The chapters in the folder `docs` of the repository explain the ideas: searches (2), builds (3),
//! changes (4), codes (6), filters (7) and memory (8). `docs/tuning.md` helps to choose parameters.
//!
//! All that a search can see is a [`GraphView`]: borrowed slices, whoever owns them. [`Hnsw`] owns
//! its memory, grows one [`insert`](Hnsw::insert) at a time or is [built](Hnsw::build) at once, and
//! lends itself out as a view. [`search`] traverses the graph; [`exact`] compares every row.
//!
//! Vectors are of f32, f16, i8, u8 or bits, as [`Params::element`] says; bits are packed into
//! `u64`. Queries are of the same type, or f32 for an index of f16. Ranks are f32: distances
//! between integers are exact up to 2²⁴ and rounded beyond, the same on every machine.
//!
//! # What always holds
//! Of a graph that this crate made, after every call, successful or not:
//! - A node of level l is on all levels below, and the entry point is on the top level.
//! - A row has at most `m` links (2 `m` on the base): to other nodes of its level, to none twice,
//!   terminators last.
//! - Every node can be reached from the entry point over the links of the base, or through the node
//!   with an equal vector whose [copy](CopyLinks) it is. A deleted copy alone cannot. A search
//!   without codes, whose `ef_search` is at least the number of nodes, therefore returns exactly
//!   what [`exact`] does, to the last bit.
//! - The same vectors, parameters and seed give the same bytes, however many workers an
//!   [`Executor`] has.
//! - A call that fails leaves the graph as it was. A failed allocation is such a failure, not an
//!   abort.
//!
//! Nodes with equal vectors are found through one of them, so that they cost linear time and a
//! search meets each vector once. A bulk build finds all of them. An insert finds the equal vector
//! that its own search meets, which by inner product may be missed among longer vectors; both are
//! linked then. A node on a new top level and the entry point are linked in any case.
//!
//! A search never returns a deleted node or one that its filter refuses, none twice, and `min(k,
//! matches)` in all unless `max_distance_evals` ends it.
//!
//! Of a view whose links are garbage: a search stays inside the slices, does not panic, ends, and
//! returns ids of nodes.
//!
//! # The range of numbers
//! Distances are f32, and what is accepted is such that none of them overflows: see [`MAX_NORM`],
//! the longest vector under the squared Euclidean and inner product metrics. Cosine looks at
//! directions alone, over the whole range of f32: vectors and queries may be of any length but
//! zero.
//!
//! Distances near zero vanish: a squared Euclidean distance below 2⁻¹⁴⁹ is 0. So vectors of f32
//! that differ by less than about 2⁻⁷⁵ (2.6e-23) in every element are at distance 0. Those that
//! differ by less than 2⁻⁶³ (1.1e-19) are at distances with fewer digits than others. An inner
//! product below 2⁻¹⁴⁹ is 0, too. Multiply such vectors by one number first. Vectors of other
//! elements have no such distances.
//!
//! # What is absent
//! No threads: an [`Executor`] lends its own. No files. No randomness but the seed's. No allocation
//! in a search whose [`Scratch`] has grown. No `unsafe`.
//!
//! # Features
//! - `std` (default): instruction sets are detected through the standard library. Implies `alloc`.
//! - `alloc`: [`Hnsw`], [`Scratch`], [`search`] and [`exact`]: whatever owns memory.
//! - `roaring`: bitmaps of the crate roaring are filters. Implies `alloc`.
//! - `serde`: parameters can be read and written by the crate serde. Elements, codes and metrics
//!   are their names.
//!
//! # `no_std`
//! Without features, what is left needs neither the standard library nor an allocator:
//! [`GraphView`] over slices in flash, say, [`search_in`] with a [`ScratchMut`] over the caller's
//! slices, and [`Exact`].
#![no_std]
#![forbid(unsafe_code)]
// Every public function says when it fails.
#![warn(clippy::missing_errors_doc, clippy::missing_panics_doc)]

#[cfg(feature = "alloc")]
extern crate alloc;

mod candidate;
#[cfg(feature = "alloc")]
mod construct;
mod copies;
#[cfg(feature = "alloc")]
mod delete;
mod distance;
mod element;
mod error;
mod exact;
#[cfg(feature = "alloc")]
mod hnsw;
mod id;
#[cfg(feature = "alloc")]
mod memory;
mod params;
mod random;
mod search;
mod set;
#[cfg(feature = "serde")]
mod settings;
#[cfg(feature = "alloc")]
mod storage;
mod view;

pub use candidate::Candidate;
#[cfg(feature = "alloc")]
pub use construct::{Executor, Serial};
pub use copies::CopyLinks;
pub use distance::codes::{Codes, Quantization, Terms};
pub use element::{Element, Elements, Scalar};
pub use error::{
    BuildError, DeleteError, InsertError, MemoryLimitExceeded, Norm, OutOfMemory, SearchError, UpdateError,
    VectorError,
};
pub use exact::Exact;
#[cfg(feature = "alloc")]
pub use exact::exact;
#[cfg(feature = "alloc")]
pub use hnsw::Hnsw;
pub use id::{MAX_LEVELS, MAX_NODES, NodeId, TERMINATOR};
#[cfg(feature = "alloc")]
pub use memory::MemoryPlan;
pub use params::{Params, ParamsError, SearchParams};
pub use search::search_radius_in;
pub use search::{
    Batches, Filter, Neighbor, ScratchMut, SearchEnd, SearchStats, Step, search_filtered_in, search_in,
};
#[cfg(feature = "alloc")]
pub use search::{
    Scratch, search, search_filtered, search_filtered_observed, search_observed, search_radius,
};
pub use set::NodeSet;
#[cfg(feature = "alloc")]
pub use storage::Vectors;
pub use vex_kernels::{Metric, NameError, f16};
pub use view::{GraphView, LevelView, Rows, ViewError};

/// The most elements a vector can have: of bits, too, which are 1,024 words then.
pub const MAX_DIM: usize = 65_536;

/// The longest vector of f32, and the longest query, under the squared Euclidean and inner product
/// metrics: 2⁶², about 4.6e18. Cosine has no such limit. Vectors of f16 and of integers cannot be
/// so long; queries of f32 against f16 can.
///
/// With it nothing overflows that is kept or summed in f32, whose largest value is nearly 2¹²⁸. Let
/// |a|, |b| ≤ 2⁶²:
/// - |a − b|² ≤ (2 · 2⁶²)² = 2¹²⁶. All that a kernel sums are squares, so no partial sum is larger
///   than the last; each of them is rounded up by less than one part in 2²³, and there are at most
///   2¹⁶, so that rounding adds less than one part in a hundred.
/// - |⟨a, b⟩| ≤ Σ|aᵢ bᵢ| ≤ |a| |b| ≤ 2¹²⁴, which bounds every partial sum.
/// - A code is of o = x − μ. The mean μ of vectors within a ball is in it, so |μ| ≤ 2⁶² and |o| ≤
///   2⁶³. Its correction terms are an offset, |o|² ≤ 2¹²⁶ or |⟨μ, o⟩| ≤ 2¹²⁵, and a factor f = |o|²
///   / ⟨c, o⟩. Every element of c has the sign of that of o, or both are zero, so nothing cancels:
///   under SQ4 and SQ2x2, where |cᵢ| ≥ 1, ⟨c, o⟩ ≥ Σ|oᵢ| ≥ |o| and f ≤ 2⁶³; under SQ8 the largest
///   element has |cᵢ| = 127, so that f ≤ |o|² / (127 max|oᵢ|) ≤ |o| √n / 127 < 2⁶⁵. Rotations keep
///   |o|, and what they sum on the way is at most √n |o| ≤ 2⁷¹.
/// - A distance by a code is an estimate. It can be beyond the range of f32, for vectors near the
///   limit that point just where their codes do not. It is then the largest f32, not infinite.
pub const MAX_NORM: f64 = (1u64 << 62) as f64;
