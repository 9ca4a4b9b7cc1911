//! `.fvecs`, `.bvecs`, `.ivecs`: every row is its `i32` dimension, then its elements, all
//! little-endian.

use super::encoding::Encoding;
use super::error::{FileError, Problem};
use super::layout::{Layout, Order};
use super::source::Source;

/// Takes the dimension from the first row and the number of rows from the length of the file.
pub(crate) fn layout<T>(source: &mut Source, encoding: Encoding<T>) -> Result<Layout<T>, FileError> {
    let found = i32::from_le_bytes(source.header()?);
    let dim = match u64::try_from(found) {
        Ok(dim) if dim > 0 => dim,
        _ => return Err(source.blame(Problem::Dim { found })),
    };
    // No overflow: `dim` is below 2^31.
    let row_bytes = 4 + dim * encoding.size as u64;
    let len = source.len();
    if !len.is_multiple_of(row_bytes) {
        return Err(source.blame(Problem::PartialRow { row_bytes, found: len, dim, element: encoding.name }));
    }
    // The bytes that were read belong to the first row.
    source.rewind()?;
    Layout::new(source, len / row_bytes, dim, Order::PrefixedRows, encoding)
}
