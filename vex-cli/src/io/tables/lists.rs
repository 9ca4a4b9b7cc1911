//! A column of lists as rows of numbers.

use std::path::Path;

use arrow_array::cast::AsArray;
use arrow_array::types::{
    ArrowPrimitiveType, Float16Type, Float32Type, Float64Type, Int8Type, Int16Type, Int32Type, Int64Type,
    UInt8Type, UInt16Type, UInt32Type, UInt64Type,
};
use arrow_array::{Array, ArrayRef};
use arrow_schema::{DataType, Schema};

use super::super::error::{FileError, Problem};
use super::super::format::Input;
use super::super::numbers::start;
use super::super::rows::{Rows, Shape};
use super::super::stored::{ByteOrder, Stored};
use super::batches::Batches;

/// More numbers than any row has. A header may claim more, for which memory would be allocated.
const MOST: usize = 1 << 20;

/// The rows of a column.
struct ListRows {
    batches: Batches,
    /// The lists that were read, and the next of them.
    lists: Option<ArrayRef>,
    next: usize,
    /// Rows that were read.
    row: usize,
    shape: Shape,
}

/// Opens the column that has the vectors. The first row tells its dimension.
pub(super) fn open(mut batches: Batches, input: &Input<'_>) -> Result<Box<dyn Rows>, FileError> {
    let schema = batches.schema();
    let column = choose(&schema, input).map_err(|problem| FileError::new(batches.path(), problem))?;
    let name = schema.field(column).name();
    let stored = match schema.field(column).data_type() {
        DataType::FixedSizeList(field, _) | DataType::List(field) | DataType::LargeList(field) => {
            stored(field.data_type()).ok_or_else(|| field.data_type().to_string())
        }
        other => Err(other.to_string()),
    };
    let stored = stored.map_err(|found| {
        let expected = format!("lists of numbers in the column {name}");
        FileError::new(batches.path(), Problem::Column { expected, found })
    })?;
    batches.project(column);
    let shape = Shape { rows: batches.rows(), dim: 0, stored, bytes: ByteOrder::Little, is_text: false };
    let mut rows = ListRows { batches, lists: None, next: 0, row: 0, shape };
    let dim = match rows.list()? {
        Some(list) => list.len(),
        None => 0,
    };
    if dim == 0 || dim > MOST {
        let (path, dim, rows) = (rows.batches.path(), dim as u64, shape.rows as u64);
        let problem =
            if dim == 0 { Problem::NoElements { rows, dim } } else { Problem::TooLarge { rows, dim } };
        return Err(FileError::new(path, problem));
    }
    rows.shape.dim = dim;
    rows.rewind()?;
    Ok(Box::new(rows))
}

/// The column that was named, or that has a usual name, or that is the only one of lists.
fn choose(schema: &Schema, input: &Input<'_>) -> Result<usize, Problem> {
    let fields = schema.fields();
    let named = |name: &str| fields.iter().position(|field| field.name() == name);
    let names = || {
        let names: Vec<&str> = fields.iter().map(|field| field.name().as_str()).collect();
        start(&names.join(", "))
    };
    if let Some(name) = input.column {
        let expected = || format!("a column {name}");
        return named(name).ok_or_else(|| Problem::Column { expected: expected(), found: names() });
    }
    let is_list = |index: &usize| {
        use DataType::{FixedSizeList, LargeList, List};
        matches!(fields[*index].data_type(), FixedSizeList(..) | List(_) | LargeList(_))
    };
    if let Some(index) = input.role.names().iter().find_map(|name| named(name).filter(|index| is_list(index)))
    {
        return Ok(index);
    }
    match (0..fields.len()).filter(is_list).collect::<Vec<_>>()[..] {
        [index] => Ok(index),
        [] => Err(Problem::Column { expected: "a column of lists".to_owned(), found: names() }),
        _ => {
            Err(Problem::Column { expected: "--column, for one of several lists".to_owned(), found: names() })
        }
    }
}

fn stored(kind: &DataType) -> Option<Stored> {
    Some(match kind {
        DataType::Float16 => Stored::F16,
        DataType::Float32 => Stored::F32,
        DataType::Float64 => Stored::F64,
        DataType::Boolean => Stored::Bool,
        DataType::Int8 => Stored::I8,
        DataType::UInt8 => Stored::U8,
        DataType::Int16 => Stored::I16,
        DataType::UInt16 => Stored::U16,
        DataType::Int32 => Stored::I32,
        DataType::UInt32 => Stored::U32,
        DataType::Int64 => Stored::I64,
        DataType::UInt64 => Stored::U64,
        _ => return None,
    })
}

