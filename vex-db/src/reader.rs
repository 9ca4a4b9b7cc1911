//! Reading a collection that another process may write to.

use std::fmt;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::thread;
use std::time::{Duration, Instant};

use crate::disk::{Disk, Folder};
use crate::inner::{Base, Inner};
use crate::state::{Known, State};
use crate::store::{self, COMMITS, META};
use crate::{Durability, Error, Options, Result, Schema, Snapshot, base};
use redb::{DatabaseError, ReadOnlyDatabase};

/// How long a reader waits for a writer that repairs the store.
const PATIENCE: Duration = Duration::from_secs(10);

/// A collection that is only read. Another process may write to it meanwhile: a reader never waits
/// for the writer, never sees half a commit, and goes on if the writer is killed.
///
/// # Examples
/// ```
/// use vex_db::{Collection, Metric, Reader, Row, Schema};
///
/// # let folder = tempfile::tempdir()?;
/// # let path = folder.path().join("notes.vexdb");
/// let notes = Collection::create(&path, Schema::new(2, Metric::Cosine))?;
/// // In another process:
/// let reader = Reader::open(&path)?;
/// notes.upsert("a", &[1.0, 0.0], Row::new())?;
/// assert_eq!(reader.snapshot()?.search(&[1.0, 1.0]).run()?[0].id, "a");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct Reader {
    inner: Arc<Inner>,
    last: Arc<Mutex<Last>>,
}

/// What a reader keeps between snapshots. A transaction is not among it.
#[derive(Debug, Default)]
struct Last {
    known: Known,
    /// The last moment, if a snapshot still has it.
    state: Weak<State>,
}

impl Reader {
    /// Opens a collection for reading.
    ///
    /// # Errors
    /// If there is none, or it is damaged. [`Error::Locked`] if the writer does not put every
    /// commit on the medium: see [`Durability`](crate::Durability).
    ///
    /// # Complexity
    /// Reads all segments into memory. If a writer was killed, or the machine lost its power, and
    /// no writer came since, the store is repaired first, which needs the right to write.
    pub fn open(path: impl AsRef<Path>) -> Result<Self> {
        Self::open_with(path, Options::new())
    }

    /// Opens a collection for reading, with [`Options::cache`].
    ///
    /// # Errors
    /// As [`open`](Self::open).
    pub fn open_with(path: impl AsRef<Path>, options: Options) -> Result<Self> {
        let path = path.as_ref();
        Folder::find(path)?;
        let folder = Folder::to_read(path)?;
        Error::caught(|| Self::on(folder, options))
    }

    fn on(folder: Folder, options: Options) -> Result<Self> {
        let base = open_store(&folder, &options)?;
        let folder: Arc<dyn Disk> = Arc::new(folder);
        let schema = store::schema(&redb::ReadableDatabase::begin_read(&base)?)?;
        let inner = Arc::new(Inner::new(folder, Base::Read(base), schema, None, options));
        let reader = Self { inner, last: Arc::default() };
        reader.snapshot()?;
        Ok(reader)
    }

    /// What the rows have in common.
    pub fn schema(&self) -> &Schema {
        &self.inner.schema
    }

    /// The collection as it is now. If there were no commits since the last snapshot, this takes
    /// microseconds. Else it reads what is new.
    ///
    /// # Errors
    /// If the store or a segment cannot be read.
    pub fn snapshot(&self) -> Result<Snapshot> {
        Error::caught(|| self.newest())
    }

    fn newest(&self) -> Result<Snapshot> {
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        let tx = self.inner.begin_read()?;
        let commits = store::counter(&tx.open_table(META)?, COMMITS)?;
        if let Some(state) = last.state.upgrade().filter(|state| state.commits == commits) {
            return Ok(Snapshot::new(self.inner.clone(), state));
        }
        let state = Arc::new(self.load(tx, &mut last.known)?);
        last.known.set(&state.slots);
        last.state = Arc::downgrade(&state);
        Ok(Snapshot::new(self.inner.clone(), state))
    }

    /// Reads the newest moment. If a segment is gone, a later commit has replaced it. Segments that
    /// were read are kept for the next try.
    fn load(&self, mut tx: redb::ReadTransaction, known: &mut Known) -> Result<State> {
        let mut last = None;
        loop {
            let commits = store::counter(&tx.open_table(META)?, COMMITS)?;
            match State::load(tx, &self.inner.disk, &self.inner.schema, known) {
                // Without a commit since the last try, the file is lost.
                Err(error) if error.is_missing_file() && last != Some(commits) => last = Some(commits),
                loaded => return loaded,
            }
            tx = self.inner.begin_read()?;
        }
    }
}

/// Opens the store. If a writer was killed, or the machine lost its power, this repairs the store
/// as the next writer would.
fn open_store(folder: &Folder, options: &Options) -> Result<ReadOnlyDatabase> {
    // A writer that shares its commits is the only one to read beside.
    let options = options.clone().durability(Durability::Commit).verify(false);
    let (builder, start) = (base::builder(&options), Instant::now());
    // Returns whether there is no writer, who would do it.
    let repair = || match Folder::lock(folder.path(), false) {
        Ok(writable) => Ok(base::open(&writable, &options)?.close().map(|()| true)?),
        Err(Error::Locked { .. }) => Ok(false),
        Err(error) => Err(error),
    };
    let io = |error| Error::Io { path: folder.path().to_owned(), error };
    // After a loss of power, the store may look whole though only the journal has the last commits.
    while folder.needs_recovery().map_err(io)? {
        if start.elapsed() >= PATIENCE {
            return Err(Error::Locked { path: folder.path().to_owned() });
        }
        if !repair()? {
            thread::sleep(Duration::from_millis(5));
        }
    }
    loop {
        match folder.open_store_to_read(&builder) {
            Err(DatabaseError::RepairAborted) if start.elapsed() < PATIENCE => {
                if !repair()? {
                    thread::sleep(Duration::from_millis(5));
                }
            }
            Err(DatabaseError::DatabaseAlreadyOpen) => {
                return Err(Error::Locked { path: folder.path().to_owned() });
            }
            opened => return Ok(opened?),
        }
    }
}

impl fmt::Debug for Reader {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Reader").field("path", &self.inner.disk.path()).finish_non_exhaustive()
    }
}
