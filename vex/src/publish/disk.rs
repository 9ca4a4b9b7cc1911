//! The file system of the machine.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Write};
use std::path::Path;

use same_file::Handle;

use super::FileSystem;
use crate::SaveProblem;

pub(super) struct Disk;

/// A file that is locked until it is dropped, or its process is killed.
pub(super) struct LockedFile(Handle);

impl FileSystem for Disk {
    type File = LockedFile;

    /// Whoever holds the lock of the file that has the name owns it. So a writer locks first, and looks then whether the name
    /// is still that of the file it locked: in between, another writer may have renamed or removed it.
    fn create(&self, path: &Path) -> Result<LockedFile, SaveProblem> {
        loop {
            let (file, is_new) = match OpenOptions::new().write(true).create_new(true).open(path) {
                Ok(file) => (file, true),
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                    // Open for writing, without which some file systems do not lock.
                    match OpenOptions::new().write(true).open(path) {
                        Ok(file) => (file, false),
                        Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
                        Err(error) => return Err(error.into()),
                    }
                }
                Err(error) => return Err(error.into()),
            };
            match file.try_lock() {
                Ok(()) => (),
                Err(TryLockError::WouldBlock) => return Err(SaveProblem::Locked),
                Err(TryLockError::Error(error)) => return Err(error.into()),
            }
            let file = Handle::from_file(file)?;
            match Handle::from_path(path) {
                Ok(named) if named == file && is_new => return Ok(LockedFile(file)),
                // Left behind. It is not written to, since nobody knows who can read it.
                Ok(named) if named == file => fs::remove_file(path)?,
                Ok(_) => (),
                Err(error) if error.kind() == io::ErrorKind::NotFound => (),
                Err(error) => return Err(error.into()),
            }
        }
    }

    fn sync(&self, file: &LockedFile) -> io::Result<()> {
        file.0.as_file().sync_all()
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        fs::rename(from, to)
    }

    #[cfg(unix)]
    fn sync_folder(&self, folder: &Path) -> io::Result<()> {
        File::open(folder)?.sync_all()
    }

    /// Elsewhere a folder cannot be opened as a file.
    #[cfg(not(unix))]
    fn sync_folder(&self, _: &Path) -> io::Result<()> {
        Ok(())
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        fs::remove_file(path)
    }
}

impl Write for LockedFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.as_file_mut().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.as_file_mut().flush()
    }
}
