//! Lines of text.

use std::fs::File;
use std::io::{self, BufRead, BufReader, ErrorKind};
use std::path::{Path, PathBuf};

use super::error::{FileError, Problem};
use super::source::Source;

/// The most bytes of a line: twice as many as a row of a collection has, since JSON escapes some.
const MAX_LINE: usize = 2 * vex_db::MAX_ROW;

/// Some programs begin a text with this.
const BYTE_ORDER_MARK: &[u8] = "\u{feff}".as_bytes();

/// The lines of a regular file or a pipe, or of standard input for the name `-`.
pub(crate) struct Lines {
    /// The name of the file, for the errors.
    path: PathBuf,
    input: Input,
    /// How many lines were read.
    number: usize,
    line: Vec<u8>,
}

enum Input {
    File(Source),
    /// Can be read once.
    Stream(Box<dyn BufRead>),
}

impl Lines {
    pub(crate) fn open(path: &Path) -> Result<Self, FileError> {
        let (path, input) = if path == Path::new("-") {
            (Path::new("standard input"), Input::Stream(Box::new(io::stdin().lock())))
        } else if is_pipe(path) {
            let pipe = File::open(path).map_err(|error| FileError::new(path, Problem::Open(error)))?;
            (path, Input::Stream(Box::new(BufReader::new(pipe))))
        } else {
            (path, Input::File(Source::open(path)?))
        };
        Ok(Self { path: path.to_owned(), input, number: 0, line: Vec::new() })
    }

    /// The lines of a file that is open already.
    pub(crate) fn of(source: Source) -> Self {
        Self { path: source.path().to_owned(), input: Input::File(source), number: 0, line: Vec::new() }
    }

    /// The name of the file, for messages.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// The number of the line that was read last, counted from 1.
    pub(crate) fn number(&self) -> usize {
        self.number
    }

    /// Reads the next line that is not blank. It comes without its end.
    ///
    /// # Errors
    /// If reading fails, or the line is too long or no text.
    pub(crate) fn next(&mut self) -> Result<Option<&str>, FileError> {
        loop {
            if !self.read()? {
                return Ok(None);
            }
            if !self.line.trim_ascii().is_empty() {
                break;
            }
        }
        let mark: &[u8] = if self.number == 1 { BYTE_ORDER_MARK } else { b"" };
        let line = self.line.strip_prefix(mark).unwrap_or(&self.line);
        let line = line.strip_suffix(b"\n").unwrap_or(line);
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        str::from_utf8(line).map(Some).map_err(|error| {
            let problem = Problem::NotText { line: self.number, byte: error.valid_up_to() + 1 };
            FileError::new(&self.path, problem)
        })
    }

    /// How many lines are left that are not blank. A file can be read once more then, and a
    /// stream cannot.
    ///
    /// # Errors
    /// As [`next`](Self::next).
    pub(crate) fn count(&mut self) -> Result<usize, FileError> {
        let mut count = 0;
        while self.next()?.is_some() {
            count += 1;
        }
        self.rewind()?;
        Ok(count)
    }

    /// Goes back to the first line of a file. A stream goes on.
    pub(crate) fn rewind(&mut self) -> Result<(), FileError> {
        if let Input::File(source) = &mut self.input {
            source.rewind()?;
            self.number = 0;
        }
        Ok(())
    }

    /// Whether this is a file, which can be read twice.
    pub(crate) fn is_file(&self) -> bool {
        matches!(self.input, Input::File(_))
    }

    /// Reads a line with its end. Returns whether there was one.
    fn read(&mut self) -> Result<bool, FileError> {
        self.line.clear();
        let blame = |problem| FileError::new(&self.path, problem);
        let number = self.number + 1;
        loop {
            let read: &mut dyn BufRead = match &mut self.input {
                Input::File(source) => source.stream(),
                Input::Stream(stream) => stream,
            };
            let bytes = match read.fill_buf() {
                Err(error) if error.kind() == ErrorKind::Interrupted => continue,
                bytes => bytes.map_err(|error| blame(Problem::Read(error)))?,
            };
            let end = bytes.iter().position(|byte| *byte == b'\n');
            let taken = &bytes[..end.map_or(bytes.len(), |end| end + 1)];
            if self.line.len() + taken.len() > MAX_LINE {
                return Err(blame(Problem::LongLine { line: number, limit: MAX_LINE }));
            }
            self.line.try_reserve(taken.len()).map_err(|error| blame(error.into()))?;
            self.line.extend_from_slice(taken);
            let is_last = taken.is_empty();
            let count = taken.len();
            read.consume(count);
            if is_last || end.is_some() {
                self.number += usize::from(!self.line.is_empty());
                return Ok(!self.line.is_empty());
            }
        }
    }
}

/// Whether a path is that of a pipe, such as a shell makes for `<(command)`.
fn is_pipe(path: &Path) -> bool {
    #[cfg(unix)]
    return path
        .metadata()
        .is_ok_and(|metadata| std::os::unix::fs::FileTypeExt::is_fifo(&metadata.file_type()));
    #[cfg(not(unix))]
    return false;
}

#[cfg(test)]
mod tests {
    use super::super::fixture::Fixture;
    use super::*;

    fn lines(bytes: &[u8]) -> Vec<Result<(usize, String), String>> {
        let file = Fixture::new("lines.txt", bytes);
        let mut lines = Lines::open(file.path()).unwrap();
        let mut all = Vec::new();
        loop {
            let next =
                lines.next().map(|line| line.map(str::to_owned)).map_err(|error| error.problem.to_string());
            match next {
                Ok(None) => return all,
                Ok(Some(line)) => all.push(Ok((lines.number(), line))),
                Err(error) => all.push(Err(error)),
            }
        }
    }

    #[test]
    fn lines_are_numbered_with_blank_ones_and_come_without_their_ends() {
        let expected = [Ok((1, " a".to_owned())), Ok((4, "b".to_owned())), Ok((6, "ä ".to_owned()))];
        assert_eq!(lines(" a\n\r\n  \nb\r\n\nä ".as_bytes()), expected);
        assert_eq!(lines(b""), []);
        assert_eq!(lines(b"\n\n"), []);
        assert_eq!(
            lines("\u{feff}a\n\u{feff}b".as_bytes()),
            [Ok((1, "a".into())), Ok((2, "\u{feff}b".into()))]
        );
    }

    #[test]
    fn bytes_that_are_no_text_are_refused() {
        let expected = "expected UTF-8 in line 2, found other bytes at byte 3";
        assert_eq!(
            lines(b"a\nbc\xff\nd\n"),
            [Ok((1, "a".into())), Err(expected.into()), Ok((3, "d".into()))]
        );
    }

    #[test]
    fn lines_longer_than_a_buffer_are_whole() {
        let long = "x".repeat(3 << 20);
        assert_eq!(lines(format!("{long}\ny").as_bytes()), [Ok((1, long)), Ok((2, "y".into()))]);
    }

    #[test]
    fn files_are_counted_and_read_again() {
        let file = Fixture::new("lines.txt", b"a\n\nb\n");
        let mut lines = Lines::open(file.path()).unwrap();
        assert_eq!(lines.count().unwrap(), 2);
        assert!(lines.is_file());
        assert_eq!(lines.next().unwrap(), Some("a"));
        assert_eq!(lines.number(), 1);
    }
}
