//! `.csv`, `.tsv` and numbers in lines of text: a record for each row.
//!
//! A record has the numbers in columns of their own, or all of them in one cell, as in
//! `7,"[0.5, 1.0]"`. There may be a header.

use std::fs::File;
use std::io::BufRead;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use csv::{ByteRecord, Position, Reader, ReaderBuilder};

use super::error::{FileError, Problem};
use super::format::{Input, Role};
use super::numbers::{self, Misspelled, start};
use super::rows::{Rows, Shape};
use super::source::Source;
use super::stored::{ByteOrder, Stored};
use crate::human;

/// Columns that are never elements of a vector unless they are asked for: names of rows. Some programs
/// write row numbers in a column without a name.
const NO_ELEMENTS: [&str; 4] = ["", "id", "key", "index"];

/// The records of a file, after the header if there is one.
pub(crate) struct Table {
    path: PathBuf,
    reader: Reader<Arc<File>>,
    /// Where the header is, or the first record.
    start: Position,
    header: Option<Vec<String>>,
    record: ByteRecord,
}

impl Table {
    /// Opens a table. A first line of vectors that may be a header or numbers is refused.
    pub(crate) fn open(mut source: Source, role: Role) -> Result<Self, FileError> {
        let path = source.path().to_owned();
        // Only numpy's texts have comments. Elsewhere an id may begin with this.
        let comment = path.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("txt"));
        let comment = comment.then_some(b'#');
        let delimiter = delimiter(source.stream().fill_buf().unwrap_or_default());
        let reader = ReaderBuilder::new()
            .has_headers(false)
            .flexible(true)
            .comment(comment)
            .delimiter(delimiter)
            .from_reader(source.into_file()?);
        let (start, record) = (Position::new(), ByteRecord::new());
        let mut table = Self { path, reader, start, header: None, record };
        table.skip_comments()?;
        if table.read()? {
            table.header = table.first_as_header(role)?;
            table.rewind()?;
        }
        Ok(table)
    }

    /// The name of the file.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// The names of the columns, if the first record has them.
    pub(crate) fn header(&self) -> Option<&[String]> {
        self.header.as_deref()
    }

    /// Reads the next record. Returns whether there was one.
    ///
    /// # Errors
    /// If reading fails.
    pub(crate) fn read(&mut self) -> Result<bool, FileError> {
        let read = self.reader.read_byte_record(&mut self.record);
        read.map_err(|error| match error.into_kind() {
            csv::ErrorKind::Io(error) => FileError::new(&self.path, Problem::Read(error)),
            other => FileError::new(&self.path, Problem::Foreign { problem: format!("{other:?}") }),
        })
    }

    /// A cell of the record that was read last, with the white space that it has.
    ///
    /// # Errors
    /// If the record is shorter, or the cell is no text.
    pub(crate) fn cell(&self, column: usize) -> Result<&str, FileError> {
        let Some(cell) = self.record.get(column) else {
            let found = format!("a line of {}", self.record.len());
            return Err(self.blame(&format!("at least {} columns", column + 1), &found));
        };
        str::from_utf8(cell).map_err(|_| {
            let found = String::from_utf8_lossy(cell);
            self.blame("text in UTF-8", &start(&found))
        })
    }

    /// The columns of the record that was read last.
    pub(crate) fn columns(&self) -> usize {
        self.record.len()
    }

    /// The line of the record that was read last, counted from 1.
    pub(crate) fn line(&self) -> u64 {
        self.record.position().map_or(1, Position::line)
    }

    /// Goes back to the first record after the header.
    pub(crate) fn rewind(&mut self) -> Result<(), FileError> {
        let read = |error| FileError::new(&self.path, Problem::Read(std::io::Error::other(error)));
        self.reader.seek(self.start.clone()).map_err(read)?;
        if self.header.is_some() {
            self.read()?;
        }
        Ok(())
    }

    /// Moves the start behind lines of comment: those with a `#` at the top that have other columns
    /// than the first line without one.
    fn skip_comments(&mut self) -> Result<(), FileError> {
        let mut marked = Vec::new();
        while self.read()? {
            if !self.record.get(0).is_some_and(|cell| cell.starts_with(b"#")) {
                let columns = self.columns();
                let comment = marked.into_iter().rfind(|(_, found)| *found != columns);
                self.start = comment.map_or_else(Position::new, |(end, _)| end);
                break;
            }
            marked.push((self.reader.position().clone(), self.columns()));
        }
        self.rewind()
    }

    /// How many records there are after the header.
    pub(crate) fn count(&mut self) -> Result<usize, FileError> {
        self.rewind()?;
        let mut count = 0;
        while self.read()? {
            count += 1;
        }
        self.rewind()?;
        Ok(count)
    }

    /// The column of this name.
    pub(crate) fn column(&self, name: &str) -> Option<usize> {
        self.header.as_ref()?.iter().position(|column| column == name)
    }

    /// An error about the record that was read last.
    pub(crate) fn blame(&self, expected: &str, found: &str) -> FileError {
        let place = format!("line {}", self.line());
        let problem = Problem::Cell { place, expected: expected.to_owned(), found: found.to_owned() };
        FileError::new(&self.path, problem)
    }

    /// A column that was asked for is missing.
    pub(crate) fn no_column(&self, name: &str) -> FileError {
        let found = match &self.header {
            Some(header) => header.join(", "),
            None => "no header".to_owned(),
        };
        let problem = Problem::Column { expected: format!("a column {name}"), found: start(&found) };
        FileError::new(&self.path, problem)
    }

    fn say_header(&self) {
        eprintln!("note: {}: the first line, 0,1,…, is taken for a header", human::path(&self.path));
    }

    /// The first record, if its cells are names. A data frame whose columns have no names counts them,
    /// so numbers that count are names as well, if they are not all integers like the rows below.
    fn first_as_header(&mut self, role: Role) -> Result<Option<Vec<String>>, FileError> {
        let cells = (0..self.columns()).map(|column| Ok(self.cell(column)?.trim().to_owned()));
        let cells: Vec<String> = cells.collect::<Result<_, FileError>>()?;
        let (numbers, names): (Vec<&String>, Vec<_>) = cells.iter().partition(|cell| is_numbers(cell));
        let counts = numbers.iter().enumerate().all(|(at, number)| **number == at.to_string());
        if !names.is_empty() {
            // A number among names is a broken row of numbers, unless it counts.
            if counts && !numbers.is_empty() {
                self.say_header();
            }
            return Ok(counts.then_some(cells));
        }
        if !counts || cells.len() < 2 || !matches!(role, Role::Vectors | Role::Queries) {
            return Ok(None);
        }
        let is_whole = |cell: &str| cell.trim().parse::<i64>().is_ok();
        let below = self.read()? && (0..self.columns()).any(|at| !self.cell(at).is_ok_and(is_whole));
        if !below {
            let expected = "a header of names, or numbers that are not 0,1,…";
            let problem = Problem::Cell {
                place: "line 1".to_owned(),
                expected: expected.to_owned(),
                found: start(&cells.join(",")),
            };
            return Err(FileError::new(&self.path, problem));
        }
        self.say_header();
        Ok(Some(cells))
    }
}

