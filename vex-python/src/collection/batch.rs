//! Rows that are committed in one step.

use std::sync::{Mutex, MutexGuard, PoisonError};

use pyo3::prelude::*;
use pyo3::types::PyDict;
use vex::Element;
use vex_db::RowVectors;

use crate::arrays::{Rows, Vectors};
use crate::collection::values::{self, Written, items};
use crate::collection::view;
use crate::error::{Failure, Result};

/// Rows that are inserted, replaced and deleted in one step: after a crash either all of it is there,
/// or nothing. If an id comes twice, the later one counts.
///
///     with notes.batch() as batch:
///         batch.upsert("note/1", vector, lang="de")
///         batch.delete("note/2")
///     print(batch.committed)
///
/// The batch is committed at the end of the block. After an exception it is dropped.
#[pyclass(frozen, module = "vex_index", name = "Batch")]
pub(crate) struct Batch {
    schema: vex_db::Schema,
    state: Mutex<State>,
}

enum State {
    Open(vex_db::Batch),
    Dropped,
    Committed(vex_db::Committed),
}

impl State {
    /// Why nothing is added any more.
    fn refusal(&self) -> Failure {
        Failure::value(match self {
            Self::Committed(_) => "the batch is committed",
            Self::Open(_) | Self::Dropped => "the batch was dropped",
        })
    }
}

/// What a batch did: rows whose id was new, rows that took the place of one, and rows that were
/// deleted.
#[pyclass(frozen, get_all, eq, module = "vex_index", name = "Committed")]
#[derive(PartialEq)]
pub(crate) struct Committed {
    inserted: usize,
    replaced: usize,
    deleted: usize,
}

impl From<vex_db::Committed> for Committed {
    fn from(committed: vex_db::Committed) -> Self {
        let vex_db::Committed { inserted, replaced, deleted, .. } = committed;
        Self { inserted, replaced, deleted }
    }
}

#[pymethods]
impl Committed {
    fn __repr__(&self) -> String {
        let Self { inserted, replaced, deleted } = self;
        format!("Committed(inserted={inserted}, replaced={replaced}, deleted={deleted})")
    }
}

impl Batch {
    pub(crate) fn of(collection: &vex_db::Collection) -> Self {
        Self { schema: collection.schema().clone(), state: Mutex::new(State::Open(collection.batch())) }
    }

    /// The state. Nothing waits while it is locked.
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn change<R>(&self, work: impl FnOnce(&mut vex_db::Batch) -> Result<R>) -> Result<R> {
        match &mut *self.lock() {
            State::Open(batch) => work(batch),
            state => Err(state.refusal()),
        }
    }

    /// Takes the batch out.
    fn take(&self) -> Result<vex_db::Batch> {
        let mut state = self.lock();
        match std::mem::replace(&mut *state, State::Dropped) {
            State::Open(batch) => Ok(batch),
            other => {
                *state = other;
                Err(state.refusal())
            }
        }
    }
}

fn row_of(rows: Rows<'_>, at: usize) -> &[f32] {
    rows.get(at).as_f32().expect("a collection has vectors of f32")
}

/// Many rows, as Python gives them.
pub(crate) struct Many<'py> {
    ids: Vec<String>,
    vectors: Vectors<'py>,
    rows: Option<Vec<Written>>,
    /// An array of vectors for each name.
    named: Vec<(String, Vectors<'py>)>,
}

impl<'py> Many<'py> {
    pub(crate) fn read(
        ids: Vec<String>,
        vectors: &Bound<'py, PyAny>,
        rows: Option<&Bound<'py, PyAny>>,
        named: Option<&Bound<'py, PyAny>>,
        schema: &vex_db::Schema,
    ) -> Result<Self> {
        let each = |row: PyResult<Bound<'py, PyAny>>| values::row(Some(&row?), None, schema);
        let rows = rows.map(|rows| rows.try_iter()?.map(each).collect::<Result<_>>()).transpose()?;
        let vectors = Vectors::read("vectors", vectors, Element::F32, schema.dim())?;
        let mut arrays = Vec::new();
        for (name, array) in named.map(|named| items(named)).transpose()?.into_iter().flatten() {
            if array.is_none() {
                continue;
            }
            let has_it = |written: &Written| written.named.iter().any(|(other, _)| *other == name);
            if rows.as_ref().is_some_and(|rows: &Vec<Written>| rows.iter().any(has_it)) {
                return Err(Failure::value(format!("{name}: given in rows and in named")));
            }
            let dim = view::dim_of(schema, Some(&name))?;
            let array = Vectors::read(&name, &array, Element::F32, dim)?;
            arrays.push((name, array));
        }
        Ok(Self { ids, vectors, rows, named: arrays })
    }

