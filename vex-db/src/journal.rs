//! The file of the store, behind a journal by which a commit waits for the medium once.
//!
//! If other processes may read, redb waits twice in each commit: for the pages, which lie anywhere
//! in the file, and for the head of the file, which names them. It writes the head between the two
//! waits, and must not have it on the medium before the pages.
//!
//! Here, everything that is written to the store is written to the journal as well, one behind the
//! other: a redo log. The first wait is left out. The second one waits for the journal alone, which
//! has the pages before the head. A crash may leave any of the later writes in the store, and none
//! of them in the store counts: opening it writes all of the journal over it, the head too.
//!
//! ```text
//! record: u32 checksum, u32 number, u64 generation, u32 bytes of the entries, entries
//! entry:  u64 offset in the store, u32 length, bytes
//! ```
//!
//! Numbers are little-endian. The checksum is the CRC-32C of the record's bytes behind it. The
//! records of one generation have the numbers 0, 1, 2 and so on. When the journal is long, the
//! store is synced, and the next generation begins at the start of the file, with the head of the
//! store. Records of earlier generations do not count.
//!
//! A sector of the medium is taken to be written whole or not at all: a record may share its last
//! sector with the next one.

mod recover;

use std::io;
use std::ops::Bound;
use std::sync::{Mutex, MutexGuard, PoisonError};

use redb::{BackendError, StorageBackend};
use vex::format::crc32c;

/// Bytes before the entries of a record.
const RECORD_HEAD: usize = 20;

/// Bytes at the start of the store in which redb keeps its head.
const STORE_HEAD: usize = 512;

/// Bytes of the journal that are locked while a writer has the store open, and has written the
/// journal over it.
const RECOVERED: (Bound<u64>, Bound<u64>) = (Bound::Included(0), Bound::Excluded(1));

/// The file grows ahead of its records, since bytes that are there already are synced faster.
const GROWTH: std::ops::RangeInclusive<u64> = 1 << 16..=1 << 18;

/// The file of the store.
#[derive(Debug)]
pub(crate) struct Journaled {
    store: Box<dyn StorageBackend>,
    /// None if the store makes its commits in one wait by itself.
    journal: Option<Mutex<Journal>>,
}

#[derive(Debug)]
struct Journal {
    file: Box<dyn StorageBackend>,
    /// A generation that gets as long ends.
    capacity: usize,
    /// Bytes that the file has.
    len: u64,
    generation: u64,
    /// The number of the next record, and where it goes.
    next: u32,
    at: u64,
    /// The next record. It has what was written to the store since the last one.
    record: Vec<u8>,
    /// Whether the record has not got all, since that would be too long.
    is_too_long: bool,
    /// Whether pages were written since the store was last told to sync.
    has_pages: bool,
    /// Whether all records are on the medium.
    is_synced: bool,
    /// The first bytes of the store.
    head: [u8; STORE_HEAD],
    /// Whether something could not be written, so that the next one to open it has to see.
    has_failed: bool,
}

impl Journaled {
    /// A file without a journal.
    pub(crate) fn plain(store: Box<dyn StorageBackend>) -> Self {
        Self { store, journal: None }
    }

    /// A store that may have a journal from before. The store is as the journal says then, and all
    /// of it is on the medium. Nobody else may write to it. A journal of no more than about
    /// `capacity` bytes is kept from now on, for a store whose commits are all made in two waits.
    pub(crate) fn open(
        store: Box<dyn StorageBackend>,
        file: Box<dyn StorageBackend>,
        capacity: usize,
    ) -> io::Result<Self> {
        let generation = recover::recover(&*store, &*file)?;
        if generation.is_none() {
            // Records that do not count must not count later, behind new ones.
            forget(&*file)?;
        }
        let mut head = [0; STORE_HEAD];
        store.read(0, &mut head)?;
        let mut journal = Journal {
            len: file.len()?,
            file,
            capacity,
            generation: generation.unwrap_or(0),
            next: 0,
            at: 0,
            record: Vec::new(),
            is_too_long: false,
            has_pages: false,
            is_synced: true,
            head,
            has_failed: false,
        };
        journal.restart(&*store)?;
        match journal.file.try_lock_range(RECOVERED.0, RECOVERED.1) {
            Ok(true) => (),
            Ok(false) => return Err(io::ErrorKind::WouldBlock.into()),
            Err(error) => return Err(io::Error::other(error)),
        }
        Ok(Self { store, journal: Some(Mutex::new(journal)) })
    }

    /// As [`open`](Self::open), but no journal is kept from now on.
    pub(crate) fn without_journal(
        store: Box<dyn StorageBackend>,
        file: &dyn StorageBackend,
    ) -> io::Result<Self> {
        if recover::recover(&*store, file)?.is_some() {
            store.sync_data()?;
        }
        if file.len()? > 0 {
            forget(file)?;
        }
        Ok(Self::plain(store))
    }

