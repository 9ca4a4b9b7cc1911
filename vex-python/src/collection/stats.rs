//! What a collection takes, and what maintenance did.

use pyo3::prelude::*;

use crate::error::Result;

/// A sealed segment.
///
/// Attributes:
///     number: Its number. Later segments have greater ones.
///     name: The name of its file.
///     vector: The name of the vector that it has, which is empty for the first.
///     rows: Rows that are alive.
///     dead: Rows that were replaced or deleted since it was built.
///     bytes: Bytes of the file.
#[pyclass(frozen, get_all, module = "vex_index", name = "SegmentStats")]
pub(crate) struct SegmentStats {
    number: u64,
    name: String,
    vector: String,
    rows: usize,
    dead: usize,
    bytes: u64,
}

#[pymethods]
impl SegmentStats {
    fn __repr__(&self) -> String {
        let Self { number, name, vector, rows, dead, bytes } = self;
        format!(
            "SegmentStats(number={number}, name={name:?}, vector={vector:?}, rows={rows}, dead={dead}, bytes={bytes})"
        )
    }
}

/// What a collection is made of. ``print(stats)`` shows a table.
///
/// Attributes:
///     rows: How many rows there are.
///     pending: Rows that no segment has yet. A search compares their vectors one by one.
///     segments: A list of ``SegmentStats``.
///     store_bytes: Bytes of the store on disk.
///     bytes: Bytes of all files.
///     memory: Bytes of memory besides segments and cache.
///     commits: How many commits there were, those of maintenance as well.
///     maintenance_error: Why maintenance on its own failed last, or None.
#[pyclass(frozen, module = "vex_index", name = "Stats")]
pub(crate) struct Stats(pub(crate) vex_db::Stats);

#[pymethods]
impl Stats {
    #[getter]
    fn rows(&self) -> u64 {
        self.0.rows
    }

    #[getter]
    fn pending(&self) -> usize {
        self.0.pending
    }

    #[getter]
    fn segments(&self, py: Python<'_>) -> Result<Vec<Py<SegmentStats>>> {
        let of = |segment: &vex_db::SegmentStats| {
            let vex_db::SegmentStats { number, name, vector, rows, dead, bytes, .. } = segment.clone();
            Ok(Py::new(py, SegmentStats { number, name, vector, rows, dead, bytes })?)
        };
        self.0.segments.iter().map(of).collect()
    }

    #[getter]
    fn store_bytes(&self) -> u64 {
        self.0.store_bytes
    }

    #[getter]
    fn bytes(&self) -> u64 {
        self.0.bytes()
    }

    #[getter]
    fn memory(&self) -> usize {
        self.0.memory
    }

    #[getter]
    fn commits(&self) -> u64 {
        self.0.commits
    }

    #[getter]
    fn maintenance_error(&self) -> Option<&str> {
        self.0.maintenance_error.as_deref()
    }

    fn __str__(&self) -> String {
        self.0.to_string()
    }

    fn __repr__(&self) -> String {
        let (rows, pending, segments) = (self.0.rows, self.0.pending, self.0.segments.len());
        format!("<vex_index.Stats: {rows} rows, {pending} of them pending, {segments} segments>")
    }
}

/// What maintenance did: how many times pending rows were sealed, segments were merged, and segments
/// were rewritten. Steps that were skipped would take more memory than the limit. ``compacted`` says
/// whether the store gave space back.
#[pyclass(frozen, get_all, module = "vex_index", name = "Report")]
pub(crate) struct Report {
    sealed: usize,
    merged: usize,
    rewritten: usize,
    skipped: usize,
    compacted: bool,
}

impl From<vex_db::Report> for Report {
    fn from(report: vex_db::Report) -> Self {
        let vex_db::Report { sealed, merged, rewritten, skipped, compacted, .. } = report;
        Self { sealed, merged, rewritten, skipped, compacted }
    }
}

#[pymethods]
impl Report {
    fn __repr__(&self) -> String {
        let Self { sealed, merged, rewritten, skipped, .. } = self;
        let compacted = if self.compacted { "True" } else { "False" };
        format!(
            "Report(sealed={sealed}, merged={merged}, rewritten={rewritten}, skipped={skipped}, compacted={compacted})"
        )
    }
}
