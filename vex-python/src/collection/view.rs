//! `vex_index.View`: all that reads a collection.

use std::path::PathBuf;
use std::sync::{PoisonError, RwLock};

use pyo3::prelude::*;
use pyo3::types::{PyList, PyTuple, PyType};
use vex::Element;

use crate::arrays::Vectors;
use crate::collection::results::{Group, Hit, Record};
use crate::collection::schema::Schema;
use crate::collection::scroll::Scroll;
use crate::collection::spec::{Fetch, Spec};
use crate::collection::stats::Stats;
use crate::collection::values;
use crate::error::{Failure, Result};
use crate::parallel;

/// What can be read of a collection. ``Collection``, ``Reader`` and ``Snapshot`` are views.
///
/// Each call on a collection or a reader sees its newest moment. A snapshot stays as it is.
///
/// A view is a mapping from ids to rows: ``len(view)``, ``id in view``, ``view[id]``, and iteration
/// over the ids, ascending. ``with view:`` closes it in the end.
#[pyclass(frozen, subclass, module = "vex_index", name = "View")]
pub(crate) struct View {
    source: RwLock<Option<Source>>,
}

/// What a view reads. A clone is another handle.
#[derive(Clone)]
pub(crate) enum Source {
    Collection(vex_db::Collection),
    Reader(vex_db::Reader),
    Snapshot(vex_db::Snapshot),
}

impl Source {
    fn snapshot(&self) -> Result<vex_db::Snapshot> {
        Ok(match self {
            Self::Collection(collection) => collection.snapshot()?,
            Self::Reader(reader) => reader.snapshot()?,
            Self::Snapshot(snapshot) => snapshot.clone(),
        })
    }

    fn schema(&self) -> &vex_db::Schema {
        match self {
            Self::Collection(collection) => collection.schema(),
            Self::Reader(reader) => reader.schema(),
            Self::Snapshot(snapshot) => snapshot.schema(),
        }
    }
}

impl View {
    pub(crate) fn of(source: Source) -> Self {
        Self { source: RwLock::new(Some(source)) }
    }

    pub(crate) fn source(&self) -> Result<Source> {
        let source = self.source.read().unwrap_or_else(PoisonError::into_inner);
        source.clone().ok_or_else(|| Failure::value("the collection is closed"))
    }

    /// Reads the newest moment while Python's lock is released.
    fn read<R: Send>(
        &self,
        py: Python<'_>,
        work: impl FnOnce(vex_db::Snapshot) -> Result<R> + Send,
    ) -> Result<R> {
        let source = self.source()?;
        py.detach(|| work(source.snapshot()?))
    }

    /// Queries that fit a vector: the first, or one with a name.
    pub(crate) fn vectors<'py>(
        &self,
        what: &str,
        object: &Bound<'py, PyAny>,
        by: Option<&str>,
    ) -> Result<Vectors<'py>> {
        let dim = dim_of(self.source()?.schema(), by)?;
        Vectors::read(what, object, Element::F32, dim)
    }
}

/// The dimension of a vector: of the first, or of one with a name.
pub(crate) fn dim_of(schema: &vex_db::Schema, by: Option<&str>) -> Result<usize> {
    let Some(name) = by else { return Ok(schema.dim()) };
    match schema.vectors().find(|(vector, ..)| *vector == name) {
        Some((_, dim, _)) => Ok(dim),
        None => Err(vex_db::Error::UnknownVector {
            vector: name.to_owned(),
            known: schema.vectors().map(|(vector, ..)| vector.to_owned()).collect(),
        }
        .into()),
    }
}

/// One query, for a search that takes no more.
pub(crate) fn one<'v>(what: &str, vectors: &'v Vectors<'_>) -> Result<&'v [f32]> {
    let rows = vectors.rows()?;
    if !vectors.is_single() {
        return Err(Failure::value(format!("{what}: expected one vector, found an array of two dimensions")));
    }
    Ok(rows.all.as_f32().expect("a collection has vectors of f32"))
}

