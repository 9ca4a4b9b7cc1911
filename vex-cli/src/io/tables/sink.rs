//! Rows into Parquet and Arrow: one column of lists, named `vector`.

use std::io::{self, Write};
use std::sync::Arc;

use arrow_array::types::{
    ArrowPrimitiveType, Float16Type, Float32Type, Float64Type, Int8Type, Int16Type, Int32Type, Int64Type,
    UInt8Type, UInt16Type, UInt32Type, UInt64Type,
};
use arrow_array::{ArrayRef, BooleanArray, FixedSizeListArray, PrimitiveArray, RecordBatch};
use arrow_buffer::ScalarBuffer;
use arrow_ipc::writer::FileWriter;
use arrow_schema::{ArrowError, Field, Schema, SchemaRef};
use parquet::arrow::ArrowWriter;
use parquet::file::properties::WriterProperties;

use super::super::error::{FileError, Problem};
use super::super::stored::Stored;
use super::super::write::{Converter, Failed};

/// Numbers that are collected before they are written.
const BATCH: usize = 1 << 20;

/// Bytes of a group of rows in Parquet.
const GROUP: usize = 64 << 20;

/// Writes a Parquet file.
pub(super) fn parquet(
    out: &mut dyn Write,
    mut rows: Converter<'_>,
    wrote: &mut dyn FnMut(),
) -> Result<(), Failed> {
    let schema = schema(&rows)?;
    // Few vectors come twice, so a dictionary would not pay.
    let properties = WriterProperties::builder().set_dictionary_enabled(false).build();
    // The library wants a writer of its own, so its bytes are passed on after each batch.
    let mut writer =
        ArrowWriter::try_new(Vec::new(), Arc::clone(&schema), Some(properties)).map_err(io::Error::other)?;
    while let Some(batch) = batch(&mut rows, &schema, wrote)? {
        writer.write(&batch).map_err(io::Error::other)?;
        if writer.in_progress_size() > GROUP {
            writer.flush().map_err(io::Error::other)?;
        }
        out.write_all(&std::mem::take(writer.inner_mut()))?;
    }
    out.write_all(&writer.into_inner().map_err(io::Error::other)?)?;
    Ok(out.flush()?)
}

/// Writes an Arrow file.
pub(super) fn arrow(
    out: &mut dyn Write,
    mut rows: Converter<'_>,
    wrote: &mut dyn FnMut(),
) -> Result<(), Failed> {
    let schema = schema(&rows)?;
    let failed = |error| match error {
        ArrowError::IoError(_, error) => error,
        error => io::Error::other(error),
    };
    let mut writer = FileWriter::try_new(&mut *out, &schema).map_err(failed)?;
    while let Some(batch) = batch(&mut rows, &schema, wrote)? {
        writer.write(&batch).map_err(failed)?;
    }
    writer.finish().map_err(failed)?;
    drop(writer);
    Ok(out.flush()?)
}

fn schema(rows: &Converter<'_>) -> Result<SchemaRef, Failed> {
    let numbers = Arc::new(Field::new("item", array(rows.target, &[]).data_type().clone(), false));
    let dim = i32::try_from(rows.shape().dim).map_err(|_| too_large(rows))?;
    let list = Field::new_fixed_size_list("vector", numbers, dim, false);
    Ok(Arc::new(Schema::new(vec![list])))
}

fn too_large(rows: &Converter<'_>) -> FileError {
    let shape = rows.shape();
    let problem = Problem::TooLarge { rows: shape.rows as u64, dim: shape.dim as u64 };
    FileError::new(rows.path(), problem)
}

/// The next rows, or `None` after the last.
fn batch(
    rows: &mut Converter<'_>,
    schema: &SchemaRef,
    wrote: &mut dyn FnMut(),
) -> Result<Option<RecordBatch>, Failed> {
    let dim = rows.shape().dim;
    let count = rows.left().min((BATCH / dim).max(1));
    if count == 0 {
        return Ok(None);
    }
    let mut bytes = Vec::new();
    for _ in 0..count {
        bytes.extend_from_slice(rows.next()?);
        wrote();
    }
    let numbers = array(rows.target, &bytes);
    let arrow_schema::DataType::FixedSizeList(field, dim) = schema.field(0).data_type() else {
        return Err(too_large(rows).into());
    };
    let list =
        FixedSizeListArray::try_new(Arc::clone(field), *dim, numbers, None).map_err(io::Error::other)?;
    Ok(Some(RecordBatch::try_new(Arc::clone(schema), vec![Arc::new(list)]).map_err(io::Error::other)?))
}

/// Little-endian bytes as an array of a type.
fn array(stored: Stored, bytes: &[u8]) -> ArrayRef {
    fn of<T: ArrowPrimitiveType, const N: usize>(
        bytes: &[u8],
        of: impl Fn([u8; N]) -> T::Native,
    ) -> ArrayRef {
        let numbers: ScalarBuffer<T::Native> =
            bytes.as_chunks::<N>().0.iter().map(|bytes| of(*bytes)).collect();
        Arc::new(PrimitiveArray::<T>::new(numbers, None))
    }
    match stored {
        Stored::F16 => of::<Float16Type, 2>(bytes, half::f16::from_le_bytes),
        Stored::F32 => of::<Float32Type, 4>(bytes, f32::from_le_bytes),
        Stored::F64 => of::<Float64Type, 8>(bytes, f64::from_le_bytes),
        Stored::I8 => of::<Int8Type, 1>(bytes, i8::from_le_bytes),
        Stored::U8 => of::<UInt8Type, 1>(bytes, u8::from_le_bytes),
        Stored::I16 => of::<Int16Type, 2>(bytes, i16::from_le_bytes),
        Stored::U16 => of::<UInt16Type, 2>(bytes, u16::from_le_bytes),
        Stored::I32 => of::<Int32Type, 4>(bytes, i32::from_le_bytes),
        Stored::U32 => of::<UInt32Type, 4>(bytes, u32::from_le_bytes),
        Stored::I64 => of::<Int64Type, 8>(bytes, i64::from_le_bytes),
        Stored::U64 => of::<UInt64Type, 8>(bytes, u64::from_le_bytes),
        Stored::Bool => Arc::new(bytes.iter().map(|byte| Some(*byte != 0)).collect::<BooleanArray>()),
    }
}
