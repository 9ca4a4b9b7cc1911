//! Output files: checks before the work begins.

use std::path::Path;

use vex::Output;

use super::error::{FileError, Problem};
use crate::interrupt;

/// Checks that a file can be written at `path`, and locks it. A missing folder or another writer
/// then shows before hours of work. From then on, Ctrl-C leaves the old file, and says so.
///
/// # Errors
/// If there is something at `path` that is not a regular file, or `path` is one of the `inputs` or in a
/// folder of them. If its folder does not take a new file, or another program is about to write the
/// file.
pub(crate) fn open_output(path: &Path, inputs: &[&Path]) -> Result<Output, FileError> {
    check_name(path)?;
    let output = Output::create(path)?;
    let is_in = |folder: &Path| {
        let parent = output.target().parent().and_then(|parent| parent.canonicalize().ok());
        folder.is_dir() && parent.is_some() && parent == folder.canonicalize().ok()
    };
    if inputs.iter().any(|input| output.replaces(input) || is_in(input)) {
        return Err(FileError::new(path, Problem::OutputIsInput));
    }
    interrupt::protect(&output);
    Ok(output)
}

/// Checks that an output has a name. Elsewhere `-` means standard output, but a file that appears
/// whole or not at all cannot be written there.
///
/// # Errors
/// If the name is `-`.
pub(crate) fn check_name(path: &Path) -> Result<(), FileError> {
    if path == Path::new("-") {
        return Err(FileError::new(path, Problem::StandardOutput));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::super::fixture::Fixture;
    use super::*;

    #[test]
    fn checking_leaves_no_trace() {
        let file = Fixture::new("old.vex", b"old");
        open_output(file.path(), &[]).unwrap();
        open_output(&file.path().with_file_name("new.vex"), &[file.path()]).unwrap();
        assert_eq!(file.neighbors(), 0);
        assert_eq!(std::fs::read(file.path()).unwrap(), b"old");
    }

    #[test]
    fn input_is_recognised_under_another_spelling() {
        let file = Fixture::new("vectors.npy", b"");
        let folder = file.path().parent().unwrap();
        let error = open_output(&folder.join("./vectors.npy"), &[file.path()]).unwrap_err();
        assert!(matches!(error.problem, Problem::OutputIsInput), "{error}");
    }

    #[test]
    #[cfg(unix)]
    fn input_is_recognised_behind_a_link() {
        let file = Fixture::new("vectors.npy", b"");
        let link = file.path().with_file_name("link.npy");
        std::os::unix::fs::symlink("vectors.npy", &link).unwrap();
        for (output, input) in [(&*link, file.path()), (file.path(), &*link)] {
            let error = open_output(output, &[input]).unwrap_err();
            assert!(matches!(error.problem, Problem::OutputIsInput), "{error}");
        }
    }

    #[test]
    fn standard_output_is_no_file() {
        let error = open_output(Path::new("-"), &[]).unwrap_err();
        assert!(matches!(error.problem, Problem::StandardOutput), "{error}");
    }

    #[test]
    fn folder_is_no_file() {
        let file = Fixture::new("vectors.npy", b"");
        let error = open_output(file.path().parent().unwrap(), &[]).unwrap_err();
        assert!(matches!(error.problem, Problem::Output(_)), "{error}");
    }

    #[test]
    fn path_below_a_file_is_refused() {
        let file = Fixture::new("vectors.npy", b"");
        let error = open_output(&file.path().join("index.vex"), &[]).unwrap_err();
        assert!(matches!(error.problem, Problem::Folder { .. }), "{error}");
    }
}
