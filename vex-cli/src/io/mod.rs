//! The files that the command reads and writes besides indexes: vectors, neighbor ids, keys, rows.
//!
//! A format is chosen by the file's extension, or by `--format` where it tells nothing:
//!
//! | extension | layout | numbers |
//! |---|---|---|
//! | `.npy` | NumPy's array, either order and endianness | any |
//! | `.fvecs`, `.bvecs`, `.ivecs` | each row after its `i32` length | `f32`; `u8`; `i32` |
//! | `.fbin`, `.u8bin`, `.i8bin`, `.ibin` | `u32` rows and columns, then the rows | as the names say |
//! | `.csv`, `.tsv`, `.txt` | numbers in columns, or all in one cell | text |
//! | `.jsonl` | a line for each row, an array or an object with one | text |
//! | `.parquet`, `.arrow` | a column of lists | any |
//! | `.hdf5` | a dataset | any |
//!
//! Opening a file gives [`rows::Rows`]: a shape, and the bytes of one row after the other. A
//! [`VectorFile`] decodes them as one type ([`encoding::FromFile`]). Standard input is copied into a
//! temporary file, and the files of a folder are read one after the other.
//!
//! A binary header is parsed into a [`layout::Layout`]. Its sizes are checked against the length of
//! the file before memory is allocated for them. One [`reader::BinaryRows`] then reads every binary
//! format of this crate's own. Parquet, Arrow and HDF5 are read by libraries ([`tables`]), with the
//! feature `formats`.

mod bin;
mod csv;
mod encoding;
mod error;
mod format;
mod ids;
mod jsonl;
mod keys;
mod layout;
mod lines;
mod matrix;
mod members;
mod names;
mod npy;
mod numbers;
mod output;
mod reader;
mod records;
mod rows;
mod shards;
mod source;
mod stored;
mod tables;
mod vecs;
mod vectors;
mod write;

#[cfg(test)]
mod fixture;

pub(crate) use encoding::FromFile;
pub(crate) use error::{FileError, Problem};
pub(crate) use format::{Format, Input, Role};
pub(crate) use ids::{IdMatrix, largest_id, read_ids, write_ids};
pub(crate) use keys::{read_key_list, read_keys};
pub(crate) use lines::Lines;
pub(crate) use matrix::Matrix;
pub(crate) use members::Members;
pub(crate) use names::{Names, read_names, write_names};
pub(crate) use numbers::{array_of_f32, start};
pub(crate) use output::{check_name, open_output};
pub(crate) use records::{Cell, Records};
pub(crate) use rows::{Rows, Shape};
pub(crate) use source::read_bytes;
pub(crate) use stored::{ByteOrder, Stored};
pub(crate) use vectors::{VectorFile, element, note_rounding, open};
pub(crate) use write::{Failed, Writing, target, write, write_to};
