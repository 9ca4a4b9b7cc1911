//! A search that is continued batch by batch.
//!
//! Results are taken away while the search continues, so nothing may be lost that a later batch
//! could return:
//!
//! ```text
//! sorted      the candidates of the next batch, nearest first
//! beyond      candidates that `sorted` had no room for, as a heap
//! frontier    nodes to expand, as a heap
//!
//! next batch:
//!     fill `sorted` up from `beyond`
//!     while the nearest of `frontier` is nearer than the last of `sorted`, or `sorted` is not full:
//!         expand it; offer each new link to `sorted` and to `frontier`
//!         what `sorted` drops goes to `beyond`
//!     if `sorted` is still not full: add nodes that no link leads to
//!     move the first k of `sorted` to the caller
//! ```
//!
//! Invariant: every live node that was seen and not returned is in `sorted` or in `beyond`. So no
//! node is returned twice, and in the end every live node was returned.
//!
//! With codes, a batch is reranked by vectors, and the candidates that are not among its `k`
//! nearest stay. If codes leave the first batch in doubt, the search begins again by vectors. Later
//! it cannot, since nodes were already returned.

#[cfg(feature = "alloc")]
use super::Scratch;
use super::beam::{APPROACH, List, rank_gathered};
use super::{CandidateList, Frontier, Neighbor, ScratchMut, SearchEnd, SearchStats, Traversal, Visited};
use crate::copies::Chains;
use crate::distance::{AnyQuery, Coded, Edge, Estimator, Ranker, Reranked, with_codes, with_query};
use crate::{Candidate, Elements, GraphView, NodeId, NodeSet, SearchError, SearchParams};

/// A search that returns one batch of neighbors after the other: for pages of results, and for
/// callers who do not know beforehand how many they need. Each batch has about the nearest of the
/// nodes that are left.
///
/// No node is returned twice. In the end every node that is not [deleted](GraphView::tombstones)
/// has been returned. The nodes of a batch are sorted by distance. A batch may hold a node that is
/// nearer than some of the batch before, if the search found it too late. If codes leave the first
/// batch in doubt, all batches are found by vectors. A chapter of the repository,
/// `docs/7-filters.md`, explains how.
///
/// ```
/// use vex_graph::{Batches, Hnsw, Metric, Neighbor, Params, Scratch, SearchParams};
///
/// let mut graph = Hnsw::new(Metric::SquaredEuclidean, 1, Params::default())?;
/// for element in 0..100 {
///     graph.insert(&[element as f32])?;
/// }
/// let view = graph.view();
/// let mut scratch = Scratch::new();
/// let mut batches = Batches::new(&view, &[50.2], &SearchParams::new(3).ef_search(20), &mut scratch)?;
/// let mut batch = [Neighbor::default(); 3];
/// assert_eq!(batches.next_batch(&mut batch), 3);
/// assert_eq!(batch.map(|neighbor| neighbor.id), [50, 51, 49]);
/// assert_eq!(batches.next_batch(&mut batch), 3);
/// assert_eq!(batch.map(|neighbor| neighbor.id), [52, 48, 53]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct Batches<'s> {
    view: GraphView<'s>,
    params: SearchParams,
    exact: AnyQuery<'s>,
    /// `None` without codes, and once codes have left the answer in doubt.
    coded: Option<Coded<'s>>,
    state: State<'s>,
}

/// What is kept from batch to batch. Every live node that was seen and not returned is in `sorted`
/// or in `beyond`. Of an original and its copies there is one at a time: the first that was not
/// returned.
struct State<'s> {
    sorted: CandidateList<'s>,
    /// Each was farther than those in `sorted` when it left.
    beyond: Frontier<'s>,
    frontier: Frontier<'s>,
    visited: Visited<'s>,
    /// Room to rerank the candidates of a batch.
    reranked: &'s mut [Candidate],
    /// Words of 64 nodes that were searched for nodes that no link leads to.
    swept: usize,
    has_entered: bool,
    stats: SearchStats,
}

