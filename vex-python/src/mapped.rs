//! `vex_index.MappedIndex`.

use std::path::PathBuf;

use numpy::PyArray1;
use pyo3::prelude::*;
use pyo3::types::{PyTuple, PyType};
use vex::{Loaded, Params, Searcher};

use crate::ask::{Found, How};
use crate::error::{Failure, Result};
use crate::held::{Held, Lend};
use crate::reading::{self, Keys};
use crate::{mmap, options};

/// A saved index that is searched in place. It is not changed.
///
/// Many processes can open one file, and share its memory. Do not let a program write to the file or
/// cut it short while it is open: that ends the process. ``Index.save`` is fine, since it replaces
/// the file, and this index keeps the old one.
///
/// It is a mapping from keys to vectors as ``Index`` is. But a file has no table of keys, so
/// ``index[key]`` and ``key in index`` read all keys. It can be pickled: the pickle is its path.
#[pyclass(frozen, module = "vex_index", name = "MappedIndex")]
pub(crate) struct MappedIndex {
    held: Held<Opened>,
    path: PathBuf,
    mode: &'static str,
}

enum Opened {
    Mapped(vex::MappedIndex),
    Read(vex::MappedIndex<Loaded>),
}

impl Lend for Opened {
    fn searcher(&self) -> Searcher<'_> {
        match self {
            Self::Mapped(index) => index.searcher(),
            Self::Read(index) => index.searcher(),
        }
    }

    fn params(&self) -> &Params {
        match self {
            Self::Mapped(index) => index.params(),
            Self::Read(index) => index.params(),
        }
    }

    fn has_table(&self) -> bool {
        false
    }
}

#[pymethods]
impl MappedIndex {
    /// Opens a file. Its header is checked, in constant time. ``verify`` checks the rest.
    ///
    /// Args:
    ///     mode: "map" leaves all in the file, and the first searches read from the disk. "near"
    ///         reads everything except the vectors into memory. "read" reads all of it: then the
    ///         file may change.
    #[classmethod]
    #[pyo3(signature = (path, mode="map"))]
    fn open(_class: &Bound<'_, PyType>, py: Python<'_>, path: PathBuf, mode: &str) -> Result<Self> {
        let (index, mode) = py.detach(|| {
            Ok::<_, Failure>(match mode {
                "map" => (Opened::Mapped(mmap::open(&path)?), "map"),
                "near" => (Opened::Mapped(mmap::open_near(&path)?), "near"),
                "read" => (Opened::Read(vex::MappedIndex::read(&path)?), "read"),
                mode => {
                    return Err(Failure::value(format!("mode: expected map, near or read, found {mode}")));
                }
            })
        })?;
        Ok(Self { held: Held::new(index), path: std::path::absolute(path)?, mode })
    }

    /// Checks every byte of the file: checksums, links and vectors. Damage raises VexError.
    #[pyo3(signature = (*, threads=None))]
    fn verify(&self, py: Python<'_>, threads: Option<usize>) -> Result<()> {
        self.held.read(py, |index, _| match index {
            Opened::Mapped(index) => Ok(index.verify_on(threads)?),
            Opened::Read(index) => Ok(index.verify_on(threads)?),
        })
    }

