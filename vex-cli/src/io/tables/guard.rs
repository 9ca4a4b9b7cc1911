//! Libraries on bytes of strangers. Where one panics, the file is refused.

use std::cell::Cell;
use std::fmt::Display;
use std::panic::{self, AssertUnwindSafe};
use std::path::Path;
use std::sync::Once;

use super::super::error::{FileError, Problem};
use crate::human;

thread_local! {
    /// Whether a library runs on this thread.
    static GUARDED: Cell<bool> = const { Cell::new(false) };
}

/// Runs a library. Its error, or its panic, becomes an error of the file.
pub(super) fn guard<T, E: Display>(path: &Path, run: impl FnOnce() -> Result<T, E>) -> Result<T, FileError> {
    static HUSHED: Once = Once::new();
    HUSHED.call_once(|| {
        let print = panic::take_hook();
        panic::set_hook(Box::new(move |panic| {
            // The text of such a panic would say nothing to users.
            if !GUARDED.get() {
                print(panic);
            }
        }));
    });
    GUARDED.set(true);
    // What the library leaves is not used again: the command ends with the error.
    let result = panic::catch_unwind(AssertUnwindSafe(run));
    GUARDED.set(false);
    let problem = match result {
        Ok(Ok(value)) => return Ok(value),
        Ok(Err(error)) => human::printable(&error.to_string()),
        Err(_) => "damaged: the reader of the format gave up".to_owned(),
    };
    Err(FileError::new(path, Problem::Foreign { problem }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn panics_and_errors_become_errors_of_the_file() {
        let run = |run: fn() -> Result<u8, String>| {
            guard(Path::new("a.parquet"), run).map_err(|error| error.to_string())
        };
        assert_eq!(run(|| Ok(7)), Ok(7));
        assert_eq!(run(|| Err("cut\n".to_owned())), Err("a.parquet: cut\u{fffd}".to_owned()));
        let expected = "a.parquet: damaged: the reader of the format gave up";
        assert_eq!(run(|| panic!("index out of bounds")), Err(expected.to_owned()));
    }
}
