//! Rows that no index takes: with NaN, infinite, or all zeros under cosine.

use std::path::Path;

use serde::Serialize;
use vex::graph::{InsertError, Vectors};
use vex::{Element, Metric, Scalar};

use crate::error::Failure;
use crate::io::{FromFile, VectorFile};
use crate::{human, progress};

/// What to do with such a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum OnInvalid {
    Refuse,
    Skip,
}

/// So many rows are named in the text.
const NAMED: usize = 5;

/// The rows that were skipped.
#[derive(Debug, Default)]
pub(crate) struct Skipped {
    /// In ascending order, counted from 0.
    rows: Vec<usize>,
    /// Why, of the first of them.
    reasons: Vec<String>,
}

/// The rows that were skipped, for a report.
#[derive(Serialize)]
#[serde(transparent)]
pub(crate) struct Rows<'s>(&'s [usize]);

impl Skipped {
    /// Notes a row.
    pub(crate) fn push(&mut self, row: usize, reason: &dyn std::fmt::Display) {
        self.rows.push(row);
        if self.reasons.len() < NAMED {
            self.reasons.push(reason.to_string());
        }
    }

    /// Fails if all of `count` rows were skipped.
    pub(crate) fn check(&self, path: &Path, count: usize) -> Result<(), Failure> {
        if self.rows.len() < count {
            return Ok(());
        }
        let reason = self.reasons.first().cloned().unwrap_or_default();
        Err(Failure::NoValidRow { path: path.to_owned(), rows: count, reason })
    }

    pub(crate) fn len(&self) -> usize {
        self.rows.len()
    }

    /// Whether a row was skipped.
    pub(crate) fn contains(&self, row: usize) -> bool {
        self.rows.binary_search(&row).is_ok()
    }

    /// For JSON.
    pub(crate) fn rows(&self) -> Rows<'_> {
        Rows(&self.rows)
    }

    /// One line, or nothing if no row was skipped.
    pub(crate) fn print(&self, path: &Path, out: &mut dyn std::io::Write) -> std::io::Result<()> {
        if self.rows.is_empty() {
            return Ok(());
        }
        let named = self.rows.iter().zip(&self.reasons).map(|(row, reason)| format!("row {row}: {reason}"));
        let more = if self.rows.len() > self.reasons.len() { "; …" } else { "" };
        let (path, rows) = (human::path(path), human::plural(self.rows.len() as u64, "row"));
        let named: Vec<String> = named.collect();
        writeln!(out, "{path}: {rows} skipped: {}{more}", named.join("; "))
    }
}

/// Reads all rows, finds those that cannot be indexed, and goes back to the first.
pub(crate) fn find<T: FromFile + Scalar>(
    file: &mut VectorFile<T>,
    element: Element,
    metric: Metric,
) -> Result<Skipped, Failure> {
    let path = file.path().to_owned();
    let dim = file.dim();
    let empty = || Vectors::new(element, metric, dim).map_err(|error| Failure::refused(&path, error));
    let mut vectors = empty()?;
    let mut skipped = Skipped::default();
    let mut row = Vec::new();
    row.try_reserve_exact(file.scalars()).map_err(|error| Failure::refused(&path, error))?;
    row.resize(file.scalars(), T::default());
    let bar = progress::bar("checking", file.rows());
    for index in 0..file.rows() {
        file.read_row(&mut row)?;
        match vectors.push(&row) {
            Ok(_) => {}
            Err(InsertError::Vector(error)) => skipped.push(index, &error),
            Err(error) => return Err(Failure::refused(&path, error)),
        }
        // The rows are checked alone. Few of them are held at a time.
        if vectors.count() == 1_000 {
            vectors = empty()?;
        }
        bar.inc(1);
    }
    bar.finish_and_clear();
    file.rewind()?;
    skipped.check(&path, file.rows())?;
    Ok(skipped)
}