/// Whether a cell holds one number or an array of them.
fn is_numbers(cell: &str) -> bool {
    let count = numbers::count(cell);
    let mut row = vec![0; 4 * count.min(1)];
    // The first decides, since a broken number is better reported where it is.
    let first =
        cell.trim_start_matches('[').split([',', ';', ' ', '\t', '\n', ']']).find(|text| !text.is_empty());
    count > 0 && first.is_some_and(|first| numbers::parse(first, Stored::F32, &mut row).is_some())
}

/// The delimiter of the first line. A line without any is one cell, whose numbers may be separated by
/// spaces.
fn delimiter(bytes: &[u8]) -> u8 {
    let line = bytes.split(|byte| *byte == b'\n').find(|line| !line.starts_with(b"#")).unwrap_or_default();
    [b'\t', b',', b';'].into_iter().find(|delimiter| line.contains(delimiter)).unwrap_or(b',')
}

/// Where the numbers of a record are.
#[derive(Debug)]
enum Place {
    Cell(usize),
    Columns(Vec<usize>),
}

/// The vectors of a table.
struct CsvRows {
    table: Table,
    place: Place,
    shape: Shape,
}

/// Opens a table, and counts its records.
pub(crate) fn open(source: Source, input: &Input<'_>) -> Result<Box<dyn Rows>, FileError> {
    let mut table = Table::open(source, input.role)?;
    let named = match (input.column, &table.header) {
        (Some(name), _) => Some(table.column(name).ok_or_else(|| table.no_column(name))?),
        (None, Some(_)) => input.role.names().iter().find_map(|name| table.column(name)),
        (None, None) => None,
    };
    if !table.read()? {
        return Err(FileError::new(&table.path, Problem::NoElements { rows: 0, dim: 0 }));
    }
    let place = match (named, &table.header) {
        (Some(column), _) => Place::Cell(column),
        // All numbers are in one cell, such as a line of numbers with spaces between them.
        (None, None) if table.columns() == 1 => Place::Cell(0),
        (None, None) => Place::Columns((0..table.columns()).collect()),
        (None, Some(header)) => {
            let is_element = |name: &str| !NO_ELEMENTS.contains(&name.to_lowercase().as_str());
            Place::Columns((0..header.len()).filter(|column| is_element(&header[*column])).collect())
        }
    };
    let dim = match &place {
        Place::Cell(column) => numbers::count(table.cell(*column)?),
        Place::Columns(columns) => columns.len(),
    };
    let rows = table.count()?;
    if dim == 0 {
        return Err(FileError::new(&table.path, Problem::NoElements { rows: rows as u64, dim: 0 }));
    }
    let shape = Shape { rows, dim, stored: Stored::F32, bytes: ByteOrder::Little, is_text: true };
    Ok(Box::new(CsvRows { table, place, shape }))
}

