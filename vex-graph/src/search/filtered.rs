//! Filtered search: the planner, which chooses between a filtered beam search and an exact scan.
//!
//! The planner first counts the matches, or estimates them from a sample. Then it may expand a few
//! nodes, and looks what share of the candidates around the query matches. Here `ef` is the length
//! of the candidate list, and conditions are tried from the top:
//!
//! | matches in all | share of matches around the query | what the search does | ends with |
//! |---|---|---|---|
//! | at most 64 `ef` | | exact scan | |
//! | more, up to 35% of all nodes | less than half of the share in all | exact scan | |
//! | more than 35% of all nodes | less than half of the share in all | expands every node | `ef` results |
//! | more than 64 `ef` | at least 20% | expands every node | 1.2 × √share × `ef` results |
//! | more than 64 `ef` | at least 7% | partial expansion | 0.55 `ef` results |
//! | more than 64 `ef` | less | two-hop expansion | 0.6 `ef` results |
//!
//! A probe sees only a hundred candidates or so. So the conditions of the last three rows are about
//! the share in all, unless the share around the query is more than twice as large. The number of
//! results goes by the share around the query.
//!
//! The ideas behind the rows:
//! - **Few matches.** To rank them all takes no longer than a beam search does, and misses none.
//!   (Codes may lose an estimated thousandth: see `Edge::TOLERANCE_OF_SCAN`.)
//! - **Matches elsewhere.** A beam search near the query would rank many nodes for each match. If
//!   the scan is too long as well, the search keeps to the whole graph.
//! - **Dense matches.** Nodes that do not match lead the search on as in any search. They never
//!   take the place of a result: see [`FilteredBeam`].
//! - **Sparse matches.** To rank a node costs more than to ask the filter for a whole row. So the
//!   search ranks few of the nodes that do not match: see `filtered_beam.rs`.
//! - **Very sparse matches.** A match may have no links to other matches. So the search also
//!   follows the links of those links that do not match: see [`Traversal::two_hop`].
//! - **Fewer results suffice.** For each result, a filtered search ranks more nodes than a plain
//!   one does. So it reaches about the same recall with a shorter list. The list is never longer
//!   than `ef`, nor shorter than reranking needs.
//!
//! A search of the graph can fail: it finds too few results, or it computes half as many distances
//! as there are matches. Then it falls back to the exact scan. So a filtered search computes at
//! most about one and a half distances for each match, and twice that if codes leave it in doubt.
//!
//! Tombstones without a filter use the same code. They are taken to be few, so all nodes count as
//! matches. Such a search always expands every node, and its list must fill up.

#[cfg(feature = "alloc")]
use super::Scratch;
use super::beam::GATHER;
use super::{
    CandidateList, Collected, Filter, FilteredBeam, FilteredList, Grouped, Live, Method, Neighbor, Observer,
    PartialList, ScratchMut, Search, SearchEnd, SearchStats, Slack, Step, Traversal, run,
};
use crate::distance::Estimator;
use crate::random::draw;
use crate::{Candidate, Elements, GraphView, NodeId, SearchError, SearchParams};

/// Nodes that the planner asks the filter for. At the thresholds below, 256 answers estimate the
/// share to within a quarter of itself.
const SAMPLE: u64 = 256;

/// Up to this many matches for each place in the candidate list are scanned.
const SCAN_PER_CANDIDATE: usize = 64;

/// Nodes that a search expands before it looks how dense matches are around the query.
const PROBE: usize = 6;

/// From this share of matches around the query on, a search expands every node.
const DENSE: f32 = 0.2;

/// From this share on, it expands nodes that do not match in part.
const SPARSE: f32 = 0.07;

/// If the share around the query is below this part of the share in all, matches are elsewhere.
const ELSEWHERE: f32 = 0.5;

/// Matches that are elsewhere are scanned if they are at most this share of all nodes.
const SCAN_ELSEWHERE: f32 = 0.35;

/// A search that expands every node ends with `ef_search` results times the root of the share
/// around the query times this. With as many results as a plain search, it would rank far more
/// nodes. With as many nodes, the last of the `k` would be as deep among them as one of many more.
/// The root is between the two.
const CONTENT: f32 = 1.2;

/// A search by partial expansion ends with `ef_search` results times this.
const CONTENT_SPARSE: f32 = 0.55;

/// A search by two-hop expansion ends with `ef_search` results times this.
const CONTENT_LEAPING: f32 = 0.6;

