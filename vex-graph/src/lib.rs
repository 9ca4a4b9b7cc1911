//! Approximate nearest neighbors in a graph: HNSW, the hierarchical navigable small world graph of Malkov & Yashunin (2016,
//! arXiv 1603.09320).
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
//! search(&graph.view(), &[0.0, 1.2], &SearchParams::new(2, 50), &mut scratch, &mut found)?;
//! assert_eq!(found.map(|neighbor| order[neighbor.id as usize]), [0, 2]);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! [`search_filtered`] finds the nearest of some nodes, [`search_radius`] all within a distance, and [`Batches`] the next nearest.
//!
//! All that a search can see is a [`GraphView`]: borrowed slices, whoever owns them. [`Hnsw`] owns its memory, grows one
//! [`insert`](Hnsw::insert) at a time or is [built](Hnsw::build) at once, and lends itself out as a view. [`search`] walks
//! the graph; [`exact`] looks at every row.
//!
//! Vectors are of f32, f16, i8, u8 or bits, as [`Params::element`] says; bits are packed into `u64`. Queries are of the same type, or f32
//! for an index of f16. Ranks are f32: distances between integers are exact up to 2²⁴ and rounded beyond, the same on every machine.
//!
//! # What always holds
//! Of a graph that this crate made, after every call, successful or not:
//! - A node of level l is on all levels below, and the entry point is on the top level.
//! - A row has at most `m` links (2 `m` on the base): to other nodes of its level, to none twice, terminators last.
//! - Every node can be reached from the entry point over the links of the base, or through the node with an equal vector whose
//!   [copy](CopyLinks) it is. A deleted copy alone cannot. A search with `ef_search` of at least the
//!   number of nodes therefore returns exactly what [`exact`] does, to the last bit.
//! - The same vectors, parameters and seed give the same bytes, however many workers an [`Executor`] has.
//! - A call that fails leaves the graph as it was. A failed allocation is such a failure, not an abort.
//!
//! Nodes with equal vectors are found through one of them, so that they cost linear time and a walk meets each vector once. A bulk build finds all
//! of them. An insert finds the equal vector that its own walk meets, which by inner product may be missed among longer vectors; both are
//! linked then. A node on a new top level and the entry point are linked in any case.
//!
//! A search never returns a deleted node or one that its filter refuses, none twice, and `min(k, matches)` in all unless
//! `max_distance_evals` ends it.
//!
//! Of a view whose links are garbage: a search stays inside the slices, does not panic, ends, and returns ids of nodes.
//!
//! # What is absent
//! No threads: an [`Executor`] lends its own. No files. No randomness but the seed's. No allocation in a search whose
//! [`Scratch`] has grown. No `unsafe`.
//!
//! # Features
//! - `std` (default): instruction sets are detected through the standard library. Implies `alloc`.
//! - `alloc`: [`Hnsw`], [`Scratch`], [`search`] and [`exact`]: whatever owns memory.
//!
//! # `no_std`
//! Without features, what is left needs neither the standard library nor an allocator: [`GraphView`] over slices in flash,
//! say, [`search_in`] with a [`ScratchMut`] over the caller's slices, and [`Exact`].
#![no_std]
#![forbid(unsafe_code)]

#[cfg(feature = "alloc")]
extern crate alloc;

#[cfg(feature = "alloc")]
mod build;
mod codes;
mod copies;
#[cfg(feature = "alloc")]
mod delete;
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
#[cfg(feature = "alloc")]
mod storage;
mod view;

#[cfg(feature = "alloc")]
pub use build::{Executor, Serial};
pub use codes::{Codes, Quantization, Terms};
pub use copies::CopyLinks;
pub use element::{Element, Elements, Scalar};
pub use error::{
    BuildError, DeleteError, InsertError, MemoryLimitExceeded, OutOfMemory, SearchError, UpdateError,
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
    Batches, Candidate, Filter, Neighbor, ScratchMut, SearchStats, search_filtered_in, search_in,
};
#[cfg(feature = "alloc")]
pub use search::{Scratch, search, search_filtered, search_radius};
pub use set::NodeSet;
#[cfg(feature = "alloc")]
pub use storage::Vectors;
pub use vex_kernels::{Metric, f16};
pub use view::{GraphView, LevelView, Rows, ViewError};

/// The most elements a vector can have.
pub const MAX_DIM: usize = 65_536;
