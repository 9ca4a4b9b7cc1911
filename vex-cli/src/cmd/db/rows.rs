//! Rows of a file: lines of JSON, or a table.

use std::error::Error;
use std::path::Path;

use vex_db::Schema;

use super::cells;
use super::row::{self, Parsed};
use super::{ID, VECTOR};
use crate::error::Failure;
use crate::io::{FileError, Format, Lines, Problem, Records, Role, start};

/// The names of the columns, or members of an object, that are no fields.
#[derive(Debug, Default, clap::Args)]
pub(super) struct Columns {
    /// Column, or member, that has the ids [default: id]
    #[arg(long, value_name = "NAME")]
    id_column: Option<String>,
    /// Column, or member, that has the vectors [default: vector, or embedding and its like if there is
    /// no field of that name]
    #[arg(long, value_name = "NAME")]
    column: Option<String>,
}

/// What a column is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Column {
    Id,
    Vector,
    /// A vector with a name.
    Named,
    Field,
}

impl Columns {
    /// What a column of this name is beside `all` others.
    pub(super) fn of<'n>(
        &self,
        name: &str,
        mut all: impl Iterator<Item = &'n str>,
        schema: &Schema,
    ) -> Column {
        if name == self.id_column.as_deref().unwrap_or(ID) {
            return Column::Id;
        }
        if self.column.as_deref() != Some(name) && schema.vectors().any(|(vector, ..)| vector == name) {
            return Column::Named;
        }
        let is_usual = |name| Role::Vectors.names().contains(&name);
        let is_vector = match &self.column {
            Some(column) => name == column,
            None if name == VECTOR => true,
            None => {
                is_usual(name)
                    && all.all(|other| other != VECTOR)
                    && !schema.fields().any(|(field, _)| field == name)
            }
        };
        if is_vector { Column::Vector } else { Column::Field }
    }
}

/// The rows of an open file.
pub(super) enum Rows {
    Lines(Lines),
    Table(Records),
}

impl Rows {
    /// Opens a file. Without a format that is known by its name, it has lines of JSON. A table has the
    /// columns that were named.
    pub(super) fn open(path: &Path, format: Option<Format>, columns: &Columns) -> Result<Self, FileError> {
        let named = if path == Path::new("-") { None } else { Format::of(path) };
        match named.or(format).unwrap_or(Format::Jsonl) {
            Format::Jsonl => Lines::open(path).map(Self::Lines),
            format @ (Format::Csv | Format::Parquet | Format::Arrow) => {
                let records = Records::open(path, format)?;
                for name in [&columns.id_column, &columns.column].into_iter().flatten() {
                    if !records.columns().contains(name) {
                        let found = start(&records.columns().join(", "));
                        let problem = Problem::Column { expected: format!("a column {name}"), found };
                        return Err(FileError::new(records.path(), problem));
                    }
                }
                Ok(Self::Table(records))
            }
            _ => {
                let accepted = ".jsonl, .csv, .parquet or .arrow";
                Err(FileError::new(path, Problem::Extension { accepted }))
            }
        }
    }

    /// The name of the file, for messages.
    pub(super) fn path(&self) -> &Path {
        match self {
            Self::Lines(lines) => lines.path(),
            Self::Table(records) => records.path(),
        }
    }

    /// Reads the next row.
    pub(super) fn next(&mut self, columns: &Columns, schema: &Schema) -> Result<Option<Parsed>, Failure> {
        let parsed = match self {
            Self::Lines(lines) => match lines.next()? {
                Some(line) => row::parse(line, columns, schema),
                None => return Ok(None),
            },
            Self::Table(records) => match records.next()? {
                Some(cells) => cells::parse(records.columns(), cells, columns, schema),
                None => return Ok(None),
            },
        };
        parsed.map(Some).map_err(|problem| self.blame(problem))
    }

    /// An error about the row that was read last.
    pub(super) fn blame(&self, problem: impl Into<Box<dyn Error + Send + Sync>>) -> Failure {
        match self {
            Self::Lines(lines) => Failure::line_of(lines, problem),
            Self::Table(records) => {
                Failure::refused(records.path(), format!("{}: {}", records.place(), problem.into()))
            }
        }
    }

    /// How many rows are left, if they can be read once more.
    pub(super) fn count_file(&mut self) -> Result<Option<usize>, FileError> {
        match self {
            Self::Lines(lines) if lines.is_file() => lines.count().map(Some),
            Self::Lines(_) => Ok(None),
            Self::Table(records) => records.count().map(Some),
        }
    }

    /// How many rows are left of a file that is not read again.
    pub(super) fn count(&mut self) -> Result<usize, FileError> {
        match self {
            Self::Lines(lines) => lines.count(),
            Self::Table(records) => records.count(),
        }
    }
}