/// Searches `view` for the `k` nearest to `query` among the nodes that `filter` accepts.
/// [Deleted](GraphView::tombstones) nodes are left out. Neighbors are written to the front of `out`
/// as [`search`](crate::search) does.
///
/// The search finds `min(k, matches)` nodes, unless
/// [`max_distance_evals`](SearchParams::max_distance_evals) ends it before. How it finds them
/// depends on the number of matches, which the filter knows or a sample estimates:
/// - **Up to 64 for each of the `ef_search` candidates:** an exact scan ranks all matches.
/// - **More:** a beam search first looks how many nodes match around the query. If a fifth do, it
///   expands every node, and only matches enter the list. If fewer do, it follows only a quarter of
///   the links between nodes that do not match (partial expansion). Below 7%, it expands matches
///   alone, and follows the links of other nodes to matches (two-hop expansion). If next to none
///   match, though many do elsewhere, it expands every node or scans all matches.
///
/// A filtered beam search looks for fewer results than `ef_search`, since it ranks more nodes for
/// each. Chapter 7 (`docs/7-filters.md` in the repository) says how many. It falls back to the
/// exact scan in two cases: if it does not find that many, or if it computes half as many distances
/// as there are matches.
///
/// # Errors
/// If the query cannot be searched for, or the scratch could not grow.
///
/// # Complexity
/// About `ef_search` hops of up to `2 m` distances each, or one distance for each match if that is
/// less. At most about one and a half for each match, and twice that if codes leave the answer in
/// doubt. A predicate is asked for 256 nodes
/// beforehand. A scan asks it for every node of the view. The scratch holds a list of `ef_search`
/// candidates and a frontier 16 times as long, but no longer than the number of nodes. No
/// allocation once the scratch has grown.
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
    search_with(view, query.into(), params, filter, scratch, out, &())
}

/// [`search_filtered_in`], which reports to an observer.
pub(super) fn search_with(
    view: &GraphView<'_>,
    query: Elements<'_>,
    params: &SearchParams,
    filter: &impl Filter,
    scratch: ScratchMut<'_>,
    out: &mut [Neighbor],
    observer: &impl Observer,
) -> Result<SearchStats, SearchError> {
    if view.has_tombstones() {
        let filter = &Live { filter, tombstones: view.tombstones() };
        return run(view, query, params, scratch, out, &Filtered { filter, fills_pool: false }, observer);
    }
    run(view, query, params, scratch, out, &Filtered { filter, fills_pool: false }, observer)
}

/// Searches a view with deleted nodes. They take no place in the list, which is as long as without
/// them.
pub(super) fn search_live_in(
    view: &GraphView<'_>,
    query: Elements<'_>,
    params: &SearchParams,
    scratch: ScratchMut<'_>,
    out: &mut [Neighbor],
    observer: &impl Observer,
) -> Result<SearchStats, SearchError> {
    let filter = &Live { filter: &|_| true, tombstones: view.tombstones() };
    run(view, query, params, scratch, out, &Filtered { filter, fills_pool: true }, observer)
}

/// About how many nodes match: what the filter says, or an estimate from a sample.
fn matches(filter: &impl Filter, count: usize) -> usize {
    if let Some(matches) = filter.matches(count) {
        return matches;
    }
    // The high half of a product is a uniform draw below `count`.
    let sample = (0..SAMPLE).map(|index| (((draw(0, index) >> 32) * count as u64) >> 32) as NodeId);
    let accepted = sample.filter(|id| filter.accepts(*id)).count();
    (count as u64 * accepted as u64 / SAMPLE) as usize
}

/// How a search of the graph expands nodes.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Expansion {
    /// All links are ranked.
    Whole,
    /// Of a node that does not match, the links that match are ranked, and a part of the others.
    Partial,
    /// Matches alone are ranked and expanded.
    TwoHop,
}

struct Filtered<'f, F> {
    filter: &'f F,
    /// Whether a beam search continues until it has `ef_search` results, however many nodes it
    /// expands that do not match.
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
        query: &impl Estimator,
        _: impl Fn(Candidate) -> f32 + Copy,
        candidates: &'c mut [Candidate],
    ) -> Collected<'c> {
        let (params, count) = (search.params, search.view.count());
        // The first row of the table: the scan, unless the set may be large.
        let few = params.beam_width(count).saturating_mul(SCAN_PER_CANDIDATE);
        // Deleted nodes are taken to be few. If they are not, the search falls back to the scan.
        let matches = if count <= few || self.fills_pool { count } else { matches(self.filter, count) };
        if (matches > few || self.fills_pool)
            && let Some((len, explored)) = self.search_graph(search, query, matches, candidates)
        {
            return Collected { candidates: &mut candidates[..len], is_cut: true, explored };
        }
        search.ranked_each = true;
        search.stats.end = SearchEnd::Scan;
        query.step(Step::Scan);
        // A scan needs no room beyond what is reranked or returned. With a list that ends close
        // behind the `k`-th neighbor, codes would be in doubt, and the scan would be repeated by
        // vectors.
        let list = params.beam_width(count).max(params.least_candidates());
        let len = params.reranked().max(params.k).min(list).min(candidates.len());
        let mut list = CandidateList::new(&mut candidates[..len]);
        let Search { view, params, stats, .. } = search;
        let before = stats.distances;
        Traversal { query, count, chains: view.chains(), budget: params.max_distance_evals, stats }
            .scan(&mut list, self.filter);
        // The estimate from a sample may be zero.
        let matches = search.stats.distances - before;
        Collected::of(list, matches)
    }
}

