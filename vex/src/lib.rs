//! An embedded vector index: build it, save it, reopen it in place, search it.
//!
//! ```
//! use vex::{Index, Metric};
//!
//! let mut index = Index::builder(3).metric(Metric::Cosine).build()?;
//! index.insert(7, [1.0, 0.0, 0.0])?;
//! index.insert(8, [0.0, 1.0, 0.0])?;
//! index.insert(9, [0.7, 0.7, 0.1])?;
//!
//! let hits = index.search([0.9, 0.1, 0.0], 2)?;
//! assert_eq!([hits[0].key, hits[1].key], [7, 9]);
//!
//! let folder = tempfile::tempdir()?;
//! let path = folder.path().join("three.vex");
//! index.save(&path)?;
//! let reopened = Index::open(&path)?;
//! assert_eq!(reopened.search([0.9, 0.1, 0.0], 2)?, hits);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! | to | use |
//! |---|---|
//! | index vectors that come one by one | [`Index::insert`] |
//! | replace or remove a vector | [`Index::upsert`], [`Index::delete`], [`Index::compact`] |
//! | index many vectors at once, on all cores | [`Builder::build_from`], [`Builder::build_with`] |
//! | search in any way, wherever the index lives | [`Searcher`], which all kinds of index lend |
//! | search often, without allocating | [`Searcher::search_with`] and a [`Scratch`] per thread |
//! | search among some of the keys | [`Searcher::search_filtered`], with a predicate or a [`KeySet`] |
//! | find all within a distance | [`Searcher::search_radius`] |
//! | go on where a search ended | [`Searcher::pages`] |
//! | search for many queries, on all cores | [`Searcher::search_many`] |
//! | keep an index in a struct, or send it to threads | [`SharedIndex`] |
//! | search a file without reading it in | [`MappedIndex`] |
//! | search a file that is wholly in memory | [`MappedIndex::read`] |
//! | search a file whose codes are in memory | [`MappedIndex::open_near`] |
//! | find the way by codes, three to seven times as fast, or not | [`Builder::quantization`] |
//! | know whether codes do for a set, and change them | [`Searcher::check_codes`], [`Index::requantize`] |
//! | know whether distances are too small for f32 | [`Index::underflow`] |
//! | index vectors of f16, i8, u8 or bits | [`Builder::element`] |
//! | know the exact answer | [`Searcher::exact`], [`exact_batch`] |
//! | lock a file before the work that fills it | [`Output`], [`Index::save_output`] |
//! | replace whatever is there | [`SaveOptions::overwrite`] |
//!
//! An index starts no thread but during a bulk build, [`Searcher::search_many`] and
//! [`MappedIndex::verify_on`], and then as many as the caller says. One thread is the caller's own.
//!
//! # Memory
//! Memory that runs out is an error of the operation, which leaves the index as it was, and what is
//! at a path. There are two exceptions, in which a failed allocation ends the process, as it is
//! usual in Rust: what the standard library and the crate rayon allocate to start more than one
//! thread and to wake them with work, a few KiB; and what the standard library allocates for a path
//! of more than 383 bytes, or, where the system is no Unix, for any.
//!
//! # Features
//! None is on by default.
//! - `serde`: [`Params`], [`SearchParams`], [`Metric`], [`Element`], [`Quantization`], [`Coding`]
//!   and [`Store`] can be read and written by the crate serde. Names are those of `name()`. What
//!   was read is checked where it is used, as if it had been set.
//! - `roaring`: bitmaps of the crate roaring are filters of [`graph`].
//! - `tracing`: spans of the crate tracing, with the target `vex`. `build`, `open`, `verify` and
//!   `save` are of the level info. `search` is of the level debug: it has `dim`, `k` and
//!   `ef_search`, and in the end the [`SearchStats`]. Pages and exact answers have no spans, nor
//!   has what other threads do a parent. A search that nobody traces reads one atomic number more.
//!   One that is traced costs what the subscriber does, often a microsecond, and may allocate.
//!
//! The layers below are crates of their own, re-exported as [`kernels`], [`graph`] and
//! [`format`](mod@format).
#![deny(unsafe_code)]

mod builder;
mod codes;
mod coding;
mod error;
mod exact;
mod filter;
mod index;
mod lineage;
mod loaded;
mod mapped;
// May hold `unsafe`: a file mapped into memory. `paths` may, too.
#[allow(unsafe_code)]
mod mmap;
mod numbers;
mod pages;
mod paths;
mod publish;
mod regular;
mod save;
mod scratch;
mod searcher;
mod shared;
mod threads;
mod trace;
mod vector;

pub use vex_format as format;
pub use vex_graph as graph;
pub use vex_kernels as kernels;

pub use builder::Builder;
pub use codes::CodeCheck;
pub use coding::{Coding, GivenUpCodes};
pub use error::{
    BuildError, ChangeError, DeleteError, DuplicateKey, Error, ExtendError, InsertError, ManyError,
    OpenError, OpenProblem, ReadOnly, Result, SaveError, SaveProblem, ThreadsError, VerifyProblem,
};
pub use exact::exact_batch;
pub use filter::{KeyFilter, KeySet};
pub use index::Index;
pub use lineage::Generation;
pub use loaded::Loaded;
pub use mapped::{InPlace, MappedIndex};
pub use mmap::Mapping;
pub use pages::Pages;
pub use publish::Output;
pub use regular::{FileKind, NotRegular};
pub use save::SaveOptions;
pub use scratch::{Found, Hit, Scratch};
pub use searcher::Searcher;
pub use shared::SharedIndex;
pub use vector::Vector;
pub use vex_format::{AlignedBytes, Store, VerifyError};
pub use vex_graph::{
    Element, Elements, MAX_NORM, MemoryLimitExceeded, MemoryPlan, NameError, OutOfMemory, Params,
    ParamsError, Quantization, Scalar, SearchError, SearchParams, SearchStats, VectorError,
};
pub use vex_kernels::{Metric, f16};

/// The README, whose examples are tests.
#[cfg(doctest)]
#[doc = include_str!("../../README.md")]
struct Readme;
