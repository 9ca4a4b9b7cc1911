//! `vex_index.Index`.

use std::path::PathBuf;

use numpy::PyArray1;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyTuple, PyType};
use vex::SaveOptions;

use crate::arrays::{self, Vectors};
use crate::ask::{Found, How};
use crate::building;
use crate::error::{Failure, Result};
use crate::held::Held;
use crate::options::{self, Recipe};
use crate::owned::Owned;
use crate::progress::Watch;
use crate::reading::{self, Keys};

/// An index in memory: it grows, is searched, and is saved.
///
/// ``Index(dim)`` begins an empty one. ``Index.build(vectors)`` indexes many vectors at once, on all
/// cores. ``Index.load(path)`` reads one that was saved.
///
/// Vectors are rows of an array of float32, float16, int8, uint8 or bool. A contiguous array of the
/// type of the index is read where it is. Every other layout, and float64, is copied. Lists are
/// converted. Do not write to an array while a call reads it: other threads may run meanwhile.
///
/// Each vector has a key, an integer from 0 to 2**64 - 1. An index is a mapping from keys to vectors:
/// ``len(index)``, ``key in index``, ``index[key]``, ``del index[key]``, and iteration over the keys.
/// ``with index:`` frees the memory in the end. An index that was saved or loaded can be pickled: the
/// pickle is its path.
///
/// Args:
///     dim: Elements of a vector, or bits.
///     metric: "cosine", "squared-euclidean" ("l2"), "inner-product" ("ip"), and for bits "hamming"
///         and "jaccard". Results are distances: 1 minus the cosine, the square of the Euclidean
///         distance, the negated product.
///     dtype: "f32", "f16", "i8", "u8" or "bits", or a type of numpy.
///     m: Links of a vector, 4 to 512. More find more, and take more memory and time.
///     ef_construction: Candidates among which links are selected.
///     quantization: Codes that are compared before the vectors: "auto", "auto-coded", "sq8", "sq4",
///         "sq2x2" or None. "auto" takes what is fastest and accurate enough on these vectors.
///     seed: The same vectors, parameters and seed give the same index, on any number of threads.
///     keep_pruned: Fills rows of links up.
///     memory_limit: The most bytes of the graph.
#[pyclass(frozen, module = "vex_index", name = "Index")]
pub(crate) struct Index {
    held: Held<Owned>,
}

impl Index {
    fn of(owned: Owned) -> Self {
        Self { held: Held::new(owned) }
    }

    /// The vectors of an argument, and its keys.
    fn read<'py>(&self, py: Python<'py>, vectors: &Bound<'py, PyAny>) -> Result<Vectors<'py>> {
        let (element, dim) = self.held.peek(py, |owned| (owned.index.element(), owned.index.dim()))?;
        Vectors::read("vectors", vectors, element, dim)
    }
}