impl<'s> Batches<'s> {
    /// Begins a search. `params.k` is the length of the batches that will be asked for, or less;
    /// `params.ef_search` as of any search. `params.slack` is ignored.
    ///
    /// # Errors
    /// If the query cannot be searched for, or the scratch could not grow.
    ///
    /// # Complexity
    /// The scratch takes 16 bytes for each node of the view, beside what any search takes.
    #[cfg(feature = "alloc")]
    pub fn new(
        view: &GraphView<'s>,
        query: impl Into<Elements<'s>>,
        params: &SearchParams,
        scratch: &'s mut Scratch,
    ) -> Result<Self, SearchError> {
        scratch.reserve_candidates(view, ScratchMut::batches_candidates(params, view.count()))?;
        Self::new_in(view, query, params, scratch.as_mut())
    }

    /// Begins a search as [`new`](Self::new) does, in memory of the caller's.
    ///
    /// # Errors
    /// If the query cannot be searched for, or a slice of `scratch` is too small: see
    /// [`ScratchMut::batches_candidates`].
    pub fn new_in(
        view: &GraphView<'s>,
        query: impl Into<Elements<'s>>,
        params: &SearchParams,
        scratch: ScratchMut<'s>,
    ) -> Result<Self, SearchError> {
        let exact = AnyQuery::new(view.rows(), query.into())?;
        let needed = ScratchMut::batches_candidates(params, view.count());
        scratch.check(view, needed)?;
        let ScratchMut { visited, candidates, code, rotated } = scratch;
        let params = of_batches(params);
        let coded = Coded::new(view, exact, &params, code, rotated);
        let len = list_len(&params, view.count());
        let (sorted, rest) = candidates[..needed].split_at_mut(len);
        let (reranked, rest) = rest.split_at_mut(len);
        let (beyond, frontier) = rest.split_at_mut(view.count());
        let state = State {
            sorted: CandidateList::new(sorted),
            beyond: Frontier::new(beyond),
            frontier: Frontier::new(frontier),
            visited: Visited::new(visited),
            reranked,
            swept: 0,
            has_entered: false,
            stats: SearchStats::default(),
        };
        Ok(Self { view: *view, params, exact, coded, state })
    }

    /// Writes the next neighbors to the front of `out` and returns how many: as many as there is
    /// room for, or all that are left. Once `max_distance_evals` distances are computed, only nodes
    /// that were seen are left.
    ///
    /// # Complexity
    /// The first batch takes as long as a search. The others continue where it ended. No
    /// allocation.
    pub fn next_batch(&mut self, out: &mut [Neighbor]) -> usize {
        let mut written = 0;
        for out in out.chunks_mut(self.params.k) {
            let found = self.fill(out);
            written += found;
            if found < out.len() {
                break;
            }
        }
        let Self { params, state: State { stats, .. }, .. } = self;
        stats.found += written;
        if stats.distances >= params.max_distance_evals {
            stats.end = SearchEnd::MaxDistances;
        }
        written
    }

    /// The work of all batches so far.
    pub fn stats(&self) -> SearchStats {
        self.state.stats
    }

    /// Fills `out`, which is at most `k` long, with the next neighbors.
    fn fill(&mut self, out: &mut [Neighbor]) -> usize {
        let Self { view, params, exact, coded, state } = self;
        let live = LiveChains { chains: view.chains(), tombstones: view.tombstones() };
        let Some(coded) = coded else {
            return with_query!(exact, exact => {
                state.advance(view, params, exact);
                state.take(live, out, |rank| exact.distance(rank))
            });
        };
        let is_first = !state.has_entered;
        // By whole codes: what a batch leaves over is compared with the batches that follow.
        let edge = with_codes!(coded, false, ranker, _fine => {
            state.advance(view, params, &ranker);
            ranker.edge(state.sorted.candidates(), state.sorted.is_full())
        });
        if !coded.reranks {
            return state.take(live, out, |rank| coded.distance(rank));
        }
        let (taken, shift) = state.take_reranked(live, out, params.reranked(), coded);
        let farthest = out[..taken].last().map_or(f32::NEG_INFINITY, |last| last.distance);
        // Only the first batch can begin again: later ones would return nodes a second time.
        let may_go_on = is_first && state.stats.distances < params.max_distance_evals;
        if may_go_on
            && edge.is_some_and(|edge| edge.shifted(shift).is_in_doubt(farthest, taken, Edge::TOLERANCE))
        {
            self.coded = None;
            self.state.restart();
            return self.fill(out);
        }
        taken
    }
}

