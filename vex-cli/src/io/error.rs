//! The faults of a file.

use std::collections::TryReserveError;
use std::path::{Path, PathBuf};

use thiserror::Error;
use vex::{NotRegular, SaveError, SaveProblem};

use super::format::Format;
use super::stored::Stored;

/// A file and its fault.
#[derive(Debug, Error)]
#[error("{}: {problem}", path.display())]
#[non_exhaustive]
pub(crate) struct FileError {
    /// The file, as the caller named it.
    pub(crate) path: PathBuf,
    /// The fault.
    pub(crate) problem: Problem,
}

impl FileError {
    /// An error about `path`.
    pub(crate) fn new(path: &Path, problem: Problem) -> Self {
        Self { path: path.to_owned(), problem }
    }
}

impl From<SaveError> for FileError {
    fn from(SaveError { path, problem }: SaveError) -> Self {
        let problem = match problem {
            SaveProblem::Io(error) => Problem::Write(error),
            SaveProblem::Folder { folder, error } => Problem::Folder { folder, error },
            SaveProblem::NotRegular(found) => Problem::Output(found),
            SaveProblem::NotDurable(error) => Problem::NotDurable(error),
            problem => Problem::Save(problem),
        };
        Self { path, problem }
    }
}

/// The fault of a file.
///
/// The error of the operating system is part of the message, so one line has everything.
#[derive(Debug, Error)]
#[non_exhaustive]
pub(crate) enum Problem {
    /// The operating system will not open it.
    #[error("cannot be opened: {0}")]
    Open(std::io::Error),
    /// The operating system failed to read it, or it shrank while being read.
    #[error("cannot be read: {0}")]
    Read(std::io::Error),
    /// The operating system failed to write it.
    #[error("cannot be written: {0}")]
    Write(std::io::Error),
    /// No file can be created beside it.
    #[error("cannot be written: folder {}: {error}", folder.display())]
    Folder {
        /// The folder that is missing or not writable.
        folder: PathBuf,
        /// The reason.
        error: std::io::Error,
    },
    /// It is to be written, but its name leads to something that is not replaced.
    #[error("cannot be written: expected a regular file or a new name, found {}", .0.found)]
    Output(NotRegular),
    /// It was to be written. The library's error has the reason.
    #[error(transparent)]
    Save(SaveProblem),
    /// It was written, but a power failure may undo that.
    #[error("saved, but the folder could not be flushed: {0}")]
    NotDurable(std::io::Error),
    /// It is to be written, and has the name that other programs give to standard output.
    #[error(
        "cannot be written: expected the name of a file, found standard output; a file of this name is ./-"
    )]
    StandardOutput,
    /// It is both to be written and to be read.
    #[error("cannot be written: it is the input")]
    OutputIsInput,
    /// It is a folder, a pipe or a device, which has no useful length.
    #[error("expected a regular file")]
    NotRegular,
    /// Standard input could not be kept in a temporary file.
    #[error("cannot be copied into a temporary file: {0}")]
    Spool(std::io::Error),
    /// Its extension names no format that can be used here.
    #[error("unknown extension, expected {accepted}")]
    Extension {
        /// The extensions that can be used.
        accepted: &'static str,
    },
    /// Its extension names no format, and none was given.
    #[error("unknown extension: expected --format, or one of {}", Format::extensions())]
    UnknownFormat,
    /// Standard input has no extension.
    #[error("expected --format, since it has no extension")]
    NoFormat,
    /// The extension of an output names no format, and none was given.
    #[error("unknown extension: expected --to, or an extension of a format that is written")]
    UnknownTarget,
    /// Standard output has no extension.
    #[error("expected --to, since it has no extension")]
    NoTarget,
    /// This program was compiled without the readers of the format.
    #[cfg(not(feature = "formats"))]
    #[error(
        "{format} needs the feature formats, which is off: cargo install --path vex-cli --features formats"
    )]
    NoReader {
        /// The format.
        format: Format,
    },
    /// A format that is read and not written.
    #[error("expected an output of another format: {format} is read alone")]
    NoWriter {
        /// The format.
        format: Format,
    },
    /// A library that reads the format refused it.
    #[error("{problem}")]
    Foreign {
        /// The message of the library.
        problem: String,
    },
    /// A row, a column or a cell that cannot be used.
    #[error("{place}: expected {expected}, found {found}")]
    Cell {
        /// Where, such as `row 3` or `line 4`.
        place: String,
        /// What can be used.
        expected: String,
        /// What is there.
        found: String,
    },
    /// A table without the column that was asked for, or with several that might be meant.
    #[error("expected {expected}, found {found}")]
    Column {
        /// The column that is needed.
        expected: String,
        /// The columns, or datasets, that there are.
        found: String,
    },
    /// A folder without files.
    #[error("expected a folder of files with vectors, found none")]
    NoShards,
    /// A file of a folder that does not fit to the first.
    #[error("expected {expected} as in {}, found {found}", like.display())]
    Shard {
        /// The dimension or the type of the first file.
        expected: String,
        /// The first file.
        like: PathBuf,
        /// The dimension or the type of this file.
        found: String,
    },
    /// A number that the format of the output cannot hold.
    #[error("row {row}: expected {expected}, found {found} at position {position}")]
    Number {
        /// The row, counted from 0.
        row: usize,
        /// The numbers that the format holds.
        expected: String,
        /// The number.
        found: String,
        /// Where in the row, counted from 0.
        position: usize,
    },
    /// It ends within its own header.
    #[error("expected a header of at least {expected} bytes, found {found} bytes ({})", shortage(*.found))]
    ShortHeader {
        /// Bytes the header needs, as far as it has been read.
        expected: u64,
        /// Length of the file.
        found: u64,
    },
    /// An `.npy` file without the magic bytes.
    #[error("expected an npy file, which begins with \\x93NUMPY")]
    NpyMagic,
    /// An `.npy` file of an unknown version.
    #[error("expected npy version 1.0, 2.0 or 3.0, found {major}.{minor}")]
    NpyVersion {
        /// The first version byte.
        major: u8,
        /// The second version byte.
        minor: u8,
    },
    /// An `.npy` header longer than any array of numbers has.
    #[error("expected an npy header of at most {limit} bytes, found one of {found}")]
    NpyHeaderLength {
        /// The longest header that is read.
        limit: usize,
        /// The length the file claims.
        found: u64,
    },
    /// An `.npy` header that does not parse.
    #[error("expected an npy header with descr, fortran_order and shape, it is malformed at byte {offset}")]
    NpyHeader {
        /// Where the parser stopped, counted from the start of the header's text.
        offset: usize,
    },
    /// An array of something else than numbers.
    #[error("expected a dtype of numbers (f2, f4, f8, b1, i1 to i8, u1 to u8), found {found}")]
    Dtype {
        /// The dtype as the header spells it.
        found: String,
    },
    /// Numbers of a type that cannot be used here.
    #[error("expected elements of {}, found {found}", one_of(.expected))]
    Elements {
        /// The types that can be used.
        expected: &'static [Stored],
        /// The type of the file.
        found: Stored,
    },
    /// An array with the wrong number of axes.
    #[error("expected {expected}, found a {found}-D array")]
    Axes {
        /// The arrays that can be used.
        expected: &'static str,
        /// Axes of the array.
        found: usize,
    },
    /// A matrix without a single element.
    #[error("expected at least one row and one column, found {rows} x {dim}")]
    NoElements {
        /// Rows of the matrix.
        rows: u64,
        /// Columns of the matrix.
        dim: u64,
    },
    /// A matrix larger than the format, or this machine, can address.
    #[error("{rows} x {dim} elements are more than can be addressed")]
    TooLarge {
        /// Rows of the matrix.
        rows: u64,
        /// Columns of the matrix.
        dim: u64,
    },
    /// A file whose length is not the one in its header.
    #[error(
        "expected {expected} bytes for {rows} x {dim} {element} rows, found {found} ({})",
        deviation(*.expected, *.found)
    )]
    Length {
        /// The length by the header, which counts.
        expected: u64,
        /// Length of the file.
        found: u64,
        /// Rows by the header.
        rows: u64,
        /// Columns by the header.
        dim: u64,
        /// Name of the element type.
        element: &'static str,
    },
    /// A row whose number of elements makes no sense.
    #[error("expected a positive dimension at the start of the file, found {found}")]
    Dim {
        /// The dimension of the first row.
        found: i32,
    },
    /// A file of length-prefixed rows that ends within a row.
    #[error(
        "expected a multiple of {row_bytes} bytes, for rows of {dim} {element} elements, found {found} (truncated?)"
    )]
    PartialRow {
        /// Bytes a row takes, its length included.
        row_bytes: u64,
        /// Length of the file.
        found: u64,
        /// The dimension of the first row.
        dim: u64,
        /// Name of the element type.
        element: &'static str,
    },
    /// A row that disagrees with the first about the dimension.
    #[error("expected dimension {expected} as in row 0, found {found} in row {row}")]
    RowDim {
        /// The row, counted from 0.
        row: usize,
        /// The dimension of the first row.
        expected: usize,
        /// The dimension of this row.
        found: i32,
    },
    /// A row was asked for after the last one.
    #[error("expected at most {rows} rows to be read")]
    PastEnd {
        /// Rows of the file.
        rows: usize,
    },
    /// A file of keys that does not have one for each vector.
    #[error("expected {expected} keys, one for each vector, found {found}")]
    KeyCount {
        /// Vectors to be named.
        expected: usize,
        /// Keys in the file.
        found: usize,
    },
    /// A file of ids that does not have one for each vector.
    #[error("expected {expected} ids, one for each vector, found {found}")]
    NameCount {
        /// Vectors to be named.
        expected: usize,
        /// Ids in the file.
        found: usize,
    },
    /// Ids of another index, or of another state of this one.
    #[error(
        "expected the ids of this index ({expected}), found {found}: build the index again with --ids, or remove the file"
    )]
    OtherNames {
        /// The first line that is needed.
        expected: String,
        /// The first line.
        found: String,
    },
    /// A key without an id.
    #[error("expected an id for key {key}, found {found} ids")]
    NoName {
        /// The key.
        key: u64,
        /// Ids in the file.
        found: usize,
    },
    /// A line that is not a key.
    #[error("expected a decimal number from 0 to {} in line {line}", u64::MAX)]
    KeyLine {
        /// The line, counted from 1.
        line: usize,
    },
    /// A key below zero.
    #[error("expected keys of at least 0, found {key} in row {row}")]
    NegativeKey {
        /// The row, counted from 0.
        row: usize,
        /// The key.
        key: i128,
    },
    /// A line that is longer than any row.
    #[error("expected at most {limit} bytes in line {line}, found more")]
    LongLine {
        /// The line, counted from 1.
        line: usize,
        /// The most bytes of a line.
        limit: usize,
    },
    /// A line that is no text.
    #[error("expected UTF-8 in line {line}, found other bytes at byte {byte}")]
    NotText {
        /// The line, counted from 1.
        line: usize,
        /// Where the text ends, counted from 1.
        byte: usize,
    },
    /// The content does not fit into memory.
    #[error("cannot be held in memory: {0}")]
    Memory(#[from] TryReserveError),
}

/// The names of types, as a choice.
fn one_of(types: &[Stored]) -> String {
    let names: Vec<&str> = types.iter().map(|stored| stored.name()).collect();
    match names.split_last() {
        Some((last, [_, ..])) => format!("{} or {last}", names[..names.len() - 1].join(", ")),
        _ => names.concat(),
    }
}

/// Distinguishes a file that was never written from one that was not finished.
fn shortage(found: u64) -> &'static str {
    if found == 0 { "empty" } else { "truncated?" }
}

/// The most likely reason for a wrong length.
fn deviation(expected: u64, found: u64) -> &'static str {
    if found < expected { "truncated?" } else { "trailing bytes?" }
}
