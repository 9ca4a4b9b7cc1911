//! Where the elements of a file are.

use super::encoding::Encoding;
use super::error::{FileError, Problem};
use super::source::Source;

/// Shape, order and encoding of the elements that follow a header.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Layout<T> {
    /// Number of rows, at least 1.
    pub(crate) rows: usize,
    /// Elements of a row, at least 1.
    pub(crate) dim: usize,
    /// How rows follow each other.
    pub(crate) order: Order,
    /// How an element is stored.
    pub(crate) encoding: Encoding<T>,
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

impl<T> Layout<T> {
    /// Accepts a header that has been read from `source` up to the first element.
    ///
    /// # Errors
    /// If there is no element, or the length of the file is not that of the elements. So the length
    /// of the file bounds all memory that is allocated for a layout.
    pub(crate) fn new(
        source: &Source,
        rows: u64,
        dim: u64,
        order: Order,
        encoding: Encoding<T>,
    ) -> Result<Self, FileError> {
        let (header, found) = (source.position(), source.len());
        if rows == 0 || dim == 0 {
            return Err(source.blame(Problem::NoElements { rows, dim }));
        }
        let too_large = || source.blame(Problem::TooLarge { rows, dim });
        let expected = dim
            .checked_mul(encoding.size as u64)
            .and_then(|row| row.checked_add(order.prefix_bytes()))
            .and_then(|row| row.checked_mul(rows))
            .and_then(|elements| elements.checked_add(header))
            .ok_or_else(too_large)?;
        if expected != found {
            let element = encoding.name;
            return Err(source.blame(Problem::Length { expected, found, rows, dim, element }));
        }
        // If this fits, so do the bytes of any part.
        usize::try_from(expected).map_err(|_| too_large())?;
        Ok(Self { rows: rows as usize, dim: dim as usize, order, encoding })
    }

    /// Scalars of a row: one for each element, except for bits.
    pub(crate) fn scalars(&self) -> usize {
        self.dim.div_ceil(self.encoding.packs)
    }

    /// Bytes of a row without its prefix.
    pub(crate) fn row_bytes(&self) -> usize {
        self.dim * self.encoding.size
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
