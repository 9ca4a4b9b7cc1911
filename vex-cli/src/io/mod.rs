//! The files that the command reads and writes besides indexes: vectors, neighbor ids, keys.
//!
//! A format is chosen by the file's extension:
//!
//! | extension | layout | elements |
//! |---|---|---|
//! | `.npy` | NumPy's array, either order and endianness | `f32`, `f16`, `i8`, `u8`; ids `i32`; keys `u64`, `i64` |
//! | `.fvecs`, `.bvecs`, `.ivecs` | every row is its `i32` length, then its elements | `f32`; `u8`; `i32` |
//! | `.fbin`, `.ibin` | `u32` rows, `u32` columns, then the elements | `f32`; `i32` |
//! | `.txt` | a decimal number a line | keys alone |
//!
//! Rows and ids of a collection are [`Lines`] of text, whatever the extension.
//!
//! A header is parsed into a [`layout::Layout`]. Its sizes are checked against the length of the
//! file before memory is allocated for them. One [`reader::RowReader`] then reads every binary
//! format.

mod bin;
mod encoding;
mod error;
mod ids;
mod keys;
mod layout;
mod lines;
mod matrix;
mod npy;
mod output;
mod reader;
mod source;
mod vecs;
mod vectors;

#[cfg(test)]
mod fixture;

pub(crate) use error::{FileError, Problem};
pub(crate) use ids::{IdMatrix, check_ids_extension, read_ids, write_ids};
pub(crate) use keys::{read_key_list, read_keys};
pub(crate) use lines::Lines;
pub(crate) use matrix::Matrix;
pub(crate) use output::{check_name, open_output};
pub(crate) use source::read_bytes;
pub(crate) use vectors::{FromFile, VectorFile};
