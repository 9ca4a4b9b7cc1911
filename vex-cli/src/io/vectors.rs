//! Files of vectors, ids and other rows of numbers.

use std::path::{Path, PathBuf};

use vex::Element;

use super::encoding::{Encoding, FromFile};
use super::error::{FileError, Problem};
use super::format::{Format, Input, Role};
use super::matrix::Matrix;
use super::npy::{self, Single};
use super::reader::BinaryRows;
use super::rows::{Rows, Shape};
use super::source::{STDIN, Source};
use super::stored::Stored;
use super::{bin, csv, jsonl, shards, tables, vecs};
use crate::human;

/// Opens a file, standard input, or a folder of files.
///
/// # Errors
/// If the header is malformed, or the length of the file is not the one in the header. So truncation
/// shows before hours of work. The exception is a `.fvecs`, `.bvecs` or `.ivecs` file that ends after
/// a whole row: it only looks shorter.
pub(crate) fn open(input: &Input<'_>) -> Result<Box<dyn Rows>, FileError> {
    let is_folder = input.path != Path::new(STDIN) && input.path.is_dir();
    if is_folder { shards::open(input) } else { open_file(input) }
}

/// Opens a file or standard input.
pub(crate) fn open_file(input: &Input<'_>) -> Result<Box<dyn Rows>, FileError> {
    // A format that is not known shows before a byte of standard input is read.
    let format = input.format()?;
    let mut source = Source::open(input.path)?;
    let layout = match format {
        Format::Npy => {
            let single = match input.role {
                Role::Queries => Single::Row,
                Role::Any => Single::Either,
                Role::Vectors | Role::Ids => Single::Refused,
            };
            npy::layout(&mut source, single)?
        }
        Format::Fvecs => vecs::layout(&mut source, Stored::F32)?,
        Format::Bvecs => vecs::layout(&mut source, Stored::U8)?,
        Format::Ivecs => vecs::layout(&mut source, Stored::I32)?,
        Format::Fbin => bin::layout(&mut source, Stored::F32)?,
        Format::U8bin => bin::layout(&mut source, Stored::U8)?,
        Format::I8bin => bin::layout(&mut source, Stored::I8)?,
        Format::Ibin => bin::layout(&mut source, Stored::I32)?,
        Format::Csv => return csv::open(source, input),
        Format::Jsonl => return jsonl::open(source, input),
        Format::Parquet | Format::Arrow | Format::Hdf5 => return tables::open(source, format, input),
    };
    Ok(Box::new(BinaryRows::new(source, layout)))
}

/// Says that numbers are rounded, if they are.
pub(crate) fn note_rounding(rows: &dyn Rows) {
    if rows.shape().stored == Stored::F64 {
        eprintln!("note: {}: numbers of f64 are read as f32", human::path(rows.path()));
    }
}

/// The type that vectors are indexed as if the caller does not say.
pub(crate) fn element(stored: Stored) -> Element {
    match stored {
        Stored::F16 => Element::F16,
        Stored::I8 => Element::I8,
        Stored::U8 => Element::U8,
        Stored::Bool => Element::Bits,
        _ => Element::F32,
    }
}

/// Rows of numbers of one type, read one by one.
///
/// NaN is not refused here, since the index checks values.
#[derive(Debug)]
pub(crate) struct VectorFile<T = f32> {
    rows: Box<dyn Rows>,
    shape: Shape,
    encoding: Encoding<T>,
    /// The row to be read next.
    next: usize,
    /// The bytes of one row.
    row: Vec<u8>,
}

impl<T: FromFile> VectorFile<T> {
    /// Opens a file and reads its numbers as `T`.
    ///
    /// # Errors
    /// As those of [`open`], or if the numbers cannot be read as `T`.
    pub(crate) fn open(input: &Input<'_>) -> Result<Self, FileError> {
        Self::of(open(input)?)
    }

    /// Reads the numbers of an open file as `T`.
    ///
    /// # Errors
    /// If they cannot be read as `T`.
    pub(crate) fn of(mut rows: Box<dyn Rows>) -> Result<Self, FileError> {
        if rows.shape().is_text {
            rows.read_text_as(T::TEXT);
        }
        let shape = rows.shape();
        let Some(encoding) = T::encoding(shape.stored, shape.bytes) else {
            let problem = Problem::Elements { expected: T::ACCEPTED, found: shape.stored };
            return Err(FileError::new(rows.path(), problem));
        };
        note_rounding(&*rows);
        let mut row = Vec::new();
        let bytes = shape.row_bytes();
        row.try_reserve_exact(bytes).map_err(|error| FileError::new(rows.path(), error.into()))?;
        row.resize(bytes, 0);
        Ok(Self { rows, shape, encoding, next: 0, row })
    }

    /// Number of vectors, at least 1.
    pub(crate) fn rows(&self) -> usize {
        self.shape.rows
    }

    /// Elements of a vector, at least 1.
    pub(crate) fn dim(&self) -> usize {
        self.shape.dim.saturating_mul(self.encoding.elements)
    }

    /// Numbers of type `T` in a row: one for each element, except for bits.
    pub(crate) fn scalars(&self) -> usize {
        self.shape.dim.div_ceil(self.encoding.packs)
    }

    /// The file's name.
    pub(crate) fn path(&self) -> &Path {
        self.rows.path()
    }

    /// The file that has a row, and the number of the row in it.
    pub(crate) fn place(&self, row: usize) -> (PathBuf, usize) {
        self.rows.place(row)
    }

    /// Reads the next vector into `row`.
    ///
    /// A matrix stored by columns (`fortran_order`) is held in memory as a whole, from the first
    /// row on. No other file is.
    ///
    /// # Errors
    /// If reading fails, if the row claims another dimension than the first, or after the last row.
    ///
    /// # Panics
    /// If the length of `row` is not [`scalars`](Self::scalars).
    pub(crate) fn read_row(&mut self, row: &mut [T]) -> Result<(), FileError> {
        assert_eq!(row.len(), self.scalars(), "the length of a row");
        if self.next == self.shape.rows {
            return Err(FileError::new(self.path(), Problem::PastEnd { rows: self.next }));
        }
        self.rows.read(&mut self.row)?;
        (self.encoding.decode)(&self.row, row);
        self.next += 1;
        Ok(())
    }

    /// Reads all vectors that have not been read.
    pub(crate) fn read_all(mut self) -> Result<Matrix<T>, FileError> {
        let (rows, scalars) = (self.shape.rows - self.next, self.scalars());
        let mut data = Vec::new();
        data.try_reserve_exact(rows.saturating_mul(scalars))
            .map_err(|error| FileError::new(self.path(), error.into()))?;
        for row in 0..rows {
            // A row at a time, since a header may claim more rows than there are.
            data.resize((row + 1) * scalars, T::default());
            self.read_row(&mut data[row * scalars..])?;
        }
        Ok(Matrix::new(rows, scalars, data))
    }

    /// Goes back to the first row.
    pub(crate) fn rewind(&mut self) -> Result<(), FileError> {
        self.next = 0;
        self.rows.rewind()
    }
}

impl VectorFile {
    /// Opens an `.npy` file that is embedded in the program. `path` is its name for the errors.
    ///
    /// # Errors
    /// As [`open`](Self::open).
    #[cfg(feature = "demo")]
    pub(crate) fn embedded_npy(path: &Path, bytes: &'static [u8]) -> Result<Self, FileError> {
        let mut source = Source::embedded(path, bytes);
        let layout = npy::layout(&mut source, Single::Refused)?;
        Self::of(Box::new(BinaryRows::new(source, layout)))
    }
}

#[cfg(test)]
mod tests;
