//! Search with a filter: the planner, and what it plans.

#[cfg(feature = "alloc")]
use super::Scratch;
use super::{
    CandidateList, Collected, Filter, FilteredBeam, FilteredList, Grouped, Live, Method, Neighbor,
    ScratchMut, Search, SearchStats, Traversal, run,
};
use crate::distance::Ranker;
use crate::random::draw;
use crate::{Candidate, Elements, GraphView, NodeId, SearchError, SearchParams};

/// Nodes that the planner asks the filter for. At the thresholds below, 256 answers place the share
/// within a quarter of itself.
const SAMPLE: u64 = 256;

/// Up to this many matches for each candidate of the pool are scanned: ranking them takes no longer
/// than a walk does.
const SCAN_PER_CANDIDATE: usize = 64;

/// Nodes that a walk expands before it looks how dense matches are around the query.
const PROBE: usize = 6;

/// From this share of matches around the query on, beam nodes are expanded like others.
const DENSE: f32 = 0.2;

/// Below this part of the share of matches in all, the share around the query says that matches are
/// elsewhere.
const ELSEWHERE: f32 = 0.5;

/// Matches that are elsewhere are scanned if they are at most this share of all nodes.
const SCAN_ELSEWHERE: f32 = 0.35;

/// A walk through beam nodes is content with as many times `ef_search` results as the share around
/// the query times this: it has seen more nodes for each of them.
const CONTENT: f32 = 1.4;

/// The same of a walk over matches.
const CONTENT_LEAPING: f32 = 0.6;

/// Searches `view` for the `k` nodes nearest to `query` among those that `filter` accepts and that
/// are not [deleted](GraphView::tombstones), and writes them to the front of `out` as
/// [`search`](crate::search) does. It finds `min(k, matches)` nodes,
/// unless [`max_distance_evals`](SearchParams::max_distance_evals) ends it before.
///
/// How it finds them depends on how many match, which the filter says or a sample tells:
/// - Up to 64 for each of the `ef_search` candidates: all of them are ranked, so that the answer is
///   exact.
/// - More: a walk, which first looks at how many match around the query. If a fifth do, other nodes
///   are passed through and take no place in the pool. If fewer do, the walk sees through them,
///   from a match to the links of its links that match. If next to none do, though they are many
///   elsewhere, all are passed through or all matches are ranked.
///
/// A walk that sees many nodes for each match is content with fewer candidates than `ef_search`,
/// for about the same recall. One that does not find as many, or that computes half as many
/// distances as there are matches, ends, and all matches are ranked instead.
///
/// # Errors
/// If the query cannot be searched for, or the scratch could not grow.
///
/// # Complexity
/// About `ef_search` hops of up to `2 m` distances each, or one distance for each match if that is
/// less; at most one and a half for each match. A predicate is asked for 256 nodes beforehand, and
/// for every node of the view by a ranking of all matches. The scratch holds a pool of `ef_search`
/// candidates and a frontier 16 times as long, though no longer than the number of nodes. No
/// allocation once it has grown.
///
/// # Examples
/// ```
/// use vex_graph::{Hnsw, Metric, Neighbor, NodeId, NodeSet, Params, Scratch, SearchParams, search_filtered};
///
/// let mut graph = Hnsw::new(Metric::SquaredEuclidean, 1, Params::default())?;
/// for element in 0..100 {
///     graph.insert(&[element as f32])?;
/// }
/// let (params, mut scratch) = (SearchParams::new(2).ef_search(10), Scratch::new());
/// let mut found = [Neighbor::default(); 2];
/// let even = |id: NodeId| id % 2 == 0;
/// search_filtered(&graph.view(), &[7.1], &params, &even, &mut scratch, &mut found)?;
/// assert_eq!(found.map(|neighbor| neighbor.id), [8, 6]);
///
/// let few = NodeSet::new(&[1 << 3 | 1 << 50]);
/// search_filtered(&graph.view(), &[7.1], &params, &few, &mut scratch, &mut found)?;
/// assert_eq!(found.map(|neighbor| neighbor.id), [3, 50]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[cfg(feature = "alloc")]
pub fn search_filtered<'q>(
    view: &GraphView<'_>,
    query: impl Into<Elements<'q>>,
    params: &SearchParams,
    filter: &impl Filter,
    scratch: &mut Scratch,
    out: &mut [Neighbor],
) -> Result<SearchStats, SearchError> {
    scratch.reserve_filtered(view, params)?;
    search_filtered_in(view, query, params, filter, scratch.as_mut(), out)
}

/// [`search_filtered`](crate::search_filtered) in memory of the caller's: it never allocates.
///
/// # Errors
/// If the query cannot be searched for, or a slice of `scratch` is too small: see
/// [`ScratchMut::filtered_candidates`].
pub fn search_filtered_in<'q>(
    view: &GraphView<'_>,
    query: impl Into<Elements<'q>>,
    params: &SearchParams,
    filter: &impl Filter,
    scratch: ScratchMut<'_>,
    out: &mut [Neighbor],
) -> Result<SearchStats, SearchError> {
    let query = query.into();
    if view.has_tombstones() {
        let filter = &Live { filter, tombstones: view.tombstones() };
        return run(view, query, params, scratch, out, &Filtered { filter, fills_pool: false });
    }
    run(view, query, params, scratch, out, &Filtered { filter, fills_pool: false })
}