#[pymethods]
impl Index {
    #[new]
    #[pyo3(
        signature = (dim, **options),
        text_signature = "(dim, *, metric=\"cosine\", dtype=None, m=16, ef_construction=200, quantization=\"auto\", seed=0, keep_pruned=False, memory_limit=None)"
    )]
    fn new(dim: usize, options: Option<&Bound<'_, PyDict>>) -> Result<Self> {
        let recipe = Recipe::read(options, false)?;
        Ok(Self::of(Owned::empty(recipe.builder(dim, recipe.element(vex::Element::F32)))?))
    }

    /// Builds an index of many vectors at once.
    ///
    /// Ctrl-C ends a build, as any exception in ``progress`` does.
    ///
    /// Args:
    ///     vectors: Array of shape (n, dim), or of bits that ``numpy.packbits`` packed: (n, dim / 8), with
    ///         dtype="bits".
    ///     keys: n integers. By default the numbers of the rows.
    ///     dtype: By default the type of the array, and f32 for float64.
    ///     threads: By default one for each core.
    ///     progress: Called with the numbers of vectors that are linked, and of all, some ten times a
    ///         second and in the end.
    ///
    /// The others are those of ``Index``.
    #[classmethod]
    #[pyo3(
        signature = (vectors, keys=None, **options),
        text_signature = "($cls, vectors, keys=None, *, metric=\"cosine\", dtype=None, m=16, ef_construction=200, quantization=\"auto\", seed=0, keep_pruned=False, memory_limit=None, threads=None, progress=None)"
    )]
    fn build(
        _class: &Bound<'_, PyType>,
        py: Python<'_>,
        vectors: &Bound<'_, PyAny>,
        keys: Option<&Bound<'_, PyAny>>,
        options: Option<&Bound<'_, PyDict>>,
    ) -> Result<Self> {
        let recipe = Recipe::read(options, true)?;
        let (found, columns) = arrays::element_of(vectors)?;
        let element = recipe.element(found);
        let is_packed = (element, found) == (vex::Element::Bits, vex::Element::U8);
        let dim = if is_packed { columns.saturating_mul(8) } else { columns };
        let builder = recipe.builder(dim, element);
        let vectors = Vectors::read("vectors", vectors, element, dim)?;
        let rows = vectors.rows()?;
        let keys = keys.map_or_else(
            || Ok((0..rows.count as u64).collect()),
            |keys| arrays::keys_for(keys, rows.count),
        )?;
        let watch = Watch::new(recipe.progress);
        let index = py.detach(|| building::build(builder, rows, &keys, watch))?;
        Ok(Self::of(Owned::built(index)))
    }

    /// Reads an index from a file, all of it, and verifies every checksum.
    #[classmethod]
    fn load(_class: &Bound<'_, PyType>, py: Python<'_>, path: PathBuf) -> Result<Self> {
        let index = py.detach(|| vex::Index::open(&path))?;
        // The path is kept for a pickle, which another folder may be the current one for.
        let path = std::path::absolute(path)?;
        Ok(Self::of(Owned::opened(index, path)))
    }

    /// Saves the index to a file, in one step: a reader finds the old file or the new one, whole.
    ///
    /// A file that another program has changed since it was loaded is not replaced, unless
    /// ``overwrite`` is true.
    ///
    /// Args:
    ///     store: "all" vectors, as "f16" in half the bytes, or "none": then searches use codes alone.
    #[pyo3(signature = (path, *, store="all", overwrite=false))]
    fn save(&self, py: Python<'_>, path: PathBuf, store: &str, overwrite: bool) -> Result<()> {
        let store = options::store(store)?;
        let options = SaveOptions::default().store(store).overwrite(overwrite);
        self.held.change(py, |owned| {
            owned.index.save_with(&path, options)?;
            // A file with less is not what a pickle would stand for.
            owned.path = (store == vex::Store::All).then(|| std::path::absolute(&path)).transpose()?;
            Ok(())
        })
    }

    /// Adds vectors. Returns their keys, an array of uint64.
    ///
    /// If a vector cannot be indexed or a key is taken, nothing is added. The first 1,000 vectors or
    /// more of an empty index are built at once, on all ``threads``, as ``build`` does. All others are
    /// inserted one by one on one thread. Ctrl-C leaves those that are in.
    ///
    /// Args:
    ///     vectors: Array of shape (n, dim), or one vector of shape (dim,).
    ///     keys: n integers, or one. By default those after the greatest key.
    #[pyo3(signature = (vectors, keys=None, *, threads=None))]
    fn add<'py>(
        &self,
        py: Python<'py>,
        vectors: &Bound<'py, PyAny>,
        keys: Option<&Bound<'py, PyAny>>,
        threads: Option<usize>,
    ) -> Result<Bound<'py, PyArray1<u64>>> {
        let vectors = self.read(py, vectors)?;
        let rows = vectors.rows()?;
        let keys = keys.map(|keys| arrays::keys_for(keys, rows.count)).transpose()?;
        let keys = self.held.change(py, |owned| owned.add(rows, keys, threads))?;
        Ok(PyArray1::from_vec(py, keys))
    }

    /// Adds vectors, and replaces those under keys that are taken. Returns how many were replaced.
    ///
    /// Args:
    ///     vectors: Array of shape (n, dim), or one vector of shape (dim,).
    ///     keys: n integers, or one. If a key comes twice, the later vector counts.
    fn upsert(&self, py: Python<'_>, vectors: &Bound<'_, PyAny>, keys: &Bound<'_, PyAny>) -> Result<usize> {
        let vectors = self.read(py, vectors)?;
        let rows = vectors.rows()?;
        let keys = arrays::keys_for(keys, rows.count)?;
        self.held.change(py, |owned| owned.upsert(rows, &keys))
    }

    /// Removes the vectors under these keys. Returns how many there were.
    fn remove(&self, py: Python<'_>, keys: &Bound<'_, PyAny>) -> Result<usize> {
        let keys = arrays::keys("keys", keys)?;
        self.held.change(py, |owned| owned.remove(keys))
    }

    /// Finds the nearest vectors. Returns keys and distances, two arrays, nearest first.
    ///
    /// One query gives up to ``k`` results: fewer if fewer match. Many queries give rows of
    /// ``min(k, len(index))`` results. A row with fewer matches is filled up with the key ``NO_KEY``
    /// and the distance infinity: ``numpy.isfinite(distances).sum(axis=1)`` counts.
    ///
    /// Args:
    ///     queries: One vector of shape (dim,), or an array of shape (n, dim).
    ///     k: Results of a query.
    ///     ef_search: Candidates that are kept, 64 by default, and k at least. More find more, and
    ///         take more time.
    ///     filter: Keys that may be returned, as an array, a list or a ``KeySet``. For many queries
    ///         also a list of these, or of None, with one for each query.
    ///     exact: Compares every vector, or every one that the filter accepts.
    ///     threads: For many queries, by default one for each core.
    ///     slack: Ends a search early, once candidates are farther than 1 + slack times the k-th.
    ///     rerank: How many times k candidates are compared by their vectors at most. 0 returns
    ///         estimates from the codes.
    ///     max_distances: The most distances of a search.
    ///
    /// Returns:
    ///     Keys, uint64, and distances, float32: both of shape (results,), or (n, min(k, len)).
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

    /// Finds the vectors within a distance: most of them, and more with a larger ``ef_search``. Returns
    /// keys and distances as ``search`` does.
    ///
    /// Args:
    ///     queries: One vector of shape (dim,), or an array of shape (n, dim).
    ///     radius: A distance of the metric, so a square for "squared-euclidean".
    ///     k: The most results of a query.
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

    /// Builds the index again without the vectors that were removed.
    #[pyo3(signature = (*, threads=None))]
    fn compact(&self, py: Python<'_>, threads: Option<usize>) -> Result<()> {
        self.held.change(py, |owned| {
            owned.path = None;
            Ok(owned.index.compact_on(threads)?)
        })
    }

    /// Gives the vectors other codes: "sq8", "sq4", "sq2x2", or None for none.
    #[pyo3(signature = (quantization, *, threads=None))]
    fn requantize(&self, py: Python<'_>, quantization: Option<&str>, threads: Option<usize>) -> Result<()> {
        let codes = quantization.map(str::parse::<vex::Quantization>).transpose()?;
        self.held.change(py, |owned| {
            owned.path = None;
            Ok(owned.index.requantize_on(codes, threads)?)
        })
    }

    /// Measures how well the codes distinguish the vectors, on a sample: a dict of ``sampled``,
    /// ``in_doubt`` and ``agreement``.
    #[pyo3(signature = (samples=200))]
    fn check_codes<'py>(&self, py: Python<'py>, samples: usize) -> Result<Bound<'py, PyDict>> {
        reading::check_codes(py, &self.held, samples)
    }

    /// Frees the memory. Every other call raises ValueError from then on.
    fn close(&self, py: Python<'_>) -> Result<()> {
        self.held.close(py)
    }

    /// Elements of a vector, or bits.
    #[getter]
    fn dim(&self, py: Python<'_>) -> Result<usize> {
        self.held.peek(py, |owned| owned.index.dim())
    }

    /// The name of the metric.
    #[getter]
    fn metric(&self, py: Python<'_>) -> Result<&'static str> {
        self.held.peek(py, |owned| owned.index.metric().name())
    }

    /// The name of the type of the elements.
    #[getter]
    fn dtype(&self, py: Python<'_>) -> Result<&'static str> {
        self.held.peek(py, |owned| owned.index.element().name())
    }

    /// The name of the codes, or None.
    #[getter]
    fn quantization(&self, py: Python<'_>) -> Result<Option<&'static str>> {
        self.held.peek(py, |owned| owned.index.params().quantization.map(vex::Quantization::name))
    }

    /// Links of a vector.
    #[getter]
    fn m(&self, py: Python<'_>) -> Result<usize> {
        self.held.peek(py, |owned| owned.index.params().m)
    }

    /// Candidates among which links are selected.
    #[getter]
    fn ef_construction(&self, py: Python<'_>) -> Result<usize> {
        self.held.peek(py, |owned| owned.index.params().ef_construction)
    }

    /// Bytes of memory.
    #[getter]
    fn nbytes(&self, py: Python<'_>) -> Result<usize> {
        self.held.peek(py, |owned| owned.index.memory_usage())
    }

    /// The file that has the content of the index, or None.
    #[getter]
    fn path(&self, py: Python<'_>) -> Result<Option<PathBuf>> {
        self.held.peek(py, |owned| owned.path.clone())
    }

    fn __len__(&self, py: Python<'_>) -> Result<usize> {
        self.held.peek(py, |owned| owned.index.len())
    }

    fn __contains__(&self, py: Python<'_>, key: &Bound<'_, PyAny>) -> Result<bool> {
        let Ok(key) = key.extract::<u64>() else { return Ok(false) };
        self.held.peek(py, |owned| owned.index.contains(key))
    }

    fn __getitem__<'py>(&self, py: Python<'py>, key: &Bound<'py, PyAny>) -> Result<Bound<'py, PyAny>> {
        reading::item(py, &self.held, key)
    }

    fn __setitem__(&self, py: Python<'_>, key: &Bound<'_, PyAny>, vector: &Bound<'_, PyAny>) -> Result<()> {
        self.upsert(py, vector, key).map(drop)
    }

    fn __delitem__(&self, py: Python<'_>, key: &Bound<'_, PyAny>) -> Result<()> {
        let key = arrays::key("key", key)?;
        match self.held.change(py, |owned| owned.remove(vec![key]))? {
            0 => Err(Failure::missing(format!("no key {key} in the index"))),
            _ => Ok(()),
        }
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

    fn __reduce__<'py>(slf: &Bound<'py, Self>) -> Result<(Bound<'py, PyAny>, (PathBuf,))> {
        let path = slf.get().path(slf.py())?.ok_or_else(|| {
            Failure::value("pickle: expected an index that is saved, found one with changes: save it first")
        })?;
        Ok((slf.get_type().getattr("load")?, (path,)))
    }

    fn __repr__(&self, py: Python<'_>) -> Result<String> {
        reading::describe(py, "Index", &self.held)
    }
}
