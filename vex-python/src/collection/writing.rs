//! `vex_index.Collection`: all that writes.

use std::path::PathBuf;

use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyType};
use vex_db::{Budget, Options, RowVectors};

use crate::collection::batch::{Batch, Committed, Many};
use crate::collection::options;
use crate::collection::results;
use crate::collection::schema::Schema;
use crate::collection::stats::Report;
use crate::collection::values::{self, Written};
use crate::collection::view::{self, Source, View};
use crate::error::{Failure, Result};
use crate::held::Use;
use crate::progress::Watch;

/// A database: rows with ids, vectors and fields, in a folder.
///
/// A commit is on the medium when the call returns, all of it or nothing. A row is found by searches
/// as soon as it is committed. One handle at a time has a collection open for writing, in all
/// processes together. ``Reader`` reads meanwhile.
///
///     schema = Schema(384, model="all-MiniLM-L6-v2", fields={"lang": str, "year": int})
///     with Collection.open_or_create("notes.vexdb", schema) as notes:
///         notes.upsert("note/7", vector, lang="de", year=2026)
///         hits = notes.search(query, k=10, where="year >= ?", params=[2020])
///
/// ``open``, ``create`` and ``open_or_create`` take these keyword arguments:
///
/// - durability: "commit", the default. A number of seconds flushes only so often, "none" only when
///   rows are sealed: a crash leaves an earlier moment then.
/// - maintenance: "on-commit", the default, "background" for threads, or "manual".
/// - wait: Waits while another handle has the collection open.
/// - cache: Bytes of memory for pages of the store.
/// - verify: Checks every page of the store.
/// - seal_at: Pending rows that become a segment.
/// - threads, memory_limit: Of a maintenance step.
/// - m, ef_construction, quantization: Of segments that are built from now on.
#[pyclass(frozen, extends = View, module = "vex_index", name = "Collection")]
pub(crate) struct Collection;

impl Collection {
    fn of(
        py: Python<'_>,
        keywords: Option<&Bound<'_, PyDict>>,
        open: impl FnOnce(Options) -> vex_db::Result<vex_db::Collection> + Send,
    ) -> Result<Py<Self>> {
        let options = options::read(keywords)?;
        let collection = py.detach(|| open(options))?;
        let view = PyClassInitializer::from(View::of(Source::Collection(collection)));
        Ok(Py::new(py, view.add_subclass(Self))?)
    }

    /// Another handle, until the call ends.
    fn handle(slf: &Bound<'_, Self>) -> Result<vex_db::Collection> {
        match slf.as_super().get().source()? {
            Source::Collection(collection) => Ok(collection),
            Source::Reader(_) | Source::Snapshot(_) => unreachable!("the view of a collection"),
        }
    }
}

#[pymethods]
impl Collection {
    /// Opens a collection that is there.
    #[classmethod]
    #[pyo3(signature = (path, **options))]
    fn open(
        _class: &Bound<'_, PyType>,
        py: Python<'_>,
        path: PathBuf,
        options: Option<&Bound<'_, PyDict>>,
    ) -> Result<Py<Self>> {
        Self::of(py, options, |options| options.open(path))
    }

    /// Creates a collection. The folder may be there if it is empty. Its parent must be there.
    #[classmethod]
    #[pyo3(signature = (path, schema, **options))]
    fn create(
        _class: &Bound<'_, PyType>,
        py: Python<'_>,
        path: PathBuf,
        schema: &Bound<'_, Schema>,
        options: Option<&Bound<'_, PyDict>>,
    ) -> Result<Py<Self>> {
        let schema = schema.get().0.clone();
        Self::of(py, options, |options| options.create(path, schema))
    }

    /// Opens a collection, or creates it if nothing is there. The schema must be the one that the
    /// collection was created with.
    #[classmethod]
    #[pyo3(signature = (path, schema, **options))]
    fn open_or_create(
        _class: &Bound<'_, PyType>,
        py: Python<'_>,
        path: PathBuf,
        schema: &Bound<'_, Schema>,
        options: Option<&Bound<'_, PyDict>>,
    ) -> Result<Py<Self>> {
        let schema = schema.get().0.clone();
        Self::of(py, options, |options| options.open_or_create(path, schema))
    }

    /// Inserts a row, or replaces the row with this id, vector and fields together.
    ///
    /// ``batch`` and ``upsert_many`` wait for the medium once for many rows.
    ///
    /// Args:
    ///     id: Text that is not empty.
    ///     vector: Of shape (dim,).
    ///     row: A dict of fields, and of vectors with names. They can be given as keyword arguments as
    ///         well. One that is None has no value.
    #[pyo3(signature = (id, vector, row=None, /, **fields))]
    fn upsert(
        slf: &Bound<'_, Self>,
        id: &str,
        vector: &Bound<'_, PyAny>,
        row: Option<&Bound<'_, PyAny>>,
        fields: Option<&Bound<'_, PyDict>>,
    ) -> Result<()> {
        let collection = Self::handle(slf)?;
        let Written { row, named } = values::row(row, fields, collection.schema())?;
        let vectors = slf.as_super().get().vectors("vector", vector, None)?;
        let vectors = RowVectors::new(view::one("vector", &vectors)?).with_named(&named);
        Ok(slf.py().detach(|| collection.upsert(id, vectors, row))?)
    }