    fn journal(&self) -> Option<MutexGuard<'_, Journal>> {
        Some(self.journal.as_ref()?.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// Whether a writer has the store of this journal open, and has written the journal over it.
pub(crate) fn is_recovered(file: &dyn StorageBackend) -> io::Result<bool> {
    file.query_lock_range(RECOVERED.0, RECOVERED.1).map_err(io::Error::other)
}

/// Empties the file of a journal, whose store is on the medium, or which no store needs.
pub(crate) fn forget(file: &dyn StorageBackend) -> io::Result<()> {
    file.set_len(0)?;
    file.sync_data()
}

impl Journal {
    /// Notes a write to the store.
    fn write(&mut self, offset: u64, bytes: &[u8]) -> io::Result<()> {
        let is_head = offset < STORE_HEAD as u64;
        if is_head {
            let (at, end) = (offset as usize, STORE_HEAD.min(offset as usize + bytes.len()));
            self.head[at..end].copy_from_slice(&bytes[..end - at]);
        }
        if is_head && !self.has_pages {
            // The pages that the head names, if it names new ones, are before it in the record.
            self.add(offset, bytes);
            return self.append();
        }
        self.has_pages = true;
        // If so, the store will be synced instead.
        self.is_too_long |= self.record.len() + bytes.len() > self.capacity;
        if !self.is_too_long {
            self.add(offset, bytes);
        }
        Ok(())
    }

    fn add(&mut self, offset: u64, bytes: &[u8]) {
        if self.record.is_empty() {
            self.record.resize(RECORD_HEAD, 0);
        }
        self.record.extend_from_slice(&offset.to_le_bytes());
        self.record.extend_from_slice(&(bytes.len() as u32).to_le_bytes());
        self.record.extend_from_slice(bytes);
    }

    /// Writes the record, and begins the next one.
    fn append(&mut self) -> io::Result<()> {
        let entries = (self.record.len() - RECORD_HEAD) as u32;
        self.record[4..8].copy_from_slice(&self.next.to_le_bytes());
        self.record[8..16].copy_from_slice(&self.generation.to_le_bytes());
        self.record[16..20].copy_from_slice(&entries.to_le_bytes());
        let checksum = crc32c(&self.record[4..]);
        self.record[..4].copy_from_slice(&checksum.to_le_bytes());
        let end = self.at + self.record.len() as u64;
        while self.len < end {
            let growth = self.len.clamp(*GROWTH.start(), *GROWTH.end());
            self.file.write(self.len, &vec![0; growth as usize])?;
            self.len += growth;
        }
        self.file.write(self.at, &self.record)?;
        (self.at, self.next, self.is_synced) = (end, self.next + 1, false);
        self.record.clear();
        Ok(())
    }

    /// Waits until what counts of the store is on the medium. Pages alone do not count: that would
    /// be a commit's first wait, which no caller of the commit relies on.
    fn sync(&mut self, store: &dyn StorageBackend) -> io::Result<()> {
        if self.has_pages {
            self.has_pages = false;
            let is_full = self.at as usize + self.record.len() > self.capacity;
            return if self.is_too_long || is_full { self.restart(store) } else { Ok(()) };
        }
        if !self.is_synced {
            self.file.sync_data()?;
            self.is_synced = true;
        }
        Ok(())
    }

    /// Syncs the store, and begins a generation.
    fn restart(&mut self, store: &dyn StorageBackend) -> io::Result<()> {
        store.sync_data()?;
        (self.generation, self.next, self.at) = (self.generation.wrapping_add(1), 0, 0);
        self.record.clear();
        self.is_too_long = false;
        self.add(0, &self.head.clone());
        self.append()?;
        self.file.sync_data()?;
        self.is_synced = true;
        Ok(())
    }

    /// Gives the store another length, which is on the medium at once.
    fn set_len(&mut self, store: &dyn StorageBackend, len: u64) -> io::Result<()> {
        if len < store.len()? {
            // No record may have a page behind the end.
            self.restart(store)?;
        }
        store.set_len(len)?;
        store.sync_data()
    }

    /// Remembers whether a call has failed.
    fn tried<T>(&mut self, tried: io::Result<T>) -> io::Result<T> {
        self.has_failed |= tried.is_err();
        tried
    }
}

impl StorageBackend for Journaled {
    fn len(&self) -> io::Result<u64> {
        self.store.len()
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        self.store.read(offset, out)
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        let Some(mut journal) = self.journal() else { return self.store.set_len(len) };
        let set = journal.set_len(&*self.store, len);
        journal.tried(set)
    }

    fn sync_data(&self) -> io::Result<()> {
        let Some(mut journal) = self.journal() else { return self.store.sync_data() };
        let synced = journal.sync(&*self.store);
        journal.tried(synced)
    }

    fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        let Some(mut journal) = self.journal() else { return self.store.write(offset, data) };
        // Readers see the head when it is in the store. If the process is killed then, the journal
        // must not bring an earlier head back.
        let written = journal.write(offset, data).and_then(|()| self.store.write(offset, data));
        journal.tried(written)
    }

    fn close(&self) -> io::Result<()> {
        let end = |journal: &Journal| -> io::Result<()> {
            // What failed is mended when it is opened again.
            if !journal.has_failed {
                self.store.sync_data()?;
                forget(&*journal.file)?;
            }
            Ok(())
        };
        let ended = self.journal().map_or(Ok(()), |journal| end(&journal).and(journal.file.close()));
        ended.and(self.store.close())
    }

    fn try_lock_range(&self, start: Bound<u64>, end: Bound<u64>) -> Result<bool, BackendError> {
        self.store.try_lock_range(start, end)
    }

    fn try_lock_shared_range(&self, start: Bound<u64>, end: Bound<u64>) -> Result<bool, BackendError> {
        self.store.try_lock_shared_range(start, end)
    }

    fn lock_range(&self, start: Bound<u64>, end: Bound<u64>) -> Result<(), BackendError> {
        self.store.lock_range(start, end)
    }

    fn lock_shared_range(&self, start: Bound<u64>, end: Bound<u64>) -> Result<(), BackendError> {
        self.store.lock_shared_range(start, end)
    }

    fn unlock_range(&self, start: Bound<u64>, end: Bound<u64>) -> Result<(), BackendError> {
        self.store.unlock_range(start, end)
    }

    fn query_lock_range(&self, start: Bound<u64>, end: Bound<u64>) -> Result<bool, BackendError> {
        self.store.query_lock_range(start, end)
    }
}
