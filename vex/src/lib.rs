//! An embedded vector index: build it, save it, reopen it in place, search it.
//!
//! ```
//! use vex::{Index, Metric};
//!
//! let mut index = Index::builder(3).metric(Metric::Cosine).build()?;
//! index.insert(7, &[1.0, 0.0, 0.0])?;
//! index.insert(8, &[0.0, 1.0, 0.0])?;
//! index.insert(9, &[0.7, 0.7, 0.1])?;
//!
//! let hits = index.search(&[0.9, 0.1, 0.0], 2)?;
//! assert_eq!([hits[0].key, hits[1].key], [7, 9]);
//!
//! let folder = tempfile::tempdir()?;
//! let path = folder.path().join("three.vex");
//! index.save(&path)?;
//! let reopened = Index::open(&path)?;
//! assert_eq!(reopened.search(&[0.9, 0.1, 0.0], 2)?, hits);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! | to | use |
//! |---|---|
//! | index vectors that come one by one | [`Index::insert`] |
//! | replace or remove a vector | [`Index::upsert`], [`Index::delete`], [`Index::compact`] |
//! | index many vectors at once, on all cores | [`Builder::build_from`], [`Builder::build_with`] |
//! | search often, without allocating | [`Index::search_with`] and a [`Scratch`] per thread |
//! | search among some of the keys | [`Index::search_filtered`] |
//! | find all within a distance | [`Index::search_radius`] |
//! | go on where a search ended | [`Index::search_batches`] |
//! | search for many queries, on all cores | [`Index::search_batch`] |
//! | search a file without reading it in | [`MappedIndex`] |
//! | search a file that is wholly in memory | [`MappedIndex::read`] |
//! | search a file whose codes are in memory | [`MappedIndex::open_near`] |
//! | find the way by codes, three to seven times as fast | [`Builder::quantization`] |
//! | know whether codes do for a set, and change them | [`Index::check_codes`], [`Index::requantize`] |
//! | know whether distances are too small for f32 | [`Index::underflow`] |
//! | index vectors of f16, i8, u8 or bits | [`Builder::element`] |
//! | know the exact answer | [`Index::exact`], [`exact_batch`] |
//! | lock a file before the work that fills it | [`Output`], [`Index::save_to`] |
//! | replace whatever is there | [`SaveOptions::overwrite`] |
//!
//! An index starts no thread but during a bulk build, a batch of searches and [`MappedIndex::verify_on`], and then as many as the
//! caller says. One thread is the caller's own.
//!
//! # Memory
//! Memory that runs out is an error of the operation, which leaves the index as it was, and what is at a path. There are two
//! exceptions, in which a failed allocation ends the process, as it is usual in Rust: what the standard library and the crate rayon
//! allocate to start more than one thread and to wake them with work, a few KiB; and what the standard library allocates for a path of
//! more than 383 bytes, or, where the system is no Unix, for any.
//!
//! The layers below are crates of their own, re-exported as [`kernels`], [`graph`] and [`format`](mod@format).
#![deny(unsafe_code)]

mod builder;
mod codes;
mod error;
mod exact;
mod index;
mod lineage;
mod loaded;
mod mapped;
// May hold `unsafe`: a file mapped into memory. `paths` may, too.
#[allow(unsafe_code)]
mod mmap;
mod numbers;
mod paths;
mod publish;
mod regular;
mod save;
mod search;
mod threads;

pub use vex_format as format;
pub use vex_graph as graph;
pub use vex_kernels as kernels;

pub use builder::Builder;
pub use codes::CodeCheck;
pub use error::{
    BatchError, BuildError, ChangeError, DeleteError, DuplicateKey, InsertError, OpenError, OpenProblem,
    ReadOnly, SaveError, SaveProblem, VerifyProblem,
};
pub use exact::exact_batch;
pub use index::Index;
pub use lineage::Generation;
pub use loaded::Loaded;
pub use mapped::MappedIndex;
pub use mmap::Mapping;
pub use publish::Output;
pub use regular::{FileKind, NotRegular};
pub use save::SaveOptions;
pub use search::{Batches, Found, Hit, Scratch};
pub use vex_format::Store;
pub use vex_graph::{
    Element, Elements, MAX_NORM, MemoryLimitExceeded, MemoryPlan, Params, ParamsError, Quantization, Scalar,
    SearchError, SearchParams, SearchStats, VectorError,
};
pub use vex_kernels::{Metric, f16};

/// The README, whose examples are tests.
#[cfg(doctest)]
#[doc = include_str!("../../README.md")]
struct Readme;