impl ScratchMut<'_> {
    /// Candidates for [`Batches`] of a graph of `count` nodes: 2 for each node, and 2 for each
    /// place of the candidate list.
    pub fn batches_candidates(params: &SearchParams, count: usize) -> usize {
        list_len(params, count).saturating_add(count).saturating_mul(2)
    }
}

/// A batch has one neighbor at least.
fn of_batches(params: &SearchParams) -> SearchParams {
    SearchParams { k: params.k.max(1), ..*params }
}

/// The length of the list: long enough for what is reranked.
fn list_len(params: &SearchParams, count: usize) -> usize {
    let params = of_batches(params);
    let reranked =
        if params.rerank < SearchParams::RERANK { params.reranked() } else { params.least_candidates() };
    params.beam_width(count).max(reranked.min(count)).max(count.min(1))
}

impl State<'_> {
    /// Searches until the list is full of nodes that are nearer than all that could be expanded.
    fn advance(&mut self, view: &GraphView<'_>, params: &SearchParams, query: &impl Ranker) {
        let Self { sorted, beyond, frontier, visited, swept, has_entered, stats, .. } = self;
        let live = LiveChains { chains: view.chains(), tombstones: view.tombstones() };
        let mut traversal = Traversal {
            query,
            count: view.count(),
            chains: view.chains(),
            budget: params.max_distance_evals,
            stats,
        };
        // Candidates of earlier batches come first: they compete with whatever the beam finds.
        while !sorted.is_full()
            && let Some(candidate) = beyond.pop()
        {
            sorted.insert(candidate);
        }
        let mut list = PageList { sorted, beyond, frontier, live };
        let enters = !core::mem::replace(has_entered, true);
        if enters {
            traversal.search_base(view, &mut list, visited, usize::MAX);
        } else {
            traversal.beam(&view.levels()[0], &mut list, visited, usize::MAX);
        }
        // In a sound graph the beam has reached every node by now. In any other, the nodes that it
        // has not reached are added here.
        while !list.sorted.is_full()
            && *swept < view.count().div_ceil(64)
            && traversal.stats.distances < traversal.budget
        {
            let start = *swept * 64;
            *swept += 1;
            for id in start..view.count().min(start + 64) {
                let id = id as NodeId;
                if live.first_of(id).is_some() && visited.insert(id) {
                    traversal.stats.distances += 1;
                    rank_gathered(query, &[id], |candidate| list.keep(candidate));
                }
            }
        }
    }

    /// Begins again, by vectors.
    fn restart(&mut self) {
        self.sorted.clear();
        self.beyond.clear();
        self.frontier.clear();
        self.visited.clear();
        (self.swept, self.has_entered, self.stats.by_vectors) = (0, false, true);
    }

    /// Moves the nearest of the list to `out`.
    fn take(&mut self, live: LiveChains<'_>, out: &mut [Neighbor], distance: impl Fn(f32) -> f32) -> usize {
        let Written { nodes, groups, rest } = live.write(self.sorted.candidates(), out, distance);
        self.sorted.mark(0..groups);
        // If `out` ended amid a chain, its first node that was not written takes the original's
        // place.
        let rest = rest.map(|rest| Candidate::new(self.sorted.candidates()[groups - 1].distance(), rest));
        self.sorted.drop_marked();
        rest.into_iter().for_each(|rest| self.sorted.insert(rest));
        nodes
    }

    /// Reranks the nearest `reranked` of the list by vectors, and moves the nearest of these to
    /// `out`. Returns how many, and by how much codes placed them too near on average.
    fn take_reranked(
        &mut self,
        live: LiveChains<'_>,
        out: &mut [Neighbor],
        reranked: usize,
        coded: &Coded<'_>,
    ) -> (usize, f32) {
        let len = self.sorted.candidates().len().min(reranked);
        let candidates = &mut self.reranked[..len];
        candidates.copy_from_slice(&self.sorted.candidates()[..len]);
        let Reranked { candidates, shift } = coded.rerank(candidates, out.len());
        self.stats.reranked += candidates.len();
        let Written { nodes, groups, rest } = live.write(candidates, out, |rank| coded.exact_distance(rank));
        let taken = &mut candidates[..groups];
        let last = taken.last().map(|last| last.id());
        // Sorted by id, to find in the list what was taken.
        taken.sort_unstable_by_key(|candidate| candidate.id());
        let mut left = None;
        for position in 0..len {
            let candidate = self.sorted.candidates()[position];
            if taken.binary_search_by_key(&candidate.id(), |candidate| candidate.id()).is_ok() {
                self.sorted.mark(position..position + 1);
                let rest = rest.filter(|_| last == Some(candidate.id()));
                left = left.or(rest.map(|rest| Candidate::new(candidate.distance(), rest)));
            }
        }
        self.sorted.drop_marked();
        left.into_iter().for_each(|rest| self.sorted.insert(rest));
        (nodes, shift)
    }
}

