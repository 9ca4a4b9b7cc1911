//! Opening files to read them: regular files alone, and only if they begin like an index.

use std::fmt;
use std::fs::{File, FileType, Metadata, OpenOptions};
use std::io::{self, Read, Seek};
use std::path::Path;

use thiserror::Error;
use vex_format::{Header, OpenError};

use crate::OpenProblem;

/// Something with the name of a file that is not a regular file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("expected a regular file, found {found}")]
pub struct NotRegular {
    /// The kind that was found.
    pub found: FileKind,
}

/// The kinds of things that a name can lead to, except regular files.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum FileKind {
    /// A folder.
    Folder,
    /// A named pipe.
    Pipe,
    /// A socket.
    Socket,
    /// A device.
    Device,
    /// None of these.
    Other,
}

impl FileKind {
    /// The kind of a file, if it is not a regular one.
    fn of(file: FileType) -> Option<Self> {
        if file.is_file() {
            return None;
        }
        if file.is_dir() {
            return Some(Self::Folder);
        }
        #[cfg(unix)]
        {
            use std::os::unix::fs::FileTypeExt;
            if file.is_fifo() {
                return Some(Self::Pipe);
            }
            if file.is_socket() {
                return Some(Self::Socket);
            }
            if file.is_char_device() || file.is_block_device() {
                return Some(Self::Device);
            }
        }
        Some(Self::Other)
    }
}

impl fmt::Display for FileKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Folder => "a folder",
            Self::Pipe => "a pipe",
            Self::Socket => "a socket",
            Self::Device => "a device",
            Self::Other => "something else",
        })
    }
}

/// Checks that this is a regular file.
pub(crate) fn expect_regular(metadata: &Metadata) -> Result<(), NotRegular> {
    FileKind::of(metadata.file_type()).map_or(Ok(()), |found| Err(NotRegular { found }))
}

/// Opens a regular file to read it. Never waits for another process.
pub(crate) fn open(path: &Path) -> Result<File, OpenProblem> {
    // This check is before the open, since a device may notice that it is opened.
    expect_readable(&std::fs::metadata(path)?)?;
    let mut options = OpenOptions::new();
    options.read(true);
    // Another file may have taken the name since. Without the flag, opening a pipe would wait for a
    // writer. A regular file ignores the flag.
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::custom_flags(&mut options, libc::O_NONBLOCK);
    let file = options.open(path)?;
    expect_readable(&file.metadata()?)?;
    Ok(file)
}

/// [`open`] for functions whose errors are those of the operating system.
pub(crate) fn open_io(path: &Path) -> io::Result<File> {
    open(path).map_err(|problem| match problem {
        OpenProblem::Io(error) => error,
        problem => io::Error::new(io::ErrorKind::InvalidInput, problem),
    })
}

fn expect_readable(metadata: &Metadata) -> Result<(), OpenProblem> {
    if metadata.is_dir() {
        return Err(io::Error::from(io::ErrorKind::IsADirectory).into());
    }
    Ok(expect_regular(metadata)?)
}

/// Checks the header at the start of a file, and its length, before the rest is read.
pub(crate) fn check_header(mut file: &File) -> Result<(), OpenProblem> {
    let header = read_header(file, file.metadata()?.len())?;
    file.rewind()?;
    let (expected, found) = (header.file_length, file.metadata()?.len());
    if expected != found {
        return Err(OpenError::Length { expected, found }.into());
    }
    Ok(())
}

/// The header at the start of a file of this length. Nothing was read from the file yet.
pub(crate) fn read_header(mut file: &File, len: u64) -> Result<Header, OpenProblem> {
    let mut bytes = [0; Header::BYTES];
    let bytes = &mut bytes[..usize::try_from(len).unwrap_or(usize::MAX).min(Header::BYTES)];
    file.read_exact(bytes)?;
    Ok(Header::read(bytes)?)
}
