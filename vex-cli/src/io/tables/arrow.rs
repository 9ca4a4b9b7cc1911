//! Arrow's files, which Feather is the old name of, and its streams.

use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use arrow_array::RecordBatch;
use arrow_buffer::{Buffer, MutableBuffer};
use arrow_ipc::convert::try_fb_to_schema;
use arrow_ipc::reader::{FileDecoder, StreamDecoder, read_footer_length};
use arrow_ipc::{Block, root_as_footer, root_as_message};
use arrow_schema::{ArrowError, SchemaRef};

use super::super::error::FileError;
use super::guard::guard;

/// How a file begins, which a stream does not.
const MAGIC: &[u8; 6] = b"ARROW1";

/// The magic at the end, and the length of the footer before it.
const TRAILER: u64 = 10;

/// Bytes of a stream that are read at a time.
const CHUNK: usize = 1 << 20;

/// An open file or stream.
pub(super) struct Arrow {
    path: PathBuf,
    input: Input,
    schema: SchemaRef,
    rows: u64,
    columns: Option<Vec<usize>>,
    kind: Kind,
}

enum Kind {
    File { blocks: Vec<Block>, next: usize, decoder: FileDecoder },
    Stream { decoder: StreamDecoder, buffer: Buffer },
}

/// A file whose every read is checked against its length, before memory is allocated.
struct Input {
    file: Arc<File>,
    len: u64,
}

impl Input {
    fn read(&self, start: u64, len: u64) -> Result<Buffer, ArrowError> {
        match start.checked_add(len) {
            Some(end) if end <= self.len => {}
            _ => {
                return Err(ArrowError::IpcError(format!(
                    "expected {len} bytes from byte {start} on, found a file of {} bytes (truncated?)",
                    self.len
                )));
            }
        }
        let mut buffer = MutableBuffer::try_from_len_zeroed(len as usize)
            .map_err(|error| ArrowError::MemoryError(error.to_string()))?;
        let mut file = &*self.file;
        file.seek(SeekFrom::Start(start))?;
        file.read_exact(&mut buffer)?;
        Ok(buffer.into())
    }

    /// A block with its metadata. The library takes its lengths for granted.
    fn block(&self, block: &Block) -> Result<Buffer, ArrowError> {
        let number = |number: i64| {
            u64::try_from(number)
                .map_err(|_| ArrowError::IpcError(format!("expected a length, found {number}")))
        };
        let (metadata, body) = (number(block.metaDataLength().into())?, number(block.bodyLength())?);
        if metadata < 8 {
            return Err(ArrowError::IpcError(format!("expected metadata of 8 bytes, found {metadata}")));
        }
        let len = metadata.saturating_add(body);
        self.read(number(block.offset())?, len)
    }

    /// How many rows a block has, by its metadata.
    fn rows(&self, block: &Block) -> Result<u64, ArrowError> {
        let head = Block::new(block.offset(), block.metaDataLength(), 0);
        let metadata = self.block(&head)?;
        // A marker may precede the length.
        let start = if metadata[..4] == [0xff; 4] { 8 } else { 4 };
        let message = root_as_message(&metadata[start..])
            .map_err(|error| ArrowError::ParseError(format!("expected a message, found {error}")))?;
        let batch = message.header_as_record_batch().ok_or_else(|| {
            ArrowError::ParseError("expected a record batch, found another message".to_owned())
        })?;
        u64::try_from(batch.length()).map_err(|_| {
            ArrowError::ParseError(format!("expected a number of rows, found {}", batch.length()))
        })
    }
}

impl Arrow {
    pub(super) fn open(path: &Path, file: Arc<File>, len: u64) -> Result<Self, FileError> {
        let input = Input { file, len };
        guard(path, || {
            let is_file = len >= MAGIC.len() as u64 && input.read(0, MAGIC.len() as u64)?.as_slice() == MAGIC;
            if is_file { Self::file(path, input) } else { Self::stream(path, input) }
        })
    }

