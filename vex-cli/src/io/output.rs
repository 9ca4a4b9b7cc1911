//! Files that are to be written: what can be known before the work is done.

use std::io;
use std::path::Path;

use tempfile::NamedTempFile;

use super::error::{FileError, Problem};

/// Checks that a file can be created at `path`, so that hours of work are not lost to a folder that is missing.
///
/// # Errors
/// If `path` is a folder or one of the `inputs`, or its folder does not take a new file.
pub(crate) fn check_output(path: &Path, inputs: &[&Path]) -> Result<(), FileError> {
    if path.is_dir() {
        return Err(FileError::new(path, Problem::OutputIsFolder));
    }
    // A path that does not resolve is no file yet, and so no input.
    if let Ok(output) = path.canonicalize() {
        let same = |input: &&Path| input.canonicalize().is_ok_and(|input| input == output);
        if inputs.iter().any(same) {
            return Err(FileError::new(path, Problem::OutputIsInput));
        }
    }
    create_beside(path).map(drop)
}

/// A temporary file in the folder of `path`, on the same file system, so that it can be renamed.
pub(super) fn create_beside(path: &Path) -> Result<NamedTempFile, FileError> {
    // The parent of a bare name is the empty path.
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let failed = |error| FileError::new(path, Problem::Folder { folder: folder.to_owned(), error });
    // Asked first, because the error of a temporary file would name that file, of which nobody has heard.
    if !folder.metadata().map_err(failed)?.is_dir() {
        return Err(failed(io::ErrorKind::NotADirectory.into()));
    }
    let mut builder = tempfile::Builder::new();
    builder.prefix(".vex-").suffix(".tmp");
    // A temporary file is private unless told otherwise; a result is an ordinary file, subject to the umask.
    #[cfg(unix)]
    let mode = std::os::unix::fs::PermissionsExt::from_mode(0o666);
    #[cfg(unix)]
    builder.permissions(mode);
    builder.tempfile_in(folder).map_err(failed)
}

#[cfg(test)]
mod tests {
    use super::super::fixture::Fixture;
    use super::*;

    #[test]
    fn checking_leaves_no_trace() {
        let file = Fixture::new("old.vex", b"old");
        check_output(file.path(), &[]).unwrap();
        check_output(&file.path().with_file_name("new.vex"), &[file.path()]).unwrap();
        assert_eq!(file.neighbors(), 0);
        assert_eq!(std::fs::read(file.path()).unwrap(), b"old");
    }

    #[test]
    fn input_is_recognised_under_another_spelling() {
        let file = Fixture::new("vectors.npy", b"");
        let folder = file.path().parent().unwrap();
        let error = check_output(&folder.join("./vectors.npy"), &[file.path()]).unwrap_err();
        assert!(matches!(error.problem, Problem::OutputIsInput), "{error}");
    }

    #[test]
    fn folder_is_no_file() {
        let file = Fixture::new("vectors.npy", b"");
        let error = check_output(file.path().parent().unwrap(), &[]).unwrap_err();
        assert!(matches!(error.problem, Problem::OutputIsFolder), "{error}");
    }

    #[test]
    fn path_below_a_file_is_refused() {
        let file = Fixture::new("vectors.npy", b"");
        let error = check_output(&file.path().join("index.vex"), &[]).unwrap_err();
        assert!(matches!(error.problem, Problem::Folder { .. }), "{error}");
    }
}
