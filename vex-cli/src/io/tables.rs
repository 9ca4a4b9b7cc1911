//! Parquet, Arrow and HDF5, which libraries read. They take long to compile, so they are behind the
//! feature `formats`.

#[cfg(feature = "formats")]
mod arrow;
#[cfg(feature = "formats")]
mod batches;
#[cfg(feature = "formats")]
mod cells;
#[cfg(feature = "formats")]
mod guard;
#[cfg(feature = "formats")]
mod hdf5;
#[cfg(feature = "formats")]
mod lists;
#[cfg(feature = "formats")]
mod parquet;
#[cfg(feature = "formats")]
mod sink;

#[cfg(feature = "formats")]
pub(crate) use formats::{cells, names, open, write};
#[cfg(not(feature = "formats"))]
pub(crate) use without::{Cells, cells, names, open, write};

#[cfg(feature = "formats")]
pub(crate) use cells::Cells;

/// The files that have rows of a collection.
const ROWS: &str = ".jsonl, .csv, .parquet or .arrow";

/// The files that have text ids.
const TEXTS: &str = ".txt, .csv, .jsonl, .parquet or .arrow";

#[cfg(feature = "formats")]
mod formats {
    use std::io::Write;

    use super::super::error::{FileError, Problem};
    use super::super::format::{Format, Input};
    use super::super::rows::Rows;
    use super::super::source::Source;
    use super::super::write::{Converter, Failed};
    use super::{batches, hdf5, lists, sink};

    /// Opens the vectors or ids of a file.
    pub(crate) fn open(
        source: Source,
        format: Format,
        input: &Input<'_>,
    ) -> Result<Box<dyn Rows>, FileError> {
        match format {
            Format::Hdf5 => hdf5::open(source, input),
            format => lists::open(batches::open(source, format)?, input),
        }
    }

    /// Opens all columns of a table.
    pub(crate) fn cells(source: Source, format: Format) -> Result<super::Cells, FileError> {
        match format {
            Format::Parquet | Format::Arrow => Ok(super::Cells::new(batches::open(source, format)?)),
            _ => Err(source.blame(Problem::Extension { accepted: super::ROWS })),
        }
    }

    /// The texts of a column.
    pub(crate) fn names(source: Source, format: Format, column: &str) -> Result<Vec<String>, FileError> {
        match format {
            Format::Parquet | Format::Arrow => super::cells::texts(batches::open(source, format)?, column),
            _ => Err(source.blame(Problem::Extension { accepted: super::TEXTS })),
        }
    }

    /// Writes rows as one column of lists.
    pub(crate) fn write(
        out: &mut dyn Write,
        rows: Converter<'_>,
        format: Format,
        wrote: &mut dyn FnMut(),
    ) -> Result<(), Failed> {
        match format {
            Format::Parquet => sink::parquet(out, rows, wrote),
            Format::Arrow => sink::arrow(out, rows, wrote),
            format => Err(FileError::new(rows.path(), Problem::NoWriter { format }).into()),
        }
    }
}

#[cfg(not(feature = "formats"))]
mod without {
    use std::io::Write;
    use std::path::Path;

    use super::super::error::{FileError, Problem};
    use super::super::format::{Format, Input};
    use super::super::records::Cell;
    use super::super::rows::Rows;
    use super::super::source::Source;
    use super::super::write::{Converter, Failed};

    /// Names the feature that is missing.
    pub(crate) fn open(source: Source, format: Format, _: &Input<'_>) -> Result<Box<dyn Rows>, FileError> {
        Err(source.blame(Problem::NoReader { format }))
    }

    /// Never made, since no table can be opened.
    pub(crate) enum Cells {}

    impl Cells {
        pub(crate) fn path(&self) -> &Path {
            match *self {}
        }

        pub(crate) fn columns(&self) -> &[String] {
            match *self {}
        }

        pub(crate) fn rows(&self) -> usize {
            match *self {}
        }

        pub(crate) fn read_so_far(&self) -> usize {
            match *self {}
        }

        pub(crate) fn next(&mut self) -> Result<Option<Vec<Cell>>, FileError> {
            match *self {}
        }
    }

    /// Names the feature that is missing, if it would help.
    pub(crate) fn cells(source: Source, format: Format) -> Result<Cells, FileError> {
        Err(source.blame(match format {
            Format::Parquet | Format::Arrow => Problem::NoReader { format },
            _ => Problem::Extension { accepted: super::ROWS },
        }))
    }

    /// Names the feature that is missing, if it would help.
    pub(crate) fn names(source: Source, format: Format, _: &str) -> Result<Vec<String>, FileError> {
        Err(source.blame(match format {
            Format::Parquet | Format::Arrow => Problem::NoReader { format },
            _ => Problem::Extension { accepted: super::TEXTS },
        }))
    }

    /// Names the feature that is missing.
    pub(crate) fn write(
        _: &mut dyn Write,
        rows: Converter<'_>,
        format: Format,
        _: &mut dyn FnMut(),
    ) -> Result<(), Failed> {
        Err(FileError::new(rows.path(), Problem::NoReader { format }).into())
    }
}