    fn file(path: &Path, input: Input) -> Result<Self, ArrowError> {
        let trailer = input.read(input.len.saturating_sub(TRAILER), TRAILER)?;
        let mut last = [0; TRAILER as usize];
        last.copy_from_slice(&trailer);
        let footer_len = read_footer_length(last)? as u64;
        let start = input.len.saturating_sub(TRAILER).checked_sub(footer_len);
        // Too long a footer would begin before the file, and is refused as too short a file.
        let footer = input.read(start.unwrap_or(input.len), footer_len)?;
        let footer = root_as_footer(&footer)
            .map_err(|error| ArrowError::ParseError(format!("expected a footer, found {error}")))?;
        let missing =
            |what: &str| ArrowError::ParseError(format!("expected {what} in the footer, found none"));
        let schema = footer.schema().ok_or_else(|| missing("a schema"))?;
        if !schema.endianness().equals_to_target_endianness() {
            return Err(ArrowError::IpcError(
                "expected little-endian numbers, found big-endian ones".to_owned(),
            ));
        }
        let schema = Arc::new(try_fb_to_schema(schema)?);
        let mut decoder = FileDecoder::new(Arc::clone(&schema), footer.version());
        for block in footer.dictionaries().iter().flatten() {
            decoder.read_dictionary(block, &input.block(block)?)?;
        }
        let blocks: Vec<Block> =
            footer.recordBatches().ok_or_else(|| missing("batches"))?.iter().copied().collect();
        let mut rows: u64 = 0;
        for block in &blocks {
            rows = rows.saturating_add(input.rows(block)?);
        }
        let kind = Kind::File { blocks, next: 0, decoder };
        Ok(Self { path: path.to_owned(), input, schema, rows, columns: None, kind })
    }

    /// A stream has no table of contents, so all of it is read to count its rows.
    fn stream(path: &Path, input: Input) -> Result<Self, ArrowError> {
        let kind = Kind::Stream { decoder: StreamDecoder::new(), buffer: Buffer::default() };
        let schema = SchemaRef::new(arrow_schema::Schema::empty());
        let mut arrow = Self { path: path.to_owned(), input, schema, rows: 0, columns: None, kind };
        arrow.start();
        let mut rows: u64 = 0;
        while let Some(batch) = arrow.decode()? {
            rows = rows.saturating_add(batch.num_rows() as u64);
        }
        if let Kind::Stream { decoder, .. } = &mut arrow.kind {
            decoder.finish()?;
            let missing =
                || ArrowError::ParseError("expected an Arrow file or stream, found other bytes".to_owned());
            arrow.schema = decoder.schema().ok_or_else(missing)?;
        }
        arrow.rows = rows;
        arrow.start();
        Ok(arrow)
    }

    pub(super) fn schema(&self) -> SchemaRef {
        Arc::clone(&self.schema)
    }

    pub(super) fn rows(&self) -> u64 {
        self.rows
    }

    /// Reads these columns alone from the first row on.
    pub(super) fn project(&mut self, columns: Option<Vec<usize>>) {
        self.columns = columns;
        self.start();
    }

    pub(super) fn rewind(&mut self) {
        self.start();
    }

    fn start(&mut self) {
        match &mut self.kind {
            Kind::File { next, .. } => *next = 0,
            Kind::Stream { decoder, buffer } => {
                (*decoder, *buffer) = (StreamDecoder::new(), Buffer::default());
                // If this fails, so does the next read.
                let _ = (&*self.input.file).seek(SeekFrom::Start(0));
            }
        }
    }

    pub(super) fn next(&mut self) -> Result<Option<RecordBatch>, FileError> {
        let path = self.path.clone();
        guard(&path, || self.decode())
    }

    fn decode(&mut self) -> Result<Option<RecordBatch>, ArrowError> {
        let batch = match &mut self.kind {
            Kind::File { blocks, next, decoder } => {
                let Some(block) = blocks.get(*next) else { return Ok(None) };
                *next += 1;
                decoder.read_record_batch(block, &self.input.block(block)?)?
            }
            Kind::Stream { decoder, buffer } => loop {
                if let Some(batch) = decoder.decode(buffer)? {
                    break Some(batch);
                }
                let mut bytes = vec![0; CHUNK];
                let read = (&*self.input.file).read(&mut bytes)?;
                if read == 0 {
                    break None;
                }
                bytes.truncate(read);
                *buffer = Buffer::from_vec(bytes);
            },
        };
        match (batch, &self.columns) {
            (Some(batch), Some(columns)) => batch.project(columns).map(Some),
            (batch, _) => Ok(batch),
        }
    }
}
