//! Walks through the rows of a snapshot, a page at a time.

use std::sync::{Mutex, PoisonError};
use std::vec::IntoIter;

use pyo3::prelude::*;
use pyo3::types::PyString;
use vex_db::{Filter, Scrolled, Snapshot};

use crate::collection::results::Record;
use crate::collection::spec::Fetch;
use crate::error::{Failure, Result};

/// Rows that are read at once.
const PAGE: usize = 256;

/// An iterator over the rows of one moment, ascending by id.
#[pyclass(frozen, module = "vex_index", name = "Scroll")]
pub(crate) struct Scroll(Mutex<Option<Walk>>);

pub(crate) struct Walk {
    snapshot: Snapshot,
    filter: Option<Filter>,
    fetch: Fetch,
    has_vectors: bool,
    /// Whether ids are returned, and not rows.
    is_of_ids: bool,
    after: Option<String>,
    left: usize,
    page: IntoIter<Scrolled>,
}

impl Scroll {
    pub(crate) fn new(
        snapshot: Snapshot,
        filter: Option<Filter>,
        fetch: Fetch,
        has_vectors: bool,
        after: Option<String>,
        limit: Option<usize>,
    ) -> Self {
        let (left, page) = (limit.unwrap_or(usize::MAX), Vec::new().into_iter());
        let walk = Walk { snapshot, filter, fetch, has_vectors, is_of_ids: false, after, left, page };
        Self(Mutex::new(Some(walk)))
    }

    /// A walk through the ids.
    pub(crate) fn of_ids(snapshot: Snapshot) -> Self {
        let Self(walk) = Self::new(snapshot, None, Fetch::Fields(Vec::new()), false, None, None);
        let walk = walk.into_inner().unwrap_or_else(PoisonError::into_inner);
        Self(Mutex::new(walk.map(|walk| Walk { is_of_ids: true, ..walk })))
    }
}

impl Walk {
    /// The next row. It may have to be read.
    fn next(&mut self) -> Result<Option<Scrolled>> {
        if self.page.len() == 0 && self.left > 0 {
            let limit = self.left.min(PAGE);
            let mut scroll = self.fetch.of_scroll(self.snapshot.scroll()).limit(limit);
            if let Some(filter) = &self.filter {
                scroll = scroll.filter(filter.clone());
            }
            if let Some(after) = &self.after {
                scroll = scroll.after(after);
            }
            if self.has_vectors {
                scroll = scroll.vectors();
            }
            let rows = scroll.run()?;
            self.left = if rows.len() < limit { 0 } else { self.left - limit };
            self.after = rows.last().map(|row| row.id.clone());
            self.page = rows.into_iter();
        }
        Ok(self.page.next())
    }
}

#[pymethods]
impl Scroll {
    fn __iter__(slf: Bound<'_, Self>) -> Bound<'_, Self> {
        slf
    }

    fn __next__<'py>(&self, py: Python<'py>) -> Result<Option<Bound<'py, PyAny>>> {
        // The walk is taken out meanwhile: a thread that waited here with Python's lock would keep
        // the other from ending.
        let lock = || self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(mut walk) = lock().take() else {
            return Err(Failure::value("the iterator is in use by another thread"));
        };
        let row = if walk.page.len() > 0 { Ok(walk.page.next()) } else { py.detach(|| walk.next()) };
        let is_of_ids = walk.is_of_ids;
        *lock() = Some(walk);
        let Some(Scrolled { id, row, vector, named, .. }) = row? else { return Ok(None) };
        if is_of_ids {
            return Ok(Some(PyString::new(py, &id).into_any()));
        }
        Ok(Some(Bound::new(py, Record::of(py, &id, vector, named, &row)?)?.into_any()))
    }
}