impl std::fmt::Debug for CsvRows {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("CsvRows")
            .field("place", &self.place)
            .field("shape", &self.shape)
            .finish_non_exhaustive()
    }
}

impl Rows for CsvRows {
    fn path(&self) -> &Path {
        &self.table.path
    }

    fn shape(&self) -> Shape {
        self.shape
    }

    fn read(&mut self, row: &mut [u8]) -> Result<(), FileError> {
        if !self.table.read()? {
            return Err(FileError::new(&self.table.path, Problem::PastEnd { rows: self.shape.rows }));
        }
        let Shape { dim, stored, .. } = self.shape;
        let number = format!("a number of {stored}");
        match &self.place {
            Place::Cell(column) => {
                numbers::parse_row(self.table.cell(*column)?, stored, row).map_err(|error| match error {
                    Misspelled::Number { position, found } => {
                        self.table.blame(&format!("{number} at position {position}"), &found)
                    }
                    Misspelled::Count { found } => {
                        self.table.blame(&format!("{dim} numbers as in the first row"), &found.to_string())
                    }
                })
            }
            Place::Columns(columns) => {
                let found = self.table.columns();
                match &self.table.header {
                    None if found != dim => {
                        let expected = format!("{dim} numbers as in the first row");
                        return Err(self.table.blame(&expected, &found.to_string()));
                    }
                    Some(header) if found > header.len() => {
                        let expected = format!("{} columns as in the header", header.len());
                        return Err(self.table.blame(&expected, &found.to_string()));
                    }
                    _ => {}
                }
                for (position, (column, out)) in
                    columns.iter().zip(row.chunks_exact_mut(stored.size())).enumerate()
                {
                    let cell = self.table.cell(*column)?.trim();
                    numbers::parse(cell, stored, out).ok_or_else(|| {
                        let found = if cell.is_empty() { "an empty cell".to_owned() } else { start(cell) };
                        self.table.blame(&format!("{number} at position {position}"), &found)
                    })?;
                }
                Ok(())
            }
        }
    }

    fn rewind(&mut self) -> Result<(), FileError> {
        self.table.rewind()
    }

    fn read_text_as(&mut self, stored: Stored) {
        self.shape.stored = stored;
    }
}

#[cfg(test)]
mod tests {
    use super::super::fixture::Fixture;
    use super::super::matrix::Matrix;
    use super::super::vectors::VectorFile;
    use super::*;

    fn read(name: &str, text: &str) -> Result<Matrix<f32>, String> {
        let file = Fixture::new(name, text.as_bytes());
        let read = VectorFile::open(&Input::new(file.path(), Role::Vectors)).and_then(VectorFile::read_all);
        read.map_err(|error| error.problem.to_string())
    }

    fn expected() -> Result<Matrix<f32>, String> {
        Ok(Matrix::new(2, 3, vec![1.0, -0.5, 2.0, 4.0, 5.0, 6.0]))
    }

