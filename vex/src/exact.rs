//! Ground truth: the exact answers to many queries.

use std::ops::ControlFlow;
use std::sync::atomic::{AtomicUsize, Ordering};

use rayon::prelude::*;
use vex_graph::{Candidate, Exact, Neighbor, NodeId, Rows, Scalar, VectorError};

use crate::BuildError;
use crate::threads::Threads;

/// Queries that share one pass over the rows.
const QUERIES: usize = 32;
/// Rows that are compared with every query of a group while they are in the cache.
const ROWS: usize = 256;

/// The exact `k` nearest rows to each query, by brute force on `threads` (or all cores): one result after the other, each with
/// `min(k, rows)` neighbors, nearest first, equal distances by row. `progress` is told how many queries are done; it may be
/// called from any thread, and may break off.
///
/// # Errors
/// If a query cannot be searched for (`position` is its number), memory runs out, or `progress` breaks off.
pub fn exact_batch<S: Scalar>(
    rows: &Rows<'_>,
    queries: &[&[S]],
    k: usize,
    threads: Option<usize>,
    progress: impl Fn(usize) -> ControlFlow<()> + Sync,
) -> Result<Vec<Neighbor>, BuildError<VectorError>> {
    let k = k.min(rows.count());
    let threads = Threads::new(threads).map_err(|(threads, error)| BuildError::Threads { threads, error })?;
    let mut found = Vec::new();
    crate::index::reserve(&mut found, k.saturating_mul(queries.len()))?;
    found.resize(k * queries.len(), Neighbor::default());
    if k == 0 {
        return Ok(found);
    }
    let done = AtomicUsize::new(0);
    let groups = queries.par_chunks(QUERIES).zip(found.par_chunks_mut(QUERIES * k)).enumerate();
    threads.install(|| {
        groups.try_for_each(|(group, (queries, found))| {
            exact_group(rows, queries, k, found).map_err(|(index, error)| {
                let position = group * QUERIES + index;
                vex_graph::BuildError::Vector { position, error }
            })?;
            let linked = done.fetch_add(queries.len(), Ordering::Relaxed) + queries.len();
            match progress(linked) {
                ControlFlow::Continue(()) => Ok(()),
                ControlFlow::Break(()) => Err(vex_graph::BuildError::Cancelled { linked }),
            }
        })
    })?;
    Ok(found)
}

fn exact_group<S: Scalar>(
    rows: &Rows<'_>,
    queries: &[&[S]],
    k: usize,
    found: &mut [Neighbor],
) -> Result<(), (usize, VectorError)> {
    let mut candidates = vec![Candidate::EMPTY; k * queries.len()];
    let searches = queries.iter().zip(candidates.chunks_mut(k)).enumerate();
    let mut searches: Vec<Exact<'_>> = searches
        .map(|(index, (query, candidates))| {
            Exact::new(rows, *query, candidates).map_err(|error| (index, error))
        })
        .collect::<Result<_, _>>()?;
    let count = rows.count() as NodeId;
    for start in (0..count).step_by(ROWS) {
        let ids = start..(start + ROWS as NodeId).min(count);
        searches.iter_mut().for_each(|search| search.scan(ids.clone()));
    }
    for (search, found) in searches.into_iter().zip(found.chunks_mut(k)) {
        search.finish(found);
    }
    Ok(())
}
