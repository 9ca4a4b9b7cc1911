//! Batches of rows, from Parquet or Arrow.

use std::path::{Path, PathBuf};

use arrow_array::RecordBatch;
use arrow_schema::SchemaRef;

use super::super::error::{FileError, Problem};
use super::super::format::Format;
use super::super::source::Source;
use super::arrow::Arrow;
use super::parquet::Parquet;

/// An open table.
pub(super) struct Batches {
    path: PathBuf,
    rows: usize,
    kind: Kind,
}

enum Kind {
    Parquet(Box<Parquet>),
    Arrow(Box<Arrow>),
}

/// Opens a table.
pub(super) fn open(source: Source, format: Format) -> Result<Batches, FileError> {
    let (path, len) = (source.path().to_owned(), source.len());
    let file = source.into_file()?;
    let (kind, rows) = match format {
        Format::Parquet => {
            let parquet = Parquet::open(&path, file, len)?;
            let rows = parquet.rows();
            (Kind::Parquet(Box::new(parquet)), usize::try_from(rows).ok())
        }
        _ => {
            let arrow = Arrow::open(&path, file, len)?;
            let rows = arrow.rows();
            (Kind::Arrow(Box::new(arrow)), usize::try_from(rows).ok())
        }
    };
    match rows {
        Some(rows) => Ok(Batches { path, rows, kind }),
        None => {
            let problem = "expected a number of rows, found one that is negative or too large".to_owned();
            Err(FileError::new(&path, Problem::Foreign { problem }))
        }
    }
}

impl Batches {
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// How many rows the file says that it has.
    pub(super) fn rows(&self) -> usize {
        self.rows
    }

    pub(super) fn schema(&self) -> SchemaRef {
        match &self.kind {
            Kind::Parquet(parquet) => parquet.schema(),
            Kind::Arrow(arrow) => arrow.schema(),
        }
    }

    /// Reads this column alone, from the first row on.
    pub(super) fn project(&mut self, column: usize) {
        match &mut self.kind {
            Kind::Parquet(parquet) => parquet.project(Some(vec![column])),
            Kind::Arrow(arrow) => arrow.project(Some(vec![column])),
        }
    }

    pub(super) fn rewind(&mut self) {
        match &mut self.kind {
            Kind::Parquet(parquet) => parquet.rewind(),
            Kind::Arrow(arrow) => arrow.rewind(),
        }
    }

    /// The next batch that has a row.
    pub(super) fn next(&mut self) -> Result<Option<RecordBatch>, FileError> {
        loop {
            let batch = match &mut self.kind {
                Kind::Parquet(parquet) => parquet.next()?,
                Kind::Arrow(arrow) => arrow.next()?,
            };
            match batch {
                Some(batch) if batch.num_rows() == 0 => {}
                batch => return Ok(batch),
            }
        }
    }
}
