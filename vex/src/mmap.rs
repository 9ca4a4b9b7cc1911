//! Files as memory.

use std::fs::File;
use std::io;
use std::path::Path;

use memmap2::Mmap;

/// A file mapped into memory, read only.
#[derive(Debug)]
pub struct Mapping(Mmap);

impl Mapping {
    /// Maps a file.
    ///
    /// # Safety
    /// As long as the mapping lives, nobody may change the bytes of the file or cut it short; to
    /// replace it by a rename, as [`Index::save`](crate::Index::save) does, is fine, since the
    /// mapping keeps the old file. Bytes that change under a shared reference are undefined
    /// behaviour, and access behind the end of a file that was cut ends the process.
    pub unsafe fn open(path: &Path) -> io::Result<Self> {
        // SAFETY: the caller answers for the file.
        unsafe { Self::of(&crate::regular::open_io(path)?) }
    }

    /// Maps an open file.
    ///
    /// # Safety
    /// As for [`open`](Self::open).
    pub(crate) unsafe fn of(file: &File) -> io::Result<Self> {
        // An empty file cannot be mapped everywhere, and a folder nowhere.
        let metadata = file.metadata()?;
        if metadata.is_dir() {
            return Err(io::ErrorKind::IsADirectory.into());
        }
        // SAFETY: the caller answers for the file.
        unsafe { Mmap::map(file) }.map(Self)
    }

    /// Tells the system that reads will jump about, so that it fetches no more from a disk than is
    /// asked for.
    pub(crate) fn expect_single_rows(&self) {
        // An advice: a system that does not take it reads ahead.
        #[cfg(unix)]
        let _ = self.0.advise(memmap2::Advice::Random);
    }
}

impl AsRef<[u8]> for Mapping {
    fn as_ref(&self) -> &[u8] {
        &self.0
    }
}
