//! Parquet.

use std::fs::File;
use std::io::BufReader;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use arrow_array::RecordBatch;
use arrow_schema::SchemaRef;
use bytes::Bytes;
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::{
    ArrowReaderMetadata, ArrowReaderOptions, ParquetRecordBatchReader, ParquetRecordBatchReaderBuilder,
};
use parquet::errors::{ParquetError, Result};
use parquet::file::reader::{ChunkReader, Length};

use super::super::error::FileError;
use super::guard::guard;

/// Rows that are decoded at a time.
const BATCH: usize = 1_024;

/// A file whose every read is checked against its length, before memory is allocated.
#[derive(Clone, Debug)]
struct Checked {
    file: Arc<File>,
    len: u64,
}

impl Length for Checked {
    fn len(&self) -> u64 {
        self.len
    }
}

impl Checked {
    fn check(&self, start: u64, length: u64) -> Result<()> {
        match start.checked_add(length) {
            Some(end) if end <= self.len => Ok(()),
            _ => Err(ParquetError::EOF(format!(
                "expected {length} bytes from byte {start} on, found a file of {} bytes (truncated?)",
                self.len
            ))),
        }
    }
}

impl ChunkReader for Checked {
    type T = BufReader<File>;

    fn get_read(&self, start: u64) -> Result<Self::T> {
        self.check(start, 0)?;
        self.file.get_read(start)
    }

    fn get_bytes(&self, start: u64, length: usize) -> Result<Bytes> {
        self.check(start, length as u64)?;
        self.file.get_bytes(start, length)
    }
}

/// An open file.
pub(super) struct Parquet {
    path: PathBuf,
    file: Checked,
    metadata: ArrowReaderMetadata,
    /// The columns that are read, or all.
    columns: Option<Vec<usize>>,
    reader: Option<ParquetRecordBatchReader>,
}

impl Parquet {
    pub(super) fn open(path: &Path, file: Arc<File>, len: u64) -> std::result::Result<Self, FileError> {
        let file = Checked { file, len };
        let metadata = guard(path, || ArrowReaderMetadata::load(&file, ArrowReaderOptions::new()))?;
        Ok(Self { path: path.to_owned(), file, metadata, columns: None, reader: None })
    }

    pub(super) fn schema(&self) -> SchemaRef {
        Arc::clone(self.metadata.schema())
    }

    pub(super) fn rows(&self) -> i64 {
        self.metadata.metadata().file_metadata().num_rows()
    }

    /// Reads these columns alone from the first row on.
    pub(super) fn project(&mut self, columns: Option<Vec<usize>>) {
        (self.columns, self.reader) = (columns, None);
    }

    pub(super) fn rewind(&mut self) {
        self.reader = None;
    }

    pub(super) fn next(&mut self) -> std::result::Result<Option<RecordBatch>, FileError> {
        let Self { path, file, metadata, columns, reader } = self;
        guard(path, || {
            let reader = match reader {
                Some(reader) => reader,
                None => {
                    let builder =
                        ParquetRecordBatchReaderBuilder::new_with_metadata(file.clone(), metadata.clone());
                    let mask = match columns {
                        Some(columns) => {
                            ProjectionMask::roots(metadata.parquet_schema(), columns.iter().copied())
                        }
                        None => ProjectionMask::all(),
                    };
                    reader.insert(builder.with_batch_size(BATCH).with_projection(mask).build()?)
                }
            };
            Ok::<_, ParquetError>(reader.next().transpose()?)
        })
    }
}
