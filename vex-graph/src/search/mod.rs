//! Search, after Algorithms 2 and 5 of the paper: a greedy descent, then a beam on the base level.

mod batches;
mod copies;
mod filter;
mod filtered;
mod frontier;
mod gated;
mod pool;
mod query;
mod radius;
mod ranker;
mod rescore;
mod scan;
mod scratch;
mod visited;
mod walk;

pub use batches::Batches;
use copies::{Grouped, write_groups};
pub use filter::Filter;
pub(crate) use filter::Live;
#[cfg(feature = "alloc")]
pub use filtered::search_filtered;
pub use filtered::search_filtered_in;
pub(crate) use frontier::Frontier;
pub(crate) use gated::Gated;
pub use pool::Candidate;
pub(crate) use pool::Pool;
pub(crate) use query::{AnyQuery, with_query};
#[cfg(feature = "alloc")]
pub(crate) use query::{Query, kernel};
#[cfg(feature = "alloc")]
pub use radius::search_radius;
pub use radius::search_radius_in;
pub(crate) use ranker::{Ranker, each_of_4};
use rescore::{least_distance, rescore};
#[cfg(feature = "alloc")]
pub use scratch::Scratch;
pub use scratch::ScratchMut;
pub(crate) use visited::Visited;
pub(crate) use walk::Walk;

use crate::codes::{CodeQuery, Eight, Four, Product, Quantization, Two, TwoByTwo};
use crate::{Elements, GraphView, NodeId, SearchError, SearchParams};

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
    /// Distances computed on the way, between vectors or codes.
    pub distances: usize,
    /// Candidates of a search through codes whose exact distances were computed at the end.
    pub rescored: usize,
    /// Nodes expanded, on all levels.
    pub hops: usize,
}

/// Searches `view` for the `k` nodes nearest to `query` and writes them, nearest first, to the front of `out`.
/// Nodes that are [deleted](GraphView::tombstones) are passed through and not returned; `ef_search` does not count them.
/// Equal distances are ordered by id; under cosine that is before the last rounding, so that two which then round to the
/// same value keep their order. At most `out.len()` neighbors are written. Nodes with equal vectors take one place among the candidates, and
/// are all returned.
///
/// If the view has [codes](GraphView::codes), the way is found by them, and `params.rescore` says how many of the candidates are
/// then compared by their vectors. Without vectors, distances are what the codes tell.
///
/// Whatever the view holds, the search stays inside it and ends.
///
/// # Errors
/// If the query cannot be searched for, or the scratch could not grow.
///
/// # Complexity
/// About `ef_search` hops of up to `2 m` distances each. No allocation once `scratch` has grown.
#[cfg(feature = "alloc")]
pub fn search<'q>(
    view: &GraphView<'_>,
    query: impl Into<Elements<'q>>,
    params: &SearchParams,
    scratch: &mut Scratch,
    out: &mut [Neighbor],
) -> Result<SearchStats, SearchError> {
    scratch.reserve(view, params)?;
    search_in(view, query, params, scratch.as_mut(), out)
}

/// [`search`] in memory of the caller's: it never allocates.
///
/// # Errors
/// If the query cannot be searched for, or a slice of `scratch` is too small.
pub fn search_in<'q>(
    view: &GraphView<'_>,
    query: impl Into<Elements<'q>>,
    params: &SearchParams,
    scratch: ScratchMut<'_>,
    out: &mut [Neighbor],
) -> Result<SearchStats, SearchError> {
    let query = query.into();
    if view.has_tombstones() {
        return filtered::search_live_in(view, query, params, scratch, out);
    }
    run(view, query, params, scratch, out, &Beam)
}

/// How candidates are gathered; the rest is common to all searches.
pub(crate) trait Method {
    /// Whether it looks at distances, not only at their order.
    const ENDS_BY_DISTANCE: bool = false;

    /// Whether it gathers copies, too, where links lead to them.
    const GATHERS_COPIES: bool = false;

    /// Whether a copy of what it gathers may be returned.
    fn accepts(&self, _: NodeId) -> bool {
        true
    }

    /// Candidates that it takes of the scratch.
    fn candidates(&self, params: &SearchParams, count: usize) -> usize;

    /// Gathers the nearest candidates, sorted, at the front of `candidates`. `distance` turns a rank into a distance. Each stands for its
    /// copies, unless the search says that each node was ranked.
    fn collect<'c>(
        &self,
        search: &mut Search<'_, '_>,
        query: &impl Ranker,
        distance: impl Fn(f32) -> f32 + Copy,
        candidates: &'c mut [Candidate],
    ) -> &'c mut [Candidate];
}

