//! A collection: opening, writing, and handing out snapshots.

use std::fmt;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};
use std::time::Instant;

use redb::{ConcurrencyMode, Database, ReadOnlyDatabase, ReadTransaction, ReadableDatabase};
use vex::graph::Scratch;

use crate::batch::Op;
use crate::disk::{Disk, Folder, Found, NEW_STORE, STORE, remove_temporary};
use crate::part::Slot;
use crate::state::State;
use crate::store;
use crate::worker::Worker;
use crate::{Batch, Committed, Durability, Error, Maintenance, Options, Result, Row, Schema, Snapshot};

/// Rows with ids, vectors and fields, in a folder.
///
/// A clone is another handle of the same collection, for another thread. The last handle, or the
/// last [`Snapshot`], closes it. One handle at a time has a collection open for writing, in all
/// processes together. Any number of processes may [read](crate::Reader) meanwhile.
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

/// What all handles share.
pub(crate) struct Inner {
    /// Dropped before the store, whose transactions it holds.
    state: RwLock<Arc<State>>,
    base: Base,
    pub(crate) disk: Arc<dyn Disk>,
    pub(crate) schema: Schema,
    pub(crate) options: Options,
    writer: Mutex<Writer>,
    /// Held by the one maintenance step that runs.
    pub(crate) maintenance: Mutex<()>,
    /// The memory of searches that ended.
    scratches: Mutex<Vec<Scratch>>,
    /// Whether a maintenance step should end early, since the collection is closed.
    pub(crate) closes: Arc<AtomicBool>,
    /// Why the last maintenance step on its own failed.
    pub(crate) trouble: Mutex<Option<Trouble>>,
}

/// A maintenance step that failed.
#[derive(Clone, Debug)]
pub(crate) struct Trouble {
    pub(crate) error: String,
    /// How many rows were pending then.
    pub(crate) pending: usize,
}

/// The store.
pub(crate) enum Base {
    Write(Database),
    Read(ReadOnlyDatabase),
}

