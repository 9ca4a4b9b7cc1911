//! `vex db put`.

use std::io::Write;
use std::path::PathBuf;
use std::time::Instant;

use indicatif::ProgressBar;
use serde::Serialize;
use vex_db::{Batch, Collection, Options, RowVectors};

use super::row::RowProblem;
use super::rows::{Columns, Rows};
use super::{Writing, check_names};
use crate::cmd::{print_json, values};
use crate::error::Failure;
use crate::io::{FileError, Format, Input, Problem, Role, VectorFile};
use crate::{human, progress};

/// Insert rows, or replace those with the same ids
///
/// Reads lines of JSON, a row each: see `vex db --help`. Or reads a table, .csv, .parquet or .arrow,
/// whose columns are id, vector and the fields: --id-column and --column name others. Rows are
/// committed in batches. If a row does not fit, the message has its line and how many rows before it
/// are committed. Once the line is right, all rows can be put again.
#[derive(Debug, clap::Args)]
#[command(after_long_help = "\
Examples:
  vex db put notes.vexdb rows.jsonl
  vex db put notes.vexdb rows.parquet --id-column title --column embedding
  vex db scroll old.vexdb --vectors | vex db put new.vexdb -

JSON: one object with rows (lines that were read), inserted, replaced, seconds and maintenance_error (why pending rows \
could not be sealed; null if they could).")]
pub(crate) struct Args {
    #[command(flatten)]
    pub(super) writing: Writing,
    /// File of rows, lines of JSON or a table; - for standard input
    #[arg(value_name = "ROWS")]
    rows: PathBuf,
    /// Format of standard input, and of a file whose extension tells none: jsonl, csv, parquet or
    /// arrow [default: jsonl]
    #[arg(long, value_name = "FORMAT")]
    format: Option<Format>,
    #[command(flatten)]
    columns: Columns,
    /// File of vectors, a row for each line, which then has no vector; for the formats, see `vex build
    /// --help`
    #[arg(long, value_name = "FILE")]
    vectors: Option<PathBuf>,
    /// Rows of a commit
    #[arg(long, value_name = "N", default_value_t = 1000, value_parser = values::batch())]
    batch: usize,
    /// Print a JSON object
    #[arg(long)]
    json: bool,
}

#[derive(Serialize)]
struct Report {
    rows: u64,
    inserted: u64,
    replaced: u64,
    seconds: f64,
    maintenance_error: Option<String>,
}

pub(crate) fn run(args: &Args, out: &mut dyn Write) -> Result<(), Failure> {
    let started = Instant::now();
    if Collection::exists(&args.rows).unwrap_or(false) {
        let problem = "expected a file of rows, found a collection, which comes before the rows";
        return Err(Failure::refused(&args.rows, problem));
    }
    let mut lines = Rows::open(&args.rows, args.format, &args.columns)?;
    let open = |path: &PathBuf| {
        let vectors = Input::new(path, Role::Vectors);
        // `--format` is that of the rows.
        let accepted = "one that vex build --help names";
        vectors.format().map_err(|error| FileError::new(&error.path, Problem::Extension { accepted }))?;
        VectorFile::<f32>::open(&vectors)
    };
    let vectors = args.vectors.as_ref().map(open).transpose()?;
    let notes = args.writing.open(Options::new())?;
    let path = &args.writing.collection;
    check_names(path, notes.schema())?;
    if let Some(vectors) = &vectors {
        let (expected, found) = (notes.schema().dim(), vectors.dim());
        if found != expected {
            let (path, like) = (vectors.path().to_owned(), path.clone());
            return Err(Failure::Dimension { path, expected, like, found });
        }
        // Standard input can be counted only when all of it was read.
        if let Some(found) = lines.count_file()? {
            check_rows(&lines, vectors, found)?;
        }
    }
    let bar = match &vectors {
        Some(vectors) => progress::bar("rows", vectors.rows()),
        None => progress::count("rows"),
    };
    let mut put = Put { notes: &notes, columns: &args.columns, lines, vectors, inserted: 0, committed: 0 };
    put.all(args.batch, &bar).map_err(|failure| match put.committed {
        0 => failure,
        committed => Failure::Partly { failure: Box::new(failure), committed },
    })?;
    bar.finish_and_clear();
    let report = Report {
        rows: put.committed,
        inserted: put.inserted,
        // An id that comes twice in one batch counts as in two.
        replaced: put.committed - put.inserted,
        seconds: started.elapsed().as_secs_f64(),
        maintenance_error: notes.stats()?.maintenance_error,
    };
    if args.json {
        return print_json(out, &report);
    }
    let (inserted, replaced) = (human::plural(report.inserted, "row"), human::count(report.replaced));
    let time = human::time(started.elapsed());
    writeln!(out, "{}: {inserted} inserted, {replaced} replaced in {time}", human::path(path))?;
    if let Some(error) = &report.maintenance_error {
        writeln!(out, "pending rows could not be sealed, which vex db maintain tries again: {error}")?;
    }
    Ok(())
}

/// Fails unless there is a line for each vector.
fn check_rows(lines: &Rows, vectors: &VectorFile, found: usize) -> Result<(), Failure> {
    let expected = vectors.rows();
    if found == expected {
        return Ok(());
    }
    let (path, like) = (lines.path().to_owned(), vectors.path().to_owned());
    Err(Failure::Rows { path, expected, like, found })
}

struct Put<'c> {
    notes: &'c Collection,
    columns: &'c Columns,
    lines: Rows,
    vectors: Option<VectorFile>,
    /// Rows whose ids were new.
    inserted: u64,
    committed: u64,
}

impl Put<'_> {
    fn all(&mut self, size: usize, bar: &ProgressBar) -> Result<(), Failure> {
        let schema = self.notes.schema().clone();
        let mut vector = vec![0.0; schema.dim()];
        let (mut batch, mut rows) = (self.notes.batch(), 0);
        while let Some(row) = self.lines.next(self.columns, &schema)? {
            let vector = match (&mut self.vectors, &row.vector) {
                (None, Some(vector)) => vector,
                (Some(vectors), None) => {
                    if self.committed as usize + rows == vectors.rows() {
                        let found = vectors.rows() + 1 + self.lines.count()?;
                        return check_rows(&self.lines, vectors, found);
                    }
                    vectors.read_row(&mut vector)?;
                    &vector
                }
                (None, None) => {
                    let problem = RowProblem::Line { expected: "a vector", found: "none".to_owned() };
                    return Err(self.lines.blame(problem));
                }
                (Some(vectors), Some(_)) => {
                    let found = format!("one besides that of {}", vectors.path().display());
                    let problem = RowProblem::Line { expected: "no vector", found };
                    return Err(self.lines.blame(problem));
                }
            };
            let vectors = RowVectors::new(vector).with_named(&row.named);
            batch.upsert(&row.id, vectors, row.fields).map_err(|error| self.lines.blame(error))?;
            rows += 1;
            if rows == size {
                self.commit(std::mem::replace(&mut batch, self.notes.batch()), rows, bar)?;
                rows = 0;
            }
        }
        if let Some(vectors) = &self.vectors {
            check_rows(&self.lines, vectors, self.committed as usize + rows)?;
        }
        self.commit(batch, rows, bar)
    }

    fn commit(&mut self, batch: Batch, rows: usize, bar: &ProgressBar) -> Result<(), Failure> {
        self.inserted += batch.commit()?.inserted as u64;
        self.committed += rows as u64;
        bar.set_position(self.committed);
        Ok(())
    }
}