    /// Adds the rows to a batch: there are as many of everything as ids.
    pub(crate) fn upsert(&self, batch: &mut vex_db::Batch) -> Result<()> {
        let Self { ids, vectors, rows, named } = self;
        let check = |what: &str, found: usize| match found == ids.len() {
            true => Ok(()),
            false => Err(Failure::value(format!(
                "{what}: expected one for each of {} ids, found {found}",
                ids.len()
            ))),
        };
        let all = vectors.rows()?;
        check("vectors", all.count)?;
        check("rows", rows.as_ref().map_or(ids.len(), Vec::len))?;
        let named = named.iter().map(|(name, vectors)| Ok((&**name, vectors.rows()?)));
        let named: Vec<(&str, Rows<'_>)> = named.collect::<Result<_>>()?;
        named.iter().try_for_each(|(name, vectors)| check(name, vectors.count))?;
        let none = Written::default();
        for (at, id) in ids.iter().enumerate() {
            let Written { row, named: of_row } = rows.as_ref().map_or(&none, |rows| &rows[at]);
            let vectors = RowVectors::new(row_of(all, at)).with_named(of_row);
            let vectors =
                named.iter().fold(vectors, |vectors, (name, rows)| vectors.with(name, row_of(*rows, at)));
            batch.upsert(id, vectors, row.clone())?;
        }
        Ok(())
    }
}

#[pymethods]
impl Batch {
    /// Adds a row: see ``Collection.upsert``.
    #[pyo3(signature = (id, vector, row=None, /, **fields))]
    fn upsert(
        &self,
        id: &str,
        vector: &Bound<'_, PyAny>,
        row: Option<&Bound<'_, PyAny>>,
        fields: Option<&Bound<'_, PyDict>>,
    ) -> Result<()> {
        let Written { row, named } = values::row(row, fields, &self.schema)?;
        let vectors = Vectors::read("vector", vector, Element::F32, self.schema.dim())?;
        let vectors = RowVectors::new(view::one("vector", &vectors)?).with_named(&named);
        self.change(|batch| Ok(batch.upsert(id, vectors, row)?))
    }

    /// Adds rows: see ``Collection.upsert_many``.
    #[pyo3(signature = (ids, vectors, rows=None, *, named=None))]
    fn upsert_many(
        &self,
        ids: Vec<String>,
        vectors: &Bound<'_, PyAny>,
        rows: Option<&Bound<'_, PyAny>>,
        named: Option<&Bound<'_, PyAny>>,
    ) -> Result<()> {
        let many = Many::read(ids, vectors, rows, named, &self.schema)?;
        self.change(|batch| many.upsert(batch))
    }

    /// Deletes the row with this id, if there is one.
    fn delete(&self, id: &str) -> Result<()> {
        self.change(|batch| {
            batch.delete(id);
            Ok(())
        })
    }

    /// Commits the batch. It is on the medium when the call returns.
    fn commit(&self, py: Python<'_>) -> Result<Committed> {
        // The batch is taken out, so that nothing waits for the medium with the lock.
        let taken = self.take()?;
        let committed = py.detach(|| taken.commit())?;
        *self.lock() = State::Committed(committed);
        Ok(committed.into())
    }

    /// What the batch did, or None before it is committed.
    #[getter]
    fn committed(&self) -> Option<Committed> {
        match &*self.lock() {
            State::Committed(committed) => Some((*committed).into()),
            _ => None,
        }
    }

    fn __len__(&self) -> Result<usize> {
        self.change(|batch| Ok(batch.len()))
    }

    fn __enter__(slf: Bound<'_, Self>) -> Bound<'_, Self> {
        slf
    }

    #[pyo3(signature = (exception, _value, _traceback))]
    fn __exit__(
        &self,
        py: Python<'_>,
        exception: &Bound<'_, PyAny>,
        _value: &Bound<'_, PyAny>,
        _traceback: &Bound<'_, PyAny>,
    ) -> Result<()> {
        if !exception.is_none() {
            *self.lock() = State::Dropped;
            return Ok(());
        }
        // A batch that was committed in the block is done.
        let is_open = matches!(&*self.lock(), State::Open(_));
        if is_open { self.commit(py).map(drop) } else { Ok(()) }
    }

    fn __repr__(&self) -> String {
        match &*self.lock() {
            State::Open(batch) => format!("<vex_index.Batch of {} ids>", batch.len()),
            State::Dropped => "<vex_index.Batch, dropped>".to_owned(),
            State::Committed(_) => "<vex_index.Batch, committed>".to_owned(),
        }
    }
}
