//! Why a command failed: one line that begins with the file.

use std::error::Error;
use std::io;
use std::path::{Path, PathBuf};

use vex::{BuildError, Element, OpenError, OpenProblem, SaveError, SearchError, VectorError};

use crate::human;
use crate::io::{FileError, Problem};

/// A command that did not do what it was asked to.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Failure {
    /// A file besides the index cannot be read or written.
    #[error(transparent)]
    File(#[from] FileError),
    /// A vector cannot be indexed or searched for.
    #[error("{}: row {row}: {error}", path.display())]
    Row {
        /// The file of vectors.
        path: PathBuf,
        /// The row, counted from 0.
        row: usize,
        /// What is wrong with it.
        error: VectorError,
    },
    /// Queries are of another dimension than what they are compared with.
    #[error("{}: expected {expected} dimensions as in {}, found {found}", path.display(), like.display())]
    Dimension {
        /// The file of queries.
        path: PathBuf,
        /// The dimension that they need.
        expected: usize,
        /// The file that has this dimension.
        like: PathBuf,
        /// The dimension that they have.
        found: usize,
    },
    /// Ground truth is for other queries.
    #[error("{}: expected {expected} rows as in {}, found {found}", path.display(), like.display())]
    Rows {
        /// The file of ids.
        path: PathBuf,
        /// The number of queries.
        expected: usize,
        /// The file of queries.
        like: PathBuf,
        /// The rows of the file of ids.
        found: usize,
    },
    /// Ground truth is too narrow for recall@k.
    #[error("{}: expected at least {expected} ids a row, for k = {expected}, found {found}", path.display())]
    Columns {
        /// The file of ids.
        path: PathBuf,
        /// The number of neighbors that are compared.
        expected: usize,
        /// The ids of a row.
        found: usize,
    },
    /// Neither vectors nor codes were asked for.
    #[error("--store none needs codes: expected --quantize sq8, sq4 or sq2x2, found none")]
    NothingKept,
    /// Vectors cannot be kept as what was asked for.
    #[error("--store {store} is for float vectors: expected vectors indexed as {store}, found {element}")]
    Store {
        /// What was to be kept.
        store: &'static str,
        /// What the vectors are indexed as.
        element: Element,
    },
    /// Two vectors have one key.
    #[error("{}: expected every key once, found key {key} twice", path.display())]
    DuplicateKey {
        /// The file of keys, or the index.
        path: PathBuf,
        /// The key.
        key: u64,
    },
    /// A key does not fit into a file of ids.
    #[error("{}: expected keys up to {}, which a file of ids can hold, found key {key}", path.display(), i32::MAX)]
    WideKey {
        /// The index.
        path: PathBuf,
        /// The key.
        key: u64,
    },
    /// A distance is none that a number can say.
    #[error("{}: expected distances that are numbers, found one to key {key} that is not: see vex verify", path.display())]
    NotANumber {
        /// The index.
        path: PathBuf,
        /// The key.
        key: u64,
    },
    /// Vectors that no search can find.
    #[error("{}: expected every vector within reach of the entry point, found {found} that no search comes to", path.display())]
    Unreachable {
        /// The index.
        path: PathBuf,
        /// How many vectors.
        found: usize,
    },
    /// The library refused, and says itself what it expected and found.
    #[error("{}: {problem}", path.display())]
    Refused {
        /// The file that was worked on.
        path: PathBuf,
        /// Why.
        problem: Box<dyn Error + Send + Sync>,
    },
    /// Results could not be printed. The only bare I/O error: every other one has a file, and is a
    /// [`FileError`].
    #[error("standard output: cannot be written: {0}")]
    Stdout(#[from] io::Error),
}

impl Failure {
    /// Blames `path` for an error of the library.
    pub(crate) fn refused(path: &Path, problem: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self::Refused { path: path.to_owned(), problem: problem.into() }
    }

    /// A search for row `row` of `queries` in `index` that failed.
    pub(crate) fn search(index: &Path, queries: &Path, row: usize, error: SearchError) -> Self {
        match error {
            SearchError::Query(error) => Self::Row { path: queries.to_owned(), row, error },
            error => Self::refused(index, error),
        }
    }

    /// An index of the rows of `vectors` that was not built.
    pub(crate) fn build(vectors: &Path, error: BuildError<FileError>) -> Self {
        match error {
            BuildError::Graph(vex::graph::BuildError::Source { error, .. }) => error.into(),
            BuildError::Graph(vex::graph::BuildError::Vector { position, error }) => {
                Self::Row { path: vectors.to_owned(), row: position, error }
            }
            error => Self::refused(vectors, error),
        }
    }

    /// Ground truth for the rows of `queries` that was not found.
    pub(crate) fn exact(queries: &Path, error: BuildError<VectorError>) -> Self {
        match error {
            BuildError::Graph(vex::graph::BuildError::Vector { position, error }) => {
                Self::Row { path: queries.to_owned(), row: position, error }
            }
            error => Self::refused(queries, error),
        }
    }

    /// Whether nobody reads the results any more, as after `vex search … | head`. That is no
    /// failure.
    pub(crate) fn is_broken_pipe(&self) -> bool {
        matches!(self, Self::Stdout(error) if error.kind() == io::ErrorKind::BrokenPipe)
    }

    /// The message on one line, with nothing in it that would steer the terminal: names of files
    /// are strangers' text.
    pub(crate) fn line(&self) -> String {
        human::printable(&self.to_string())
    }
}

impl From<OpenError> for Failure {
    fn from(OpenError { path, problem }: OpenError) -> Self {
        match problem {
            OpenProblem::Io(error) => FileError { path, problem: Problem::Open(error) }.into(),
            OpenProblem::NotRegular(_) => FileError { path, problem: Problem::NotRegular }.into(),
            problem => Self::Refused { path, problem: problem.into() },
        }
    }
}

impl From<SaveError> for Failure {
    fn from(error: SaveError) -> Self {
        FileError::from(error).into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn line_is_one_line() {
        let failure = Failure::DuplicateKey { path: "a\n\x1b[2J.vex".into(), key: 7 };
        assert_eq!(failure.line(), "a\u{fffd}\u{fffd}[2J.vex: expected every key once, found key 7 twice");
    }
}
