//! An embedded vector index: build it, save it, search it in memory or in its file.
//!
//! Vex is for programs that search embeddings or other vectors. The index lives inside the process
//! and in one file: there is no server. Each vector has a `u64` key, and a search returns the keys
//! and distances of the nearest vectors.
//!
//! [`Index`] is the main type. It lives in memory, grows, and can be saved and opened again:
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
//! A [`MappedIndex`] searches a saved file in place, and does not change it. Both lend a
//! [`Searcher`], which has all the ways to search. A search is approximate: it may miss some of the
//! nearest vectors. [`SearchParams`] trade speed for recall, the share of the nearest that are
//! found. Distances come from the vectors themselves, unless the caller asks for estimates or saves
//! no vectors.
//!
//! Build and change:
//!
//! | to | use |
//! |---|---|
//! | index vectors that come one by one | [`Index::insert`] |
//! | index many vectors at once, on all cores | [`Builder::build_from`], [`Builder::build_with`] |
//! | replace or remove a vector | [`Index::upsert`], [`Index::delete`], [`Index::compact`] |
//! | index vectors of f16, i8, u8 or bits | [`Builder::element`] |
//! | search by codes, two to six times as fast, or without codes | [`Builder::quantization`] |
//! | check whether codes are accurate enough, and change them | [`Searcher::check_codes`], [`Index::requantize`] |
//! | check whether distances are too small for f32 | [`Index::underflow`] |
//! | estimate and limit memory | [`Builder::memory_plan`], [`Builder::memory_limit`] |
//!
//! Search:
//!
//! | to | use |
//! |---|---|
//! | search in any way, wherever the index lives | [`Searcher`], which every kind of index lends |
//! | search often, without allocating | [`Searcher::search_with`] and a [`Scratch`] per thread |
//! | search among some of the keys | [`Searcher::search_filtered`], with a predicate or a [`KeySet`] |
//! | find all vectors within a distance | [`Searcher::search_radius`] |
//! | continue where a search ended | [`Searcher::pages`] |
//! | search for many queries, on all cores | [`Searcher::search_many`] |
//! | find the exact answer | [`Searcher::exact`], [`exact_batch`] |
//! | keep an index in a struct, or send it to threads | [`SharedIndex`] |
//!
//! Save and open:
//!
//! | to | use |
//! |---|---|
//! | save an index, so that readers never see a part of a file | [`Index::save`] |
//! | replace a file whatever it holds | [`SaveOptions::overwrite`] |
//! | lock a file before the work that fills it | [`Output`], [`Index::save_output`] |
//! | open an index that shall grow | [`Index::open`] |
//! | search a file without reading it in | [`MappedIndex::open`] |
//! | search a file that is wholly in memory | [`MappedIndex::read`] |
//! | search a file whose codes are in memory | [`MappedIndex::open_near`] |
//! | check a file from elsewhere | [`MappedIndex::verify`] |
//!
//! # Threads
//! Bulk builds, [`Index::compact`], [`Index::requantize`], [`Searcher::search_many`],
//! [`exact_batch`] and [`MappedIndex::verify_on`] run on several threads. Each takes as many
//! threads as the caller says, by default one for each core, and ends them before it returns. With
//! one thread, the caller's own does the work. No threads are an error. No other call starts a
//! thread.
//!
//! # Memory
//! If memory runs out, the operation returns an error. The index is then as it was, and so is the
//! file at a path. A failed allocation ends the process, as is usual in Rust, in these cases alone:
//!
//! - The standard library and the crate rayon start more than one thread and wake them with work.
//!   They allocate a few KiB.
//! - The standard library allocates for a path of more than 383 bytes. Where the system is not a
//!   Unix, it does so for any path.
//! - The bitmaps of a [`KeySet`] grow.
//!
//! # Features
//! No feature is on by default.
//! - `serde`: the crate serde reads and writes [`Params`], [`SearchParams`], [`Metric`],
//!   [`Element`], [`Quantization`], [`Coding`] and [`Store`]. Enums have the names that `name()`
//!   returns. A value that was read is checked where it is used, like one that was set.
//! - `roaring`: bitmaps of the crate roaring are filters of [`graph`].
//! - `tracing`: spans of the crate tracing, with the target `vex`. The spans `build`, `open`,
//!   `verify` and `save` have the level info. The span `search` has the level debug. It records
//!   `dim`, `k` and `ef_search`, and at the end the [`SearchStats`]. Pages and exact answers have
//!   no spans, and spans on other threads have no parent. A search without a subscriber reads one
//!   more atomic number. A traced search costs what the subscriber does, often a microsecond, and
//!   may allocate.
//!
//! # Environment
//! The variable `VEX_SIMD` caps the instruction set: see [`kernels`](kernels#which-code-runs). A
//! value that names none makes the first search or build panic.
//!
//! # To read on
//! The folder `docs` of the repository has nine chapters that explain the index from nothing, and
//! `docs/tuning.md`, which helps to choose parameters. The layers below are crates of their own,
//! re-exported as [`kernels`], [`graph`] and [`format`](mod@format).
#![deny(unsafe_code)]
// Every public function says when it fails.
#![warn(clippy::missing_errors_doc, clippy::missing_panics_doc)]

mod builder;
mod codes;
mod coding;
mod error;
mod exact;
mod filter;
mod generation;
mod index;
mod lineage;
mod loaded;
mod mapped;
// May hold `unsafe`, for the mapping of a file. `paths` may, too, to call the C library.
#[allow(unsafe_code)]
mod mmap;
mod numbers;
mod pages;
mod paths;
mod publish;
mod regular;
mod reserve;
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
pub use generation::Generation;
pub use index::Index;
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
    ParamsError, Quantization, Scalar, SearchEnd, SearchError, SearchParams, SearchStats, VectorError,
};
pub use vex_kernels::{Metric, f16};
