//! The way through the graph: a greedy descent, then a beam.

use vex_kernels::prefetch;

use super::{CandidateList, SearchStats, Visited};
use crate::copies::Chains;
use crate::distance::Ranker;
use crate::{Candidate, GraphView, LevelView, NodeId};

/// One query on its way through the graph.
pub(crate) struct Traversal<'w, R> {
    pub(crate) query: &'w R,
    pub(crate) count: usize,
    pub(crate) chains: Chains<'w>,
    pub(crate) budget: usize,
    pub(crate) stats: &'w mut SearchStats,
}

/// Cache lines of the next candidate's links that are prefetched while the present one's are
/// ranked.
pub(super) const LINK_PREFETCH_LINES: usize = 2;

/// As long as one of so many nearest candidates was not expanded, a search approaches the query.
pub(super) const APPROACH: usize = 2;

/// Links are gathered in pieces of this size, on the stack.
pub(super) const GATHER: usize = 64;

impl<R: Ranker> Traversal<'_, R> {
    /// Where the base level is entered: the node to which the levels above lead, and the entry
    /// point, which may be the same. None in a graph of no nodes.
    ///
    /// Every node is reachable from the entry point, not from wherever the descent ended: with both
    /// in the pool, a pool as large as the graph returns the exact answer.
    #[inline(always)]
    pub(crate) fn enter(&mut self, view: &GraphView<'_>) -> impl Iterator<Item = Candidate> + use<R> {
        let start = view.entry().map(|entry| Candidate::new(self.query.rank(entry), entry));
        self.stats.distances += usize::from(start.is_some());
        let levels = view.levels()[1..].iter().rev();
        let nearest = start.map(|start| levels.fold(start, |nearest, level| self.descend(level, nearest)));
        nearest.into_iter().chain(start)
    }

    /// The greedy step above the base: moves to the nearest link until none is nearer. Every move
    /// strictly lowers the candidate, so that it ends on any links.
    pub(crate) fn descend(&mut self, level: &LevelView<'_>, mut nearest: Candidate) -> Candidate {
        while self.stats.distances < self.budget {
            let start = nearest;
            self.stats.hops += 1;
            let links = level.row(start.id()).unwrap_or(&[]);
            // A link to what has become a copy may be left: that has no links itself, on no level.
            let chains = self.chains;
            self.rank_each(links, |id| !chains.is_copy(id), |candidate| nearest = nearest.min(candidate));
            if nearest == start {
                break;
            }
        }
        nearest
    }

    /// The beam search (Algorithm 2 of the paper): expands the nearest node that was not expanded,
    /// until the list has none that is worth it, or after so many `hops`.
    ///
    /// ```text
    /// while a node of the list is worth expanding:
    ///     for each of its links that was not seen:
    ///         compute its distance, and offer it to the list
    /// ```
    ///
    /// The links of one node are fetched from memory while those of the node before it are ranked.
    /// So a node is chosen before the last distances are known. That costs next to nothing,
    /// since a node that is near enough to stay in the list is expanded sooner or later. Only
    /// while the search still approaches the query, it waits for the links that may lead
    /// nearer.
    #[inline(always)]
    pub(crate) fn beam(
        &mut self,
        level: &LevelView<'_>,
        list: &mut impl List,
        visited: &mut Visited<'_>,
        hops: usize,
    ) {
        let mut pending = Pending::default();
        let last = self.stats.hops.saturating_add(hops);
        loop {
            if pending.len > 0 && list.approaches() {
                pending.rank_all(self.query, |candidate| list.offer(candidate));
            }
            let goes_on = self.stats.distances < self.budget && self.stats.hops < last;
            let Some(id) = (if goes_on { list.expand() } else { None }) else {
                if pending.len == 0 {
                    return;
                }
                pending.rank_all(self.query, |candidate| list.offer(candidate));
                continue;
            };
            self.stats.hops += 1;
            if let Some(links) = list.next().and_then(|id| level.row(id)) {
                prefetch(links, LINK_PREFETCH_LINES);
            }
            for piece in level.row(id).unwrap_or(&[]).chunks(GATHER) {
                let older = pending.len;
                for id in piece.iter().copied().take_while(|id| (*id as usize) < self.count) {
                    pending.push_if(id, visited.insert(id));
                }
                self.stats.distances += pending.len - older;
                pending.rank_older(older, self.query, |candidate| list.offer(candidate));
            }
        }
    }

    /// Offers the nodes where the base is entered, and runs the beam there.
    #[inline(always)]
    pub(crate) fn search_base(
        &mut self,
        view: &GraphView<'_>,
        list: &mut impl List,
        visited: &mut Visited<'_>,
        hops: usize,
    ) {
        for candidate in self.enter(view) {
            if visited.insert(candidate.id()) {
                list.offer(candidate);
            }
        }
        self.beam(&view.levels()[0], list, visited, hops);
    }

    /// Ranks the links that `wanted` lets through, four at a time. The end of the row is the first
    /// id that is no node.
    #[inline(always)]
    pub(super) fn rank_each(
        &mut self,
        links: &[u32],
        mut wanted: impl FnMut(NodeId) -> bool,
        mut take: impl FnMut(Candidate),
    ) {
        for piece in links.chunks(GATHER) {
            let mut gathered = [0; GATHER];
            let mut len = 0;
            // Written whether wanted or not: about half of the links are, in no order that a processor could
            // guess.
            for id in piece.iter().copied().take_while(|id| (*id as usize) < self.count) {
                self.query.prefetch(id);
                gathered[len] = id;
                len += usize::from(wanted(id));
            }
            let gathered = &gathered[..len];
            self.stats.distances += len;
            rank_gathered(self.query, gathered, &mut take);
        }
    }
}

