//! `.fvecs`, `.bvecs`, `.ivecs`: every row is its `i32` dimension, then its numbers, all
//! little-endian.

use super::error::{FileError, Problem};
use super::layout::{Layout, Order};
use super::source::Source;
use super::stored::{ByteOrder, Stored};

/// Takes the dimension from the first row and the number of rows from the length of the file.
pub(crate) fn layout(source: &mut Source, stored: Stored) -> Result<Layout, FileError> {
    let found = i32::from_le_bytes(source.header()?);
    let dim = match u64::try_from(found) {
        Ok(dim) if dim > 0 => dim,
        _ => return Err(source.blame(Problem::Dim { found })),
    };
    // No overflow: `dim` is below 2^31.
    let row_bytes = 4 + dim * stored.size() as u64;
    let len = source.len();
    if !len.is_multiple_of(row_bytes) {
        let element = stored.name();
        return Err(source.blame(Problem::PartialRow { row_bytes, found: len, dim, element }));
    }
    // The bytes that were read belong to the first row.
    source.rewind()?;
    Layout::new(source, [len / row_bytes, dim], Order::PrefixedRows, stored, ByteOrder::Little)
}
