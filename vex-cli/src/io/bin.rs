//! `.fbin`, `.u8bin`, `.i8bin`, `.ibin`: `u32` rows, `u32` columns, then the numbers, all
//! little-endian.

use super::error::FileError;
use super::layout::{Layout, Order};
use super::source::Source;
use super::stored::{ByteOrder, Stored};

/// Reads the header.
pub(crate) fn layout(source: &mut Source, stored: Stored) -> Result<Layout, FileError> {
    let rows = u32::from_le_bytes(source.header()?);
    let dim = u32::from_le_bytes(source.header()?);
    Layout::new(source, [rows.into(), dim.into()], Order::Rows, stored, ByteOrder::Little)
}
