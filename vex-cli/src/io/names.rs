//! Text ids: a line for each key of an index, in a file beside the index.
//!
//! The file of `base.vex` is `base.vex.ids`. Its first line says which index it belongs to, by the
//! checksum of the header, which covers all sections. Line n + 1 is the id of key n, counted from 0.

use std::collections::HashSet;
use std::path::{Path, PathBuf};

use vex::Output;

use super::csv::Table;
use super::error::{FileError, Problem};
use super::format::{Format, Input, Role};
use super::lines::Lines;
use super::members::Members;
use super::numbers::start;
use super::source::{Source, read_bytes};
use super::tables;

/// The first words of the file.
const MAGIC: &str = "vex ids 1 of ";

/// The ids of the keys of an index.
pub(crate) struct Names {
    path: PathBuf,
    text: String,
    /// Where the line of each key begins, and the end of the last.
    starts: Vec<usize>,
}

impl Names {
    /// The name of the file that belongs to an index.
    pub(crate) fn path_of(index: &Path) -> PathBuf {
        let mut name = index.as_os_str().to_owned();
        name.push(".ids");
        name.into()
    }

    /// Reads the ids of an index whose header has this checksum, if there are any.
    ///
    /// # Errors
    /// If the file cannot be read, or belongs to another state of the index.
    pub(crate) fn of_index(index: &Path, checksum: u32) -> Result<Option<Self>, FileError> {
        let path = Self::path_of(index);
        if !path.exists() {
            return Ok(None);
        }
        let text = String::from_utf8(read_bytes(&path)?).map_err(|error| {
            let problem = Problem::NotText { line: 1, byte: error.utf8_error().valid_up_to() + 1 };
            FileError::new(&path, problem)
        })?;
        let first = text.lines().next().unwrap_or_default();
        let expected = format!("{MAGIC}{checksum:08x}");
        if first != expected {
            return Err(FileError::new(&path, Problem::OtherNames { expected, found: start(first) }));
        }
        let ends = text.match_indices('\n').map(|(at, _)| at + 1);
        let mut starts = Vec::new();
        starts
            .try_reserve_exact(ends.clone().count())
            .map_err(|error| FileError::new(&path, error.into()))?;
        starts.extend(ends);
        Ok(Some(Self { path, text, starts }))
    }

    /// The id of a key.
    ///
    /// # Errors
    /// If the file has no line for it.
    pub(crate) fn name(&self, key: u64) -> Result<&str, FileError> {
        let name = usize::try_from(key).ok().and_then(|key| {
            let [start, end] = self.starts.get(key..=key.checked_add(1)?)? else { return None };
            // Without the end of the line.
            self.text.get(*start..end - 1)
        });
        name.ok_or_else(|| {
            let found = self.starts.len().saturating_sub(1);
            FileError::new(&self.path, Problem::NoName { key, found })
        })
    }
}

/// Writes the ids of an index.
pub(crate) fn write_names(output: Output, checksum: u32, names: &[String]) -> Result<(), FileError> {
    output.write(|out| {
        writeln!(out, "{MAGIC}{checksum:08x}")?;
        for name in names {
            writeln!(out, "{name}")?;
        }
        out.flush()
    })?;
    Ok(())
}

/// The column of ids if none is named.
const COLUMN: &str = "id";

/// Reads an id for each row: the lines of a text, or a column of a table.
///
/// # Errors
/// If the file cannot be read, or there is not one id of one line for each of the rows, each once.
pub(crate) fn read_names(input: &Input<'_>, expected: usize) -> Result<Vec<String>, FileError> {
    let column = input.column.unwrap_or(COLUMN);
    let format = match input.path.extension() {
        // The format that was given is that of the vectors.
        Some(extension) if extension.eq_ignore_ascii_case("txt") && input.column.is_none() => None,
        None => input.format,
        Some(_) => Some(input.format()?),
    };
    let source = Source::open(input.path)?;
    let path = source.path().to_owned();
    let names = match format {
        None => lines(source)?,
        Some(Format::Csv) => cells(source, column)?,
        Some(Format::Jsonl) => members(source, column)?,
        Some(format) => tables::names(source, format, column)?,
    };
    let found = names.len();
    if found != expected {
        return Err(FileError::new(&path, Problem::NameCount { expected, found }));
    }
    check(&path, &names)?;
    Ok(names)
}

/// Fails if an id cannot have a line of its own, or comes twice.
fn check(path: &Path, names: &[String]) -> Result<(), FileError> {
    let mut seen = HashSet::new();
    seen.try_reserve(names.len()).map_err(|error| FileError::new(path, error.into()))?;
    for (row, name) in names.iter().enumerate() {
        let blame = |expected: &str, found: String| {
            let (place, expected) = (format!("row {row}"), expected.to_owned());
            Err(FileError::new(path, Problem::Cell { place, expected, found }))
        };
        if name.is_empty() || name.contains(['\n', '\r']) {
            let found = if name.is_empty() { "an empty one".to_owned() } else { start(&format!("{name:?}")) };
            return blame("an id of one line", found);
        }
        if !seen.insert(name) {
            return blame("every id once", format!("{} again", start(name)));
        }
    }
    Ok(())
}

