//! HNSW, the hierarchical navigable small world graph of Malkov & Yashunin (2016, arXiv 1603.09320).
#![no_std]
#![forbid(unsafe_code)]

#[cfg(feature = "alloc")]
extern crate alloc;

#[cfg(feature = "alloc")]
mod build;
mod error;
mod exact;
#[cfg(feature = "alloc")]
mod hnsw;
mod id;
mod params;
mod search;
#[cfg(feature = "alloc")]
mod storage;
mod view;

#[cfg(feature = "alloc")]
pub use build::{Executor, Serial};
pub use error::{BuildError, InsertError, OutOfMemory, SearchError, VectorError};
pub use exact::Exact;
#[cfg(feature = "alloc")]
pub use exact::exact;
#[cfg(feature = "alloc")]
pub use hnsw::Hnsw;
pub use id::{MAX_LEVELS, MAX_NODES, NodeId, TERMINATOR};
pub use params::{Params, ParamsError, SearchParams};
pub use search::{Candidate, Neighbor, ScratchMut, SearchStats, search_in};
#[cfg(feature = "alloc")]
pub use search::{Scratch, search};
#[cfg(feature = "alloc")]
pub use storage::Vectors;
pub use vex_kernels::Metric;
pub use view::{GraphView, LevelView, Rows, ViewError, row_stride};

/// The most elements a vector can have.
pub const MAX_DIM: usize = 65_536;
