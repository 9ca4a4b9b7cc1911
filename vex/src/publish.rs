//! A file that appears whole or not at all.
//!
//! A save takes these steps:
//!
//! ```text
//! create        make the temporary file in the folder of the target, and lock it
//! fill          write the bytes
//! dress         take over the permissions and the owner of the file that is replaced
//! sync          wait until the bytes are on the medium
//! is_named      check that the temporary file still has its name
//! rename        give it the name of the target, in place of the old file
//! sync_folder   wait until the names in the folder are on the medium
//! ```
//!
//! The invariant: at every moment, and after a power cut, the target is the complete old file or
//! the complete new one. After a save that succeeded, it is the new one. Three ideas see to that:
//!
//! - A rename replaces a name in one step. The bytes are synced before it, since a file system may
//!   write a name before the bytes (Pillai et al., OSDI 2014).
//! - A step that fails before the rename leaves the old file, and the temporary file is removed. A
//!   sync that failed is never tried again (Rebello et al., USENIX ATC 2020). If the last step
//!   fails, the new file is there, but a power cut may bring the old one back:
//!   `SaveProblem::NotDurable`.
//! - The name of the temporary file follows from that of the target. So writers of one target meet
//!   at one file, and its lock admits one of them. The lock ends with its process. The next writer
//!   removes an unlocked leftover, and never writes to it, since unknown processes may have it
//!   open.
//!
//! `tests.rs` takes the steps on `simulated.rs`, with a fault at each and a power cut after each.

mod buffer;
mod disk;
mod place;
#[cfg(test)]
mod simulated;
#[cfg(test)]
mod tests;

use std::io::{self, Write};
use std::path::{Path, PathBuf};

use crate::error::owned;
use crate::{SaveError, SaveProblem, paths};
use buffer::Buffer;
use disk::{Disk, LockedFile};
use place::Place;

/// A file that is to be written or replaced. Its place is checked, and locked against other writers
/// until this value is dropped.
///
/// The bytes go to a temporary file in the same folder. Once they are on the disk, the temporary
/// file takes the name. So a reader finds either the old file or the complete new one. Only regular
/// files are replaced. If the path is a symbolic link, the link stays, and the file that it leads
/// to is replaced or made. The new file gets the permissions of the old one. It gets the old owner
/// and group as far as this process may give files away.
///
/// The temporary file of `index.vex` is `.vex-index.vex.tmp`, and the lock is on it. If the process
/// is killed, the temporary file stays and does no harm; the next writer removes it. If the name
/// would be too long, it is shortened. Chapter 9 (`docs/9-durability.md` in the repository)
/// explains the steps, and what a power cut can do.
///
/// # Examples
/// ```
/// use std::io::Write;
///
/// # let folder = tempfile::tempdir()?;
/// let output = vex::Output::create(folder.path().join("notes.txt"))?;
/// assert!(vex::Output::create(folder.path().join("notes.txt")).is_err(), "locked");
/// output.write(|file| file.write_all(b"whole"))?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct Output {
    path: PathBuf,
    place: Place,
    file: LockedFile,
}

impl Output {
    /// Checks that a file can be written at `path`, and locks it. Creates the temporary file, and
    /// nothing else.
    ///
    /// # Errors
    /// If there is something at `path` that is not a regular file, or its folder is missing or
    /// takes no file. Also if another writer [holds the lock](SaveProblem::Locked).
    pub fn create(path: impl AsRef<Path>) -> Result<Self, SaveError> {
        let path = path.as_ref();
        Self::lock(path).map_err(|problem| SaveError { path: owned(path), problem })
    }

    fn lock(path: &Path) -> Result<Self, SaveProblem> {
        let (path, place) = (paths::copy(path)?, Place::of(path)?);
        let file = Disk.create(&place).map_err(|problem| match problem {
            SaveProblem::Io(error) if error.kind() != io::ErrorKind::OutOfMemory => {
                SaveProblem::Folder { folder: owned(&place.named), error }
            }
            problem => problem,
        })?;
        Ok(Self { path, place, file })
    }

