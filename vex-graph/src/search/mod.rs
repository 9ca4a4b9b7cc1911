//! Search: what all methods have in common, and the plain search of a graph.
//!
//! The plain search follows Algorithms 2 and 5 of the paper: a greedy descent, then a beam on the
//! base (`beam.rs`). A [`Method`] is one kind of search: plain, filtered or within a radius.
//! [`run`] is the frame around it:
//!
//! ```text
//! run(method):
//!     if the view has codes:
//!         collect candidates by codes
//!         rerank the best by vectors
//!         if the codes leave no doubt: return the k nearest of these
//!     collect candidates by vectors
//!     return the k nearest
//! ```
//!
//! A method only collects candidates, with whatever [`Ranker`] it is given. It does not know
//! whether codes or vectors rank.

mod beam;
mod candidate_list;
mod copies;
mod filter;
mod filtered;
mod filtered_beam;
mod frontier;
mod observe;
mod pages;
mod radius;
mod scan;
mod scratch;
mod slack;
mod visited;

pub(crate) use beam::Traversal;
pub(crate) use candidate_list::CandidateList;
use copies::{Grouped, write_groups};
pub use filter::Filter;
pub(crate) use filter::Live;
#[cfg(feature = "alloc")]
pub use filtered::search_filtered;
pub use filtered::search_filtered_in;
pub(crate) use filtered_beam::{FilteredBeam, FilteredList, PartialList};
pub(crate) use frontier::Frontier;
pub(crate) use observe::Observer;
pub use observe::Step;
#[cfg(feature = "alloc")]
pub use observe::{search_filtered_observed, search_observed};
pub use pages::Batches;
#[cfg(feature = "alloc")]
pub use radius::search_radius;
pub use radius::search_radius_in;
#[cfg(feature = "alloc")]
pub use scratch::Scratch;
pub use scratch::ScratchMut;
use slack::{Slack, SlackList};
pub(crate) use visited::Visited;

use crate::distance::{AnyQuery, Coded, Edge, Estimator, Observed, Reranked, refine, with_codes, with_query};
use crate::{Candidate, Elements, GraphView, NodeId, SearchError, SearchParams};

/// A node that a search returns. It is this pair and will have no more fields.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Neighbor {
    /// The node.
    pub id: NodeId,
    /// Its distance to the query under the metric of the index; smaller is nearer. It is an
    /// estimate if the search has not reranked by vectors.
    pub distance: f32,
}

/// The work of a search.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct SearchStats {
    /// Neighbors written: `k`, or fewer if fewer nodes match, `out` is shorter, or
    /// `max_distance_evals` ended the search.
    pub found: usize,
    /// Distances that were computed, between vectors or codes, before candidates were reranked.
    pub distances: usize,
    /// Candidates of a search through codes whose exact distances were computed in the end.
    pub reranked: usize,
    /// Whether codes left the answer in doubt, so that the search was repeated by vectors. The
    /// other counts are then those of both.
    pub by_vectors: bool,
    /// Nodes expanded, on all levels.
    pub hops: usize,
    /// Why the search ended.
    pub end: SearchEnd,
}

/// Why a search ended.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum SearchEnd {
    /// No candidate was left that the list keeps: the list is as good as the links allow.
    #[default]
    Exhausted,
    /// The next candidate was farther than [`slack`](SearchParams::slack) allows.
    Slack,
    /// [`max_distance_evals`](SearchParams::max_distance_evals) distances were computed.
    MaxDistances,
    /// Every node that matches was ranked.
    Scan,
}

