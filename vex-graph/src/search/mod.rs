//! Search, after Algorithms 2 and 5 of the paper: a greedy descent, then a beam on the base level.

mod batches;
mod copies;
mod doubt;
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
pub(crate) use rescore::sum;
use rescore::{Distances, least_distance, rescore};
#[cfg(feature = "alloc")]
pub use scratch::Scratch;
pub use scratch::ScratchMut;
pub(crate) use visited::Visited;
pub(crate) use walk::Walk;

pub(crate) use doubt::Edge;

use crate::codes::{CodeQuery, Eight, Four, Product, Quantization, QueryCode, Two, TwoByTwo};
use crate::{Codes, Elements, GraphView, NodeId, SearchError, SearchParams};

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
#[non_exhaustive]
pub struct SearchStats {
    /// Neighbors written: `k`, or fewer if the graph has fewer nodes.
    pub found: usize,
    /// Distances computed on the way, between vectors or codes.
    pub distances: usize,
    /// Candidates of a search through codes whose exact distances were computed at the end.
    pub rescored: usize,
    /// Whether codes left the answer in doubt, so that the search was repeated by the vectors.
    pub by_vectors: bool,
    /// Nodes expanded, on all levels.
    pub hops: usize,
}

/// Searches `view` for the `k` nodes nearest to `query` and writes them, nearest first, to the front of `out`.
/// Nodes that are [deleted](GraphView::tombstones) are passed through and not returned; `ef_search` does not count them.
/// Equal distances are ordered by id; under cosine that is before the last rounding, so that two which then round to the
/// same value keep their order. At most `out.len()` neighbors are written. Nodes with equal vectors take one place among the candidates, and
/// are all returned.
///
/// If the view has [codes](GraphView::codes), the way is found by them, and the candidates that may be among the nearest are
/// then compared by their vectors. Where the errors of codes are not small against the distances around the query, codes cannot tell which
/// candidates those are: then the search is repeated by the vectors. Without vectors, distances are estimates from the codes.
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

    /// Gathers the nearest candidates, sorted, at the front of `candidates`. `least` is the least distance that a candidate may have. Each
    /// stands for its copies, unless the search says that each node was ranked.
    fn collect<'c>(
        &self,
        search: &mut Search<'_, '_>,
        query: &impl Ranker,
        least: impl Fn(Candidate) -> f32 + Copy,
        candidates: &'c mut [Candidate],
    ) -> Collected<'c>;
}

/// What a search has gathered.
pub(crate) struct Collected<'c> {
    /// Sorted.
    candidates: &'c mut [Candidate],
    /// Whether there was no room for others, which are farther as far as ranks tell.
    is_cut: bool,
}

impl<'c> Collected<'c> {
    /// All candidates of a pool, of `count` that there are.
    fn of(pool: Pool<'c>, count: usize) -> Self {
        let is_cut = pool.is_full() && pool.candidates().len() < count;
        Self { candidates: pool.into_candidates(), is_cut }
    }
}

/// Searches by some method: through codes if there are any, and by vectors if there are none or if the codes
/// [leave the answer in doubt](doubt).
pub(crate) fn run<M: Method>(
    view: &GraphView<'_>,
    query: Elements<'_>,
    params: &SearchParams,
    scratch: ScratchMut<'_>,
    out: &mut [Neighbor],
    method: &M,
) -> Result<SearchStats, SearchError> {
    let exact = AnyQuery::new(view.rows(), query)?;
    let for_codes = view.codes().filter(|_| !M::ENDS_BY_DISTANCE);
    let for_codes = for_codes.map_or(*params, |codes| params.for_codes(Some(codes.quantization())));
    let needed = method.candidates(params, view.count());
    let needed_for_codes = method.candidates(&for_codes, view.count());
    scratch.check(view, needed_for_codes)?;
    let ScratchMut { visited, candidates, code, rotated } = scratch;
    let coded =
        view.codes().and_then(|codes| Some((codes, codes.query(view.metric(), &exact, code, rotated)?)));
    let mut stats = SearchStats::default();
    if let Some((codes, code)) = coded {
        let candidates = &mut candidates[..needed_for_codes];
        let (params, visited) = (&for_codes, Visited::new(visited));
        let mut search = Search { view, params, visited, ranked_each: false, stats };
        let verdict = search.run_through_codes(method, &exact, codes, code, candidates, out);
        stats = search.stats;
        if verdict == Verdict::Sure {
            return Ok(stats);
        }
    }
    let candidates = &mut candidates[..needed];
    let candidates = &mut candidates[..needed];
    let mut search = Search { view, params, visited: Visited::new(visited), ranked_each: false, stats };
    with_query!(&exact, exact => {
        let distance = |candidate: Candidate| exact.distance(candidate.distance());
        let found = method.collect(&mut search, exact, distance, candidates).candidates;
        search.stats.found = search.write(method, found, out, |rank| exact.distance(rank));
    });
    Ok(search.stats)
}

