//! An embedded vector database: rows with ids, vectors and fields, in a folder.
//!
//! - **Durable.** A commit is on the medium when the call returns, all of it or nothing.
//! - **At once.** A row is found by searches as soon as it is committed.
//! - **Snapshots.** A [`Snapshot`] is one moment, while writers go on.
//! - **Filters.** A search with a [`Filter`] returns `k` rows, or all that match.
//! - **Tidy.** Segments with many dead rows are built again without being asked, and the store uses
//!   its free pages again.
//!
//! # Examples
//! ```
//! use vex_db::{Collection, Metric, Schema, field, row};
//!
//! # let folder = tempfile::tempdir()?;
//! # let path = folder.path().join("notes.vexdb");
//! let schema = Schema::new(2, Metric::Cosine).model("a-model").text("lang").int("year").stored("doc");
//! let notes = Collection::open_or_create(path, schema)?;
//!
//! let mut batch = notes.batch();
//! batch.upsert("note/1", &[1.0, 0.0], row! { lang: "de", year: 2026, doc: "eins" })?;
//! batch.upsert("note/2", &[0.8, 0.6], row! { lang: "de", year: 2019, doc: "zwei" })?;
//! batch.upsert("note/3", &[0.0, 1.0], row! { lang: "en", year: 2026, doc: "three" })?;
//! batch.commit()?;
//!
//! let view = notes.snapshot()?;
//! let filter = field("lang").eq("de") & field("year").ge(2020);
//! let hits = view.search(&[0.6, 0.8]).k(10).filter(filter).fetch(["doc"]).run()?;
//! assert_eq!(hits.iter().map(|hit| &*hit.id).collect::<Vec<_>>(), ["note/1"]);
//! assert_eq!(view.near("note/1")?.k(1).run()?[0].id, "note/2");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # How it works
//! A store in one file, by the crate [`redb`], has everything small that changes: ids, fields, the
//! vectors of pending rows, and which rows of which segment are dead. Vectors that are many live
//! once, in segments: indexes of the crate [`vex`], each in a file that never changes. A commit is
//! a transaction of the store. Maintenance seals pending rows into segments, and merges and
//! rewrites segments.
//!
//! # Features
//! - `text`: filters can be parsed from text, by `Filter::parse`, and be written as text. Rust
//!   programs do not need that.

#![forbid(unsafe_code)]

mod backup;
mod base;
mod batch;
mod bits;
mod block;
mod bytes;
mod collection;
mod column;
#[cfg(feature = "text")]
mod condition;
mod disk;
mod error;
mod filter;
mod hits;
mod inner;
mod journal;
mod maintain;
mod options;
mod part;
mod reader;
mod rebuild;
mod record;
mod reembed;
mod schema;
mod search;
mod snapshot;
mod state;
mod stats;
mod store;
#[cfg(test)]
mod tests;
mod value;
mod vectors;
mod verify;
mod worker;

pub use batch::{Batch, Committed};
pub use collection::Collection;
#[cfg(feature = "text")]
pub use condition::{MAX_FILTER_NESTING, MAX_FILTER_TEXT, ParseError};
pub use error::{Error, Result};
pub use filter::{Field, Filter, FilterError, field};
pub use hits::{Explain, Group, Hit, Hits, PartStats};
pub use maintain::{Budget, Progress, Report};
pub use options::{Durability, Maintenance, Options};
pub use reader::Reader;
pub use record::{MAX_ID, MAX_INDEXED_TEXT, MAX_ROW, RowError};
pub use reembed::{ReembedError, Reembedded};
pub use schema::{FieldType, MAX_FIELD_NAME, MAX_FIELDS, MAX_NAMED_VECTORS, Schema, SchemaError};
pub use search::Search;
pub use snapshot::{NamedVectors, Record, Scroll, Scrolled, Snapshot};
pub use stats::{SegmentStats, Stats};
pub use value::{Row, Value};
pub use vectors::{RowVectors, Vector};
pub use vex::graph::InsertError;
pub use vex::{Metric, SearchError, VectorError};
