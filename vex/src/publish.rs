//! A file that appears whole or not at all.

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

/// A file that is to be written, or replaced: its place is checked, and locked against other
/// writers, until this is dropped.
///
/// The bytes go to a temporary file in the same folder, reach the disk, and then take the name: a
/// reader finds the file that was there before or the complete new one. Only regular files are
/// replaced. Of a symbolic link, the file that it leads to is replaced or made; the link stays. The
/// new file gets the permissions of the old one, and its owner as far as this process may
/// give files away.
///
/// The temporary file of `index.vex` is `.vex-index.vex.tmp`. The lock is on it: if the process is
/// killed it stays, does no harm, and the next writer removes it. A name that has no room for the
/// rest is shortened.
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
    /// If what is there is not a regular file, the folder is missing or takes no file, or another
    /// writer [holds the lock](SaveProblem::Locked).
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

    /// Whether the file at `path` is the one that would be replaced.
    pub fn replaces(&self, path: impl AsRef<Path>) -> bool {
        paths::canonicalize(path.as_ref()).is_ok_and(|path| path == self.place.target)
    }

    /// Writes the file: `write` is given where its bytes go.
    ///
    /// # Errors
    /// The error of `write`, and if the operating system refuses. What was there is then as it was,
    /// but for [`SaveProblem::NotDurable`], and the temporary file is gone.
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

/// The steps of a publication. Tests take them on a file system that fails at each, and loses its
/// power after each.
trait FileSystem {
    /// A file that is open for writing, and locked against other writers.
    type File: Write;

    /// Creates the temporary file of a place, empty, instead of one that a writer left behind when
    /// it was killed.
    fn create(&self, place: &Place) -> Result<Self::File, SaveProblem>;
    /// Gives a file the permissions of the one that it replaces.
    fn dress(&self, file: &Self::File, target: &Path) -> io::Result<()>;
    /// Waits until every byte of a file is on the medium.
    fn sync(&self, file: &Self::File) -> io::Result<()>;
    /// Whether this name is still that of the file.
    fn is_named(&self, file: &Self::File, path: &Path) -> io::Result<bool>;
    /// Gives a file another name, in place of the regular file that has it.
    fn rename(&self, from: &Path, to: &Path) -> Result<(), SaveProblem>;
    /// Waits until the names in a folder are on the medium.
    fn sync_folder(&self, folder: &Path) -> io::Result<()>;
    /// Removes a file.
    fn remove(&self, path: &Path) -> io::Result<()>;
}

/// Writes the temporary file of a place, which takes the name only when every byte is on the
/// medium.
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
        // A failed sync is not tried again: the pages it failed to write may be marked clean, and a second
        // one would lie.
        files.sync(&file)?;
        // Who may write to the folder may have removed the file in spite of the lock, and begun another.
        if !files.is_named(&file, temporary)? {
            return Err(SaveProblem::Displaced);
        }
        files.rename(temporary, &place.target)
    };
    let renamed = publish();
    if let Err(problem) = renamed {
        // If this fails too, the next writer does it.
        if files.is_named(&file, temporary).unwrap_or(false) {
            let _ = files.remove(temporary);
        }
        return Err(problem);
    }
    // The next writer may begin.
    drop(file);
    files.sync_folder(&place.folder).map_err(SaveProblem::NotDurable)
}

/// Writes a file, a MiB at a time: large enough that the system calls do not show.
fn fill(file: &mut impl Write, write: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> io::Result<()> {
    let mut buffer = Buffer::new(1 << 20, file);
    write(&mut buffer)?;
    buffer.flush()
}