/// The list of a beam whose results are taken away batch by batch. What a full list drops is kept
/// for later batches.
struct PageList<'a, 's> {
    sorted: &'a mut CandidateList<'s>,
    beyond: &'a mut Frontier<'s>,
    frontier: &'a mut Frontier<'s>,
    live: LiveChains<'a>,
}

impl PageList<'_, '_> {
    /// Keeps the first node of a candidate's chain as a result.
    fn keep(&mut self, candidate: Candidate) {
        if let Some(first) = self.live.first_of(candidate.id())
            && let Some(evicted) = self.sorted.replace_farthest(Candidate::new(candidate.distance(), first))
        {
            self.beyond.push(evicted);
        }
    }
}

impl List for PageList<'_, '_> {
    #[inline(always)]
    fn offer(&mut self, candidate: Candidate) {
        self.frontier.push(candidate);
        self.keep(candidate);
    }

    #[inline(always)]
    fn expand(&mut self) -> Option<NodeId> {
        let nearest = self.frontier.peek()?;
        if !self.sorted.has_room_for(nearest) {
            return None;
        }
        self.frontier.pop().map(|nearest| nearest.id())
    }

    #[inline(always)]
    fn next(&self) -> Option<NodeId> {
        self.frontier.peek().map(|next| next.id())
    }

    #[inline(always)]
    fn approaches(&mut self) -> bool {
        let last = self.sorted.candidates().get(APPROACH - 1);
        last.is_none_or(|last| self.frontier.peek().is_some_and(|next| next < *last))
    }
}

/// The chains of copies, without the nodes that are deleted.
#[derive(Clone, Copy)]
struct LiveChains<'a> {
    chains: Chains<'a>,
    tombstones: NodeSet<'a>,
}

/// What was written of some candidates.
struct Written {
    nodes: usize,
    /// The candidates of which some node was written.
    groups: usize,
    /// The first node of the last candidate's chain that was not written.
    rest: Option<NodeId>,
}

impl LiveChains<'_> {
    /// The first live node of an original and its copies. None of a copy, which comes with its
    /// original.
    fn first_of(&self, id: NodeId) -> Option<NodeId> {
        let is_live = |id: &NodeId| !self.tombstones.contains(*id);
        if self.chains.are_none() {
            return Some(id).filter(is_live);
        }
        let original = Some(id).filter(|id| !self.chains.is_copy(*id));
        original.into_iter().chain(self.chains.copies_of(id)).find(is_live)
    }

    /// The next live node of a chain.
    fn after(&self, id: NodeId) -> Option<NodeId> {
        core::iter::successors(self.chains.next(id), |id| self.chains.next(*id))
            .find(|id| !self.tombstones.contains(*id))
    }

    /// Writes candidates, sorted, each with what comes after it. Equal distances are ordered by id.
    fn write(
        &self,
        candidates: &[Candidate],
        out: &mut [Neighbor],
        distance: impl Fn(f32) -> f32,
    ) -> Written {
        if self.chains.are_none() {
            let nodes = super::write(candidates, out, distance);
            return Written { nodes, groups: nodes, rest: None };
        }
        let (mut nodes, mut groups, mut rest) = (0, 0, None);
        for candidate in candidates {
            if nodes == out.len() {
                break;
            }
            groups += 1;
            let distance = distance(candidate.distance());
            rest = Some(candidate.id());
            while let Some(id) = rest
                && let Some(slot) = out.get_mut(nodes)
            {
                *slot = Neighbor { id, distance };
                nodes += 1;
                rest = self.after(id);
            }
        }
        for equal in out[..nodes].chunk_by_mut(|a, b| a.distance == b.distance) {
            equal.sort_unstable_by_key(|neighbor| neighbor.id);
        }
        Written { nodes, groups, rest }
    }
}