    /// Inserts or replaces many rows in one commit. Returns how many, as ``Committed``.
    ///
    /// Args:
    ///     ids: A list of n texts.
    ///     vectors: Of shape (n, dim).
    ///     rows: A list of n dicts, or None.
    ///     named: A dict from names of vectors to arrays of shape (n, their dimension).
    #[pyo3(signature = (ids, vectors, rows=None, *, named=None))]
    fn upsert_many(
        slf: &Bound<'_, Self>,
        ids: Vec<String>,
        vectors: &Bound<'_, PyAny>,
        rows: Option<&Bound<'_, PyAny>>,
        named: Option<&Bound<'_, PyAny>>,
    ) -> Result<Committed> {
        let collection = Self::handle(slf)?;
        let many = Many::read(ids, vectors, rows, named, collection.schema())?;
        let mut batch = collection.batch();
        many.upsert(&mut batch)?;
        Ok(slf.py().detach(|| batch.commit())?.into())
    }

    /// Deletes a row. Returns whether there was one.
    fn delete(slf: &Bound<'_, Self>, id: &str) -> Result<bool> {
        let collection = Self::handle(slf)?;
        Ok(slf.py().detach(|| collection.delete(id))?)
    }

    /// Begins a ``Batch``, for ``with collection.batch() as batch:``.
    fn batch(slf: &Bound<'_, Self>) -> Result<Batch> {
        Ok(Batch::of(&Self::handle(slf)?))
    }

    /// Seals pending rows, merges segments until few are left, rewrites those with many dead rows,
    /// and gives back what the store does not use. Returns a ``Report``.
    ///
    /// Ctrl-C ends maintenance, as any exception in ``progress`` does. The collection is as good as
    /// before then.
    ///
    /// Args:
    ///     progress: Called with the number of steps that are done, the rows of this step that are
    ///         linked, and all rows of this step, some ten times a second. It may commit, but not
    ///         maintain.
    ///     memory_limit: Bytes of a step. One that would take more is left out.
    #[pyo3(signature = (*, progress=None, memory_limit=None))]
    fn maintain(
        slf: &Bound<'_, Self>,
        progress: Option<Py<PyAny>>,
        memory_limit: Option<usize>,
    ) -> Result<Report> {
        let collection = Self::handle(slf)?;
        let budget = memory_limit.map_or_else(Budget::unlimited, Budget::memory);
        let mut watch = Watch::new(progress);
        // Another step would wait for the one that calls `progress`.
        let _use = Use::begin(&*slf.borrow(), "collection's maintenance")?;
        slf.py().detach(|| {
            let maintained = collection.maintain(budget, |progress| {
                let vex_db::Progress { steps, linked, rows, .. } = progress;
                watch.beat(linked == rows, || (steps, linked, rows))
            });
            watch.end(maintained).map(Report::from)
        })
    }

    /// Waits until all commits are on the medium. With the durability "commit" they are.
    fn flush(slf: &Bound<'_, Self>) -> Result<()> {
        let collection = Self::handle(slf)?;
        Ok(slf.py().detach(|| collection.flush())?)
    }

    /// Embeds all rows by another model, into another collection with the same fields. Returns how
    /// many rows were embedded, kept from an earlier run, and deleted.
    ///
    /// Args:
    ///     to: The other collection.
    ///     embed: Called with a list of up to 256 ``Record``. Returns an array of shape (n, dim).
    fn reembed(
        slf: &Bound<'_, Self>,
        to: &Bound<'_, Self>,
        embed: Py<PyAny>,
    ) -> Result<(usize, usize, usize)> {
        let (from, other) = (Self::handle(slf)?, Self::handle(to)?);
        let dim = other.schema().dim();
        let each = |rows: &[vex_db::Scrolled]| results::embedded(&embed, rows, dim);
        let done = slf.py().detach(|| from.snapshot()?.reembed(&other, each).map_err(Failure::from))?;
        Ok((done.embedded, done.kept, done.deleted))
    }

    fn __setitem__(_slf: &Bound<'_, Self>, id: &str, _row: &Bound<'_, PyAny>) -> Result<()> {
        let text = format!("{id:?}: expected upsert(id, vector, fields), found an assignment");
        Err(PyTypeError::new_err(text).into())
    }

    fn __delitem__(slf: &Bound<'_, Self>, id: &str) -> Result<()> {
        match Self::delete(slf, id)? {
            true => Ok(()),
            false => Err(vex_db::Error::NoRow { id: id.to_owned() }.into()),
        }
    }
}