/// What a writer keeps from commit to commit.
pub(crate) struct Writer {
    /// Whether a commit failed, so that the state is unknown.
    pub(crate) failed: bool,
    /// When the last commit was on the medium.
    pub(crate) durable: Instant,
    /// Whether there were commits since.
    pub(crate) is_behind: bool,
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
        match Folder::look(path)? {
            Found::Nothing => Err(Error::Missing { path: path.to_owned() }),
            Found::Collection => Self::on(Arc::new(Folder::lock(path, options.waits)?), None, options),
        }
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
        let io = |error| Error::Io { path: disk.path().to_owned(), error };
        remove_temporary(&*disk)?;
        let names = disk.names().map_err(io)?;
        let builder = store_builder(&options);
        if !names.iter().any(|name| name == STORE) {
            let schema = schema.as_ref().ok_or_else(|| Error::Missing { path: disk.path().to_owned() })?;
            let new = disk.open_store(NEW_STORE, &builder)?;
            let tx = new.begin_write()?;
            store::create(&tx, schema)?;
            tx.commit()?;
            new.close()?;
            disk.rename(NEW_STORE, STORE).map_err(io)?;
        }
        let base = disk.open_store(STORE, &builder)?;
        let tx = base.begin_read()?;
        let found = store::schema(&tx)?;
        if let Some(expected) = schema {
            found.expect(&expected)?;
        }
        let state = State::load(tx, &disk, &found, &[])?;
        // Segments that no commit names: a crash left them before or after the commit.
        let is_named = |name: &&String| {
            state.slots.iter().filter_map(Slot::segment).any(|segment| segment.name == **name)
        };
        for name in names.iter().filter(|name| name.ends_with(".vex")).filter(|name| !is_named(name)) {
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
        let inner = Arc::new(Inner::new(disk, base, schema, state, options));
        let worker = match (inner.options.maintenance, &inner.base) {
            (Maintenance::Background, Base::Write(_)) => {
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

    /// Inserts a row, or replaces the row with this id, vector and fields together. The row is
    /// found by searches, and on the medium, when the call returns.
    ///
    /// # Errors
    /// If the id, the vector or the fields do not fit, or the store cannot be written.
    ///
    /// # Complexity
    /// Waits for the medium. [`batch`](Self::batch) does so once for many rows.
    pub fn upsert(&self, id: &str, vector: &[f32], row: Row) -> Result<()> {
        let mut batch = self.batch();
        batch.upsert(id, vector, row)?;
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
        self.inner.state().len()
    }

    /// Whether there are no rows.
    ///
    /// # Errors
    /// If the store cannot be read.
    pub fn is_empty(&self) -> Result<bool> {
        Ok(self.len()? == 0)
    }

    /// Waits until all commits are on the medium. With [`Durability::Commit`] they are.
    ///
    /// # Errors
    /// If the store cannot be written.
    pub fn flush(&self) -> Result<()> {
        self.inner.flush()
    }

    pub(crate) fn apply(&self, ops: Vec<Op>) -> Result<Committed> {
        let committed = self.inner.commit(ops)?;
        match (self.inner.options.maintenance, &self.worker) {
            (Maintenance::OnCommit, _) => self.inner.catch_up(),
            (_, Some(worker)) => worker.wake(),
            (_, None) => (),
        }
        Ok(committed)
    }
}

/// How the store is opened. A commit that is only in memory cannot be shared with other processes.
pub(crate) fn store_builder(options: &Options) -> redb::Builder {
    let mut builder = Database::builder();
    builder.set_cache_size(options.cache);
    builder.set_check_integrity_on_open(options.verifies);
    builder.set_concurrency_mode(match options.durability {
        Durability::Commit => ConcurrencyMode::SingleWriter,
        Durability::Batched(_) | Durability::None => ConcurrencyMode::ExclusiveWriter,
    });
    builder
}

impl Inner {
    pub(crate) fn new(
        disk: Arc<dyn Disk>,
        base: Base,
        schema: Schema,
        state: State,
        options: Options,
    ) -> Self {
        Self {
            state: RwLock::new(Arc::new(state)),
            base,
            disk,
            schema,
            options,
            writer: Mutex::new(Writer { failed: false, durable: Instant::now(), is_behind: false }),
            maintenance: Mutex::new(()),
            scratches: Mutex::default(),
            closes: Arc::default(),
            trouble: Mutex::default(),
        }
    }

    /// The moment that new snapshots see.
    pub(crate) fn state(&self) -> Arc<State> {
        self.state.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Lets new snapshots see another moment.
    pub(crate) fn show(&self, state: State) {
        *self.state.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(state);
    }

    pub(crate) fn database(&self) -> Result<&Database> {
        match &self.base {
            Base::Write(base) => Ok(base),
            Base::Read(_) => Err(Error::Locked { path: self.disk.path().to_owned() }),
        }
    }

    pub(crate) fn begin_read(&self) -> Result<ReadTransaction> {
        Ok(match &self.base {
            Base::Write(base) => base.begin_read()?,
            Base::Read(base) => base.begin_read()?,
        })
    }

    /// The right to commit.
    pub(crate) fn writer(&self) -> Result<MutexGuard<'_, Writer>> {
        let writer = self.writer.lock().unwrap_or_else(PoisonError::into_inner);
        if writer.failed { Err(Error::Failed) } else { Ok(writer) }
    }

    /// Memory for a search, which [`give_back`](Self::give_back) takes back.
    pub(crate) fn scratch(&self) -> Scratch {
        self.scratches.lock().unwrap_or_else(PoisonError::into_inner).pop().unwrap_or_default()
    }

    pub(crate) fn give_back(&self, scratch: Scratch) {
        self.scratches.lock().unwrap_or_else(PoisonError::into_inner).push(scratch);
    }

    fn flush(&self) -> Result<()> {
        let mut writer = self.writer()?;
        if writer.is_behind {
            let tx = self.database()?.begin_write()?;
            writer.commit(tx, true, self.options.durability)?;
        }
        Ok(())
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        self.closes.store(true, Ordering::Relaxed);
        // A commit that could not be written now is lost, as after a crash.
        let _ = self.flush();
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
