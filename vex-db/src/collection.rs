//! A collection: opening, writing, and handing out snapshots.

use std::fmt;
use std::path::Path;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use redb::{DatabaseError, ReadableDatabase};

use crate::batch::Op;
use crate::disk::{Disk, Folder, Found, NEW_STORE, STORE, is_segment, remove_temporary};
use crate::inner::{Base, Inner};
use crate::maintain::Kind;
use crate::part::Slot;
use crate::state::{Known, State};
use crate::worker::Worker;
use crate::{Batch, Committed, Error, Maintenance, Options, Result, Row, RowVectors, Schema, Snapshot};
use crate::{base, store};

/// Rows with ids, vectors and fields, in a folder.
///
/// A clone is another handle of the same collection, for another thread. The last handle, or the
/// last [`Snapshot`], closes it. One handle at a time has a collection open for writing, in all
/// processes together. Any number of processes may read meanwhile: see [`Reader`](crate::Reader).
///
/// # Examples
/// ```
/// use vex_db::{Collection, Metric, Schema, field, row};
///
/// # let folder = tempfile::tempdir()?;
/// # let path = folder.path().join("notes.vexdb");
/// let schema = Schema::new(2, Metric::Cosine).text("lang").int("year").stored("doc");
/// let notes = Collection::open_or_create(path, schema)?;
/// notes.upsert("note/1", &[1.0, 0.0], row! { lang: "de", year: 2026, doc: "eins" })?;
/// notes.upsert("note/2", &[0.0, 1.0], row! { lang: "en", year: 2019, doc: "two" })?;
///
/// let view = notes.snapshot()?;
/// let hits = view.search(&[0.6, 0.8]).k(10).filter(field("year").ge(2020)).fetch(["doc"]).run()?;
/// assert_eq!(hits.len(), 1);
/// assert_eq!(hits[0].id, "note/1");
/// assert_eq!(hits[0].row.text("doc"), Some("eins"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct Collection {
    /// Dropped first, so that its thread has ended when the collection is closed.
    worker: Option<Arc<Worker>>,
    pub(crate) inner: Arc<Inner>,
}

impl Collection {
    /// Opens a collection that is there, for writing.
    ///
    /// # Errors
    /// If there is none, it is open for writing elsewhere, it cannot be read, or it is damaged.
    ///
    /// # Complexity
    /// Reads all segments into memory. After a crash the store is checked as well, which reads it.
    pub fn open(path: impl AsRef<Path>) -> Result<Self> {
        Options::new().open(path)
    }

    /// Creates a collection. The folder may be there if it is empty. Its parent must be there.
    ///
    /// # Errors
    /// If there is a collection or something else already, the schema cannot be used, or the folder
    /// cannot be written.
    pub fn create(path: impl AsRef<Path>, schema: Schema) -> Result<Self> {
        Options::new().create(path, schema)
    }

    /// Whether there is a collection at a path. Its folder is looked at, and nothing is opened.
    ///
    /// # Errors
    /// If there is something else, or the folder cannot be read.
    pub fn exists(path: impl AsRef<Path>) -> Result<bool> {
        Ok(Folder::look(path.as_ref())? == Found::Collection)
    }

    /// Opens a collection, or creates it if nothing is there. The schema must be the one that the
    /// collection was created with.
    ///
    /// # Errors
    /// As [`open`](Self::open) and [`create`](Self::create), and if the collection has another
    /// schema.
    pub fn open_or_create(path: impl AsRef<Path>, schema: Schema) -> Result<Self> {
        Options::new().open_or_create(path, schema)
    }

    pub(crate) fn open_with(path: &Path, options: Options) -> Result<Self> {
        Folder::find(path)?;
        Self::on(Arc::new(Folder::lock(path, options.waits)?), None, options)
    }

    pub(crate) fn create_with(path: &Path, schema: Schema, options: Options) -> Result<Self> {
        schema.validate()?;
        let exists = || Error::Exists { path: path.to_owned() };
        if Folder::look(path)? == Found::Collection {
            return Err(exists());
        }
        Folder::create(path)?;
        let folder = Folder::lock(path, options.waits)?;
        // Another process may have created it before this one had the lock.
        match Folder::look(path)? {
            Found::Collection => Err(exists()),
            Found::Nothing => Self::on(Arc::new(folder), Some(schema), options),
        }
    }

    pub(crate) fn open_or_create_with(path: &Path, schema: Schema, options: Options) -> Result<Self> {
        schema.validate()?;
        if Folder::look(path)? == Found::Nothing {
            Folder::create(path)?;
        }
        Self::on(Arc::new(Folder::lock(path, options.waits)?), Some(schema), options)
    }

    /// Opens the collection in a folder for writing. With a schema, the collection is created if it
    /// is missing.
    pub(crate) fn on(disk: Arc<dyn Disk>, schema: Option<Schema>, options: Options) -> Result<Self> {
        options.validate()?;
        Error::caught(|| Self::on_valid(disk, schema, options))
    }

