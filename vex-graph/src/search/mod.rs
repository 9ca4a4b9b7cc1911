//! Search, after Algorithms 2 and 5 of the paper: a greedy descent, then a beam on the base level.

mod pool;
mod query;
mod scratch;
mod visited;

pub use pool::Candidate;
pub(crate) use pool::Pool;
pub(crate) use query::Query;
#[cfg(feature = "alloc")]
pub(crate) use query::{check, norm};
#[cfg(feature = "alloc")]
pub use scratch::Scratch;
pub use scratch::ScratchMut;
pub(crate) use visited::Visited;

use vex_kernels::prefetch;

use crate::{GraphView, LevelView, NodeId, SearchError, SearchParams};

/// A node that a search returns.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Neighbor {
    /// The node.
    pub id: NodeId,
    /// Its distance to the query under the metric of the index; smaller is nearer.
    pub distance: f32,
}

/// What a search did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SearchStats {
    /// Neighbors written: `k`, or fewer if the graph has fewer nodes.
    pub found: usize,
    /// Distances computed.
    pub distances: usize,
    /// Nodes expanded, on all levels.
    pub hops: usize,
}

/// Searches `view` for the `k` nodes nearest to `query` and writes them, nearest first, to the front of `out`.
/// Equal distances are ordered by id; under cosine that is before the last rounding, so that two which then round to the
/// same value keep their order. At most `out.len()` neighbors are written.
///
/// Whatever the links of the view hold, the search stays inside it and ends.
///
/// # Errors
/// If the query cannot be searched for, or the scratch could not grow.
///
/// # Complexity
/// About `ef_search` hops of up to `2 m` distances each. No allocation once `scratch` has grown.
#[cfg(feature = "alloc")]
pub fn search(
    view: &GraphView<'_>,
    query: &[f32],
    params: &SearchParams,
    scratch: &mut Scratch,
    out: &mut [Neighbor],
) -> Result<SearchStats, SearchError> {
    scratch.reserve(view.count(), params)?;
    search_in(view, query, params, scratch.as_mut(), out)
}

/// [`search`] in memory of the caller's: it never allocates.
///
/// # Errors
/// If the query cannot be searched for, or a slice of `scratch` is too small.
pub fn search_in(
    view: &GraphView<'_>,
    query: &[f32],
    params: &SearchParams,
    scratch: ScratchMut<'_>,
    out: &mut [Neighbor],
) -> Result<SearchStats, SearchError> {
    let query = Query::new(view.rows(), query)?;
    let pool_size = params.pool_size(view.count());
    scratch.check(view, pool_size)?;
    let mut stats = SearchStats::default();
    let Some(entry) = view.entry() else { return Ok(stats) };
    let mut walk =
        Walk { query: &query, count: view.count(), budget: params.max_distance_evals, stats: &mut stats };

    let start = Candidate::new(walk.query.rank(entry), entry);
    walk.stats.distances += 1;
    let mut nearest = start;
    for level in view.levels()[1..].iter().rev() {
        nearest = walk.descend(level, nearest);
    }

    let mut pool = Pool::new(&mut scratch.candidates[..pool_size]);
    let mut visited = Visited::new(scratch.visited);
    // Every node is reachable from the entry point, not from wherever the descent ended: with both in the pool,
    // a pool as large as the graph returns the exact answer.
    for candidate in [nearest, start] {
        if visited.insert(candidate.id()) {
            pool.insert(candidate);
        }
    }
    walk.beam(&view.levels()[0], &mut pool, &mut visited);

    let found = pool.candidates().iter().take(params.k);
    stats.found = found.len().min(out.len());
    for (neighbor, candidate) in out.iter_mut().zip(found) {
        *neighbor = Neighbor { id: candidate.id(), distance: query.distance(candidate.distance()) };
    }
    Ok(stats)
}

/// One query on its way through the graph.
pub(crate) struct Walk<'w, 'q> {
    pub(crate) query: &'w Query<'q>,
    pub(crate) count: usize,
    pub(crate) budget: usize,
    pub(crate) stats: &'w mut SearchStats,
}

/// Cache lines of the next candidate's links that are prefetched while the present one's are ranked.
const LINK_PREFETCH_LINES: usize = 2;

/// Links are gathered in pieces of this size, on the stack.
const GATHER: usize = 64;

impl Walk<'_, '_> {
    /// The greedy step above the base: moves to the nearest link until none is nearer. Every move strictly lowers the
    /// candidate, so that it ends on any links.
    pub(crate) fn descend(&mut self, level: &LevelView<'_>, mut nearest: Candidate) -> Candidate {
        while self.stats.distances < self.budget {
            let start = nearest;
            self.stats.hops += 1;
            let links = level.row(start.id()).unwrap_or(&[]);
            self.rank_each(links, |_| true, |candidate| nearest = nearest.min(candidate));
            if nearest == start {
                break;
            }
        }
        nearest
    }

    /// The beam: expands the nearest candidate that was not expanded, until the pool holds no such candidate.
    pub(crate) fn beam(&mut self, level: &LevelView<'_>, pool: &mut Pool<'_>, visited: &mut Visited<'_>) {
        while self.stats.distances < self.budget {
            let Some(id) = pool.expand_nearest() else { return };
            self.stats.hops += 1;
            if let Some(links) = pool.runner_up().and_then(|id| level.row(id)) {
                prefetch(links, LINK_PREFETCH_LINES);
            }
            let links = level.row(id).unwrap_or(&[]);
            self.rank_each(links, |id| visited.insert(id), |candidate| pool.insert(candidate));
        }
    }

    /// Ranks the links that `wanted` lets through, four at a time. The end of the row is the first id that is no node.
    #[inline(always)]
    fn rank_each(
        &mut self,
        links: &[u32],
        mut wanted: impl FnMut(NodeId) -> bool,
        mut take: impl FnMut(Candidate),
    ) {
        for piece in links.chunks(GATHER) {
            let mut gathered = [0; GATHER];
            let mut len = 0;
            for id in piece.iter().copied().take_while(|id| (*id as usize) < self.count) {
                if wanted(id) {
                    self.query.prefetch(id);
                    gathered[len] = id;
                    len += 1;
                }
            }
            self.stats.distances += len;
            let (fours, rest) = gathered[..len].as_chunks::<4>();
            for four in fours {
                for (rank, id) in self.query.rank_4(*four).into_iter().zip(four) {
                    take(Candidate::new(rank, *id));
                }
            }
            for id in rest {
                take(Candidate::new(self.query.rank(*id), *id));
            }
        }
    }
}
