//! `.jsonl`: a line of JSON for each row, an array of numbers or an object that has one.

use std::path::Path;

use serde_json::value::RawValue;

use super::error::{FileError, Problem};
use super::format::{Input, Role};
use super::lines::Lines;
use super::members::Members;
use super::numbers::{self, Misspelled, start};
use super::rows::{Rows, Shape};
use super::source::Source;
use super::stored::{ByteOrder, Stored};

/// The rows of a file of lines.
struct JsonRows {
    lines: Lines,
    column: Option<String>,
    role: Role,
    shape: Shape,
}

/// Opens a file, and counts its lines.
pub(crate) fn open(source: Source, input: &Input<'_>) -> Result<Box<dyn Rows>, FileError> {
    let mut lines = Lines::of(source);
    let rows = lines.count()?;
    let column = input.column.map(str::to_owned);
    let dim = match lines.next()? {
        None => return Err(FileError::new(lines.path(), Problem::NoElements { rows: 0, dim: 0 })),
        Some(line) => array(line, column.as_deref(), input.role).map(|array| numbers::count(array.get())),
    };
    let dim = dim.map_err(|problem| blame(&lines, problem))?;
    if dim == 0 {
        return Err(FileError::new(lines.path(), Problem::NoElements { rows: rows as u64, dim: 0 }));
    }
    lines.rewind()?;
    let shape = Shape { rows, dim, stored: Stored::F32, bytes: ByteOrder::Little, is_text: true };
    Ok(Box::new(JsonRows { lines, column, role: input.role, shape }))
}

/// The array of numbers of a line. An error is what was expected and found.
fn array<'l>(line: &'l str, column: Option<&str>, role: Role) -> Result<&'l RawValue, (String, String)> {
    let json = |error: serde_json::Error| ("JSON".to_owned(), error.to_string());
    if line.trim_start().starts_with('[') {
        return serde_json::from_str(line).map_err(json);
    }
    let Members(members) = serde_json::from_str(line).map_err(json)?;
    let named = |name: &str| members.iter().find(|(member, _)| member == name).map(|(_, value)| *value);
    let value = match column {
        Some(column) => named(column),
        None => role.names().iter().find_map(|name| named(name)),
    };
    let value = value.ok_or_else(|| {
        let names: Vec<&str> = members.iter().map(|(name, _)| name.as_str()).collect();
        let expected = column.unwrap_or(role.names()[0]);
        (format!("an array {expected}"), format!("an object with {}", start(&names.join(", "))))
    })?;
    match value.get().starts_with('[') {
        true => Ok(value),
        false => Err(("an array of numbers".to_owned(), start(value.get()))),
    }
}

/// An error about the line that was read last.
fn blame(lines: &Lines, (expected, found): (String, String)) -> FileError {
    let place = format!("line {}", lines.number());
    FileError::new(lines.path(), Problem::Cell { place, expected, found })
}

impl std::fmt::Debug for JsonRows {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("JsonRows").field("shape", &self.shape).finish_non_exhaustive()
    }
}

impl Rows for JsonRows {
    fn path(&self) -> &Path {
        self.lines.path()
    }

    fn shape(&self) -> Shape {
        self.shape
    }

    fn read(&mut self, row: &mut [u8]) -> Result<(), FileError> {
        let Shape { rows, dim, stored, .. } = self.shape;
        let Some(line) = self.lines.next()? else {
            return Err(FileError::new(self.lines.path(), Problem::PastEnd { rows }));
        };
        let parsed = array(line, self.column.as_deref(), self.role).and_then(|array| {
            numbers::parse_row(array.get(), stored, row).map_err(|error| match error {
                Misspelled::Number { position, found } => {
                    (format!("a number of {stored} at position {position}"), found)
                }
                Misspelled::Count { found } => {
                    (format!("{dim} numbers as in the first row"), found.to_string())
                }
            })
        });
        parsed.map_err(|problem| blame(&self.lines, problem))
    }

    fn rewind(&mut self) -> Result<(), FileError> {
        self.lines.rewind()
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

    fn read(text: &str, column: Option<&str>) -> Result<Matrix<f32>, String> {
        let file = Fixture::new("a.jsonl", text.as_bytes());
        let input = Input { column, ..Input::new(file.path(), Role::Vectors) };
        let read = VectorFile::open(&input).and_then(VectorFile::read_all);
        read.map_err(|error| error.problem.to_string())
    }

    #[test]
    fn arrays_and_objects_are_read() {
        let expected = Ok(Matrix::new(2, 2, vec![1.0, -0.5, 2000.0, 0.0]));
        for (text, column) in [
            ("[1, -0.5]\n\n[2e3, 0]\n", None),
            ("{\"id\": 7, \"vector\": [1, -0.5]}\n{\"vector\": [2e3,0], \"id\": 8}", None),
            ("{\"embedding\": [1, -0.5]}\n{\"embedding\": [2e3,0]}", None),
            ("{\"vector\": 7, \"v\": [1, -0.5]}\n{\"v\": [2e3,0]}", Some("v")),
        ] {
            assert_eq!(read(text, column), expected, "{text}");
        }
    }

    #[test]
    fn broken_lines_are_placed() {
        for (text, message) in [
            ("[1]\n[1, 2]\n", "line 2: expected 1 numbers as in the first row, found 2"),
            ("[1]\n\n[null]\n", "line 3: expected a number of f32 at position 0, found null"),
            ("[[1]]\n", "line 1: expected a number of f32 at position 0, found [1]"),
            ("{\"a\": 1, \"b\": 2}\n", "line 1: expected an array vector, found an object with a, b"),
            ("{\"vector\": \"x\"}\n", "line 1: expected an array of numbers, found \"x\""),
            ("[]\n", "expected at least one row and one column, found 1 x 0"),
            ("", "expected at least one row and one column, found 0 x 0"),
        ] {
            assert_eq!(read(text, None), Err(message.to_owned()), "{text}");
        }
        let message = read("[1, NaN]\n", None).unwrap_err();
        assert!(message.starts_with("line 1: expected JSON, found "), "{message}");
    }
}