    fn on_valid(disk: Arc<dyn Disk>, schema: Option<Schema>, options: Options) -> Result<Self> {
        let io = |error| Error::Io { path: disk.path().to_owned(), error };
        remove_temporary(&*disk)?;
        let names = disk.names().map_err(io)?;
        if !names.iter().any(|name| name == STORE) {
            let schema = schema.as_ref().ok_or_else(|| Error::Missing { path: disk.path().to_owned() })?;
            let new = base::create(&*disk, &options)?;
            let tx = new.begin_write()?;
            store::create(&tx, schema)?;
            tx.commit()?;
            new.close()?;
            disk.rename(NEW_STORE, STORE).map_err(io)?;
        }
        let base = loop {
            match base::open(&*disk, &options) {
                // Readers keep out a writer that shares nothing with other processes.
                Err(DatabaseError::DatabaseAlreadyOpen) if options.waits => {
                    thread::sleep(Duration::from_millis(5))
                }
                Err(DatabaseError::DatabaseAlreadyOpen) => {
                    return Err(Error::Locked { path: disk.path().to_owned() });
                }
                opened => break opened?,
            }
        };
        let tx = base.begin_read()?;
        let found = store::schema(&tx)?;
        if let Some(expected) = schema {
            found.expect(&expected)?;
        }
        let state = State::load(tx, &disk, &found, &mut Known::default())?;
        store::remove_unfinished(&base)?;
        // Segments that no commit names: a crash left them before or after the commit.
        let is_named = |name: &&String| {
            state.slots.iter().filter_map(Slot::segment).any(|segment| segment.name == **name)
        };
        for name in names.iter().filter(|name| is_segment(name) && !is_named(name)) {
            disk.remove(name).map_err(io)?;
        }
        Self::assemble(disk, Base::Write(base), found, state, options)
    }

    fn assemble(
        disk: Arc<dyn Disk>,
        base: Base,
        schema: Schema,
        state: State,
        options: Options,
    ) -> Result<Self> {
        let inner = Arc::new(Inner::new(disk, base, schema, Some(state), options));
        let worker = match inner.options.maintenance {
            Maintenance::Background => {
                let io = |error| Error::Io { path: inner.disk.path().to_owned(), error };
                Some(Arc::new(Worker::start(&inner).map_err(io)?))
            }
            _ => None,
        };
        Ok(Self { worker, inner })
    }

    /// What the rows have in common.
    pub fn schema(&self) -> &Schema {
        &self.inner.schema
    }

    /// Inserts a row, or replaces the row with this id, vectors and fields together. The row is
    /// found by searches, and on the medium, when the call returns. The vector is a slice or an
    /// array, or [`RowVectors`] if the row has vectors with names.
    ///
    /// # Errors
    /// If the id, a vector or the fields do not fit, or the store cannot be written.
    ///
    /// # Complexity
    /// Waits for the medium. [`batch`](Self::batch) does so once for many rows.
    pub fn upsert<'v>(&self, id: &str, vectors: impl Into<RowVectors<'v>>, row: Row) -> Result<()> {
        let mut batch = self.batch();
        batch.upsert(id, vectors, row)?;
        batch.commit().map(|_| ())
    }

    /// Deletes a row. Returns whether there was one.
    ///
    /// # Errors
    /// If the store cannot be written.
    pub fn delete(&self, id: &str) -> Result<bool> {
        let mut batch = self.batch();
        batch.delete(id);
        Ok(batch.commit()?.deleted == 1)
    }

    /// Begins a batch: rows that are inserted, replaced and deleted in one step.
    pub fn batch(&self) -> Batch {
        Batch::new(self.clone())
    }

    /// The collection at this moment. It stays so while writers go on.
    ///
    /// # Errors
    /// If the store cannot be read.
    pub fn snapshot(&self) -> Result<Snapshot> {
        Ok(Snapshot::new(self.inner.clone(), self.inner.state()))
    }

    /// How many rows there are.
    ///
    /// # Errors
    /// If the store cannot be read.
    pub fn len(&self) -> Result<u64> {
        Error::caught(|| self.inner.state().len())
    }

    /// Whether there are no rows.
    ///
    /// # Errors
    /// If the store cannot be read.
    pub fn is_empty(&self) -> Result<bool> {
        Ok(self.len()? == 0)
    }

    /// Waits until all commits are on the medium. With
    /// [`Durability::Commit`](crate::Durability::Commit) they are.
    ///
    /// # Errors
    /// If the store cannot be written.
    pub fn flush(&self) -> Result<()> {
        self.inner.flush()
    }

    pub(crate) fn apply(&self, ops: Vec<Op>) -> Result<Committed> {
        let committed = self.inner.commit(ops)?;
        match (self.inner.options.maintenance, &self.worker) {
            (Maintenance::OnCommit, _) => self.inner.catch_up(&[Kind::Seal, Kind::Merge]),
            (_, Some(worker)) => {
                worker.wake();
                self.inner.wait_for_seals();
            }
            (_, None) => (),
        }
        Ok(committed)
    }
}

impl fmt::Debug for Collection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Collection")
            .field("path", &self.inner.disk.path())
            .field("schema", &self.inner.schema)
            .finish_non_exhaustive()
    }
}