    /// Finds the nearest vectors: see ``Index.search``, which takes the same.
    #[pyo3(signature = (queries, k=10, *, ef_search=None, filter=None, exact=false, threads=None, slack=None, rerank=None, max_distances=None))]
    fn search<'py>(
        &self,
        py: Python<'py>,
        queries: &Bound<'py, PyAny>,
        k: usize,
        ef_search: Option<usize>,
        filter: Option<&Bound<'py, PyAny>>,
        exact: bool,
        threads: Option<usize>,
        slack: Option<f32>,
        rerank: Option<f32>,
        max_distances: Option<usize>,
    ) -> Result<Found<'py>> {
        let params = options::search(k, ef_search, slack, rerank, max_distances);
        let how = if exact { How::Exact } else { How::Nearest };
        reading::search(py, &self.held, queries, params, how, filter, threads)
    }

    /// Finds the vectors within a distance: see ``Index.search_radius``.
    #[pyo3(signature = (queries, radius, k=1000, *, ef_search=None, threads=None))]
    fn search_radius<'py>(
        &self,
        py: Python<'py>,
        queries: &Bound<'py, PyAny>,
        radius: f32,
        k: usize,
        ef_search: Option<usize>,
        threads: Option<usize>,
    ) -> Result<Found<'py>> {
        let radius = options::radius(radius)?;
        let params = options::search(k, ef_search, None, None, None);
        reading::search(py, &self.held, queries, params, How::Within(radius), None, threads)
    }

    /// The vectors under some keys, as an array of shape (n, dim). Under cosine they have unit length. A
    /// missing key raises KeyError.
    fn get<'py>(&self, py: Python<'py>, keys: &Bound<'py, PyAny>) -> Result<Bound<'py, PyAny>> {
        reading::get(py, &self.held, keys)
    }

    /// All keys, as an array of uint64.
    fn keys<'py>(&self, py: Python<'py>) -> Result<Bound<'py, PyArray1<u64>>> {
        reading::keys(py, &self.held)
    }

    /// Closes the file. Every other call raises ValueError from then on.
    fn close(&self, py: Python<'_>) -> Result<()> {
        self.held.close(py)
    }

    /// Elements of a vector, or bits.
    #[getter]
    fn dim(&self, py: Python<'_>) -> Result<usize> {
        self.held.peek(py, |index| index.searcher().dim())
    }

    /// The name of the metric.
    #[getter]
    fn metric(&self, py: Python<'_>) -> Result<&'static str> {
        self.held.peek(py, |index| index.searcher().metric().name())
    }

    /// The name of the type of the elements.
    #[getter]
    fn dtype(&self, py: Python<'_>) -> Result<&'static str> {
        self.held.peek(py, |index| index.searcher().element().name())
    }

    /// The name of the codes, or None.
    #[getter]
    fn quantization(&self, py: Python<'_>) -> Result<Option<&'static str>> {
        self.held.peek(py, |index| index.params().quantization.map(vex::Quantization::name))
    }

    /// Links of a vector.
    #[getter]
    fn m(&self, py: Python<'_>) -> Result<usize> {
        self.held.peek(py, |index| index.params().m)
    }

    /// Candidates among which links were selected.
    #[getter]
    fn ef_construction(&self, py: Python<'_>) -> Result<usize> {
        self.held.peek(py, |index| index.params().ef_construction)
    }

    /// Bytes of the file.
    #[getter]
    fn nbytes(&self, py: Python<'_>) -> Result<usize> {
        self.held.peek(py, |index| match index {
            Opened::Mapped(index) => index.as_bytes().len(),
            Opened::Read(index) => index.as_bytes().len(),
        })
    }

    /// The file.
    #[getter]
    fn path(&self) -> PathBuf {
        self.path.clone()
    }

    fn __len__(&self, py: Python<'_>) -> Result<usize> {
        self.held.peek(py, |index| index.searcher().len())
    }

    fn __contains__(&self, py: Python<'_>, key: &Bound<'_, PyAny>) -> Result<bool> {
        let Ok(key) = key.extract::<u64>() else { return Ok(false) };
        self.held.read(py, |index, _| Ok(index.searcher().contains(key)))
    }

    fn __getitem__<'py>(&self, py: Python<'py>, key: &Bound<'py, PyAny>) -> Result<Bound<'py, PyAny>> {
        reading::item(py, &self.held, key)
    }

    fn __iter__(&self, py: Python<'_>) -> Result<Keys> {
        Keys::of(py, &self.held)
    }

    fn __enter__(slf: Bound<'_, Self>) -> Bound<'_, Self> {
        slf
    }

    #[pyo3(signature = (*_exception))]
    fn __exit__(&self, py: Python<'_>, _exception: &Bound<'_, PyTuple>) -> Result<()> {
        self.held.close(py)
    }

    fn __reduce__<'py>(slf: &Bound<'py, Self>) -> Result<(Bound<'py, PyAny>, (PathBuf, &'static str))> {
        let opened = slf.get();
        Ok((slf.get_type().getattr("open")?, (opened.path.clone(), opened.mode)))
    }

    fn __repr__(&self, py: Python<'_>) -> Result<String> {
        reading::describe(py, "MappedIndex", &self.held)
    }
}
