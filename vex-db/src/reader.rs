//! Reading a collection that another process may write to.

use std::fmt;
use std::io;
use std::path::Path;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use redb::{DatabaseError, ReadOnlyDatabase};
use vex::OpenProblem;

use crate::collection::{Base, Inner, store_builder};
use crate::disk::{Disk, Folder, Found, STORE};
use crate::state::State;
use crate::store::{self, COMMITS, META};
use crate::{Error, Options, Result, Schema, Snapshot};

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
}

impl Reader {
    /// Opens a collection for reading.
    ///
    /// # Errors
    /// If there is none, or it is damaged. [`Error::Locked`] if the writer does not put every commit
    /// on the medium: see [`Durability`](crate::Durability).
    ///
    /// # Complexity
    /// Reads all segments into memory. If a writer was killed and none came since, the store is
    /// repaired first, which needs the right to write.
    pub fn open(path: impl AsRef<Path>) -> Result<Self> {
        Self::open_with(path, Options::new())
    }

    /// Opens a collection for reading, with [`Options::cache`].
    ///
    /// # Errors
    /// As [`open`](Self::open).
    pub fn open_with(path: impl AsRef<Path>, options: Options) -> Result<Self> {
        let path = path.as_ref();
        if Folder::look(path)? == Found::Nothing {
            return Err(Error::Missing { path: path.to_owned() });
        }
        let folder = Folder::to_read(path);
        let base = open_store(&folder, &options)?;
        let folder: Arc<dyn Disk> = Arc::new(folder);
        let reader = || redb::ReadableDatabase::begin_read(&base);
        let schema = store::schema(&reader()?)?;
        let state = load(&folder, &schema, None, || Ok(reader()?))?;
        Ok(Self { inner: Arc::new(Inner::new(folder, Base::Read(base), schema, state, options)) })
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
        let (tx, current) = (self.inner.begin_read()?, self.inner.state());
        if store::counter(&tx.open_table(META)?, COMMITS)? != current.commits {
            drop(tx);
            let begin = || self.inner.begin_read();
            self.inner.show(load(&self.inner.disk, &self.inner.schema, Some(&current), begin)?);
        }
        Ok(Snapshot::new(self.inner.clone(), self.inner.state()))
    }
}

/// Reads the newest moment. If a segment is gone, a later commit has replaced it.
fn load(
    disk: &Arc<dyn Disk>,
    schema: &Schema,
    earlier: Option<&State>,
    begin: impl Fn() -> Result<redb::ReadTransaction>,
) -> Result<State> {
    let mut last = None;
    loop {
        let tx = begin()?;
        let commits = store::counter(&tx.open_table(META)?, COMMITS)?;
        let is_gone = |error: &Error| match error {
            Error::Segment(error) => {
                matches!(&error.problem, OpenProblem::Io(error) if error.kind() == io::ErrorKind::NotFound)
            }
            _ => false,
        };
        match State::load(tx, disk, schema, earlier.map_or(&[], |earlier| &earlier.slots)) {
            // Without a commit since the last try, the file is lost.
            Err(error) if is_gone(&error) && last != Some(commits) => last = Some(commits),
            loaded => return loaded,
        }
    }
}

/// Opens the store. If a writer was killed, this repairs the store as the next writer would.
fn open_store(folder: &Folder, options: &Options) -> Result<ReadOnlyDatabase> {
    let (builder, start) = (store_builder(options), Instant::now());
    loop {
        match folder.open_store_to_read(&builder) {
            Err(DatabaseError::RepairAborted) if start.elapsed() < PATIENCE => {
                match Folder::lock(folder.path(), false) {
                    Ok(writable) => drop(writable.open_store(STORE, &builder)?),
                    // A writer is there, and repairs it.
                    Err(Error::Locked { .. }) => thread::sleep(Duration::from_millis(5)),
                    Err(error) => return Err(error),
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
