//! `.fbin`, `.ibin`: `u32` rows, `u32` columns, then the elements, all little-endian.

use super::encoding::Encoding;
use super::error::FileError;
use super::layout::{Layout, Order};
use super::source::Source;

/// Reads the header.
pub(crate) fn layout<T>(source: &mut Source, encoding: Encoding<T>) -> Result<Layout<T>, FileError> {
    let rows = u32::from_le_bytes(source.header()?);
    let dim = u32::from_le_bytes(source.header()?);
    Layout::new(source, rows.into(), dim.into(), Order::Rows, encoding)
}
