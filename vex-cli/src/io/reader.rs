//! Rows of any binary format, one after the other.

use super::error::{FileError, Problem};
use super::layout::{Layout, Order};
use super::matrix::Matrix;
use super::source::Source;

/// Reads the rows of a file whose header has been accepted.
#[derive(Debug)]
pub(crate) struct RowReader<T> {
    source: Source,
    layout: Layout<T>,
    /// The row to be read next.
    next: usize,
    /// The bytes of one row.
    row: Vec<u8>,
    /// All elements of a file stored by columns; empty until the first row is read.
    columns: Vec<u8>,
}

impl<T: Copy + Default> RowReader<T> {
    /// Reads from `source`, which stands at the first element.
    pub(crate) fn new(source: Source, layout: Layout<T>) -> Result<Self, FileError> {
        let row = zeroed(&source, layout.row_bytes())?;
        Ok(Self { source, layout, next: 0, row, columns: Vec::new() })
    }

    /// The file being read.
    pub(crate) fn source(&self) -> &Source {
        &self.source
    }

    /// The file, so that it can be read with another layout.
    pub(crate) fn into_source(self) -> Source {
        self.source
    }

    /// The layout of the file.
    pub(crate) fn layout(&self) -> &Layout<T> {
        &self.layout
    }

    /// Decodes the next row into `out`.
    ///
    /// # Panics
    /// If the length of `out` is not that of a row.
    pub(crate) fn read_row(&mut self, out: &mut [T]) -> Result<(), FileError> {
        let Layout { rows, order, encoding, .. } = self.layout;
        assert_eq!(out.len(), self.layout.scalars(), "the length of a row");
        if self.next == rows {
            return Err(self.source.blame(Problem::PastEnd { rows }));
        }
        match order {
            Order::Rows => self.source.fill(&mut self.row)?,
            Order::PrefixedRows => {
                self.check_prefix()?;
                self.source.fill(&mut self.row)?;
            }
            Order::Columns => self.gather()?,
        }
        (encoding.decode)(&self.row, out);
        self.next += 1;
        Ok(())
    }

    /// Decodes all rows that have not been read.
    pub(crate) fn read_all(mut self) -> Result<Matrix<T>, FileError> {
        let rows = self.layout.rows - self.next;
        let dim = self.layout.scalars();
        // No overflow: the file has all these rows, and its length fits.
        let mut data = zeroed(&self.source, rows * dim)?;
        for row in data.chunks_exact_mut(dim) {
            self.read_row(row)?;
        }
        Ok(Matrix::new(rows, dim, data))
    }

    /// Reads the dimension in front of a row.
    fn check_prefix(&mut self) -> Result<(), FileError> {
        let mut prefix = [0; 4];
        self.source.fill(&mut prefix)?;
        let found = i32::from_le_bytes(prefix);
        let expected = self.layout.dim;
        if usize::try_from(found) != Ok(expected) {
            return Err(self.source.blame(Problem::RowDim { row: self.next, expected, found }));
        }
        Ok(())
    }

    /// Collects a row from the columns, still in the encoding of the file.
    fn gather(&mut self) -> Result<(), FileError> {
        let size = self.layout.encoding.size;
        let column_bytes = self.layout.rows * size;
        if self.columns.is_empty() {
            self.columns = zeroed(&self.source, column_bytes * self.layout.dim)?;
            self.source.fill(&mut self.columns)?;
        }
        let columns = self.columns.chunks_exact(column_bytes);
        for (element, column) in self.row.chunks_exact_mut(size).zip(columns) {
            element.copy_from_slice(&column[self.next * size..][..size]);
        }
        Ok(())
    }
}

/// Allocates, reporting a failure.
fn zeroed<T: Copy + Default>(source: &Source, len: usize) -> Result<Vec<T>, FileError> {
    let mut elements = Vec::new();
    elements.try_reserve_exact(len).map_err(|error| source.blame(error.into()))?;
    elements.resize(len, T::default());
    Ok(elements)
}
