//! All columns of a table, row by row.

use std::path::Path;

use arrow_array::cast::AsArray;
use arrow_array::types::{
    Float16Type, Float32Type, Float64Type, Int8Type, Int16Type, Int32Type, Int64Type, UInt8Type, UInt16Type,
    UInt32Type, UInt64Type,
};
use arrow_array::{Array, ArrayRef};
use arrow_schema::DataType;
use arrow_select::take::take;

use super::super::encoding::FromFile;
use super::super::error::{FileError, Problem};
use super::super::numbers::start;
use super::super::records::Cell;
use super::super::stored::ByteOrder;
use super::batches::Batches;
use super::guard::guard;
use super::lists;

/// The rows of a table.
pub(crate) struct Cells {
    batches: Batches,
    names: Vec<String>,
    columns: Vec<ArrayRef>,
    /// The next row of the columns, and how many they have.
    next: usize,
    len: usize,
    read: usize,
}

impl Cells {
    pub(super) fn new(batches: Batches) -> Self {
        let names = batches.schema().fields().iter().map(|field| field.name().clone()).collect();
        Self { batches, names, columns: Vec::new(), next: 0, len: 0, read: 0 }
    }

    pub(crate) fn path(&self) -> &Path {
        self.batches.path()
    }

    pub(crate) fn columns(&self) -> &[String] {
        &self.names
    }

    pub(crate) fn rows(&self) -> usize {
        self.batches.rows()
    }

    /// How many rows were read.
    pub(crate) fn read_so_far(&self) -> usize {
        self.read
    }

    pub(crate) fn next(&mut self) -> Result<Option<Vec<Cell>>, FileError> {
        if self.next == self.len {
            let Some(batch) = self.batches.next()? else { return Ok(None) };
            (self.next, self.len) = (0, batch.num_rows());
            self.columns = guard(self.batches.path(), || batch.columns().iter().map(unpack).collect())?;
        }
        let row = self.next;
        (self.next, self.read) = (row + 1, self.read + 1);
        Ok(Some(self.columns.iter().map(|column| cell(column, row)).collect()))
    }
}

/// The values of a dictionary, such as a data frame's categories, in the place of its codes.
fn unpack(column: &ArrayRef) -> Result<ArrayRef, arrow_schema::ArrowError> {
    match column.as_any_dictionary_opt() {
        Some(dictionary) => take(dictionary.values(), dictionary.keys(), None),
        None => Ok(ArrayRef::clone(column)),
    }
}

fn cell(column: &ArrayRef, row: usize) -> Cell {
    if column.is_null(row) {
        return Cell::Null;
    }
    macro_rules! int {
        ($kind:ty) => {
            Cell::Int(column.as_primitive::<$kind>().value(row).into())
        };
    }
    match column.data_type() {
        DataType::Null => Cell::Null,
        DataType::Utf8 => Cell::Text(column.as_string::<i32>().value(row).to_owned()),
        DataType::LargeUtf8 => Cell::Text(column.as_string::<i64>().value(row).to_owned()),
        DataType::Utf8View => Cell::Text(column.as_string_view().value(row).to_owned()),
        DataType::Boolean => Cell::Bool(column.as_boolean().value(row)),
        DataType::Int8 => int!(Int8Type),
        DataType::Int16 => int!(Int16Type),
        DataType::Int32 => int!(Int32Type),
        DataType::Int64 => int!(Int64Type),
        DataType::UInt8 => int!(UInt8Type),
        DataType::UInt16 => int!(UInt16Type),
        DataType::UInt32 => int!(UInt32Type),
        DataType::UInt64 => int!(UInt64Type),
        DataType::Float16 => Cell::Float(column.as_primitive::<Float16Type>().value(row).to_f64()),
        DataType::Float32 => Cell::Float(column.as_primitive::<Float32Type>().value(row).into()),
        DataType::Float64 => Cell::Float(column.as_primitive::<Float64Type>().value(row)),
        other => {
            let numbers = lists::element(column, row).and_then(|list| numbers(&list));
            numbers.map_or_else(|| Cell::Other(start(&other.to_string())), Cell::Numbers)
        }
    }
}

/// A list of numbers as `f32`.
fn numbers(list: &ArrayRef) -> Option<Vec<f32>> {
    // No number is wider.
    let mut bytes = vec![0; list.len().checked_mul(8)?];
    let stored = lists::put(list, &mut bytes)?;
    let encoding = f32::encoding(stored, ByteOrder::Little)?;
    let mut numbers = vec![0.0; list.len()];
    (encoding.decode)(&bytes, &mut numbers);
    Some(numbers)
}

/// The texts of a column, or its whole numbers as text.
pub(super) fn texts(mut batches: Batches, name: &str) -> Result<Vec<String>, FileError> {
    let schema = batches.schema();
    let Some(column) = schema.fields().iter().position(|field| field.name() == name) else {
        let names: Vec<&str> = schema.fields().iter().map(|field| field.name().as_str()).collect();
        let problem =
            Problem::Column { expected: format!("a column {name}"), found: start(&names.join(", ")) };
        return Err(FileError::new(batches.path(), problem));
    };
    batches.project(column);
    let (mut cells, mut texts) = (Cells::new(batches), Vec::new());
    while let Some(row) = cells.next()? {
        let found = match row.into_iter().next() {
            Some(Cell::Text(text)) => Ok(text),
            Some(Cell::Int(int)) => Ok(int.to_string()),
            Some(Cell::Null) | None => Err("null".to_owned()),
            Some(other) => Err(format!("{other:?}")),
        };
        texts.push(found.map_err(|found| {
            let (place, expected) = (format!("row {}", texts.len()), format!("a text {name}"));
            FileError::new(cells.path(), Problem::Cell { place, expected, found: start(&found) })
        })?);
    }
    Ok(texts)
}
