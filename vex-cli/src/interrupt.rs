//! Ctrl-C while a file is being written: the old file stays whole, and the user reads so.
//!
//! A file is written under a temporary name, and a rename replaces the old file: see `vex::Output`.
//! The handler removes the temporary name. That decides in one step which file is there:
//!
//! - The name was removed: the rename will fail, so the old file stays.
//! - There was no such name any more: the rename has happened, so the new file is there, complete. Or
//!   the save had failed before, and the old file stays: the file at the name tells.

use std::fs;
use std::io::{self, IsTerminal, Write};
use std::path::{Path, PathBuf};
use std::process;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, Once, PoisonError};
use std::thread;

use vex::Output;

use crate::human;

/// The exit code of a program that Ctrl-C ended, as shells know it: 128 and the number of the
/// signal.
const EXIT_CODE: i32 = 130;

/// The files that this process writes.
static FILES: Mutex<Vec<Written>> = Mutex::new(Vec::new());

/// Whether the process is about to end.
static IS_INTERRUPTED: AtomicBool = AtomicBool::new(false);

/// A file that is being written.
struct Written {
    /// The name, for messages.
    path: PathBuf,
    /// Where the file is then.
    target: PathBuf,
    temporary: Temporary,
    /// Whether there was a file before.
    replaces: bool,
}

/// A temporary file, which another process may replace by its own once this one is done.
struct Temporary {
    path: PathBuf,
    identity: Option<Identity>,
}

#[cfg(unix)]
type Identity = (u64, u64);
#[cfg(not(unix))]
type Identity = ();

/// From now on, Ctrl-C removes the temporary file of `output`, says which file is there, and ends
/// the process.
///
/// If the handler cannot be installed, or the process ignores the signal, all stays as it is without
/// one: a killed process leaves the old file, too, and its temporary file to the next writer.
pub(crate) fn protect(output: &Output) {
    static HANDLER: Once = Once::new();
    let temporary = output.temporary();
    let written = Written {
        path: output.path().to_owned(),
        target: output.target().to_owned(),
        temporary: Temporary { path: temporary.to_owned(), identity: identity(temporary).ok() },
        replaces: output.target().exists(),
    };
    FILES.lock().unwrap_or_else(PoisonError::into_inner).push(written);
    HANDLER.call_once(|| {
        let _ = ctrlc::try_set_handler(stop);
    });
}

/// Waits for the end of the process, if Ctrl-C has been pressed: for its message, and its exit code.
/// Without its temporary file a save fails, which must not be reported as a failure.
pub(crate) fn wait_if_interrupted() {
    while IS_INTERRUPTED.load(Ordering::SeqCst) {
        thread::park();
    }
}

fn stop() {
    IS_INTERRUPTED.store(true, Ordering::SeqCst);
    // Nobody may read the messages any more. That must not keep the process from its end.
    let mut err = io::stderr();
    // A progress bar may stand on the line.
    if err.is_terminal() {
        let _ = writeln!(err);
    }
    for written in &*FILES.lock().unwrap_or_else(PoisonError::into_inner) {
        let path = human::path(&written.path);
        // Without its temporary file, a save was complete, or had failed.
        let is_there = !written.temporary.remove() && written.temporary.is_at(&written.target);
        let state = match (is_there, written.replaces) {
            (true, _) => "is written",
            (false, true) => "is as it was",
            (false, false) => "was not written",
        };
        // In one piece, since the command may end meanwhile.
        let _ = err.write_all(format!("interrupted: {path} {state}\n").as_bytes());
    }
    process::exit(EXIT_CODE);
}

impl Temporary {
    /// Removes the file. Returns whether it was there.
    fn remove(&self) -> bool {
        self.is_at(&self.path) && fs::remove_file(&self.path).is_ok()
    }

    /// Whether the file is at this path.
    fn is_at(&self, path: &Path) -> bool {
        identity(path).ok() == self.identity
    }
}

/// What distinguishes a file from another that gets its name later.
#[cfg(unix)]
fn identity(path: &Path) -> io::Result<Identity> {
    use std::os::unix::fs::MetadataExt;
    let metadata = fs::symlink_metadata(path)?;
    Ok((metadata.dev(), metadata.ino()))
}

#[cfg(not(unix))]
fn identity(path: &Path) -> io::Result<Identity> {
    fs::symlink_metadata(path).map(drop)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_temporary_file_is_removed_once_and_that_of_another_process_never() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(".vex-index.vex.tmp");
        fs::write(&path, "a part").unwrap();
        let temporary = Temporary { path: path.clone(), identity: identity(&path).ok() };
        assert!(temporary.remove() && !path.exists());
        assert!(!temporary.remove());
        // The first file is open, so that the second cannot have its number.
        fs::write(&path, "a part").unwrap();
        let first = fs::File::open(&path).unwrap();
        let temporary = Temporary { path: path.clone(), identity: identity(&path).ok() };
        fs::remove_file(&path).unwrap();
        fs::write(&path, "of another process").unwrap();
        assert!(cfg!(not(unix)) || !temporary.remove() && path.exists());
        drop(first);
    }
}