    /// The path as it was given.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The file that will be written: absolute, without symbolic links.
    pub fn target(&self) -> &Path {
        &self.place.target
    }

    /// The temporary file that takes the bytes. A program that wants to stop at once may remove it:
    /// then the rename fails, so the file at the path stays as it was. If the temporary file is gone
    /// already, the new file has its name.
    pub fn temporary(&self) -> &Path {
        &self.place.temporary
    }

    /// Whether the file at `path` is the one that `write` would replace.
    pub fn replaces(&self, path: impl AsRef<Path>) -> bool {
        paths::canonicalize(path.as_ref()).is_ok_and(|path| path == self.place.target)
    }

    /// Writes the file: `write` gets the writer for its bytes. Then waits until they are on the
    /// disk.
    ///
    /// # Errors
    /// The error of `write`, and if the operating system refuses. The file at the path is then as
    /// it was, and the temporary file is gone. The exception is [`SaveProblem::NotDurable`].
    pub fn write(self, write: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> Result<(), SaveError> {
        let Self { path, place, file } = self;
        publish_on(&Disk, &place, file, write).map_err(|problem| SaveError { path, problem })
    }

    pub(crate) fn publish(
        self,
        write: impl FnOnce(&mut dyn Write) -> io::Result<()>,
    ) -> Result<(), SaveProblem> {
        publish_on(&Disk, &self.place, self.file, write)
    }
}

/// The steps of a publication, which tests replace.
trait FileSystem {
    /// A file that is open for writing, and locked against other writers.
    type File: Write;

    /// Creates the empty temporary file of a place, and locks it. Removes a leftover of a writer
    /// that was killed.
    fn create(&self, place: &Place) -> Result<Self::File, SaveProblem>;
    /// Gives a file the permissions of the one that it replaces.
    fn dress(&self, file: &Self::File, target: &Path) -> io::Result<()>;
    /// Waits until every byte of a file is on the medium.
    fn sync(&self, file: &Self::File) -> io::Result<()>;
    /// Whether this name still leads to the file.
    fn is_named(&self, file: &Self::File, path: &Path) -> io::Result<bool>;
    /// Gives a file another name, and replaces the regular file that has that name.
    fn rename(&self, from: &Path, to: &Path) -> Result<(), SaveProblem>;
    /// Waits until the names in a folder are on the medium.
    fn sync_folder(&self, folder: &Path) -> io::Result<()>;
    /// Removes a file.
    fn remove(&self, path: &Path) -> io::Result<()>;
}

/// Writes the temporary file of a place, and then gives it the name of the target.
fn publish_on<F: FileSystem>(
    files: &F,
    place: &Place,
    mut file: F::File,
    write: impl FnOnce(&mut dyn Write) -> io::Result<()>,
) -> Result<(), SaveProblem> {
    let temporary = &place.temporary;
    let publish = || {
        fill(&mut file, write)?;
        files.dress(&file, &place.target)?;
        // A failed sync is not tried again. The system may mark the pages that it failed to write
        // as clean, and then a second sync succeeds wrongly.
        files.sync(&file)?;
        // Whoever may write to the folder can remove the file in spite of the lock, and begin
        // another.
        if !files.is_named(&file, temporary)? {
            return Err(SaveProblem::Displaced);
        }
        files.rename(temporary, &place.target)
    };
    let renamed = publish();
    if let Err(problem) = renamed {
        // If this fails too, the next writer removes the file.
        if files.is_named(&file, temporary).unwrap_or(false) {
            let _ = files.remove(temporary);
        }
        return Err(problem);
    }
    // Unlocks: the next writer may begin.
    drop(file);
    files.sync_folder(&place.folder).map_err(SaveProblem::NotDurable)
}

/// Writes a file, a MiB at a time, so that the time of the system calls does not matter.
fn fill(file: &mut impl Write, write: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> io::Result<()> {
    let mut buffer = Buffer::new(1 << 20, file);
    write(&mut buffer)?;
    buffer.flush()
}