impl<F: Filter> Filtered<'_, F> {
    /// Beam search with the filter. Returns how many candidates were found, and how many of these
    /// were [explored](Collected). `None` if a scan is better.
    fn search_graph(
        &self,
        search: &mut Search<'_, '_>,
        query: &impl Estimator,
        matches: usize,
        candidates: &mut [Candidate],
    ) -> Option<(usize, usize)> {
        let Search { view, params, visited, stats, .. } = search;
        let (base, count) = (&view.levels()[0], view.count());
        let filter = &Grouped::new(self.filter, view.chains(), count);
        let mut beam = FilteredBeam::new(candidates, params, count);
        // Half of the distances that a scan takes: beyond them the scan would have been better.
        let budget = params.max_distance_evals.min(stats.distances.saturating_add(matches / 2));
        let mut traversal = Traversal { query, count, chains: view.chains(), budget, stats };
        let within = |_| false;
        let slack = &Slack::new(query, view, params);
        // A probe: a few hops, to see how dense matches are around the query.
        traversal.search_base(
            view,
            &mut FilteredList { beam: &mut beam, filter, within, slack },
            visited,
            PROBE,
        );

        let (share, share_of_all) = (beam.share(), matches as f32 / count as f32);
        let is_elsewhere = share < ELSEWHERE * share_of_all;
        // A probe sees a hundred candidates or so. The share in all is the better estimate of the
        // two, unless they are far apart.
        let is_near = share * ELSEWHERE > share_of_all;
        let likely = if is_near { share } else { share_of_all };
        let list = params.beam_width(count);
        // The share around the query is known now. So is the number of results that make the search
        // end.
        let content = |part: f32| ((list as f32 * part) as usize).max(params.least_candidates());
        let expansion = match () {
            () if is_elsewhere && share_of_all <= SCAN_ELSEWHERE => return None,
            () if is_elsewhere || self.fills_pool => Expansion::Whole,
            () if likely >= DENSE => {
                beam.content_with(content(CONTENT * libm::sqrtf(share)));
                Expansion::Whole
            }
            () if likely >= SPARSE => {
                beam.content_with(content(CONTENT_SPARSE));
                Expansion::Partial
            }
            () => {
                beam.content_with(content(CONTENT_LEAPING));
                Expansion::TwoHop
            }
        };
        // Each beam continues where the probe ended, with its frontier and its visited nodes.
        if expansion == Expansion::TwoHop {
            traversal.two_hop(base, &mut beam, visited, filter, slack);
        } else {
            let mut list = FilteredList { beam: &mut beam, filter, within, slack };
            if expansion == Expansion::Whole {
                traversal.beam(base, &mut list, visited, usize::MAX);
            } else {
                let mut list = PartialList { list, is_match: true, chosen: [0; GATHER] };
                traversal.beam(base, &mut list, visited, usize::MAX);
            }
        }
        let distances = traversal.stats.distances;
        // Where most vectors are copies, there may be fewer originals than the list needs. Yet
        // their chains may have as many matches as are asked for.
        let has_all = || {
            let has_copies = !view.chains().are_none();
            let results = beam.results.candidates();
            has_copies
                && expansion == Expansion::Whole
                && beam.has_seen_all()
                && filter.accepts_as_many(results, params.k)
        };
        let within_slack = beam.within_slack();
        let is_content = within_slack.is_some() || beam.is_content() || has_all();
        let has_converged = distances < budget && is_content && !filter.is_exhausted();
        let len = beam.results.candidates().len();
        let is_over = has_converged || distances >= params.max_distance_evals;
        if has_converged && within_slack.is_some() {
            stats.end = SearchEnd::Slack;
        }
        // Results that do not count are there by chance: nodes between them were never ranked.
        is_over.then_some((len, within_slack.unwrap_or(len).min(beam.counted())))
    }
}
