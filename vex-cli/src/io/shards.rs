//! A folder of files that are read as one, in the order of their names.

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};

use super::error::{FileError, Problem};
use super::format::Input;
use super::rows::{Rows, Shape};
use super::stored::Stored;
use super::vectors::open_file;

/// How a file of a folder is opened.
#[derive(Debug)]
struct Opener {
    input: OwnedInput,
    /// What text is read as.
    text: Option<Stored>,
}

/// An [`Input`] without its path.
#[derive(Debug)]
struct OwnedInput {
    format: Option<super::format::Format>,
    column: Option<String>,
    role: super::format::Role,
}

impl Opener {
    fn open(&self, path: &Path) -> Result<Box<dyn Rows>, FileError> {
        let OwnedInput { format, column, role } = &self.input;
        let mut rows = open_file(&Input { path, format: *format, column: column.as_deref(), role: *role })?;
        if let Some(stored) = self.text {
            rows.read_text_as(stored);
        }
        Ok(rows)
    }
}

/// The rows of all files of a folder. One file is open at a time.
#[derive(Debug)]
struct Shards {
    folder: PathBuf,
    opener: Opener,
    /// The files with their rows, in order.
    files: Vec<(PathBuf, usize)>,
    shape: Shape,
    /// The file that is read, the rows of it that are left, and the next file.
    current: Option<Box<dyn Rows>>,
    left: usize,
    next: usize,
}

/// Opens every file once, to see that all agree.
///
/// # Errors
/// If there is no file, or a file cannot be read, or has another dimension or type than the first.
pub(crate) fn open(input: &Input<'_>) -> Result<Box<dyn Rows>, FileError> {
    let column = input.column.map(str::to_owned);
    let opener = Opener { input: OwnedInput { format: input.format, column, role: input.role }, text: None };
    let mut files: Vec<(PathBuf, usize)> = Vec::new();
    let mut first: Option<Shape> = None;
    for path in list(input.path)? {
        let shape = opener.open(&path)?.shape();
        let like = first.get_or_insert(Shape { rows: 0, ..shape });
        let disagrees = |expected: String, found: String| {
            let like = files.first().map(|(path, _)| path.clone()).unwrap_or_default();
            FileError::new(&path, Problem::Shard { expected, like, found })
        };
        if shape.dim != like.dim {
            return Err(disagrees(format!("rows of {}", like.dim), format!("rows of {}", shape.dim)));
        }
        if shape.stored != like.stored || shape.is_text != like.is_text {
            let name = |shape: &Shape| if shape.is_text { "text" } else { shape.stored.name() };
            return Err(disagrees(format!("elements of {}", name(like)), name(&shape).to_owned()));
        }
        if shape.bytes != like.bytes {
            let name = |shape: &Shape| format!("{:?}-endian numbers", shape.bytes).to_lowercase();
            return Err(disagrees(name(like), name(&shape)));
        }
        like.rows = like.rows.saturating_add(shape.rows);
        files.push((path, shape.rows));
    }
    let shape = first.ok_or_else(|| FileError::new(input.path, Problem::NoShards))?;
    let folder = input.path.to_owned();
    Ok(Box::new(Shards { folder, opener, files, shape, current: None, left: 0, next: 0 }))
}

/// The files in the order of their names. Names that begin with a dot or an underscore are left out,
/// as by other programs: such files hold no rows.
fn list(folder: &Path) -> Result<Vec<PathBuf>, FileError> {
    let read = |error| FileError::new(folder, Problem::Open(error));
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).map_err(read)? {
        let path = entry.map_err(read)?.path();
        let name = path.file_name().map(OsStr::as_encoded_bytes).unwrap_or_default();
        if !name.starts_with(b".") && !name.starts_with(b"_") {
            files.push(path);
        }
    }
    files.sort();
    Ok(files)
}

impl Rows for Shards {
    fn path(&self) -> &Path {
        // A row is blamed on its file, and all of them on the folder.
        match &self.current {
            Some(rows) if self.next > 0 => rows.path(),
            _ => &self.folder,
        }
    }

