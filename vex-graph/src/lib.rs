//! HNSW, the hierarchical navigable small world graph of Malkov & Yashunin (2016, arXiv 1603.09320).
#![no_std]
#![forbid(unsafe_code)]

#[cfg(feature = "alloc")]
extern crate alloc;

mod error;
mod id;
mod params;
mod view;

pub use error::{InsertError, OutOfMemory, SearchError, VectorError};
pub use id::{MAX_LEVELS, MAX_NODES, NodeId, TERMINATOR};
pub use params::{Params, ParamsError, SearchParams};
pub use vex_kernels::Metric;
pub use view::{GraphView, LevelView, Rows, ViewError, row_stride};

/// The most elements a vector can have.
pub const MAX_DIM: usize = 65_536;
