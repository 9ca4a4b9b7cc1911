//! How a collection is opened.

use std::path::Path;
use std::time::Duration;

use vex::Coding;

use crate::{Collection, Error, Result, Schema, SchemaError};

/// When a commit is on the medium.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Durability {
    /// When the call returns. The default.
    #[default]
    Commit,
    /// At the first commit after this time has passed since the last one on the medium, at
    /// [`Collection::flush`], and when the collection is closed. A crash of the machine or of the
    /// process loses the commits in between, whole and in order: what is left is an earlier moment.
    /// Other processes cannot read meanwhile: opening fails with
    /// [`Error::Locked`](crate::Error::Locked) while a reader has the collection open.
    Batched(Duration),
    /// At [`Collection::flush`], when rows are sealed, and when the collection is closed. As for
    /// [`Batched`](Self::Batched), a crash leaves an earlier moment, and other processes cannot
    /// read meanwhile.
    None,
}

/// When rows are sealed, and segments merged and rewritten.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Maintenance {
    /// On the thread of the commit that makes it necessary, before the call returns. The default.
    #[default]
    OnCommit,
    /// On two threads of the collection's own, one that seals and one that merges. They end with
    /// the collection.
    Background,
    /// Only when [`Collection::maintain`] is called.
    Manual,
}

/// How a collection is opened. [`Collection::open`] takes the defaults.
///
/// # Examples
/// ```
/// use vex_db::{Maintenance, Metric, Options, Schema};
///
/// # let folder = tempfile::tempdir()?;
/// # let path = folder.path().join("notes.vexdb");
/// let options = Options::new().maintenance(Maintenance::Background);
/// let notes = options.open_or_create(path, Schema::new(2, Metric::Cosine))?;
/// notes.upsert("a", &[1.0, 0.0], Default::default())?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct Options {
    pub(crate) durability: Durability,
    pub(crate) maintenance: Maintenance,
    pub(crate) waits: bool,
    pub(crate) cache: usize,
    pub(crate) verifies: bool,
    pub(crate) seal_at: Option<usize>,
    pub(crate) threads: Option<usize>,
    pub(crate) memory: Option<usize>,
    pub(crate) m: usize,
    pub(crate) ef_construction: usize,
    pub(crate) coding: Coding,
    /// Bytes of the store's journal.
    pub(crate) journal: usize,
    /// So many segments of about the same size are merged.
    pub(crate) fanout: usize,
}

impl Default for Options {
    fn default() -> Self {
        let params = vex::Params::new();
        Self {
            durability: Durability::default(),
            maintenance: Maintenance::default(),
            waits: false,
            cache: 64 << 20,
            verifies: false,
            seal_at: None,
            threads: None,
            memory: None,
            m: params.m,
            ef_construction: params.ef_construction,
            coding: Coding::Auto,
            journal: 4 << 20,
            fanout: 8,
        }
    }
}

impl Options {
    /// The defaults.
    pub fn new() -> Self {
        Self::default()
    }

    /// When a commit is on the medium.
    pub fn durability(mut self, durability: Durability) -> Self {
        self.durability = durability;
        self
    }

    /// When rows are sealed, and segments merged and rewritten.
    pub fn maintenance(mut self, maintenance: Maintenance) -> Self {
        self.maintenance = maintenance;
        self
    }

    /// Waits until no other handle has the collection open for writing. By default opening fails
    /// then, with [`Error::Locked`](crate::Error::Locked).
    pub fn wait(mut self, waits: bool) -> Self {
        self.waits = waits;
        self
    }

    /// Memory for pages of the store that were read, in bytes. The default is 64 MiB.
    pub fn cache(mut self, bytes: usize) -> Self {
        self.cache = bytes;
        self
    }

    /// Checks every page of the store when it is opened, which reads the store. The default is to
    /// do so after a crash alone. [`Snapshot::verify`](crate::Snapshot::verify) checks the rest.
    pub fn verify(mut self, verifies: bool) -> Self {
        self.verifies = verifies;
        self
    }

    /// How many pending rows are sealed into a segment. Searches compare pending rows one by one.
    /// The default is 8,000, or fewer if their vectors take more than 4 MiB, but at least 1,000.
    pub fn seal_at(mut self, rows: usize) -> Self {
        self.seal_at = Some(rows.max(1));
        self
    }

    /// Threads of a maintenance step. The default is one for each core.
    pub fn threads(mut self, threads: usize) -> Self {
        self.threads = Some(threads);
        self
    }

    /// Limits the memory of a maintenance step, in bytes. Steps that would take more are left out:
    /// see [`Report::skipped`](crate::Report::skipped). The default is no limit.
    pub fn memory_limit(mut self, bytes: usize) -> Self {
        self.memory = Some(bytes);
        self
    }

    /// Links of a node in segments that are built from now on: see [`vex::Builder::m`].
    pub fn m(mut self, m: usize) -> Self {
        self.m = m;
        self
    }

    /// Candidates among which links are selected, in segments that are built from now on: see
    /// [`vex::Builder::ef_construction`].
    pub fn ef_construction(mut self, ef_construction: usize) -> Self {
        self.ef_construction = ef_construction;
        self
    }

    /// The codes of segments that are built from now on: see [`vex::Builder::quantization`].
    pub fn quantization(mut self, quantization: impl Into<Coding>) -> Self {
        self.coding = quantization.into();
        self
    }

    /// Opens a collection that is there.
    ///
    /// # Errors
    /// As [`Collection::open`].
    pub fn open(self, path: impl AsRef<Path>) -> Result<Collection> {
        Collection::open_with(path.as_ref(), self)
    }

    /// Creates a collection.
    ///
    /// # Errors
    /// As [`Collection::create`].
    pub fn create(self, path: impl AsRef<Path>, schema: Schema) -> Result<Collection> {
        Collection::create_with(path.as_ref(), schema, self)
    }

    /// Opens a collection, or creates it if nothing is there.
    ///
    /// # Errors
    /// As [`Collection::open_or_create`].
    pub fn open_or_create(self, path: impl AsRef<Path>, schema: Schema) -> Result<Collection> {
        Collection::open_or_create_with(path.as_ref(), schema, self)
    }

    /// Checks what segments will be built with.
    pub(crate) fn validate(&self) -> Result<()> {
        let params = vex::Params::new().m(self.m).ef_construction(self.ef_construction);
        params.validate().map_err(SchemaError::Params)?;
        if self.threads == Some(0) {
            return Err(Error::NoThreads);
        }
        Ok(())
    }

    /// The number of pending rows that are sealed.
    pub(crate) fn rows_to_seal(&self, dim: usize) -> usize {
        self.seal_at.unwrap_or_else(|| ((4 << 20) / (dim * size_of::<f32>())).clamp(1_000, 8_000))
    }
}