    #[test]
    fn tables_of_many_programs_are_read() {
        for (name, text) in [
            ("a.csv", "1,-0.5,2\n4,5,6\n"),
            ("a.csv", "\u{feff}1,-0.5,2\r\n4,5,6"),
            ("a.csv", "x,y,z\n1,-0.5,2\n4,5,6\n"),
            ("a.csv", ",a,b,c\n0,1,-0.5,2\n1,4,5,6\n"),
            ("a.csv", "id,a,b,c\n70,1,-0.5,2\n71,4,5,6\n"),
            ("a.csv", "0,1,2\n1,-0.5,2\n4,5,6\n"),
            ("a.csv", ",0,1,2\n0,1,-0.5,2\n1,4,5,6\n"),
            ("a.csv", "# saved by numpy\n# twice\n1,-0.5,2\n4,5,6\n"),
            ("a.csv", "#x,y,z\n1,-0.5,2\n4,5,6\n"),
            ("a.csv", "name,vector\nu,\"[1, -0.5, 2]\"\nv,\"[4, 5, 6]\"\n"),
            ("a.csv", "embedding\n[ 1.  -0.5  2. ]\n\"[ 4.  5.\n 6. ]\"\n"),
            ("a.csv", "vector;name\n1 -0.5 2;u\n4 5 6;v\n"),
            ("a.tsv", "1\t-0.5\t2\n4\t5\t6\n"),
            ("a.txt", "1.0e+00 -5.0e-01 2.0e+00\n4.0e+00 5.0e+00 6.0e+00\n"),
            ("a.txt", "# saved by numpy\n1.0 -0.5 2.0\n4 5 6\n"),
        ] {
            assert_eq!(read(name, text), expected(), "{text}");
        }
    }

    #[test]
    fn broken_cells_are_placed() {
        for (text, message) in [
            ("1,,3\n4,5,6\n", "line 1: expected a number of f32 at position 1, found an empty cell"),
            ("1,NA,3\n4,5,6\n", "line 1: expected a number of f32 at position 1, found NA"),
            ("a,b\n1,2,3\n", "line 2: expected 2 columns as in the header, found 3"),
            ("#a,b\n1,2\n#3,4\n", "line 3: expected a number of f32 at position 0, found #3"),
            ("0,1\n2,3\n", "line 1: expected a header of names, or numbers that are not 0,1,…, found 0,1"),
            ("0,1\n", "line 1: expected a header of names, or numbers that are not 0,1,…, found 0,1"),
            ("1,2\n3\n", "line 2: expected 2 numbers as in the first row, found 1"),
            ("1,2\n3,4,5\n", "line 2: expected 2 numbers as in the first row, found 3"),
            ("a,b\n1,2\n3\n", "line 3: expected at least 2 columns, found a line of 1"),
            ("a,b\n1,2\n3,x\n", "line 3: expected a number of f32 at position 1, found x"),
            ("a,b\n1,2\n3,\n", "line 3: expected a number of f32 at position 1, found an empty cell"),
            ("vector\n[1]\n[2 3]\n", "line 3: expected 1 numbers as in the first row, found 2"),
            ("", "expected at least one row and one column, found 0 x 0"),
            ("a,b\n", "expected at least one row and one column, found 0 x 0"),
            ("id\n7\n", "expected at least one row and one column, found 1 x 0"),
        ] {
            assert_eq!(read("a.csv", text), Err(message.to_owned()), "{text}");
        }
    }

    #[test]
    fn bytes_are_read_as_bytes() {
        let file = Fixture::new("a.csv", b"1,255.0\n0,7\n");
        let input = Input::new(file.path(), Role::Vectors);
        let rows = VectorFile::<u8>::open(&input).unwrap().read_all().unwrap();
        assert_eq!(rows, Matrix::new(2, 2, vec![1, 255, 0, 7]));
        let error = VectorFile::<i8>::open(&input).unwrap().read_all().unwrap_err().problem.to_string();
        assert_eq!(error, "line 1: expected a number of i8 at position 1, found 255.0");
    }

    #[test]
    fn column_that_is_missing_is_named() {
        let file = Fixture::new("a.csv", b"a,b\n1,2\n");
        let input = Input { column: Some("c"), ..Input::new(file.path(), Role::Vectors) };
        let error = VectorFile::<f32>::open(&input).unwrap_err().problem.to_string();
        assert_eq!(error, "expected a column c, found a, b");
    }
}