/// Searches `view` for the `k` nodes nearest to `query` and writes them, nearest first, to the
/// front of `out`. At most `out.len()` neighbors are written. (Algorithms 2 and 5 of Malkov &
/// Yashunin, 2016.)
///
/// Searches pass through [deleted](GraphView::tombstones) nodes and do not return them; `ef_search`
/// does not count them. Nodes with equal vectors take one place among the candidates, and are all
/// returned.
///
/// Equal distances are ordered by id. Under cosine, nodes are ordered before the last rounding: two
/// whose distances then round to the same value keep their order.
///
/// If the view has [codes](GraphView::codes), the search ranks nodes by them. The candidates that
/// may be among the nearest are then compared by vectors. Codes cannot show which candidates those
/// are where their errors are not small against the distances around the query. There the search is
/// repeated by vectors. If the view has no vectors, distances are estimates from the codes.
///
/// Whatever the view holds, the search stays inside it and ends.
///
/// # Errors
/// If the query cannot be searched for, or the scratch could not grow.
///
/// # Complexity
/// About `ef_search` hops of up to `2 m` distances each. No allocation once `scratch` has grown.
///
/// In the repository, chapter 2 (`docs/2-hnsw.md`) explains the search, and chapter 6
/// (`docs/6-codes.md`) what codes change.
///
/// # Examples
/// ```
/// use vex_graph::{Hnsw, Metric, Neighbor, Params, Scratch, SearchEnd, SearchParams, search};
///
/// let mut graph = Hnsw::new(Metric::SquaredEuclidean, 1, Params::default())?;
/// for element in 0..100 {
///     graph.insert(&[element as f32])?;
/// }
/// let (params, mut scratch) = (SearchParams::new(2), Scratch::new());
/// let mut found = [Neighbor::default(); 2];
/// let stats = search(&graph.view(), &[7.2], &params, &mut scratch, &mut found)?;
/// assert_eq!(found.map(|neighbor| neighbor.id), [7, 8]);
/// assert_eq!((stats.found, stats.end), (2, SearchEnd::Exhausted));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
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
/// If the query cannot be searched for, or a slice of `scratch` is too small. It takes
/// [`ScratchMut::candidates`], or [`ScratchMut::filtered_candidates`] if nodes are deleted.
pub fn search_in<'q>(
    view: &GraphView<'_>,
    query: impl Into<Elements<'q>>,
    params: &SearchParams,
    scratch: ScratchMut<'_>,
    out: &mut [Neighbor],
) -> Result<SearchStats, SearchError> {
    search_elements(view, query.into(), params, scratch, out)
}

/// Apart from [`search_in`], which is generic: so the search is compiled with this crate, and
/// optimized as this crate is, not with each program that searches.
fn search_elements(
    view: &GraphView<'_>,
    query: Elements<'_>,
    params: &SearchParams,
    scratch: ScratchMut<'_>,
    out: &mut [Neighbor],
) -> Result<SearchStats, SearchError> {
    search_with(view, query, params, scratch, out, &())
}

/// [`search_in`], which reports to an observer.
fn search_with(
    view: &GraphView<'_>,
    query: Elements<'_>,
    params: &SearchParams,
    scratch: ScratchMut<'_>,
    out: &mut [Neighbor],
    observer: &impl Observer,
) -> Result<SearchStats, SearchError> {
    if view.has_tombstones() {
        return filtered::search_live_in(view, query, params, scratch, out, observer);
    }
    run(view, query, params, scratch, out, &Beam, observer)
}

/// How one kind of search collects candidates. All other steps are common to all searches.
pub(crate) trait Method {
    /// Whether the search depends on distances, not on their order alone.
    const ENDS_BY_DISTANCE: bool = false;

    /// Whether the search collects a copy, too, if a link leads to it.
    const GATHERS_COPIES: bool = false;

    /// Whether a copy of a node that was collected may be returned.
    fn accepts(&self, _: NodeId) -> bool {
        true
    }

    /// Candidates of the scratch that the search needs.
    fn candidates(&self, params: &SearchParams, count: usize) -> usize;

    /// Collects the nearest candidates, sorted, at the front of `candidates`. `least` is the least
    /// distance that a candidate may have. Each candidate stands for its copies, unless the search
    /// sets `ranked_each`.
    fn collect<'c>(
        &self,
        search: &mut Search<'_, '_>,
        query: &impl Estimator,
        least: impl Fn(Candidate) -> f32 + Copy,
        candidates: &'c mut [Candidate],
    ) -> Collected<'c>;
}

