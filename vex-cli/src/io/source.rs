//! An open file of known length.

use std::fmt;
use std::fs::{File, OpenOptions};
#[cfg(feature = "demo")]
use std::io::Cursor;
use std::io::{self, BufRead, BufReader, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::error::{FileError, Problem};

/// So large that the time of the system calls does not matter beside the decoding.
const BUFFER: usize = 1 << 20;

/// The length of the buffer if there is no memory for the large one.
const SMALL_BUFFER: usize = 1 << 12;

/// The name of standard input, and that in messages.
pub(crate) const STDIN: &str = "-";
const STDIN_NAME: &str = "standard input";

/// A regular file, or one embedded in the program, that is read from its start. It knows its name,
/// for the errors.
#[derive(Debug)]
pub(crate) struct Source {
    path: PathBuf,
    file: BufReader<Box<dyn Input>>,
    /// The same file, for libraries that read by themselves.
    shared: Option<Arc<File>>,
    len: u64,
    position: u64,
}

/// Reads a whole regular file.
pub(crate) fn read_bytes(path: &Path) -> Result<Vec<u8>, FileError> {
    let mut source = Source::open(path)?;
    let len = usize::try_from(source.len()).unwrap_or(usize::MAX);
    let mut bytes = Vec::new();
    bytes.try_reserve_exact(len).map_err(|error| source.blame(error.into()))?;
    bytes.resize(len, 0);
    source.fill(&mut bytes)?;
    Ok(bytes)
}

impl Source {
    /// Opens a regular file, or standard input for the name `-`.
    pub(crate) fn open(path: &Path) -> Result<Self, FileError> {
        if path == Path::new(STDIN) {
            return Self::standard_input();
        }
        let open = || {
            // This check is before the open, since a device may notice that it is opened.
            if !path.metadata()?.is_file() {
                return Ok(None);
            }
            let mut options = OpenOptions::new();
            options.read(true);
            // A pipe may have taken the name since. Without the flag, opening it would wait for its
            // other end.
            #[cfg(unix)]
            std::os::unix::fs::OpenOptionsExt::custom_flags(&mut options, libc::O_NONBLOCK);
            let file = options.open(path)?;
            let metadata = file.metadata()?;
            Ok(metadata.is_file().then_some((file, metadata.len())))
        };
        let (file, len) = open()
            .map_err(|error| FileError::new(path, Problem::Open(error)))?
            .ok_or_else(|| FileError::new(path, Problem::NotRegular))?;
        Ok(Self::of(path, file, len))
    }

    /// Copies standard input into a temporary file, which is gone when it is closed. So its length is
    /// known before memory is allocated for it, and it can be read twice.
    fn standard_input() -> Result<Self, FileError> {
        let path = Path::new(STDIN_NAME);
        let mut file = tempfile::tempfile().map_err(|error| FileError::new(path, Problem::Spool(error)))?;
        let mut input = io::stdin().lock();
        let mut len = 0;
        loop {
            // Which of both sides failed is told apart.
            let bytes = match input.fill_buf() {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                bytes => bytes.map_err(|error| FileError::new(path, Problem::Read(error)))?,
            };
            if bytes.is_empty() {
                break;
            }
            io::Write::write_all(&mut file, bytes)
                .map_err(|error| FileError::new(path, Problem::Spool(error)))?;
            let count = bytes.len();
            len += count as u64;
            input.consume(count);
        }
        file.rewind().map_err(|error| FileError::new(path, Problem::Spool(error)))?;
        Ok(Self::of(path, file, len))
    }

    fn of(path: &Path, file: File, len: u64) -> Self {
        let file = Arc::new(file);
        let source = Self::new(path, Box::new(Arc::clone(&file)), len);
        Self { shared: Some(file), ..source }
    }

    /// A file that is embedded in the program. `path` is its name for the errors.
    #[cfg(feature = "demo")]
    pub(crate) fn embedded(path: &Path, bytes: &'static [u8]) -> Self {
        Self::new(path, Box::new(Cursor::new(bytes)), bytes.len() as u64)
    }

    fn new(path: &Path, input: Box<dyn Input>, len: u64) -> Self {
        let file = BufReader::with_capacity(buffer_len(), input);
        Self { path: path.to_owned(), file, shared: None, len, position: 0 }
    }

    /// The file for a library that reads by itself, at its start.
    pub(crate) fn into_file(mut self) -> Result<Arc<File>, FileError> {
        self.rewind()?;
        self.shared_file()
    }

    /// The file for a library that reads by itself. Both share the place where the file is read.
    pub(crate) fn shared_file(&self) -> Result<Arc<File>, FileError> {
        self.shared.clone().ok_or_else(|| self.blame(Problem::NotRegular))
    }

    /// The file's name.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Bytes of the file when it was opened.
    pub(crate) fn len(&self) -> u64 {
        self.len
    }

    /// Bytes that [`header`](Self::header) has read.
    pub(crate) fn position(&self) -> u64 {
        self.position
    }

    /// Reads the next part of a header.
    pub(crate) fn header<const N: usize>(&mut self) -> Result<[u8; N], FileError> {
        self.require(N as u64)?;
        let mut bytes = [0; N];
        self.fill(&mut bytes)?;
        self.position += N as u64;
        Ok(bytes)
    }

    /// Reads the next part of a header. The caller has bounded its length.
    pub(crate) fn header_text(&mut self, len: usize) -> Result<Vec<u8>, FileError> {
        self.require(len as u64)?;
        let mut bytes = vec![0; len];
        self.fill(&mut bytes)?;
        self.position += len as u64;
        Ok(bytes)
    }

    /// Goes back to the start of the file.
    pub(crate) fn rewind(&mut self) -> Result<(), FileError> {
        self.seek(0)
    }

    /// Goes to a place in the file.
    pub(crate) fn seek(&mut self, position: u64) -> Result<(), FileError> {
        self.file.seek(SeekFrom::Start(position)).map_err(|error| self.blame(Problem::Read(error)))?;
        self.position = position;
        Ok(())
    }

    /// Reads exactly `bytes`.
    pub(crate) fn fill(&mut self, bytes: &mut [u8]) -> Result<(), FileError> {
        self.file.read_exact(bytes).map_err(|error| self.blame(Problem::Read(error)))
    }

    /// The rest as a stream. Its errors are errors of this file.
    pub(crate) fn stream(&mut self) -> &mut impl BufRead {
        &mut self.file
    }

    /// An error that names this file.
    pub(crate) fn blame(&self, problem: Problem) -> FileError {
        FileError::new(&self.path, problem)
    }

    fn require(&self, more: u64) -> Result<(), FileError> {
        let expected = self.position + more;
        if expected > self.len {
            return Err(self.blame(Problem::ShortHeader { expected, found: self.len }));
        }
        Ok(())
    }
}

/// The length of a buffer for which there is memory. A small buffer is enough to read a file; if
/// there is no room for the contents, the caller reports that. The reader of the standard library
/// would end the process instead.
fn buffer_len() -> usize {
    let mut room: Vec<u8> = Vec::new();
    let has_room = room.try_reserve_exact(BUFFER).is_ok();
    // Without this, the compiler may remove an allocation that is not used.
    std::hint::black_box(&room);
    if has_room { BUFFER } else { SMALL_BUFFER }
}

/// A source of bytes. It is called once for each buffer, so the indirection costs nothing.
trait Input: Read + Seek + fmt::Debug {}

impl<T: Read + Seek + fmt::Debug> Input for T {}