fn lines(source: Source) -> Result<Vec<String>, FileError> {
    let (mut lines, mut names) = (Lines::of(source), Vec::new());
    while let Some(line) = lines.next()? {
        names.push(line.to_owned());
    }
    Ok(names)
}

fn cells(source: Source, column: &str) -> Result<Vec<String>, FileError> {
    let mut table = Table::open(source, Role::Any)?;
    let at = table.column(column).ok_or_else(|| table.no_column(column))?;
    let mut names = Vec::new();
    while table.read()? {
        names.push(table.cell(at)?.to_owned());
    }
    Ok(names)
}

fn members(source: Source, column: &str) -> Result<Vec<String>, FileError> {
    let (mut lines, mut names) = (Lines::of(source), Vec::new());
    while let Some(line) = lines.next()? {
        let name = serde_json::from_str::<Members<'_>>(line).map_err(|error| error.to_string());
        let name = name.and_then(|Members(members)| {
            let value = members.iter().find(|(name, _)| name == column).map(|(_, value)| value.get());
            match value {
                Some(text) if text.starts_with('"') => {
                    serde_json::from_str::<String>(text).map_err(|error| error.to_string())
                }
                Some(number) if !number.starts_with(['[', '{', 'n', 't', 'f']) => Ok(number.to_owned()),
                Some(other) => Err(start(other)),
                None => Err("none".to_owned()),
            }
        });
        let name = name.map_err(|found| {
            let (place, expected) = (format!("line {}", lines.number()), format!("a text {column}"));
            FileError::new(lines.path(), Problem::Cell { place, expected, found })
        })?;
        names.push(name);
    }
    Ok(names)
}

#[cfg(test)]
mod tests {
    use super::super::fixture::Fixture;
    use super::super::format::Role;
    use super::super::output::open_output;
    use super::*;

    fn read(name: &str, text: &str, column: Option<&str>) -> Result<Vec<String>, String> {
        let file = Fixture::new(name, text.as_bytes());
        let input = Input { column, ..Input::new(file.path(), Role::Vectors) };
        read_names(&input, 2).map_err(|error| error.problem.to_string())
    }

    #[test]
    fn ids_are_read_from_lines_and_columns() {
        let expected = Ok(vec!["a b".to_owned(), "7".to_owned()]);
        assert_eq!(read("ids.txt", "a b\r\n7\n", None), expected);
        assert_eq!(read("ids", "a b\n7", None), expected);
        assert_eq!(read("ids.csv", "id,x\n\"a b\",1\n7,2\n", None), expected);
        assert_eq!(read("ids.csv", "x,name\n1,a b\n2,7\n", Some("name")), expected);
        assert_eq!(read("ids.jsonl", "{\"id\": \"a b\"}\n{\"x\": 1, \"id\": 7}\n", None), expected);
    }

    #[test]
    fn ids_that_name_no_row_are_refused() {
        for (name, text, message) in [
            ("ids.txt", "a\n", "expected 2 ids, one for each vector, found 1"),
            ("ids.txt", "a\na\n", "row 1: expected every id once, found a again"),
            ("ids.csv", "id,x\na,1\n,2\n", "row 1: expected an id of one line, found an empty one"),
            ("ids.csv", "id,x\n\"a\nb\",1\nc,2\n", "row 0: expected an id of one line, found \"a\\nb\""),
            ("ids.csv", "x,y\n1,2\n3,4\n", "expected a column id, found x, y"),
            ("ids.jsonl", "{\"id\": \"a\"}\n{\"id\": null}\n", "line 2: expected a text id, found null"),
            ("ids.jsonl", "{\"id\": \"a\"}\n{}\n", "line 2: expected a text id, found none"),
        ] {
            assert_eq!(read(name, text, None), Err(message.to_owned()), "{text}");
        }
    }

    #[test]
    fn written_ids_are_those_of_one_index() {
        let index = Fixture::new("a.vex", b"");
        assert!(Names::of_index(index.path(), 7).unwrap().is_none());
        let path = Names::path_of(index.path());
        write_names(open_output(&path, &[]).unwrap(), 7, &["a b".to_owned(), "é".to_owned()]).unwrap();
        let names = Names::of_index(index.path(), 7).unwrap().unwrap();
        assert_eq!([names.name(0).unwrap(), names.name(1).unwrap()], ["a b", "é"]);
        let message = |key| names.name(key).unwrap_err().problem.to_string();
        assert_eq!(message(2), "expected an id for key 2, found 2 ids");
        assert_eq!(message(u64::MAX), "expected an id for key 18446744073709551615, found 2 ids");
        let error = Names::of_index(index.path(), 8).map(|_| ()).unwrap_err().problem.to_string();
        let expected = "expected the ids of this index (vex ids 1 of 00000008), found vex ids 1 of 00000007: \
                        build the index again with --ids, or remove the file";
        assert_eq!(error, expected);
    }
}
