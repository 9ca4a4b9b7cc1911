//! Opening the store.

use std::io;

use redb::{Builder, ConcurrencyMode, Database, DatabaseError, StorageError};

use crate::disk::{Disk, JOURNAL, NEW_STORE, STORE};
use crate::journal::{Journaled, forget};
use crate::{Durability, Options};

/// How the store is opened.
pub(crate) fn builder(options: &Options) -> Builder {
    let mut builder = Database::builder();
    builder.set_cache_size(options.cache);
    builder.set_check_integrity_on_open(options.verifies);
    builder.set_concurrency_mode(if is_shared(options) {
        ConcurrencyMode::SingleWriter
    } else {
        ConcurrencyMode::ExclusiveWriter
    });
    builder
}

/// Whether other processes may read. A commit that is only in memory cannot be shared.
fn is_shared(options: &Options) -> bool {
    options.durability == Durability::Commit
}

/// Creates a store, under the name that it has while it is made.
pub(crate) fn create(disk: &dyn Disk, options: &Options) -> Result<Database, DatabaseError> {
    let new = || -> io::Result<_> {
        // One of an earlier collection would be written over the new store.
        let journal = disk.open_file(JOURNAL, true)?;
        if journal.len()? > 0 {
            forget(&*journal)?;
        }
        disk.open_file(NEW_STORE, true)
    };
    let file = new().map_err(StorageError::from)?;
    builder(options).create_with_backend(Journaled::plain(file))
}

/// Opens the store to write to it, as its journal says that it was.
pub(crate) fn open(disk: &dyn Disk, options: &Options) -> Result<Database, DatabaseError> {
    let open = || -> io::Result<Journaled> {
        let store = disk.open_file(STORE, false)?;
        if store.len()? == 0 {
            // A store that has lost its bytes must not be taken for a new one.
            return Err(io::Error::new(io::ErrorKind::InvalidData, format!("{STORE} is empty")));
        }
        let journal = disk.open_file(JOURNAL, true)?;
        if is_shared(options) {
            Journaled::open(store, journal, options.journal)
        } else {
            Journaled::without_journal(store, &*journal)
        }
    };
    builder(options).create_with_backend(open().map_err(StorageError::from)?)
}
