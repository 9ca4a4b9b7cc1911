//! Which keys a search may return.

use std::sync::Arc;

use pyo3::exceptions::PyOverflowError;
use pyo3::prelude::*;
use pyo3::types::{PyInt, PyList, PyTuple};

use crate::arrays;
use crate::error::{Failure, Result};

/// A set of keys, as a filter that is used for many searches.
///
/// ``KeySet(keys)`` takes an array or a list of integers. Sets are combined with ``&``, ``|`` and
/// ``-``. ``~`` is the complement: all keys except these. A set does not change.
#[pyclass(frozen, module = "vex_index", name = "KeySet")]
pub(crate) struct KeySet(Arc<vex::KeySet>);

impl KeySet {
    fn of(set: vex::KeySet) -> Self {
        Self(Arc::new(set))
    }
}

#[pymethods]
impl KeySet {
    #[new]
    #[pyo3(signature = (keys=None))]
    fn new(py: Python<'_>, keys: Option<&Bound<'_, PyAny>>) -> Result<Self> {
        let keys = keys.map_or(Ok(Vec::new()), |keys| arrays::keys("keys", keys))?;
        Ok(py.detach(|| Self::of(keys.into_iter().collect())))
    }

    fn __contains__(&self, key: &Bound<'_, PyAny>) -> bool {
        key.extract().is_ok_and(|key| self.0.contains(key))
    }

    fn __and__(&self, other: &Self) -> Self {
        Self::of(&*self.0 & &*other.0)
    }

    fn __or__(&self, other: &Self) -> Self {
        Self::of(&*self.0 | &*other.0)
    }

    fn __sub__(&self, other: &Self) -> Self {
        Self::of(&*self.0 - &*other.0)
    }

    fn __invert__(&self) -> Self {
        Self::of(!&*self.0)
    }

    fn __eq__(&self, other: &Self) -> bool {
        self.0 == other.0
    }

    /// How many keys the set has. The complement of a set has too many to be counted.
    fn __len__(&self) -> Result<usize> {
        let len = self.0.len();
        let fits = usize::try_from(len).ok().filter(|len| isize::try_from(*len).is_ok());
        let too_many = || PyOverflowError::new_err(format!("KeySet: {len} keys, more than len() can return"));
        Ok(fits.ok_or_else(too_many)?)
    }

    fn __bool__(&self) -> bool {
        !self.0.is_empty()
    }

    fn __repr__(&self) -> String {
        format!("<vex_index.KeySet of {} keys>", self.0.len())
    }
}

/// The filters of a call.
pub(crate) enum Filters {
    None,
    /// One for all queries.
    All(Arc<vex::KeySet>),
    /// One for each query, or none.
    Each(Vec<Option<Arc<vex::KeySet>>>),
}

impl Filters {
    /// Reads the argument `filter` of a search for so many queries, or for one.
    pub(crate) fn read(filter: Option<&Bound<'_, PyAny>>, queries: usize, is_single: bool) -> Result<Self> {
        let Some(filter) = filter else { return Ok(Self::None) };
        let Some(filters) = Self::several(filter).filter(|_| !is_single) else {
            return Ok(Self::All(set(filter)?));
        };
        if filters.len() != queries {
            let found = filters.len();
            return Err(Failure::value(format!(
                "filter: expected one for each of {queries} queries, found {found}"
            )));
        }
        let each = |filter: &Bound<'_, PyAny>| match filter.is_none() {
            true => Ok(None),
            false => set(filter).map(Some),
        };
        filters.iter().map(each).collect::<Result<_>>().map(Self::Each)
    }

    /// The items of a list that has filters, and no keys.
    fn several<'py>(filter: &Bound<'py, PyAny>) -> Option<Vec<Bound<'py, PyAny>>> {
        if !filter.is_instance_of::<PyList>() && !filter.is_instance_of::<PyTuple>() {
            return None;
        }
        let items: Vec<_> = filter.try_iter().ok()?.collect::<PyResult<_>>().ok()?;
        let is_filter = |item: &Bound<'_, PyAny>| {
            item.is_none()
                || item.is_instance_of::<KeySet>()
                || (!item.is_instance_of::<PyInt>() && item.try_iter().is_ok())
        };
        items.iter().any(is_filter).then_some(items)
    }

    pub(crate) fn get(&self, query: usize) -> Option<&vex::KeySet> {
        match self {
            Self::None => None,
            Self::All(set) => Some(set),
            Self::Each(sets) => sets[query].as_deref(),
        }
    }
}

fn set(filter: &Bound<'_, PyAny>) -> Result<Arc<vex::KeySet>> {
    if let Ok(set) = filter.cast::<KeySet>() {
        return Ok(Arc::clone(&set.get().0));
    }
    let keys = arrays::keys("filter", filter)?;
    Ok(filter.py().detach(|| Arc::new(keys.into_iter().collect())))
}