#[pymethods]
impl View {
    /// Finds the rows that are nearest to a vector, nearest first: ``k`` rows, or all that match.
    ///
    /// Args:
    ///     query: A vector of shape (dim,).
    ///     k: Rows that are returned at most.
    ///     where: A filter as text, with a ``?`` for each value: ``"lang = ? and year >= ?"``.
    ///         Operators: ``year != ?``, ``< <= > >=``, ``year between ? and ?``, ``lang in (?, ?)``,
    ///         ``lang prefix ?``, ``year is null``, ``year exists``, ``not``, ``and``, ``or``. A comparison
    ///         with a missing value is false, so ``not year = ?`` has rows without a year, too.
    ///     params: A list of the values. Text from elsewhere belongs here, never into ``where``.
    ///     fetch: Fields that are returned: a name, a list of names, or True for all.
    ///     ef_search: Candidates of a search in a segment. More find more, and take more time.
    ///     slack: Ends the search of a segment early: see ``Index.search``.
    ///     diverse: Prefers rows that differ from each other. 1 is a plain search, 0 looks at
    ///         differences alone.
    ///     by: The name of a vector, which is compared instead of the one that every row has.
    ///
    /// Returns:
    ///     A list of ``Hit``.
    #[pyo3(signature = (query, k=10, *, r#where=None, params=None, fetch=None, ef_search=None, slack=None, diverse=None, by=None))]
    fn search<'py>(
        &self,
        py: Python<'py>,
        query: &Bound<'py, PyAny>,
        k: usize,
        r#where: Option<&str>,
        params: Option<&Bound<'py, PyAny>>,
        fetch: Option<&Bound<'py, PyAny>>,
        ef_search: Option<usize>,
        slack: Option<f32>,
        diverse: Option<f32>,
        by: Option<String>,
    ) -> Result<Bound<'py, PyList>> {
        let spec = Spec::read(k, r#where, params, fetch, ef_search, slack, diverse, by)?;
        let queries = self.vectors("query", query, spec.by.as_deref())?;
        let query = one("query", &queries)?;
        let hits = self.read(py, |view| Ok(spec.search(&view, query)?.run()?))?;
        Hit::list(py, &hits)
    }

    /// Searches for many queries, on several threads, at one moment of the collection.
    ///
    /// Args:
    ///     queries: An array of shape (n, dim).
    ///     threads: By default one for each core.
    ///
    /// The others are those of ``search``. Returns n lists of ``Hit``.
    #[pyo3(signature = (queries, k=10, *, r#where=None, params=None, fetch=None, ef_search=None, slack=None, diverse=None, by=None, threads=None))]
    fn search_many<'py>(
        &self,
        py: Python<'py>,
        queries: &Bound<'py, PyAny>,
        k: usize,
        r#where: Option<&str>,
        params: Option<&Bound<'py, PyAny>>,
        fetch: Option<&Bound<'py, PyAny>>,
        ef_search: Option<usize>,
        slack: Option<f32>,
        diverse: Option<f32>,
        by: Option<String>,
        threads: Option<usize>,
    ) -> Result<Bound<'py, PyList>> {
        let spec = Spec::read(k, r#where, params, fetch, ef_search, slack, diverse, by)?;
        let threads = parallel::threads(threads)?;
        let queries = self.vectors("queries", queries, spec.by.as_deref())?;
        let rows = queries.rows()?;
        let found = self.read(py, |view| {
            let mut found: Vec<Option<vex_db::Hits>> = vec![None; rows.count];
            parallel::run(found.iter_mut().enumerate(), threads, |(row, hits)| {
                let query = rows.get(row).as_f32().expect("a collection has vectors of f32");
                let searched = spec.search(&view, query)?.run();
                *hits = Some(searched.map_err(|error| match error {
                    vex_db::Error::Query(error) => {
                        Failure::from(vex::ManyError::Query { position: row, error })
                    }
                    error => error.into(),
                })?);
                Ok(())
            })?;
            Ok(found)
        })?;
        let lists = found.iter().flatten().map(|hits| Hit::list(py, hits)).collect::<Result<Vec<_>>>()?;
        Ok(PyList::new(py, lists)?)
    }

    /// Finds the rows that are nearest to a row, which is not among them: see ``search``.
    #[pyo3(signature = (id, k=10, *, r#where=None, params=None, fetch=None, ef_search=None, slack=None, diverse=None, by=None))]
    fn near<'py>(
        &self,
        py: Python<'py>,
        id: &str,
        k: usize,
        r#where: Option<&str>,
        params: Option<&Bound<'py, PyAny>>,
        fetch: Option<&Bound<'py, PyAny>>,
        ef_search: Option<usize>,
        slack: Option<f32>,
        diverse: Option<f32>,
        by: Option<String>,
    ) -> Result<Bound<'py, PyList>> {
        let spec = Spec::read(k, r#where, params, fetch, ef_search, slack, diverse, by)?;
        let hits = self.read(py, |view| Ok(spec.recommend(&view, &[id], &[])?.run()?))?;
        Hit::list(py, &hits)
    }

    /// Finds rows that are like some rows and unlike others, none of which is among them.
    ///
    /// Args:
    ///     like: Ids of rows, one at least.
    ///     unlike: Ids of rows.
    ///
    /// The others are those of ``search``.
    #[pyo3(signature = (like, unlike=Vec::new(), k=10, *, r#where=None, params=None, fetch=None, ef_search=None, slack=None, diverse=None, by=None))]
    fn recommend<'py>(
        &self,
        py: Python<'py>,
        like: Vec<String>,
        unlike: Vec<String>,
        k: usize,
        r#where: Option<&str>,
        params: Option<&Bound<'py, PyAny>>,
        fetch: Option<&Bound<'py, PyAny>>,
        ef_search: Option<usize>,
        slack: Option<f32>,
        diverse: Option<f32>,
        by: Option<String>,
    ) -> Result<Bound<'py, PyList>> {
        let spec = Spec::read(k, r#where, params, fetch, ef_search, slack, diverse, by)?;
        let hits = self.read(py, |view| {
            let [like, unlike] =
                [&like, &unlike].map(|ids| ids.iter().map(String::as_str).collect::<Vec<_>>());
            Ok(spec.recommend(&view, &like, &unlike)?.run()?)
        })?;
        Hit::list(py, &hits)
    }

    /// Finds the ``k`` values of a field whose rows are nearest, and the nearest rows of each.
    ///
    /// Args:
    ///     query: A vector of shape (dim,).
    ///     field: The field. Rows without a value are in no group.
    ///     per_group: Rows of a group at most.
    ///
    /// The others are those of ``search``. Returns a list of ``Group``, the nearest first.
    #[pyo3(signature = (query, field, k=10, per_group=1, *, r#where=None, params=None, fetch=None, ef_search=None, slack=None, by=None))]
    fn groups<'py>(
        &self,
        py: Python<'py>,
        query: &Bound<'py, PyAny>,
        field: &str,
        k: usize,
        per_group: usize,
        r#where: Option<&str>,
        params: Option<&Bound<'py, PyAny>>,
        fetch: Option<&Bound<'py, PyAny>>,
        ef_search: Option<usize>,
        slack: Option<f32>,
        by: Option<String>,
    ) -> Result<Vec<Group>> {
        let spec = Spec::read(k, r#where, params, fetch, ef_search, slack, None, by)?;
        let queries = self.vectors("query", query, spec.by.as_deref())?;
        let query = one("query", &queries)?;
        let groups = self.read(py, |view| Ok(spec.search(&view, query)?.groups(field, per_group)?))?;
        groups.iter().map(|group| Group::of(py, group)).collect()
    }

    /// Walks through the rows, ascending by id. Returns an iterator over ``Record``.
    ///
    /// Args:
    ///     after: Begins after this id.
    ///     limit: Rows at most.
    ///     fetch: As in ``search``, but by default all fields.
    ///     vectors: Returns the vectors as well.
    #[pyo3(signature = (*, r#where=None, params=None, after=None, limit=None, fetch=None, vectors=false))]
    fn scroll(
        &self,
        py: Python<'_>,
        r#where: Option<&str>,
        params: Option<&Bound<'_, PyAny>>,
        after: Option<String>,
        limit: Option<usize>,
        fetch: Option<&Bound<'_, PyAny>>,
        vectors: bool,
    ) -> Result<Scroll> {
        let filter = values::filter(r#where, params)?;
        let fetch = fetch.map_or(Ok(Fetch::All), Fetch::read)?;
        let snapshot = self.read(py, Ok)?;
        Ok(Scroll::new(snapshot, filter, fetch, vectors, after, limit))
    }

    /// The row with an id as a ``Record``, or None.
    fn get(&self, py: Python<'_>, id: &str) -> Result<Option<Record>> {
        let record = self.read(py, |view| Ok(view.get(id)?))?;
        let of = |record: vex_db::Record| {
            Record::of(py, &record.id, Some(record.vector), record.named, &record.row)
        };
        record.map(of).transpose()
    }

    /// This moment. It stays as it is while writers go on.
    fn snapshot(&self, py: Python<'_>) -> Result<Py<Snapshot>> {
        let snapshot = self.read(py, Ok)?;
        let view = PyClassInitializer::from(View::of(Source::Snapshot(snapshot)));
        Ok(Py::new(py, view.add_subclass(Snapshot))?)
    }

    /// Writes a copy to a new folder, while readers and writers go on. The copy is a collection.
    fn backup(&self, py: Python<'_>, path: PathBuf) -> Result<()> {
        let source = self.source()?;
        py.detach(|| match source {
            Source::Collection(collection) => Ok(collection.backup(path)?),
            Source::Reader(reader) => Ok(reader.backup(path)?),
            Source::Snapshot(snapshot) => Ok(snapshot.backup(path)?),
        })
    }

    /// Checks all that is stored. Damage raises VexError.
    fn verify(&self, py: Python<'_>) -> Result<()> {
        self.read(py, |view| Ok(view.verify()?))
    }

    /// What the collection is made of, as ``Stats``.
    fn stats(&self, py: Python<'_>) -> Result<Stats> {
        let source = self.source()?;
        py.detach(|| match source {
            Source::Collection(collection) => Ok(Stats(collection.stats()?)),
            source => Ok(Stats(source.snapshot()?.stats()?)),
        })
    }

    /// What the rows have in common, as a ``Schema``.
    #[getter]
    fn schema(&self) -> Result<Schema> {
        Ok(Schema(self.source()?.schema().clone()))
    }

    /// How many commits there were. It grows with each.
    #[getter]
    fn commits(&self, py: Python<'_>) -> Result<u64> {
        self.read(py, |view| Ok(view.commits()))
    }

    /// Closes the view. Every other call raises ValueError from then on. The last that is closed of the
    /// views of a collection closes the files. Snapshots are views, too. Batches and the iterators over
    /// rows keep the files open until they are deleted.
    fn close(&self, py: Python<'_>) {
        let source = self.source.write().unwrap_or_else(PoisonError::into_inner).take();
        // Threads of the collection may have to end first.
        py.detach(|| drop(source));
    }

    fn __len__(&self, py: Python<'_>) -> Result<usize> {
        self.read(py, |view| Ok(view.len()? as usize))
    }

    fn __contains__(&self, py: Python<'_>, id: &Bound<'_, PyAny>) -> Result<bool> {
        let Ok(id) = id.extract::<String>() else { return Ok(false) };
        self.read(py, |view| Ok(view.contains(&id)?))
    }

    fn __getitem__(&self, py: Python<'_>, id: &str) -> Result<Record> {
        let missing = || vex_db::Error::NoRow { id: id.to_owned() };
        self.get(py, id)?.ok_or_else(|| missing().into())
    }

    fn __iter__(&self, py: Python<'_>) -> Result<Scroll> {
        Ok(Scroll::of_ids(self.read(py, Ok)?))
    }

    fn __enter__(slf: Bound<'_, Self>) -> Bound<'_, Self> {
        slf
    }

    #[pyo3(signature = (*_exception))]
    fn __exit__(&self, py: Python<'_>, _exception: &Bound<'_, PyTuple>) {
        self.close(py);
    }

    fn __repr__(slf: &Bound<'_, Self>) -> Result<String> {
        let class = slf.get_type().name()?;
        let Ok(source) = slf.get().source() else { return Ok(format!("{class}(closed)")) };
        let schema = source.schema();
        Ok(format!("<vex_index.{class}: {} dimensions, {}>", schema.dim(), schema.metric()))
    }
}

/// One moment of a collection. It stays as it is while writers go on. As long as it lives, the space
/// of rows that were replaced or deleted since is not used again.
#[pyclass(frozen, extends = View, module = "vex_index", name = "Snapshot")]
pub(crate) struct Snapshot;

/// A collection that is only read. Another process may write to it meanwhile: a reader never waits
/// for the writer, and never sees half a commit.
#[pyclass(frozen, extends = View, module = "vex_index", name = "Reader")]
pub(crate) struct Reader;

#[pymethods]
impl Reader {
    /// Opens a collection for reading.
    ///
    /// Args:
    ///     cache: Bytes of memory for pages of the store.
    #[classmethod]
    #[pyo3(signature = (path, *, cache=None))]
    fn open(
        _class: &Bound<'_, PyType>,
        py: Python<'_>,
        path: PathBuf,
        cache: Option<usize>,
    ) -> Result<Py<Self>> {
        let options = cache.map_or_else(vex_db::Options::new, |bytes| vex_db::Options::new().cache(bytes));
        let reader = py.detach(|| vex_db::Reader::open_with(path, options))?;
        let view = PyClassInitializer::from(View::of(Source::Reader(reader)));
        Ok(Py::new(py, view.add_subclass(Self))?)
    }
}
