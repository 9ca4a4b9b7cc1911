//! Copies of a collection.

use std::fs;
use std::path::Path;

use redb::{Database, Key, ReadTransaction, ReadableTable, TableDefinition, Value, WriteTransaction};

use crate::disk::{BACKUP, Disk, Folder, Found, NEW_STORE, STORE, remove_temporary};
use crate::part::Slot;
use crate::store::{
    COLUMNS, DEAD, FIELDS, IDS, META, NAMES, PENDING, ROWS, SEALED, SEGMENTS, UNFINISHED, VECTORS,
};
use crate::{Collection, Error, Options, Reader, Result, Snapshot, base};

/// So many rows of a table are copied in one transaction.
const ROWS_AT_ONCE: usize = 10_000;

impl Collection {
    /// Writes a copy of the collection as it is now to a new folder, while readers and writers go
    /// on. The copy is a collection: it is opened as any other.
    ///
    /// First the collection is [verified](Snapshot::verify).
    ///
    /// # Errors
    /// If something is at the path already, the path is in the folder of the collection, the
    /// collection is damaged, or the copy cannot be written. What was written is removed then.
    pub fn backup(&self, path: impl AsRef<Path>) -> Result<()> {
        self.snapshot()?.backup(path)
    }
}

impl Reader {
    /// Writes a copy of the collection as it is now: see [`Collection::backup`]. If a writer
    /// removes a segment meanwhile, the copy begins again with a later moment.
    ///
    /// # Errors
    /// As [`Collection::backup`].
    pub fn backup(&self, path: impl AsRef<Path>) -> Result<()> {
        let mut last = None;
        loop {
            let view = self.snapshot()?;
            match view.backup(&path) {
                // Without a commit since the last try, the file is lost.
                Err(Error::Gone { .. }) if last != Some(view.commits()) => last = Some(view.commits()),
                copied => return copied,
            }
        }
    }
}

impl Snapshot {
    /// Writes a copy of this moment to a new folder: see [`Collection::backup`].
    ///
    /// # Errors
    /// As [`Collection::backup`]. A moment of a [`Reader`] cannot be copied any more when the
    /// writer has removed one of its segments: see [`Reader::backup`].
    pub fn backup(&self, path: impl AsRef<Path>) -> Result<()> {
        let path = path.as_ref();
        if self.inner.disk.is_around(path) {
            return Err(Error::BackupInside { path: path.to_owned() });
        }
        match Folder::look(path)? {
            Found::Collection => return Err(Error::Exists { path: path.to_owned() }),
            Found::Nothing => Folder::create(path)?,
        }
        let (to, mark) = (Folder::lock(path, false)?, path.join(BACKUP));
        let io = |error| Error::Io { path: mark.clone(), error };
        fs::write(&mark, "").map_err(io)?;
        let copied = self.backup_to(&to);
        // If only this fails, opening the copy removes the file.
        let _ = fs::remove_file(&mark);
        copied
    }

    /// Copies the segments first, and the store last, by whose name the copy begins to exist.
    pub(crate) fn backup_to(&self, to: &dyn Disk) -> Result<()> {
        let segments = || self.state.slots.iter().filter_map(Slot::segment);
        let copy = || -> Result<()> {
            // Damage must not become a copy whose parts fit.
            self.verify()?;
            for segment in segments() {
                let io = |error| Error::Io { path: self.inner.disk.path().join(&segment.name), error };
                let bytes = self.inner.disk.read(&segment.name).map_err(io);
                let mut bytes = bytes.map_err(|error| self.or_gone(&segment.name, error))?;
                to.copy_segment(&segment.name, &mut bytes)?;
            }
            // What an earlier try may have left.
            remove_temporary(to)?;
            let new = base::create(to, &Options::new())?;
            copy_store(&self.state.tables()?.tx, &new)?;
            new.close()?;
            to.rename(NEW_STORE, STORE).map_err(|error| Error::Io { path: to.path().join(STORE), error })
        };
        let copied = Error::caught(copy);
        // If only the wait for the last name failed, the copy is there.
        let is_there = || to.names().is_ok_and(|names| names.iter().any(|name| name == STORE));
        if copied.is_err() && !is_there() {
            for name in segments().map(|segment| &*segment.name).chain([NEW_STORE]) {
                let _ = to.remove(name);
            }
        }
        copied
    }
}

fn copy_store(from: &ReadTransaction, to: &Database) -> Result<()> {
    copy_table(META, from, to)?;
    copy_table(NAMES, from, to)?;
    copy_table(VECTORS, from, to)?;
    copy_table(FIELDS, from, to)?;
    copy_table(IDS, from, to)?;
    copy_table(ROWS, from, to)?;
    copy_table(PENDING, from, to)?;
    copy_table(SEALED, from, to)?;
    copy_table(SEGMENTS, from, to)?;
    copy_table(DEAD, from, to)?;
    copy_table(UNFINISHED, from, to)?;
    copy_table(COLUMNS, from, to)
}

fn copy_table<K: Key + 'static, V: Value + 'static>(
    table: TableDefinition<'_, K, V>,
    from: &ReadTransaction,
    to: &Database,
) -> Result<()> {
    let from = from.open_table(table)?;
    let mut rows = from.iter()?.peekable();
    loop {
        let tx: WriteTransaction = to.begin_write()?;
        {
            let mut to = tx.open_table(table)?;
            for row in rows.by_ref().take(ROWS_AT_ONCE) {
                let (key, value) = row?;
                to.insert(key.value(), value.value())?;
            }
        }
        tx.commit()?;
        if rows.peek().is_none() {
            return Ok(());
        }
    }
}
