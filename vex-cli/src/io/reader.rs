//! Rows of any binary format, one after the other.

use std::path::Path;

use super::error::{FileError, Problem};
use super::layout::{Layout, Order};
use super::rows::{Rows, Shape};
use super::source::Source;

/// Reads the rows of a file whose header has been accepted.
#[derive(Debug)]
pub(crate) struct BinaryRows {
    source: Source,
    layout: Layout,
    /// The bytes before the first row.
    header: u64,
    /// The row to be read next.
    next: usize,
    /// All numbers of a file stored by columns; empty until the first row is read.
    columns: Vec<u8>,
}

impl BinaryRows {
    /// Reads from `source`, which stands at the first number.
    pub(crate) fn new(source: Source, layout: Layout) -> Self {
        let header = source.position();
        Self { source, layout, header, next: 0, columns: Vec::new() }
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
    fn gather(&mut self, row: &mut [u8]) -> Result<(), FileError> {
        let size = self.layout.stored.size();
        let column_bytes = self.layout.rows * size;
        if self.columns.is_empty() {
            self.columns = zeroed(&self.source, column_bytes * self.layout.dim)?;
            self.source.fill(&mut self.columns)?;
        }
        let columns = self.columns.chunks_exact(column_bytes);
        for (number, column) in row.chunks_exact_mut(size).zip(columns) {
            number.copy_from_slice(&column[self.next * size..][..size]);
        }
        Ok(())
    }
}

impl Rows for BinaryRows {
    fn path(&self) -> &Path {
        self.source.path()
    }

    fn shape(&self) -> Shape {
        let Layout { rows, dim, stored, bytes, .. } = self.layout;
        Shape { rows, dim, stored, bytes, is_text: false }
    }

    fn read(&mut self, row: &mut [u8]) -> Result<(), FileError> {
        assert_eq!(row.len(), self.layout.row_bytes(), "the length of a row");
        match self.layout.order {
            Order::Rows => self.source.fill(row)?,
            Order::PrefixedRows => {
                self.check_prefix()?;
                self.source.fill(row)?;
            }
            Order::Columns => self.gather(row)?,
        }
        self.next += 1;
        Ok(())
    }

    fn rewind(&mut self) -> Result<(), FileError> {
        // Columns are in memory by now, or the file was not read beyond its header.
        if self.layout.order != Order::Columns {
            self.source.seek(self.header)?;
        }
        self.next = 0;
        Ok(())
    }
}

/// Allocates, reporting a failure.
fn zeroed(source: &Source, len: usize) -> Result<Vec<u8>, FileError> {
    let mut bytes = Vec::new();
    bytes.try_reserve_exact(len).map_err(|error| source.blame(error.into()))?;
    bytes.resize(len, 0);
    Ok(bytes)
}