/// Searches by some method.
pub(crate) fn run<M: Method>(
    view: &GraphView<'_>,
    query: Elements<'_>,
    params: &SearchParams,
    scratch: ScratchMut<'_>,
    out: &mut [Neighbor],
    method: &M,
) -> Result<SearchStats, SearchError> {
    let exact = AnyQuery::new(view.rows(), query)?;
    let needed = method.candidates(params, view.count());
    scratch.check(view, needed)?;
    let ScratchMut { visited, candidates, code, rotated } = scratch;
    let candidates = &mut candidates[..needed];
    let (visited, stats) = (Visited::new(visited), SearchStats::default());
    let mut search = Search { view, params, visited, ranked_each: false, stats };
    let coded =
        view.codes().and_then(|codes| Some((codes, codes.query(view.metric(), &exact, code, rotated)?)));
    let Some((codes, code)) = coded else {
        with_query!(&exact, exact => {
            let found = method.collect(&mut search, exact, |rank| exact.distance(rank), candidates);
            search.stats.found = search.write(method, found, out, |rank| exact.distance(rank));
        });
        return Ok(search.stats);
    };

    let distance = |rank| code.distance(view.metric(), rank);
    let found = match codes.quantization() {
        Quantization::Sq8 => {
            let coded = CodeQuery::new(codes, code, Eight::new());
            method.collect(&mut search, &coded, distance, candidates)
        }
        Quantization::Sq4 => {
            let coded = CodeQuery::new(codes, code, Four::new());
            method.collect(&mut search, &coded, distance, candidates)
        }
        Quantization::Sq2x2 => {
            let coded = CodeQuery::new(codes, code, TwoByTwo::new());
            if M::ENDS_BY_DISTANCE {
                method.collect(&mut search, &coded, distance, candidates)
            } else {
                let guide = CodeQuery::new(codes, code, Two::new());
                let found = method.collect(&mut search, &guide, distance, candidates);
                rank_anew(&coded, found);
                found
            }
        }
    };
    let rescored = if view.rows().are_stored() { params.rescored().min(found.len()) } else { 0 };
    if rescored > 0 {
        let least = least_distance(view.metric(), codes, &code, params);
        with_query!(&exact, exact => {
            let distance = |rank| exact.distance(rank);
            let found = rescore(exact, distance, least, &mut found[..rescored], params.k);
            search.stats.rescored = found.len();
            search.stats.found = search.write(method, found, out, distance);
        });
    } else {
        search.stats.found = search.write(method, found, out, distance);
    }
    Ok(search.stats)
}

/// A search under way.
pub(crate) struct Search<'s, 'v> {
    view: &'s GraphView<'v>,
    params: &'s SearchParams,
    visited: Visited<'s>,
    /// Whether copies were ranked like other nodes.
    ranked_each: bool,
    stats: SearchStats,
}

impl Search<'_, '_> {
    /// Writes the nearest `k` of what was found, sorted, with their copies.
    fn write<M: Method>(
        &self,
        method: &M,
        found: &[Candidate],
        out: &mut [Neighbor],
        distance: impl Fn(f32) -> f32,
    ) -> usize {
        let k = self.params.k.min(out.len());
        if self.ranked_each || self.view.chains().are_none() {
            return write(&found[..k.min(found.len())], out, distance);
        }
        let seen = |id| M::GATHERS_COPIES && self.visited.contains(id);
        write_groups(self.view.chains(), found, |id| method.accepts(id), seen, &mut out[..k], distance)
    }
}

/// The search of a graph of which every node may be returned.
struct Beam;

impl Method for Beam {
    const GATHERS_COPIES: bool = true;

    fn candidates(&self, params: &SearchParams, count: usize) -> usize {
        params.pool_size(count)
    }

    fn collect<'c>(
        &self,
        search: &mut Search<'_, '_>,
        query: &impl Ranker,
        _: impl Fn(f32) -> f32 + Copy,
        candidates: &'c mut [Candidate],
    ) -> &'c mut [Candidate] {
        let Search { view, params, visited, stats, .. } = search;
        let mut walk = Walk {
            query,
            count: view.count(),
            chains: view.chains(),
            budget: params.max_distance_evals,
            stats,
        };
        let mut pool = Pool::new(candidates);
        for candidate in walk.enter(view) {
            if visited.insert(candidate.id()) {
                pool.insert(candidate);
            }
        }
        walk.beam(&view.levels()[0], &mut pool, visited);
        pool.into_candidates()
    }
}

/// Ranks candidates anew, and sorts them.
pub(crate) fn rank_anew(ranker: &impl Ranker, candidates: &mut [Candidate]) {
    for candidate in &*candidates {
        ranker.prefetch(candidate.id());
    }
    let (fours, rest) = candidates.as_chunks_mut::<4>();
    for four in fours {
        let ids = [four[0].id(), four[1].id(), four[2].id(), four[3].id()];
        for ((candidate, rank), id) in four.iter_mut().zip(ranker.rank_4(ids)).zip(ids) {
            *candidate = Candidate::new(rank, id);
        }
    }
    for candidate in rest {
        *candidate = Candidate::new(ranker.rank(candidate.id()), candidate.id());
    }
    candidates.sort_unstable();
}

pub(crate) fn write(found: &[Candidate], out: &mut [Neighbor], distance: impl Fn(f32) -> f32) -> usize {
    for (neighbor, candidate) in out.iter_mut().zip(found) {
        *neighbor = Neighbor { id: candidate.id(), distance: distance(candidate.distance()) };
    }
    found.len().min(out.len())
}
