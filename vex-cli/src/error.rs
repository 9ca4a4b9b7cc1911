//! Why a command failed: one line that begins with the file.

use std::error::Error;
use std::io;
use std::path::{Path, PathBuf};

use vex::{BuildError, Element, OpenError, OpenProblem, SaveError, SearchError, VectorError};

use crate::io::{Failed, FileError, Lines, Problem};
use crate::{advice, human};

/// Why a command failed.
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
        /// Why it cannot be indexed or searched for.
        error: VectorError,
    },
    /// No vector can be indexed.
    #[error("{}: expected a row that can be indexed, found none among {rows}: row 0: {reason}", path.display())]
    NoValidRow {
        /// The file of vectors.
        path: PathBuf,
        /// How many rows it has.
        rows: usize,
        /// Why the first cannot be.
        reason: String,
    },
    /// Two inputs are standard input, which can be read once.
    #[error("standard input: expected to be read once, found two inputs named -")]
    TwoStdins,
    /// The ids of an older index would stay beside a new one.
    #[error("{}: has the ids of the index that would be replaced: give --ids for the new one, or remove it", path.display())]
    OldNames {
        /// The file of ids.
        path: PathBuf,
    },
    /// An index is to be changed, and has text ids beside it.
    #[error("{}: has the text ids of the index, which would no longer fit: build it again from all rows, keep rows that come and go in a collection (vex db), or remove this file, and the ids with it", path.display())]
    HasNames {
        /// The file of ids.
        path: PathBuf,
    },
    /// Queries have another dimension than the vectors that they are compared with.
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
    /// Most ids of a ground truth are no keys of the index.
    #[error(
        "{}: expected ids that are keys of {index}, found {unknown} of {ids} that are not; vex gt {index} writes its keys",
        path.display(), index = index.display()
    )]
    UnknownIds {
        /// The file of ids.
        path: PathBuf,
        /// The index.
        index: PathBuf,
        /// The ids that are no keys.
        unknown: usize,
        /// All ids that are compared.
        ids: usize,
    },
    /// A ground truth names vectors that are far from the nearest.
    #[error(
        "{}: expected the nearest vectors of {index} by {metric}, found {percent}% of them: other vectors, queries or \
         another metric? vex gt {index} computes them", path.display(), index = index.display()
    )]
    OtherTruth {
        /// The file of ids.
        path: PathBuf,
        /// The index.
        index: PathBuf,
        /// The metric of the index.
        metric: &'static str,
        /// How much of the ground truth fits.
        percent: usize,
    },
    /// No search finds enough.
    #[error("{}: expected recall@{k} of {expected}, found at most {found:.4}, at --ef-search {ef_search}", path.display())]
    Recall {
        /// The index.
        path: PathBuf,
        /// The neighbors of a query.
        k: usize,
        /// The recall that was asked for.
        expected: f64,
        /// The highest that was measured.
        found: f64,
        /// The most candidates that were tried.
        ef_search: usize,
    },
    /// The page of an index cannot be served at a port.
    #[error("port {port}: {error}; --port 0 takes any that is free")]
    Port {
        /// The port.
        port: u16,
        /// Why it cannot be used.
        error: io::Error,
    },
    /// An index of codes alone cannot be explored.
    #[error("{}: expected an index with vectors, found codes alone", path.display())]
    NoVectors {
        /// The index.
        path: PathBuf,
    },
    /// Neither vectors nor codes were asked for.
    #[error("--store none needs codes: expected --quantize sq8, sq4 or sq2x2, found none")]
    NothingKept,
    /// Vectors cannot be stored as was asked for.
    #[error("--store {store} is for float vectors: expected vectors indexed as {store}, found {element}")]
    Store {
        /// How they were to be stored.
        store: &'static str,
        /// The type that the vectors are indexed as.
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
    /// An option says something else than the index.
    #[error("{}: expected {option} {expected}, as the index was built, or none, found {found}", path.display())]
    OptionOfIndex {
        /// The index.
        path: PathBuf,
        /// The option.
        option: &'static str,
        /// The value of the index.
        expected: &'static str,
        /// The value that was given.
        found: &'static str,
    },
    /// A key is in the index already.
    #[error("{}: expected keys that {index} does not have, found key {key}; --replace replaces its vector", path.display(), index = index.display())]
    TakenKey {
        /// The file of keys.
        path: PathBuf,
        /// The key.
        key: u64,
        /// The index.
        index: PathBuf,
    },
    /// A key is not in the index.
    #[error("{}: expected a vector under key {key}, found none", path.display())]
    MissingKey {
        /// The index.
        path: PathBuf,
        /// The key.
        key: u64,
    },
    /// Two indexes that are merged have the same key.
    #[error("{}: expected keys that {other} does not have, found key {key}; --renumber moves the keys up", path.display(), other = other.display())]
    SharedKey {
        /// The index.
        path: PathBuf,
        /// The key.
        key: u64,
        /// The index that has the key, too.
        other: PathBuf,
    },
    /// Not so many keys follow the largest.
    #[error("{}: expected room for more keys, found the key {largest}, near the largest that there is; name other keys", path.display())]
    KeysEnd {
        /// The index.
        path: PathBuf,
        /// Its largest key.
        largest: u64,
    },
    /// Indexes that are merged hold vectors of different kinds.
    #[error("{}: expected {expected} as in {like}, found {found}", path.display(), like = like.display())]
    OtherKind {
        /// The index.
        path: PathBuf,
        /// The kind of the vectors of the first index.
        expected: String,
        /// The first index.
        like: PathBuf,
        /// The kind of the vectors of this index.
        found: String,
    },
    /// A part of the command was left out when it was compiled.
    #[error(
        "vex {command} is not in this program: expected a build with --features {feature}, which cargo install takes too"
    )]
    #[cfg_attr(all(feature = "demo", feature = "plot"), allow(dead_code))]
    LeftOut {
        /// The name of the command.
        command: &'static str,
        /// The feature of the crate.
        feature: &'static str,
    },
    /// A key does not fit into a file of ids.
    #[error("{}: expected keys up to {largest}, which the file of ids can hold, found key {key}", path.display())]
    WideKey {
        /// The index.
        path: PathBuf,
        /// The largest key that fits.
        largest: u64,
        /// The key.
        key: u64,
    },
    /// A distance is not a number.
    #[error("{}: expected distances that are numbers, found one to key {key} that is not: see vex verify", path.display())]
    NotANumber {
        /// The index.
        path: PathBuf,
        /// The key.
        key: u64,
    },
    /// No search can reach some vectors.
    #[error("{}: expected every vector within reach of the entry point, found {found} that no search comes to", path.display())]
    Unreachable {
        /// The index.
        path: PathBuf,
        /// How many vectors.
        found: usize,
    },
    /// A line is not a row, or its row does not fit.
    #[error("{}: line {line}: {problem}", path.display())]
    Line {
        /// The file of lines.
        path: PathBuf,
        /// The line, counted from 1.
        line: usize,
        /// Why.
        problem: Box<dyn Error + Send + Sync>,
    },
    /// Rows before those of the failure were committed.
    #[error("{failure}; rows committed before: {committed}")]
    Partly {
        /// Why no more were.
        failure: Box<Failure>,
        /// How many were.
        committed: u64,
    },
    /// The fields of a collection cannot be told from the id and the vector of a row.
    #[error("{}: expected no field {field}, which is the {field} of a row in JSON", path.display())]
    ReservedField {
        /// The collection.
        path: PathBuf,
        /// The name of the field.
        field: String,
    },
    /// Another process writes to a collection.
    #[error("{}: another process has it open for writing; --wait waits for its end", path.display())]
    Locked {
        /// The collection.
        path: PathBuf,
    },
    /// The database refused. [`about`](Self::about) adds the collection to its message.
    #[error(transparent)]
    Database(#[from] vex_db::Error),
    /// The library refused. Its message has what it expected and found.
    #[error("{}: {problem}", path.display())]
    Refused {
        /// The file that was worked on.
        path: PathBuf,
        /// Why.
        problem: Box<dyn Error + Send + Sync>,
    },
    /// Results could not be printed. All other I/O errors have a file, and are a [`FileError`].
    #[error("standard output: cannot be written: {0}")]
    Stdout(#[from] io::Error),
}

impl Failure {
    /// An error of the library about `path`.
    pub(crate) fn refused(path: &Path, problem: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self::Refused { path: path.to_owned(), problem: problem.into() }
    }

    /// An error about a line of `lines`, which was read last.
    pub(crate) fn line_of(lines: &Lines, problem: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self::Line { path: lines.path().to_owned(), line: lines.number(), problem: problem.into() }
    }

    /// An error of the database about the collection at `path`. Other errors stay as they are.
    pub(crate) fn about(self, path: &Path) -> Self {
        use vex_db::Error;
        match self {
            Self::Database(Error::Segment(error)) => error.into(),
            Self::Database(Error::Save(error)) => error.into(),
            // The message has the path already.
            Self::Database(
                Error::Missing { .. }
                | Error::Exists { .. }
                | Error::NotACollection { .. }
                | Error::Locked { .. }
                | Error::BackupInside { .. }
                | Error::Io { .. },
            ) => self,
            Self::Database(error) => Self::refused(path, error),
            Self::Partly { failure, committed } => {
                Self::Partly { failure: Box::new(failure.about(path)), committed }
            }
            failure => failure,
        }
    }

    /// The error of a search for row `row` of `queries` in `index`.
    pub(crate) fn search(index: &Path, queries: &Path, row: usize, error: SearchError) -> Self {
        match error {
            SearchError::Query(error) => Self::Row { path: queries.to_owned(), row, error },
            error => Self::refused(index, error),
        }
    }

    /// The error of a build from the rows of `vectors`. `place` tells the file and the row in it.
    pub(crate) fn build(
        vectors: &Path,
        place: impl Fn(usize) -> (PathBuf, usize),
        error: BuildError<FileError>,
    ) -> Self {
        match error {
            BuildError::Graph(vex::graph::BuildError::Source { error, .. }) => error.into(),
            BuildError::Graph(vex::graph::BuildError::Vector { position, error }) => {
                let (path, row) = place(position);
                Self::Row { path, row, error }
            }
            error => Self::refused(vectors, error),
        }
    }

    /// The error of a ground truth for the rows of `queries`.
    pub(crate) fn exact(queries: &Path, error: BuildError<VectorError>) -> Self {
        match error {
            BuildError::Graph(vex::graph::BuildError::Vector { position, error }) => {
                Self::Row { path: queries.to_owned(), row: position, error }
            }
            error => Self::refused(queries, error),
        }
    }

    /// Whether nobody reads the results any more, as after `vex search … | head`. This is not a
    /// failure.
    pub(crate) fn is_broken_pipe(&self) -> bool {
        matches!(self, Self::Stdout(error) if error.kind() == io::ErrorKind::BrokenPipe)
    }

    /// The message on one line, without control characters, since names of files may come from
    /// strangers. It ends with the next step, where that is known.
    pub(crate) fn line(&self) -> String {
        let line = human::printable(&self.to_string());
        match advice::after(self) {
            Some(advice) => format!("{line}; {advice}"),
            None => line,
        }
    }
}

impl From<Failed> for Failure {
    /// A stream that was not written is standard output.
    fn from(failed: Failed) -> Self {
        match failed {
            Failed::Write(error) => error.into(),
            Failed::File(error) => error.into(),
        }
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