/// A search of a view with deleted nodes. These count for nothing: the pool is as long as without
/// them.
pub(super) fn search_live_in(
    view: &GraphView<'_>,
    query: Elements<'_>,
    params: &SearchParams,
    scratch: ScratchMut<'_>,
    out: &mut [Neighbor],
) -> Result<SearchStats, SearchError> {
    let filter = &Live { filter: &|_| true, tombstones: view.tombstones() };
    run(view, query, params, scratch, out, &Filtered { filter, fills_pool: true })
}

/// About how many nodes match, unless a scan is the best for what the filter says itself.
fn matches(filter: &impl Filter, count: usize) -> usize {
    if let Some(matches) = filter.matches(count) {
        return matches;
    }
    // The high half of a product is a uniform draw below `count`.
    let sample = (0..SAMPLE).map(|index| (((draw(0, index) >> 32) * count as u64) >> 32) as NodeId);
    let accepted = sample.filter(|id| filter.accepts(*id)).count();
    (count as u64 * accepted as u64 / SAMPLE) as usize
}

struct Filtered<'f, F> {
    filter: &'f F,
    /// Whether a walk goes on until it has `ef_search` results, however many nodes it passes
    /// through.
    fills_pool: bool,
}

impl<F: Filter> Method for Filtered<'_, F> {
    fn candidates(&self, params: &SearchParams, count: usize) -> usize {
        FilteredBeam::candidates(params, count)
    }

    fn accepts(&self, id: NodeId) -> bool {
        self.filter.accepts(id)
    }

    fn collect<'c>(
        &self,
        search: &mut Search<'_, '_>,
        query: &impl Ranker,
        _: impl Fn(Candidate) -> f32 + Copy,
        candidates: &'c mut [Candidate],
    ) -> Collected<'c> {
        let (params, count) = (search.params, search.view.count());
        let few = params.beam_width(count).saturating_mul(SCAN_PER_CANDIDATE);
        // Deleted nodes are taken to be few: the beam finds out if they are not.
        let matches = if count <= few || self.fills_pool { count } else { matches(self.filter, count) };
        if (matches > few || self.fills_pool)
            && let Some(len) = self.search_graph(search, query, matches, candidates)
        {
            return Collected { candidates: &mut candidates[..len], is_cut: true };
        }
        search.ranked_each = true;
        // No more than what is reranked or returned.
        let len = params.reranked().max(params.k).min(params.beam_width(count));
        let mut list = CandidateList::new(&mut candidates[..len]);
        let Search { view, params, stats, .. } = search;
        Traversal { query, count, chains: view.chains(), budget: params.max_distance_evals, stats }
            .scan(&mut list, self.filter);
        Collected::of(list, matches)
    }
}

impl<F: Filter> Filtered<'_, F> {
    /// Walks to the query, and returns how many candidates it has found, or `None` if a scan is
    /// better.
    fn search_graph(
        &self,
        search: &mut Search<'_, '_>,
        query: &impl Ranker,
        matches: usize,
        candidates: &mut [Candidate],
    ) -> Option<usize> {
        let Search { view, params, visited, stats, .. } = search;
        let (base, count) = (&view.levels()[0], view.count());
        let filter = &Grouped::new(self.filter, view.chains(), count);
        let mut beam = FilteredBeam::new(candidates, params, count);
        let budget = params.max_distance_evals.min(stats.distances.saturating_add(matches / 2));
        let mut traversal = Traversal { query, count, chains: view.chains(), budget, stats };
        let within = |_| false;
        traversal.search_base(view, &mut FilteredList { beam: &mut beam, filter, within }, visited, PROBE);

        let (share, share_of_all) = (beam.share(), matches as f32 / count as f32);
        let is_elsewhere = share < ELSEWHERE * share_of_all;
        let is_dense = share >= DENSE;
        if is_elsewhere && share_of_all <= SCAN_ELSEWHERE {
            return None;
        }
        if !self.fills_pool && !is_elsewhere {
            let part = if is_dense { share * CONTENT } else { CONTENT_LEAPING };
            let content = (params.beam_width(count) as f32 * part) as usize;
            beam.content_with(content.max(params.least_candidates()));
        }
        let is_two_hop = !is_elsewhere && !is_dense;
        if is_two_hop {
            traversal.two_hop(base, &mut beam, visited, filter);
        } else {
            traversal.beam(base, &mut FilteredList { beam: &mut beam, filter, within }, visited, usize::MAX);
        }
        let distances = traversal.stats.distances;
        // Where most vectors are copies there may be fewer originals than it takes, and yet more matches
        // than are asked for.
        let has_all = || {
            let has_copies = !view.chains().are_none();
            let results = beam.results.candidates();
            has_copies && !is_two_hop && beam.has_seen_all() && filter.accepts_as_many(results, params.k)
        };
        let has_converged = distances < budget && (beam.is_content() || has_all()) && !filter.is_exhausted();
        let is_over = has_converged || distances >= params.max_distance_evals;
        is_over.then_some(beam.results.candidates().len())
    }
}