impl ListRows {
    /// The next list, or `None` after the last row.
    fn list(&mut self) -> Result<Option<ArrayRef>, FileError> {
        let lists = match &self.lists {
            Some(lists) if self.next < lists.len() => lists,
            _ => {
                let Some(batch) = self.batches.next()? else { return Ok(None) };
                self.next = 0;
                self.lists.insert(batch.column(0).clone())
            }
        };
        let list = element(lists, self.next);
        self.next += 1;
        self.row += 1;
        list.map(Some).ok_or_else(|| self.blame("a list", "null"))
    }

    /// An error about the row that was read last.
    fn blame(&self, expected: &str, found: &str) -> FileError {
        let place = format!("row {}", self.row - 1);
        let problem = Problem::Cell { place, expected: expected.to_owned(), found: found.to_owned() };
        FileError::new(self.batches.path(), problem)
    }
}

/// A list of a column of lists, unless it is null.
pub(super) fn element(lists: &ArrayRef, row: usize) -> Option<ArrayRef> {
    if lists.is_null(row) {
        return None;
    }
    match lists.data_type() {
        DataType::FixedSizeList(..) => Some(lists.as_fixed_size_list().value(row)),
        DataType::List(_) => Some(lists.as_list::<i32>().value(row)),
        DataType::LargeList(_) => Some(lists.as_list::<i64>().value(row)),
        _ => None,
    }
}

/// Writes numbers as little-endian bytes. Returns their type, unless they are no numbers or one is
/// null.
pub(super) fn put(numbers: &ArrayRef, row: &mut [u8]) -> Option<Stored> {
    fn copy<T: ArrowPrimitiveType, const N: usize>(
        numbers: &ArrayRef,
        row: &mut [u8],
        le: impl Fn(T::Native) -> [u8; N],
    ) {
        let (out, _) = row.as_chunks_mut::<N>();
        for (out, number) in out.iter_mut().zip(numbers.as_primitive::<T>().values()) {
            *out = le(*number);
        }
    }
    if numbers.null_count() > 0 {
        return None;
    }
    let stored = stored(numbers.data_type())?;
    match stored {
        Stored::F16 => copy::<Float16Type, 2>(numbers, row, |number| number.to_le_bytes()),
        Stored::F32 => copy::<Float32Type, 4>(numbers, row, f32::to_le_bytes),
        Stored::F64 => copy::<Float64Type, 8>(numbers, row, f64::to_le_bytes),
        Stored::I8 => copy::<Int8Type, 1>(numbers, row, i8::to_le_bytes),
        Stored::U8 => copy::<UInt8Type, 1>(numbers, row, u8::to_le_bytes),
        Stored::I16 => copy::<Int16Type, 2>(numbers, row, i16::to_le_bytes),
        Stored::U16 => copy::<UInt16Type, 2>(numbers, row, u16::to_le_bytes),
        Stored::I32 => copy::<Int32Type, 4>(numbers, row, i32::to_le_bytes),
        Stored::U32 => copy::<UInt32Type, 4>(numbers, row, u32::to_le_bytes),
        Stored::I64 => copy::<Int64Type, 8>(numbers, row, i64::to_le_bytes),
        Stored::U64 => copy::<UInt64Type, 8>(numbers, row, u64::to_le_bytes),
        Stored::Bool => {
            for (out, bit) in row.iter_mut().zip(numbers.as_boolean().values()) {
                *out = u8::from(bit);
            }
        }
    }
    Some(stored)
}

impl std::fmt::Debug for ListRows {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ListRows").field("shape", &self.shape).finish_non_exhaustive()
    }
}

impl Rows for ListRows {
    fn path(&self) -> &Path {
        self.batches.path()
    }

    fn shape(&self) -> Shape {
        self.shape
    }

    fn read(&mut self, row: &mut [u8]) -> Result<(), FileError> {
        let Some(list) = self.list()? else {
            let found = format!("{} rows", self.row);
            let problem = format!("expected {} rows as in the metadata, found {found}", self.shape.rows);
            return Err(FileError::new(self.path(), Problem::Foreign { problem }));
        };
        if list.len() != self.shape.dim {
            let expected = format!("{} numbers as in row 0", self.shape.dim);
            return Err(self.blame(&expected, &list.len().to_string()));
        }
        match put(&list, row) {
            Some(stored) if stored == self.shape.stored => Ok(()),
            _ => Err(self.blame("a list of numbers", "null among them")),
        }
    }

    fn rewind(&mut self) -> Result<(), FileError> {
        self.batches.rewind();
        (self.lists, self.next, self.row) = (None, 0, 0);
        Ok(())
    }
}
