//! What both kinds of index offer: searches, and a mapping from keys to vectors.

use std::collections::HashMap;
use std::sync::Mutex;

use numpy::PyArray1;
use pyo3::prelude::*;
use pyo3::types::PyDict;
use vex::SearchParams;

use crate::arrays::{self, Vectors};
use crate::ask::{Ask, Found, How};
use crate::copies::Copies;
use crate::error::{Failure, Result};
use crate::filter::Filters;
use crate::held::{Held, Lend};

pub(crate) fn search<'py, I: Lend>(
    py: Python<'py>,
    held: &Held<I>,
    queries: &Bound<'py, PyAny>,
    params: SearchParams,
    how: How,
    filter: Option<&Bound<'py, PyAny>>,
    threads: Option<usize>,
) -> Result<Found<'py>> {
    let (element, dim) = held.peek(py, |index| {
        let searcher = index.searcher();
        (searcher.element(), searcher.dim())
    })?;
    let queries = Vectors::read("queries", queries, element, dim)?;
    let filters = Filters::read(filter, queries.rows()?.count, queries.is_single())?;
    Ask { params, how, filters }.run(py, held, &queries, threads)
}

/// The vector under a key.
pub(crate) fn item<'py, I: Lend>(
    py: Python<'py>,
    held: &Held<I>,
    key: &Bound<'py, PyAny>,
) -> Result<Bound<'py, PyAny>> {
    let key = arrays::key("key", key)?;
    copies(py, held, &[key])?.into_array(py, true)
}

/// The vectors under keys, one after the other.
pub(crate) fn get<'py, I: Lend>(
    py: Python<'py>,
    held: &Held<I>,
    keys: &Bound<'py, PyAny>,
) -> Result<Bound<'py, PyAny>> {
    let keys = arrays::keys("keys", keys)?;
    copies(py, held, &keys)?.into_array(py, false)
}

fn copies<I: Lend>(py: Python<'_>, held: &Held<I>, keys: &[u64]) -> Result<Copies> {
    held.read(py, |index, _| {
        let searcher = index.searcher();
        if !searcher.graph().rows().are_stored() {
            return Err(vex::SearchError::VectorsNotStored.into());
        }
        let mut copies = Copies::new(searcher.element(), searcher.dim(), keys.len())?;
        let missing = |key| Failure::missing(format!("no key {key} in the index"));
        if index.has_table() || keys.len() < 2 {
            for key in keys {
                copies.push(searcher.get(*key).ok_or_else(|| missing(*key))?);
            }
            return Ok(copies);
        }
        // A file has no table from keys to vectors, so one pass looks for all keys.
        let mut places: HashMap<u64, _> = keys.iter().map(|key| (*key, None)).collect();
        for (key, vector) in searcher.iter() {
            if let Some(place) = places.get_mut(&key) {
                *place = Some(vector);
            }
        }
        for key in keys {
            copies.push(places[key].ok_or_else(|| missing(*key))?);
        }
        Ok(copies)
    })
}

pub(crate) fn keys<'py, I: Lend>(py: Python<'py>, held: &Held<I>) -> Result<Bound<'py, PyArray1<u64>>> {
    let keys: Vec<u64> = held.read(py, |index, _| Ok(index.searcher().keys().collect()))?;
    Ok(PyArray1::from_vec(py, keys))
}

/// How well the codes distinguish the vectors, as a dict.
pub(crate) fn check_codes<'py, I: Lend>(
    py: Python<'py>,
    held: &Held<I>,
    samples: usize,
) -> Result<Bound<'py, PyDict>> {
    let check = held.read(py, |index, _| Ok(index.searcher().check_codes(samples)?))?;
    let found = PyDict::new(py);
    found.set_item("sampled", check.sampled)?;
    found.set_item("in_doubt", check.in_doubt)?;
    found.set_item("agreement", check.agreement)?;
    Ok(found)
}

/// `Index(dim=384, metric="cosine", dtype="f32", quantization="sq4", len=9800)`.
pub(crate) fn describe<I: Lend>(py: Python<'_>, class: &str, held: &Held<I>) -> Result<String> {
    let described = held.peek(py, |index| {
        let searcher = index.searcher();
        let codes = index.params().quantization;
        let codes = codes.map_or("None".to_owned(), |codes| format!("{:?}", codes.name()));
        format!(
            "{class}(dim={}, metric={:?}, dtype={:?}, quantization={codes}, len={})",
            searcher.dim(),
            searcher.metric().name(),
            searcher.element().name(),
            searcher.len()
        )
    });
    // Something that is closed can still be printed.
    Ok(described.unwrap_or_else(|_| format!("{class}(closed)")))
}

/// An iterator over the keys that an index had when it was made.
#[pyclass(frozen, module = "vex_index", name = "Keys")]
pub(crate) struct Keys(Mutex<std::vec::IntoIter<u64>>);

impl Keys {
    pub(crate) fn of<I: Lend>(py: Python<'_>, held: &Held<I>) -> Result<Self> {
        let keys: Vec<u64> = held.read(py, |index, _| Ok(index.searcher().keys().collect()))?;
        Ok(Self(Mutex::new(keys.into_iter())))
    }
}

#[pymethods]
impl Keys {
    fn __iter__(slf: Bound<'_, Self>) -> Bound<'_, Self> {
        slf
    }

    fn __next__(&self) -> Option<u64> {
        self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner).next()
    }

    fn __length_hint__(&self) -> usize {
        self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner).len()
    }
}