/// What a beam search keeps of the nodes that it sees, and where it goes on.
pub(crate) trait List {
    /// Keeps a candidate, or does not.
    fn offer(&mut self, candidate: Candidate);

    /// The node to expand now; none if the others lead to nothing that the list would keep.
    fn expand(&mut self) -> Option<NodeId>;

    /// The node that will be expanded next if no nearer one is offered, or any other: its links are
    /// prefetched.
    fn next(&self) -> Option<NodeId>;

    /// Whether the nearest node that was not expanded is one of the [`APPROACH`] nearest of all.
    fn approaches(&mut self) -> bool;
}

/// Every node is a result, so one sorted array is both the results and where the search goes on.
impl List for CandidateList<'_> {
    #[inline(always)]
    fn offer(&mut self, candidate: Candidate) {
        self.insert(candidate);
    }

    #[inline(always)]
    fn expand(&mut self) -> Option<NodeId> {
        self.expand_nearest()
    }

    #[inline(always)]
    fn next(&self) -> Option<NodeId> {
        self.runner_up()
    }

    #[inline(always)]
    fn approaches(&mut self) -> bool {
        self.next_position() < APPROACH
    }
}

/// Nodes that are being fetched and not ranked yet, oldest first.
///
/// It cannot overflow, whatever the row's length. [`rank_older`](Self::rank_older) leaves the last
/// piece, of at most [`GATHER`] nodes, and up to three older ones; then at most one more piece is
/// appended before it is called again.
struct Pending {
    ids: [NodeId; Self::CAPACITY],
    len: usize,
}

impl Default for Pending {
    fn default() -> Self {
        Self { ids: [0; Self::CAPACITY], len: 0 }
    }
}

impl Pending {
    /// What fills no group of four, the piece that is being fetched, and the piece that is
    /// appended.
    const CAPACITY: usize = 3 + GATHER + GATHER;

    /// Appends a node if it is wanted, without a branch that no processor could guess.
    #[inline(always)]
    fn push_if(&mut self, id: NodeId, is_wanted: bool) {
        self.ids[self.len] = id;
        self.len += usize::from(is_wanted);
    }

    /// Ranks the first `older` but for what fills no group of four, and fetches the others
    /// meanwhile.
    #[inline(always)]
    fn rank_older(&mut self, older: usize, query: &impl Ranker, mut take: impl FnMut(Candidate)) {
        let (older, newer) = self.ids[..self.len].split_at(older);
        let (fours, rest) = older.as_chunks::<4>();
        let mut newer_fours = newer.chunks(4);
        for four in fours {
            newer_fours.next().unwrap_or(&[]).iter().for_each(|id| query.prefetch(*id));
            rank_four(query, four, &mut take);
        }
        newer_fours.flatten().for_each(|id| query.prefetch(*id));
        let ranked = older.len() - rest.len();
        self.ids.copy_within(ranked..self.len, 0);
        self.len -= ranked;
    }

    fn rank_all(&mut self, query: &impl Ranker, take: impl FnMut(Candidate)) {
        rank_gathered(query, &self.ids[..self.len], take);
        self.len = 0;
    }
}

#[inline(always)]
fn rank_four(query: &impl Ranker, ids: &[NodeId; 4], take: &mut impl FnMut(Candidate)) {
    for (rank, id) in query.rank_4(*ids).into_iter().zip(ids) {
        take(Candidate::new(rank, *id));
    }
}

/// Ranks nodes, four at a time.
#[inline(always)]
pub(super) fn rank_gathered(query: &impl Ranker, ids: &[NodeId], mut take: impl FnMut(Candidate)) {
    let (fours, rest) = ids.as_chunks::<4>();
    for four in fours {
        rank_four(query, four, &mut take);
    }
    for id in rest {
        take(Candidate::new(query.rank(*id), *id));
    }
}
