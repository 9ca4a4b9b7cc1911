//! Where the numbers of a binary file are.

use super::error::{FileError, Problem};
use super::source::Source;
use super::stored::{ByteOrder, Stored};

/// Shape, order and type of the numbers that follow a header.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Layout {
    /// Number of rows, at least 1.
    pub(crate) rows: usize,
    /// Numbers of a row, at least 1.
    pub(crate) dim: usize,
    /// How rows follow each other.
    pub(crate) order: Order,
    /// The type of the numbers.
    pub(crate) stored: Stored,
    /// The order of their bytes.
    pub(crate) bytes: ByteOrder,
}

/// How rows follow each other.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Order {
    /// Row after row.
    Rows,
    /// Row after row, each preceded by its dimension as a little-endian `i32`.
    PrefixedRows,
    /// Column after column.
    Columns,
}

impl Layout {
    /// Accepts a header that has been read from `source` up to the first number.
    ///
    /// # Errors
    /// If there is no number, or the length of the file is not that of the numbers. So the length of
    /// the file bounds all memory that is allocated for a layout.
    pub(crate) fn new(
        source: &Source,
        [rows, dim]: [u64; 2],
        order: Order,
        stored: Stored,
        bytes: ByteOrder,
    ) -> Result<Self, FileError> {
        let (header, found) = (source.position(), source.len());
        if rows == 0 || dim == 0 {
            return Err(source.blame(Problem::NoElements { rows, dim }));
        }
        let too_large = || source.blame(Problem::TooLarge { rows, dim });
        let expected = dim
            .checked_mul(stored.size() as u64)
            .and_then(|row| row.checked_add(order.prefix_bytes()))
            .and_then(|row| row.checked_mul(rows))
            .and_then(|numbers| numbers.checked_add(header))
            .ok_or_else(too_large)?;
        if expected != found {
            let element = stored.name();
            return Err(source.blame(Problem::Length { expected, found, rows, dim, element }));
        }
        // If this fits, so do the bytes of any part.
        usize::try_from(expected).map_err(|_| too_large())?;
        Ok(Self { rows: rows as usize, dim: dim as usize, order, stored, bytes })
    }

    /// Bytes of a row without its prefix.
    pub(crate) fn row_bytes(&self) -> usize {
        self.dim * self.stored.size()
    }
}

impl Order {
    /// Bytes before every row.
    fn prefix_bytes(self) -> u64 {
        match self {
            Self::PrefixedRows => 4,
            Self::Rows | Self::Columns => 0,
        }
    }
}
