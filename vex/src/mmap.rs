//! Files mapped into memory.

use std::fs::File;
use std::io;
use std::path::Path;

use memmap2::Mmap;

/// A file mapped into memory, read only.
#[derive(Debug)]
pub struct Mapping(Mmap);

impl Mapping {
    /// Maps a file, in constant time. Nothing is read yet.
    ///
    /// # Safety
    /// As long as the mapping lives, nobody may change the bytes of the file or cut it short. Bytes
    /// that change under a shared reference are undefined behaviour. Access behind the end of a
    /// file that was cut ends the process.
    ///
    /// Replacing the file by a rename, as [`Index::save`](crate::Index::save) does, is allowed: the
    /// mapping keeps the old file.
    ///
    /// # Errors
    /// If the operating system refuses, or the file is not a regular one.
    pub unsafe fn open(path: &Path) -> io::Result<Self> {
        // SAFETY: the caller answers for the file.
        unsafe { Self::of(&crate::regular::open_io(path)?) }
    }

    /// Maps an open file.
    ///
    /// # Safety
    /// As for [`open`](Self::open).
    pub(crate) unsafe fn of(file: &File) -> io::Result<Self> {
        // On some systems an empty file cannot be mapped, and on none a folder.
        let metadata = file.metadata()?;
        if metadata.is_dir() {
            return Err(io::ErrorKind::IsADirectory.into());
        }
        // SAFETY: the caller answers for the file.
        unsafe { Mmap::map(file) }.map(Self)
    }

    /// Advises the system that reads will jump about. Then the system fetches no more from a disk
    /// than is asked for.
    pub(crate) fn expect_single_rows(&self) {
        // This is a hint. A system that ignores it reads ahead.
        #[cfg(unix)]
        let _ = self.0.advise(memmap2::Advice::Random);
    }
}

impl AsRef<[u8]> for Mapping {
    fn as_ref(&self) -> &[u8] {
        &self.0
    }
}
