//! Search for all nodes within a distance.
//!
//! A filtered beam search in which all live nodes match, with another end. A candidate is worth
//! expanding in either of two cases:
//! - It is nearer than the `ef_search`-th result, as in any search: so the search approaches the
//!   query.
//! - It is within the radius: so the search continues through all nodes there that links lead to.
//!
//! With codes, "within" means that the node may be within the radius, by the least distance that
//! its code allows. Everything found is then compared by vectors.

#[cfg(feature = "alloc")]
use super::Scratch;
use super::{
    Collected, Filter, FilteredBeam, FilteredList, Grouped, Live, Method, Neighbor, ScratchMut, Search,
    SearchStats, Slack, Traversal, run,
};
use crate::distance::Estimator;
use crate::{Candidate, Elements, GraphView, NodeId, SearchError, SearchParams};

/// Searches `view` for the nodes within `radius` of `query`, the boundary included. They are
/// written, nearest first, to the front of `out`. If there are more than `out` has room for, it
/// gets the nearest.
///
/// The radius is a distance of the metric. Under [`SquaredEuclidean`](crate::Metric) it is the
/// square of a length, and by inner product a negated product.
///
/// The answer is approximate. The search goes to the `ef_search` nodes nearest to the query as
/// [`search`](crate::search) does. From there it continues to all nodes within the radius that are
/// linked to what it has seen. It may miss a node to which only nodes outside the radius link. A
/// larger `ef_search` misses fewer. With one of at least the number of nodes, nothing is missed.
///
/// `params.k` is ignored. If the view has codes, the search continues to every node that may be
/// within the radius by its code. Everything found is then compared by vectors, unless
/// `params.rerank` is 0.
///
/// # Errors
/// If the query cannot be searched for, or the scratch could not grow.
///
/// # Complexity
/// A hop for each node within the radius, besides those of a search. Results are kept sorted, which
/// takes time in the square of their number. To find tens of thousands, an exact search is faster.
/// The scratch is that of a filtered search for `out.len()` neighbors.
///
/// # Examples
/// ```
/// use vex_graph::{Hnsw, Metric, Neighbor, Params, Scratch, SearchParams, search_radius};
///
/// let mut graph = Hnsw::new(Metric::SquaredEuclidean, 1, Params::default())?;
/// for element in 0..100 {
///     graph.insert(&[element as f32])?;
/// }
/// let mut found = [Neighbor::default(); 50];
/// let (params, mut scratch) = (SearchParams::new(0).ef_search(10), Scratch::new());
/// let stats = search_radius(&graph.view(), &[20.0], 9.0, &params, &mut scratch, &mut found)?;
/// assert_eq!(stats.found, 7);
/// assert!(found[..7].iter().all(|neighbor| (17..=23).contains(&neighbor.id)));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[cfg(feature = "alloc")]
pub fn search_radius<'q>(
    view: &GraphView<'_>,
    query: impl Into<Elements<'q>>,
    radius: f32,
    params: &SearchParams,
    scratch: &mut Scratch,
    out: &mut [Neighbor],
) -> Result<SearchStats, SearchError> {
    scratch.reserve_filtered(view, &of_radius(params, out))?;
    search_radius_in(view, query, radius, params, scratch.as_mut(), out)
}

/// [`search_radius`](crate::search_radius) in memory of the caller's: it never allocates.
///
/// # Errors
/// If the query cannot be searched for, or a slice of `scratch` is too small: it takes what
/// [`ScratchMut::filtered_candidates`] says for a `k` of `out.len()`.
pub fn search_radius_in<'q>(
    view: &GraphView<'_>,
    query: impl Into<Elements<'q>>,
    radius: f32,
    params: &SearchParams,
    scratch: ScratchMut<'_>,
    out: &mut [Neighbor],
) -> Result<SearchStats, SearchError> {
    search_elements(view, query.into(), radius, params, scratch, out)
}

/// Apart from [`search_radius_in`], which is generic: so the search is compiled with this crate.
fn search_elements(
    view: &GraphView<'_>,
    query: Elements<'_>,
    radius: f32,
    params: &SearchParams,
    scratch: ScratchMut<'_>,
    out: &mut [Neighbor],
) -> Result<SearchStats, SearchError> {
    let live = Live { filter: &|_: NodeId| true, tombstones: view.tombstones() };
    let method = Within { radius, ef: params.ef_search, live };
    let mut stats = run(view, query, &of_radius(params, out), scratch, out, &method, &())?;
    stats.found = out[..stats.found].partition_point(|neighbor| neighbor.distance <= radius);
    Ok(stats)
}

/// With reranking, everything that is found is reranked.
fn of_radius(params: &SearchParams, out: &[Neighbor]) -> SearchParams {
    let rerank = if params.rerank > 0.0 { f32::INFINITY } else { 0.0 };
    SearchParams { k: out.len(), rerank, ..*params }
}

/// The method: a beam that continues within the radius.
struct Within<F> {
    radius: f32,
    ef: usize,
    /// The nodes that are not deleted.
    live: F,
}

impl<F: Filter> Method for Within<F> {
    const ENDS_BY_DISTANCE: bool = true;

    fn accepts(&self, id: NodeId) -> bool {
        self.live.accepts(id)
    }

    fn candidates(&self, params: &SearchParams, count: usize) -> usize {
        FilteredBeam::candidates(params, count)
    }

    fn collect<'c>(
        &self,
        search: &mut Search<'_, '_>,
        query: &impl Estimator,
        least: impl Fn(Candidate) -> f32 + Copy,
        candidates: &'c mut [Candidate],
    ) -> Collected<'c> {
        let Search { view, params, visited, stats, .. } = search;
        let live = Grouped::new(&self.live, view.chains(), view.count());
        let within = |candidate| least(candidate) <= self.radius;
        let mut beam = FilteredBeam::new(&mut *candidates, params, view.count());
        // Beyond the first `ef` results, only candidates within the radius are kept.
        beam.content_with(self.ef);
        let mut traversal = Traversal {
            query,
            count: view.count(),
            chains: view.chains(),
            budget: params.max_distance_evals,
            stats,
        };
        let mut list = FilteredList { beam: &mut beam, filter: &live, within, slack: &Slack::none(query) };
        traversal.search_base(view, &mut list, visited, usize::MAX);
        let (found, is_cut) = (beam.results.candidates().len(), beam.results.is_full());
        Collected { candidates: &mut candidates[..found], is_cut, explored: found }
    }
}
