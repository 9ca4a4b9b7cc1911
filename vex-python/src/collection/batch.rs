//! Rows that are committed in one step.

use std::sync::{Mutex, MutexGuard, PoisonError};

use pyo3::prelude::*;
use pyo3::types::PyDict;
use vex::Element;

use crate::arrays::Vectors;
use crate::collection::{values, view};
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
    dim: usize,
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
        Self { dim: collection.schema().dim(), state: Mutex::new(State::Open(collection.batch())) }
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

/// Adds rows to a batch: as many ids as vectors, and as many rows if there are any.
pub(crate) fn upsert_many(
    batch: &mut vex_db::Batch,
    ids: &[String],
    vectors: &Vectors<'_>,
    rows: Option<&[vex_db::Row]>,
) -> Result<()> {
    let all = vectors.rows()?;
    let counts = [("vectors", all.count), ("rows", rows.map_or(ids.len(), <[_]>::len))];
    if let Some((what, found)) = counts.into_iter().find(|(_, count)| *count != ids.len()) {
        let expected = ids.len();
        return Err(Failure::value(format!(
            "{what}: expected one for each of {expected} ids, found {found}"
        )));
    }
    for (at, id) in ids.iter().enumerate() {
        let vector = all.get(at).as_f32().expect("a collection has vectors of f32");
        batch.upsert(id, vector, rows.map_or_else(vex_db::Row::new, |rows| rows[at].clone()))?;
    }
    Ok(())
}

/// The rows of a list of dicts.
pub(crate) fn rows(rows: Option<&Bound<'_, PyAny>>) -> Result<Option<Vec<vex_db::Row>>> {
    let Some(rows) = rows else { return Ok(None) };
    rows.try_iter()?.map(|row| values::row(Some(&row?), None)).collect::<Result<_>>().map(Some)
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
        let row = values::row(row, fields)?;
        let vectors = Vectors::read("vector", vector, Element::F32, self.dim)?;
        let vector = view::one("vector", &vectors)?;
        self.change(|batch| Ok(batch.upsert(id, vector, row)?))
    }

    /// Adds rows: see ``Collection.upsert_many``.
    #[pyo3(signature = (ids, vectors, rows=None))]
    fn upsert_many(
        &self,
        ids: Vec<String>,
        vectors: &Bound<'_, PyAny>,
        rows: Option<&Bound<'_, PyAny>>,
    ) -> Result<()> {
        let rows = self::rows(rows)?;
        let vectors = Vectors::read("vectors", vectors, Element::F32, self.dim)?;
        self.change(|batch| upsert_many(batch, &ids, &vectors, rows.as_deref()))
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
