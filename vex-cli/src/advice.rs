//! What to do with a file that another command takes: the end of a failure's line.

use std::path::Path;

use vex::OpenProblem;
use vex_db::Collection;

use crate::error::Failure;
use crate::io::{FileError, Format, Problem};
use crate::mmap;

const INDEX: &str = "it is an index: vex search searches it, vex convert takes its vectors out";
const COLLECTION: &str = "it is a collection: vex db search searches it, vex db scroll takes its rows out";
const VECTORS: &str = "vex build makes an index of vectors, which then comes before the queries";
const ROWS: &str = "a collection comes before the file of its rows: vex db create makes one";

/// The next step after a failure, if the file that failed is one that another command takes.
pub(crate) fn after(failure: &Failure) -> Option<&'static str> {
    let is_collection = |path: &Path| Collection::exists(path).unwrap_or(false);
    let has_rows = |path: &Path| path.is_file() && Format::of(path).is_some();
    let is_index = |path: &Path| path.is_file() && mmap::open(path).is_ok();
    match failure {
        Failure::File(FileError { path, problem }) => match problem {
            // As one of several files of a folder.
            Problem::UnknownFormat if path.parent().is_some_and(is_collection) => Some(COLLECTION),
            Problem::UnknownFormat | Problem::Extension { .. } if is_index(path) => Some(INDEX),
            Problem::NotRegular | Problem::Open(_) if is_collection(path) => Some(COLLECTION),
            _ => None,
        },
        Failure::Refused { path, problem } if problem.downcast_ref::<OpenProblem>().is_some() => {
            has_rows(path).then_some(VECTORS)
        }
        Failure::Database(vex_db::Error::NotACollection { path, .. }) => {
            if has_rows(path) {
                return Some(ROWS);
            }
            is_index(path).then_some(INDEX)
        }
        _ => None,
    }
}
