//! Searches: for one query or many, of whatever lends a searcher.

use numpy::{PyArray1, PyArrayMethods};
use pyo3::prelude::*;
use vex::{Elements, Hit, Scratch, SearchError, SearchParams, Searcher};

use crate::arrays::{Rows, Vectors};
use crate::error::{Failure, Result};
use crate::filter::Filters;
use crate::held::{Held, Lend, Pool};
use crate::parallel;

/// The key where a row of results has no hit.
pub(crate) const NO_KEY: u64 = u64::MAX;

/// What is asked of each query.
pub(crate) struct Ask {
    pub(crate) params: SearchParams,
    pub(crate) how: How,
    pub(crate) filters: Filters,
}

pub(crate) enum How {
    Nearest,
    Exact,
    Within(f32),
}

/// Keys and distances, as two arrays.
pub(crate) type Found<'py> = (Bound<'py, PyAny>, Bound<'py, PyAny>);

impl Ask {
    /// Searches for one query, and lends the hits.
    fn one(
        &self,
        searcher: &Searcher<'_>,
        queries: Rows<'_>,
        row: usize,
        scratch: &mut Scratch,
        take: impl FnOnce(&[Hit]),
    ) -> Result<(), SearchError> {
        let (query, params): (Elements<'_>, _) = (queries.get(row), &self.params);
        match (&self.how, self.filters.get(row)) {
            (How::Exact, None) => take(&searcher.exact(query, params.k)?),
            (How::Exact, Some(set)) => take(&searcher.exact_filtered(query, params.k, set)?),
            (How::Within(radius), _) => {
                take(searcher.search_radius(query, *radius, params, scratch)?.hits);
            }
            (How::Nearest, None) => take(searcher.search_with(query, params, scratch)?.hits),
            (How::Nearest, Some(set)) => {
                take(searcher.search_filtered(query, params, set, scratch)?.hits);
            }
        }
        Ok(())
    }

    /// Searches an index. One query gives as many results as there are. Many give rows of equal
    /// length, filled up with [`NO_KEY`] and infinity.
    pub(crate) fn run<'py, I: Lend>(
        &self,
        py: Python<'py>,
        held: &Held<I>,
        queries: &Vectors<'_>,
        threads: Option<usize>,
    ) -> Result<Found<'py>> {
        let threads = parallel::threads(threads)?;
        let rows = queries.rows()?;
        if queries.is_single() {
            let (keys, distances) =
                held.read(py, |index, pool| self.single(&index.searcher(), rows, pool))?;
            let (keys, distances) = (PyArray1::from_slice(py, &keys), PyArray1::from_slice(py, &distances));
            return Ok((keys.into_any(), distances.into_any()));
        }
        let table = held.read(py, |index, pool| self.many(&index.searcher(), rows, pool, threads))?;
        let shape = [rows.count, table.width];
        let keys = PyArray1::from_vec(py, table.keys).reshape(shape)?;
        let distances = PyArray1::from_vec(py, table.distances).reshape(shape)?;
        Ok((keys.into_any(), distances.into_any()))
    }

    fn single(&self, searcher: &Searcher<'_>, rows: Rows<'_>, pool: &Pool) -> Result<(Vec<u64>, Vec<f32>)> {
        let mut scratch = pool.take();
        let (mut keys, mut distances) = (Vec::new(), Vec::new());
        let searched = self.one(searcher, rows, 0, &mut scratch, |hits| {
            keys.extend(hits.iter().map(|hit| hit.key));
            distances.extend(hits.iter().map(|hit| hit.distance));
        });
        pool.give_back(scratch);
        searched?;
        Ok((keys, distances))
    }

    fn many(&self, searcher: &Searcher<'_>, rows: Rows<'_>, pool: &Pool, threads: usize) -> Result<Table> {
        let mut table = Table::new(rows.count, self.params.k.min(searcher.len()))?;
        let width = table.width.max(1);
        // Few queries are divided one by one. More of them in a task save the taking of tasks.
        let share = (rows.count / threads.saturating_mul(8)).clamp(1, 64);
        let tasks = (0..rows.count)
            .step_by(share)
            .zip(table.keys.chunks_mut(width * share).chain(std::iter::repeat_with(Default::default)))
            .zip(table.distances.chunks_mut(width * share).chain(std::iter::repeat_with(Default::default)));
        parallel::run(
            tasks,
            threads.min(rows.count),
            |((start, keys), distances): ((usize, &mut [u64]), &mut [f32])| {
                let mut scratch = pool.take();
                let mut each = || {
                    for (at, row) in (start..rows.count.min(start + share)).enumerate() {
                        let searched = self.one(searcher, rows, row, &mut scratch, |hits| {
                            // A damaged file may have more.
                            for (to, hit) in hits.iter().take(width).enumerate() {
                                (keys[at * width + to], distances[at * width + to]) = (hit.key, hit.distance);
                            }
                        });
                        searched.map_err(|error| vex::ManyError::Query { position: row, error })?;
                    }
                    Ok::<_, Failure>(())
                };
                let searched = each();
                pool.give_back(scratch);
                searched
            },
        )?;
        Ok(table)
    }
}

/// The results of many queries.
struct Table {
    keys: Vec<u64>,
    distances: Vec<f32>,
    width: usize,
}

impl Table {
    fn new(rows: usize, width: usize) -> Result<Self> {
        let memory = || Failure::memory(&format!("{rows} times {width} results"));
        let len = rows.checked_mul(width).ok_or_else(memory)?;
        let (mut keys, mut distances) = (Vec::new(), Vec::new());
        keys.try_reserve_exact(len).map_err(|_| memory())?;
        distances.try_reserve_exact(len).map_err(|_| memory())?;
        keys.resize(len, NO_KEY);
        distances.resize(len, f32::INFINITY);
        Ok(Self { keys, distances, width })
    }
}
