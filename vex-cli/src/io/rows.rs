//! Rows of numbers, whatever the format of their file.

use std::fmt;
use std::path::{Path, PathBuf};

use super::error::FileError;
use super::stored::{ByteOrder, Stored};

/// The rows of an open file, as bytes.
pub(crate) trait Rows: fmt::Debug {
    /// The name of the file, for messages.
    fn path(&self) -> &Path;

    /// How many rows there are, and what a row is.
    fn shape(&self) -> Shape;

    /// Reads the bytes of the next row. The caller counts rows, and passes as many bytes as a row
    /// has.
    ///
    /// # Errors
    /// If reading fails, or the row is not one of those that the shape promises.
    fn read(&mut self, row: &mut [u8]) -> Result<(), FileError>;

    /// Goes back to the first row.
    fn rewind(&mut self) -> Result<(), FileError>;

    /// The file that has a row, and the number of the row in it.
    fn place(&self, row: usize) -> (PathBuf, usize) {
        (self.path().to_owned(), row)
    }

    /// For files of text: reads numbers as this type from now on. Other files have a type.
    fn read_text_as(&mut self, _stored: Stored) {}
}

/// The number of rows, and the numbers of a row.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Shape {
    /// Number of rows, at least 1.
    pub(crate) rows: usize,
    /// Numbers of a row, at least 1.
    pub(crate) dim: usize,
    /// The type of a number.
    pub(crate) stored: Stored,
    /// The order of its bytes.
    pub(crate) bytes: ByteOrder,
    /// Whether numbers are spelled as text, so that they can be read as any type.
    pub(crate) is_text: bool,
}

impl Shape {
    /// Bytes of a row.
    pub(crate) fn row_bytes(&self) -> usize {
        self.dim.saturating_mul(self.stored.size())
    }
}
