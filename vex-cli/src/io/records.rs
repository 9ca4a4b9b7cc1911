//! Rows of tables with named columns: CSV, Parquet and Arrow.

use std::path::Path;

use super::csv::Table;
use super::error::FileError;
use super::format::{Format, Role};
use super::source::Source;
use super::tables;

/// A cell of a table. Without the libraries of the feature `formats`, all cells are text.
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(not(feature = "formats"), allow(dead_code))]
pub(crate) enum Cell {
    /// No value.
    Null,
    Text(String),
    /// Whole numbers of all types.
    Int(i128),
    Float(f64),
    Bool(bool),
    /// A list of numbers.
    Numbers(Vec<f32>),
    /// A value that a format without types spells as text.
    Spelled(String),
    /// A value of another type, whose name this is.
    Other(String),
}

/// The rows of a table, read one by one.
pub(crate) struct Records(Inner);

enum Inner {
    Csv(Box<Table>),
    Batches(tables::Cells),
}

impl Records {
    /// Opens a table.
    ///
    /// # Errors
    /// If it cannot be read, or its columns have no names.
    pub(crate) fn open(path: &Path, format: Format) -> Result<Self, FileError> {
        let source = Source::open(path)?;
        if format != Format::Csv {
            return Ok(Self(Inner::Batches(tables::cells(source, format)?)));
        }
        let table = Table::open(source, Role::Any)?;
        match table.header() {
            Some(_) => Ok(Self(Inner::Csv(Box::new(table)))),
            None => Err(table.no_column("id")),
        }
    }

    /// The name of the file, for messages.
    pub(crate) fn path(&self) -> &Path {
        match &self.0 {
            Inner::Csv(table) => table.path(),
            Inner::Batches(cells) => cells.path(),
        }
    }

    /// The names of the columns.
    pub(crate) fn columns(&self) -> &[String] {
        match &self.0 {
            Inner::Csv(table) => table.header().unwrap_or_default(),
            Inner::Batches(cells) => cells.columns(),
        }
    }

    /// Reads the next row, a cell for each column.
    ///
    /// # Errors
    /// If reading fails, or the row has another number of cells.
    pub(crate) fn next(&mut self) -> Result<Option<Vec<Cell>>, FileError> {
        let table = match &mut self.0 {
            Inner::Csv(table) => table,
            Inner::Batches(cells) => return cells.next(),
        };
        if !table.read()? {
            return Ok(None);
        }
        let (expected, found) = (table.header().map_or(0, <[String]>::len), table.columns());
        if found != expected {
            return Err(table.blame(&format!("{expected} columns as in the header"), &found.to_string()));
        }
        let cell = |column| {
            let cell = table.cell(column)?;
            Ok(if cell.is_empty() { Cell::Null } else { Cell::Spelled(cell.to_owned()) })
        };
        (0..found).map(cell).collect::<Result<_, FileError>>().map(Some)
    }

    /// How many rows are left. They can be read once more then.
    ///
    /// # Errors
    /// If reading fails.
    pub(crate) fn count(&mut self) -> Result<usize, FileError> {
        match &mut self.0 {
            Inner::Csv(table) => table.count(),
            Inner::Batches(cells) => Ok(cells.rows()),
        }
    }

    /// Where the row is that was read last, for messages.
    pub(crate) fn place(&self) -> String {
        match &self.0 {
            Inner::Csv(table) => format!("line {}", table.line()),
            Inner::Batches(cells) => format!("row {}", cells.read_so_far().saturating_sub(1)),
        }
    }
}
