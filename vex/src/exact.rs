//! Ground truth: the exact answers to many queries.

use std::ops::ControlFlow;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use vex_graph::{Candidate, Exact, Executor, Neighbor, NodeId, Rows, Scalar, VectorError};

use crate::BuildError;
use crate::reserve::reserve;
use crate::threads::Threads;

/// Queries that share one pass over the rows.
const QUERIES: usize = 32;
/// Rows that are compared with every query of a group while they are in the cache.
const ROWS: usize = 256;

/// The exact `k` nearest rows to each query. Every row is compared, on `threads` or all cores.
///
/// There is one result after the other, in the order of the queries. Each has `min(k, rows)`
/// neighbors, nearest first, whose ids are numbers of rows. Equal distances are ordered by row.
/// Deleted vectors have rows, too. `progress` gets the number of queries that are done. Any thread
/// may call it, and it may cancel the work.
///
/// # Errors
/// If a query cannot be searched for (`position` is its number), memory runs out, threads cannot be
/// started, or `progress` cancels.
///
/// # Panics
/// If the vectors are not stored: see [`Rows::are_stored`].
///
/// # Complexity
/// A distance for each pair of a row and a query, divided among the threads. Groups of 32 queries
/// share the reading of the rows. Results take 8 bytes for each neighbor.
///
/// # Examples
/// ```
/// use std::ops::ControlFlow;
/// use vex::{Index, exact_batch};
///
/// let index = Index::builder(1).build_from((0..100).map(|key| (key, [key as f32])))?;
/// let queries: [&[f32]; 2] = [&[7.2], &[90.9]];
/// let found =
///     exact_batch(index.graph().view().rows(), &queries, 2, None, |_| ControlFlow::Continue(()))?;
/// let keys: Vec<u64> = found.iter().map(|row| index.node_keys()[row.id as usize]).collect();
/// assert_eq!(keys, [7, 8, 91, 90]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn exact_batch<S: Scalar>(
    rows: &Rows<'_>,
    queries: &[&[S]],
    k: usize,
    threads: Option<usize>,
    progress: impl Fn(usize) -> ControlFlow<()> + Sync,
) -> Result<Vec<Neighbor>, BuildError<VectorError>> {
    let k = k.min(rows.count());
    let threads = &Threads::new(threads)? as &dyn Executor;
    let mut found = Vec::new();
    reserve(&mut found, k.saturating_mul(queries.len()))?;
    found.resize(k * queries.len(), Neighbor::default());
    if k == 0 {
        return Ok(found);
    }
    let mut tasks = Vec::new();
    reserve(&mut tasks, queries.len().div_ceil(QUERIES))?;
    let groups = queries.chunks(QUERIES).zip(found.chunks_mut(QUERIES * k));
    tasks.extend(groups.map(|(queries, found)| (queries, found, Ok(()))));
    let (done, is_over) = (AtomicUsize::new(0), AtomicBool::new(false));
    threads.run(&mut tasks, |(queries, found, result)| {
        // Another group has failed, so this answer would not be used.
        if is_over.load(Ordering::Relaxed) {
            return;
        }
        *result = exact_group(rows, queries, k, found).and_then(|()| {
            let linked = done.fetch_add(queries.len(), Ordering::Relaxed) + queries.len();
            match progress(linked) {
                ControlFlow::Continue(()) => Ok(()),
                ControlFlow::Break(()) => Err(vex_graph::BuildError::Cancelled { linked }),
            }
        });
        if result.is_err() {
            is_over.store(true, Ordering::Relaxed);
        }
    });
    for (group, (.., result)) in tasks.into_iter().enumerate() {
        result.map_err(|error| match error {
            vex_graph::BuildError::Vector { position, error } => {
                vex_graph::BuildError::Vector { position: group * QUERIES + position, error }
            }
            error => error,
        })?;
    }
    Ok(found)
}

/// Answers a group of queries. An error has the position within the group.
fn exact_group<S: Scalar>(
    rows: &Rows<'_>,
    queries: &[&[S]],
    k: usize,
    found: &mut [Neighbor],
) -> Result<(), vex_graph::BuildError<VectorError>> {
    let mut candidates = Vec::new();
    reserve(&mut candidates, k * queries.len())?;
    candidates.resize(k * queries.len(), Candidate::EMPTY);
    let mut searches: Vec<Exact<'_>> = Vec::new();
    reserve(&mut searches, queries.len())?;
    for (position, (query, candidates)) in queries.iter().zip(candidates.chunks_mut(k)).enumerate() {
        let search = Exact::new(rows, *query, candidates);
        searches.push(search.map_err(|error| vex_graph::BuildError::Vector { position, error })?);
    }
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