/// Whether codes have told which nodes are nearest.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Verdict {
    Sure,
    InDoubt,
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
    /// Gathers candidates by their codes, compares the best by their vectors, and writes these to `out`.
    fn run_through_codes<M: Method>(
        &mut self,
        method: &M,
        exact: &AnyQuery<'_>,
        codes: &Codes<'_>,
        code: QueryCode<'_>,
        candidates: &mut [Candidate],
        out: &mut [Neighbor],
    ) -> Verdict {
        let (view, params, metric) = (self.view, self.params, self.view.metric());
        let distance = |rank| code.distance(metric, rank);
        let is_compared = view.rows().are_stored() && params.rescored() > 0;
        let least = |candidate: Candidate| match is_compared {
            true => code.least_distance(metric, candidate.distance(), codes.terms()[candidate.id() as usize]),
            false => distance(candidate.distance()),
        };
        let (found, edge) = match codes.quantization() {
            Quantization::Sq8 => {
                let coded = CodeQuery::new(codes, code, Eight::new());
                let Collected { candidates: found, is_cut } = method.collect(self, &coded, least, candidates);
                let edge = Edge::of::<Eight>(metric, codes, &code, found, is_cut);
                (found, edge)
            }
            Quantization::Sq4 => {
                let coded = CodeQuery::new(codes, code, Four::new());
                let Collected { candidates: found, is_cut } = method.collect(self, &coded, least, candidates);
                let edge = Edge::of::<Four>(metric, codes, &code, found, is_cut);
                (found, edge)
            }
            Quantization::Sq2x2 => {
                let coded = CodeQuery::new(codes, code, TwoByTwo::new());
                if M::ENDS_BY_DISTANCE {
                    let Collected { candidates: found, is_cut } =
                        method.collect(self, &coded, least, candidates);
                    let edge = Edge::of::<TwoByTwo>(metric, codes, &code, found, is_cut);
                    (found, edge)
                } else {
                    let guide = CodeQuery::new(codes, code, Two::new());
                    let Collected { candidates: found, is_cut } =
                        method.collect(self, &guide, least, candidates);
                    let edge = Edge::of::<Two>(metric, codes, &code, found, is_cut);
                    let by_two_bits = sum(found, distance);
                    rank_anew(&coded, found);
                    let shift = (sum(found, distance) - by_two_bits) / found.len().max(1) as f64;
                    (found, edge.map(|edge| edge.shifted(shift as f32)))
                }
            }
        };
        if !is_compared {
            self.stats.found = self.write(method, found, out, distance);
            return Verdict::Sure;
        }
        let rescored = params.rescored().min(found.len());
        let least = least_distance(metric, codes, &code, params);
        with_query!(exact, exact => {
            let coded = distance;
            let distance = |rank| exact.distance(rank);
            let distances = Distances { exact: distance, coded, least };
            let compared = rescore(exact, &distances, &mut found[..rescored], params.k);
            self.stats.rescored = compared.candidates.len();
            let shift = compared.shift;
            let written = self.write(method, compared.candidates, out, distance);
            let farthest = out[..written].last().map_or(f32::NEG_INFINITY, |last| last.distance);
            let edge = edge.map(|edge| edge.shifted(shift));
            let is_in_doubt = edge.is_some_and(|edge| edge.is_in_doubt(farthest, written));
            if is_in_doubt && self.stats.distances < params.max_distance_evals {
                self.stats.by_vectors = true;
                return Verdict::InDoubt;
            }
            self.stats.found = written;
        });
        Verdict::Sure
    }

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
        _: impl Fn(Candidate) -> f32 + Copy,
        candidates: &'c mut [Candidate],
    ) -> Collected<'c> {
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
        Collected::of(pool, view.count())
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
