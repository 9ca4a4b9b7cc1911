//! A file that appears whole or not at all.

mod buffer;
mod disk;
#[cfg(test)]
mod simulated;
#[cfg(test)]
mod tests;

use std::io::{self, Write};
use std::path::{Path, PathBuf};

use crate::SaveProblem;
use buffer::Buffer;
use disk::Disk;

/// What a sink takes is written before the file takes its name.
type Sink<'s> = dyn FnMut(&[u8]) -> io::Result<()> + 's;

/// The steps of a publication. Tests take them on a file system that fails at each, and loses its power after each.
trait FileSystem {
    /// A file that is open for writing, and locked against other writers.
    type File: Write;

    /// Creates a file, empty, in place of one that a writer left behind when it was killed.
    fn create(&self, path: &Path) -> Result<Self::File, SaveProblem>;
    /// Waits until every byte of a file is on the medium.
    fn sync(&self, file: &Self::File) -> io::Result<()>;
    /// Gives a file another name, in place of the file that has it.
    fn rename(&self, from: &Path, to: &Path) -> io::Result<()>;
    /// Waits until the names in a folder are on the medium.
    fn sync_folder(&self, folder: &Path) -> io::Result<()>;
    /// Removes a file.
    fn remove(&self, path: &Path) -> io::Result<()>;
}

/// Writes through a temporary file in the folder of `path`, which takes the name only when every byte is on the medium.
pub(crate) fn publish(
    path: &Path,
    write: impl FnOnce(&mut &mut Sink<'_>) -> io::Result<()>,
) -> Result<(), SaveProblem> {
    if path.is_dir() {
        return Err(io::Error::from(io::ErrorKind::IsADirectory).into());
    }
    publish_on(&Disk, path, write)
}

fn publish_on<F: FileSystem>(
    files: &F,
    path: &Path,
    write: impl FnOnce(&mut &mut Sink<'_>) -> io::Result<()>,
) -> Result<(), SaveProblem> {
    let folder = match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    let temporary = temporary(folder, path)?;
    let mut file = files.create(&temporary)?;
    let renamed = fill(files, &mut file, write).and_then(|()| files.rename(&temporary, path));
    if let Err(error) = renamed {
        // If this fails too, the next writer does it.
        let _ = files.remove(&temporary);
        return Err(error.into());
    }
    // The next writer may begin.
    drop(file);
    files.sync_folder(folder).map_err(SaveProblem::NotDurable)
}

/// The name of a target says which temporary file is its own, so that there is one at most, and two writers meet there.
fn temporary(folder: &Path, path: &Path) -> io::Result<PathBuf> {
    let name = path.file_name().ok_or(io::ErrorKind::InvalidFilename)?;
    let (before, after) = (".vex-", ".tmp");
    let mut temporary = PathBuf::new();
    // And a separator.
    temporary.try_reserve_exact(folder.as_os_str().len() + 1 + before.len() + name.len() + after.len())?;
    temporary.push(folder);
    temporary.push(before);
    let mut temporary = temporary.into_os_string();
    temporary.push(name);
    temporary.push(after);
    Ok(temporary.into())
}

/// Writes a file, and waits until it is on the medium.
///
/// A failed sync is not tried again: the pages it failed to write may be marked clean, and a second one would lie.
fn fill<F: FileSystem>(
    files: &F,
    file: &mut F::File,
    write: impl FnOnce(&mut &mut Sink<'_>) -> io::Result<()>,
) -> io::Result<()> {
    let mut buffer = Buffer::new(1 << 20, &mut *file);
    let mut sink = |bytes: &[u8]| buffer.write_all(bytes);
    write(&mut (&mut sink as &mut Sink<'_>))?;
    buffer.flush()?;
    drop(buffer);
    files.sync(file)
}