    fn shape(&self) -> Shape {
        self.shape
    }

    fn read(&mut self, row: &mut [u8]) -> Result<(), FileError> {
        while self.left == 0 {
            let Some((path, rows)) = self.files.get(self.next) else {
                return Err(FileError::new(&self.folder, Problem::PastEnd { rows: self.shape.rows }));
            };
            let shard = self.opener.open(path)?;
            let found = shard.shape();
            // It may have been replaced since.
            if found != (Shape { rows: *rows, ..self.shape }) {
                let changed = std::io::Error::other("it changed while the folder was read");
                return Err(FileError::new(path, Problem::Read(changed)));
            }
            self.current = Some(shard);
            (self.left, self.next) = (*rows, self.next + 1);
        }
        self.left -= 1;
        self.current.as_mut().map_or(Ok(()), |rows| rows.read(row))
    }

    fn rewind(&mut self) -> Result<(), FileError> {
        (self.current, self.left, self.next) = (None, 0, 0);
        Ok(())
    }

    fn place(&self, row: usize) -> (PathBuf, usize) {
        let mut left = row;
        for (path, rows) in &self.files {
            if left < *rows {
                return (path.clone(), left);
            }
            left -= rows;
        }
        (self.folder.clone(), row)
    }

    fn read_text_as(&mut self, stored: Stored) {
        if self.shape.is_text {
            self.shape.stored = stored;
            self.opener.text = Some(stored);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::fixture::Fixture;
    use super::super::format::Role;
    use super::super::matrix::Matrix;
    use super::super::vectors::VectorFile;
    use super::*;

    /// A file of one row, in the folder of `beside`.
    fn write(beside: &Fixture, name: &str, row: &[u8]) {
        let header = [1_u32.to_le_bytes(), (row.len() as u32).to_le_bytes()].concat();
        fs::write(beside.path().with_file_name(name), [&header[..], row].concat()).unwrap();
    }

    fn open(beside: &Fixture) -> Result<VectorFile<f32>, FileError> {
        VectorFile::open(&Input::new(beside.path().parent().unwrap(), Role::Vectors))
    }

    #[test]
    fn files_are_read_in_the_order_of_their_names() {
        let marker = Fixture::new("_SUCCESS", b"");
        for (name, row) in [("b.u8bin", [3, 4]), ("a.u8bin", [1, 2]), (".c.u8bin", [7, 8])] {
            write(&marker, name, &row);
        }
        let mut rows = open(&marker).unwrap();
        let mut first = [0.0; 2];
        rows.read_row(&mut first).unwrap();
        assert_eq!(first, [1.0, 2.0]);
        rows.rewind().unwrap();
        let place = |row| {
            let (path, row) = rows.place(row);
            (path.file_name().unwrap().to_str().unwrap().to_owned(), row)
        };
        assert_eq!([place(0), place(1)], [("a.u8bin".to_owned(), 0), ("b.u8bin".to_owned(), 0)]);
        assert_eq!(rows.read_all().unwrap(), Matrix::new(2, 2, vec![1.0, 2.0, 3.0, 4.0]));
    }

    #[test]
    fn file_that_differs_is_named() {
        let folder = Fixture::new("_SUCCESS", b"");
        assert!(open(&folder).unwrap_err().to_string().ends_with("files with vectors, found none"));
        write(&folder, "a.u8bin", &[1, 2]);
        write(&folder, "b.u8bin", &[1, 2, 3]);
        let message = open(&folder).unwrap_err().to_string();
        assert!(message.contains("b.u8bin: expected rows of 2 as in "), "{message}");
        assert!(message.ends_with("a.u8bin, found rows of 3"), "{message}");
        write(&folder, "b.i8bin", &[1, 2]);
        let message = open(&folder).unwrap_err().to_string();
        assert!(message.contains("b.i8bin: expected elements of u8 as in "), "{message}");
    }
}
