//! The extension module of the Python package `vex-index`: see `README.md` beside this folder.
//!
//! `index.rs` and `mapped.rs` are the classes for indexes, `collection/` has those for collections.
//! All work is done by [`vex`] and [`vex_db`]. This crate turns arguments into their types, releases
//! Python's lock while they work, and turns results and errors into objects.
#![deny(unsafe_code)]
// Methods have the keyword arguments that Python's users expect.
#![allow(clippy::too_many_arguments)]

mod arrays;
mod ask;
mod building;
mod collection;
mod copies;
mod error;
mod filter;
mod held;
mod index;
mod mapped;
// May hold `unsafe`, for the mapping of a file.
mod mmap;
mod options;
mod owned;
mod parallel;
mod progress;
mod reading;

use pyo3::prelude::*;

#[pymodule]
mod _native {
    #[pymodule_export]
    use super::collection::{
        Batch, Collection, Committed, Group, Hit, Reader, Record, Report, Schema, Scroll, SegmentStats,
        Snapshot, Stats, View,
    };
    #[pymodule_export]
    use super::error::VexError;
    #[pymodule_export]
    use super::filter::KeySet;
    #[pymodule_export]
    use super::index::Index;
    #[pymodule_export]
    use super::mapped::MappedIndex;

    use super::*;

    #[pymodule_init]
    fn init(module: &Bound<'_, PyModule>) -> PyResult<()> {
        module.add("__version__", env!("CARGO_PKG_VERSION"))?;
        module.add("NO_KEY", ask::NO_KEY)
    }
}
