//! A file that appears whole or not at all.

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::Path;

/// What a sink takes is written before the file takes its name.
type Sink<'s> = dyn FnMut(&[u8]) -> io::Result<()> + 's;

/// Writes through a temporary file in the folder of `path`, which takes the name only when every byte is on the disk.
///
/// A failed fsync is not tried again: the pages it failed to write may be marked clean, and a second one would lie.
pub(crate) fn publish(
    path: &Path,
    write: impl FnOnce(&mut &mut Sink<'_>) -> io::Result<()>,
) -> io::Result<()> {
    if path.is_dir() {
        return Err(io::ErrorKind::IsADirectory.into());
    }
    let folder = match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    let mut builder = tempfile::Builder::new();
    builder.prefix(".vex-").suffix(".tmp");
    #[cfg(unix)]
    {
        // Like any new file: readable by whom the umask lets, not by its owner alone.
        use std::os::unix::fs::PermissionsExt;
        builder.permissions(std::fs::Permissions::from_mode(0o666));
    }
    let mut file = builder.tempfile_in(folder)?;
    {
        let mut buffer = BufWriter::with_capacity(1 << 20, file.as_file_mut());
        let mut sink = |bytes: &[u8]| buffer.write_all(bytes);
        write(&mut (&mut sink as &mut Sink<'_>))?;
        buffer.flush()?;
    }
    file.as_file().sync_all()?;
    file.persist(path).map_err(|error| error.error)?;
    sync_folder(folder)
}

/// A rename is on the disk when its folder is.
#[cfg(unix)]
fn sync_folder(folder: &Path) -> io::Result<()> {
    File::open(folder)?.sync_all()
}

/// Elsewhere a folder cannot be opened as a file.
#[cfg(not(unix))]
fn sync_folder(_: &Path) -> io::Result<()> {
    Ok(())
}