/// The candidates that a search has collected, and what is known of the nodes that it has not. From
/// the latter follows whether codes can be trusted: see `distance/doubt.rs`, and chapter 6 of the
/// repository, `docs/6-codes.md`.
pub(crate) struct Collected<'c> {
    /// Sorted.
    candidates: &'c mut [Candidate],
    /// Whether there was no room for others, which are farther as far as ranks show.
    is_cut: bool,
    /// How many of the first candidates are no farther than the nearest that was not expanded. No
    /// node that was not ranked is expected among them.
    explored: usize,
}

impl<'c> Collected<'c> {
    /// All candidates of a list, out of `count` nodes.
    fn of(list: CandidateList<'c>, count: usize) -> Self {
        let is_cut = list.is_full() && list.candidates().len() < count;
        let candidates = list.into_candidates();
        Self { explored: candidates.len(), candidates, is_cut }
    }
}

/// Searches by one method: through codes if there are any, and by vectors if there are none. Also
/// by vectors if the codes leave the answer in doubt.
pub(crate) fn run<M: Method>(
    view: &GraphView<'_>,
    query: Elements<'_>,
    params: &SearchParams,
    scratch: ScratchMut<'_>,
    out: &mut [Neighbor],
    method: &M,
    observer: &impl Observer,
) -> Result<SearchStats, SearchError> {
    let exact = AnyQuery::new(view.rows(), query)?;
    // Codes place some neighbors too far back, so a search through them keeps more candidates.
    let for_codes = view.codes().filter(|_| !M::ENDS_BY_DISTANCE);
    let for_codes = for_codes.map_or(*params, |codes| params.for_codes(Some(codes.quantization())));
    let needed = method.candidates(params, view.count());
    let needed_for_codes = method.candidates(&for_codes, view.count());
    // Codes need as many candidates as vectors do, or more.
    scratch.check(view, needed_for_codes)?;
    let ScratchMut { visited, candidates, code, rotated } = scratch;
    let mut stats = SearchStats::default();
    if let Some(coded) = Coded::new(view, exact, params, code, rotated) {
        let candidates = &mut candidates[..needed_for_codes];
        let (params, visited) = (&for_codes, Visited::new(visited));
        let mut search = Search { view, params, visited, ranked_each: false, stats };
        let verdict = search.run_through_codes(method, &coded, candidates, out, observer);
        stats = search.stats;
        if verdict == Verdict::Sure {
            return Ok(stats);
        }
    }
    // The search by vectors begins again, with an empty visited set.
    let candidates = &mut candidates[..needed];
    let mut search = Search { view, params, visited: Visited::new(visited), ranked_each: false, stats };
    with_query!(&exact, exact => {
        let distance = |candidate: Candidate| exact.distance(candidate.distance());
        let observed = &Observed { query: exact, observer };
        let found = method.collect(&mut search, observed, distance, candidates).candidates;
        let written = search.write(method, found, out, |rank| exact.distance(rank));
        search.finish(written);
    });
    Ok(search.stats)
}

/// Whether codes have shown which nodes are nearest.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Verdict {
    Sure,
    InDoubt,
}

/// The state of one search.
pub(crate) struct Search<'s, 'v> {
    view: &'s GraphView<'v>,
    params: &'s SearchParams,
    visited: Visited<'s>,
    /// Whether copies were ranked like other nodes, so that no candidate stands for others.
    ranked_each: bool,
    stats: SearchStats,
}

impl Search<'_, '_> {
    /// Collects candidates by their codes, reranks the best by vectors, and writes these to `out`.
    fn run_through_codes<M: Method>(
        &mut self,
        method: &M,
        coded: &Coded<'_>,
        candidates: &mut [Candidate],
        out: &mut [Neighbor],
        observer: &impl Observer,
    ) -> Verdict {
        let distance = |rank| coded.distance(rank);
        let least = |candidate| coded.least(candidate);
        // The upper bits of a code are accurate enough to find candidates, but not to decide what
        // is within a distance.
        let (found, edge) = with_codes!(coded, !M::ENDS_BY_DISTANCE, coarse, fine => {
            let Collected { candidates: found, is_cut, explored } =
                method.collect(self, &Observed { query: &coarse, observer }, least, candidates);
            let edge = coarse.edge(&found[..explored], is_cut);
            let shift = fine.map_or(0.0, |fine| {
                let shift = refine(&fine, found, distance);
                report(observer, found, |id, rank| Step::Refined { id, distance: distance(rank) });
                shift
            });
            (found, edge.map(|edge| edge.shifted(shift)))
        });
        // Without vectors, or if the caller wants none, the codes have the last word.
        if !coded.reranks {
            let written = self.write(method, found, out, distance);
            self.finish(written);
            return Verdict::Sure;
        }
        // Only the best candidates are compared by vectors, and only as long as one may still be
        // nearer.
        let len = self.params.reranked().min(found.len());
        let Reranked { candidates, shift } = coded.rerank(&mut found[..len], self.params.k);
        self.stats.reranked = candidates.len();
        report(observer, candidates, |id, rank| Step::Reranked { id, distance: coded.exact_distance(rank) });
        let written = self.write(method, candidates, out, |rank| coded.exact_distance(rank));
        let farthest = out[..written].last().map_or(f32::NEG_INFINITY, |last| last.distance);
        // Codes may have placed a neighbor behind the end of the list: see `distance/doubt.rs`.
        let tolerance = if self.ranked_each { Edge::TOLERANCE_OF_SCAN } else { Edge::TOLERANCE };
        let is_in_doubt =
            edge.is_some_and(|edge| edge.shifted(shift).is_in_doubt(farthest, written, tolerance));
        if is_in_doubt && self.stats.distances < self.params.max_distance_evals {
            self.stats.by_vectors = true;
            observer.step(Step::ByVectors);
            self.stats.end = SearchEnd::default();
            return Verdict::InDoubt;
        }
        self.finish(written);
        Verdict::Sure
    }

    /// Counts what was found.
    fn finish(&mut self, written: usize) {
        self.stats.found = written;
        if self.stats.distances >= self.params.max_distance_evals {
            self.stats.end = SearchEnd::MaxDistances;
        }
    }

    /// Writes the nearest `k` of the sorted candidates, with their copies.
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

/// Reports candidates that were ranked again.
fn report(observer: &impl Observer, ranked: &[Candidate], step: impl Fn(NodeId, f32) -> Step) {
    ranked.iter().for_each(|candidate| observer.step(step(candidate.id(), candidate.distance())));
}

/// The plain search: every node may be returned.
struct Beam;

impl Method for Beam {
    const GATHERS_COPIES: bool = true;

    fn candidates(&self, params: &SearchParams, count: usize) -> usize {
        params.beam_width(count)
    }

    fn collect<'c>(
        &self,
        search: &mut Search<'_, '_>,
        query: &impl Estimator,
        _: impl Fn(Candidate) -> f32 + Copy,
        candidates: &'c mut [Candidate],
    ) -> Collected<'c> {
        let Search { view, params, visited, stats, .. } = search;
        let mut traversal = Traversal {
            query,
            count: view.count(),
            chains: view.chains(),
            budget: params.max_distance_evals,
            stats,
        };
        let mut list = CandidateList::new(candidates);
        let slack = Slack::new(query, view, params);
        let mut adaptive = SlackList { list: &mut list, slack, has_ended: false };
        traversal.search_base(view, &mut adaptive, visited, usize::MAX);
        let has_ended = adaptive.has_ended;
        let next = list.next_position();
        let collected = Collected::of(list, view.count());
        if !has_ended {
            return collected;
        }
        search.stats.end = SearchEnd::Slack;
        Collected { is_cut: true, explored: next + 1, ..collected }
    }
}

/// Writes candidates as neighbors, as many as there is room for, and returns how many.
pub(crate) fn write(found: &[Candidate], out: &mut [Neighbor], distance: impl Fn(f32) -> f32) -> usize {
    for (neighbor, candidate) in out.iter_mut().zip(found) {
        *neighbor = Neighbor { id: candidate.id(), distance: distance(candidate.distance()) };
    }
    found.len().min(out.len())
}
