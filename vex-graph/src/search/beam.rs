//! Greedy descent and beam search: Algorithm 2 of the paper, and the search that all others build
//! on.
//!
//! ```text
//! descend(level, nearest):                     above the base, a beam of width 1
//!     repeat:
//!         move to the nearest link of `nearest`, if it is nearer
//!     until no link is nearer
//!
//! beam(level, list, visited):                  on the base, and on each level of an insert
//!     loop:
//!         if the search still approaches the query:
//!             rank the pending nodes, and offer each to the list
//!         node = the nearest of the list that was not expanded
//!         if there is no such node that is worth it, or the budget is used up:
//!             rank the pending nodes; stop if there were none
//!         otherwise:
//!             for each link of `node` that the list chooses and that was not seen:
//!                 fetch its vector or code, and add it to the pending nodes
//!             meanwhile rank the nodes that were pending before
//! ```
//!
//! Three ideas:
//! - **The list decides.** [`List`] says what to keep, what to expand and when to end. So one loop
//!   serves the plain search, the filtered one, pages and the radius.
//! - **Memory and arithmetic overlap.** The links of one node are fetched while those of the node
//!   before it are ranked. So a node is chosen before the last distances are known. That costs next
//!   to nothing: a node that is near enough to stay in the list is expanded sooner or later. Only
//!   while the search approaches the query, it waits for the links that may lead nearer.
//! - **Four at a time.** Kernels rank four nodes in less time than one after the other.
//!
//! The search ends on any links. A move of the descent strictly lowers the candidate, and the beam
//! ranks each node at most once. An id that is no node ends its row, so no read is outside the
//! slices.

use vex_kernels::prefetch;

use super::{CandidateList, SearchStats, Step, Visited};
use crate::copies::Chains;
use crate::distance::Ranker;
use crate::{Candidate, GraphView, LevelView, NodeId};

/// The traversal of a graph for one query, and the work that it may do.
pub(crate) struct Traversal<'w, R> {
    pub(crate) query: &'w R,
    pub(crate) count: usize,
    pub(crate) chains: Chains<'w>,
    pub(crate) budget: usize,
    pub(crate) stats: &'w mut SearchStats,
}

/// Cache lines of the next candidate's links that are prefetched while those of the present one are
/// ranked.
pub(super) const LINK_PREFETCH_LINES: usize = 2;

/// A search approaches the query as long as one of this many nearest candidates was not expanded.
pub(super) const APPROACH: usize = 2;

/// The most links that are gathered at once, on the stack. A longer row is read in pieces.
pub(super) const GATHER: usize = 64;

impl<R: Ranker> Traversal<'_, R> {
    /// Where the search of the base begins: the node that the greedy descent found, and the entry
    /// point, which may be the same. None in a graph of no nodes.
    ///
    /// Every node is reachable from the entry point, but perhaps not from the node that the descent
    /// found. With both in the list, a list as long as the graph returns the exact answer.
    #[inline(always)]
    pub(crate) fn enter(&mut self, view: &GraphView<'_>) -> impl Iterator<Item = Candidate> + use<R> {
        let start = view.entry().map(|entry| Candidate::new(self.query.rank(entry), entry));
        self.stats.distances += usize::from(start.is_some());
        let levels = view.levels()[1..].iter().enumerate().rev();
        let nearest = start.map(|start| {
            levels.fold(start, |nearest, (above, level)| {
                self.query.step(Step::Level { level: above + 1 });
                self.descend(level, nearest)
            })
        });
        self.query.step(Step::Level { level: 0 });
        nearest.into_iter().chain(start)
    }

    /// Greedy descent on one level: moves to the nearest link until none is nearer.
    pub(crate) fn descend(&mut self, level: &LevelView<'_>, mut nearest: Candidate) -> Candidate {
        while self.stats.distances < self.budget {
            let start = nearest;
            self.stats.hops += 1;
            self.query.step(Step::Expanded { id: start.id() });
            let links = level.row(start.id()).unwrap_or(&[]);
            // A link to a node that has become a copy may be left over. A copy has no links on any
            // level.
            let chains = self.chains;
            self.rank_each(links, |id| !chains.is_copy(id), |candidate| nearest = nearest.min(candidate));
            if nearest == start {
                break;
            }
        }
        nearest
    }

    /// Beam search on one level: see the head of this file. It ends when the list has no node that
    /// is worth expanding, or after this many `hops`.
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
            // Far from the query, the next node may be among those that are still pending.
            if pending.len > 0 && list.approaches() {
                pending.rank_all(self.query, |candidate| list.offer(candidate));
            }
            // The last distances may bring nodes that are worth expanding: rank all before the
            // search ends.
            let goes_on = self.stats.distances < self.budget && self.stats.hops < last;
            let Some(id) = (if goes_on { list.expand() } else { None }) else {
                if pending.len == 0 {
                    return;
                }
                pending.rank_all(self.query, |candidate| list.offer(candidate));
                continue;
            };
            self.stats.hops += 1;
            self.query.step(Step::Expanded { id });
            // The links of the node after this one: a guess, which may cost a prefetch and no more.
            if let Some(links) = list.next().and_then(|id| level.row(id)) {
                prefetch(links, LINK_PREFETCH_LINES);
            }
            // The ids that were pending before this piece are ranked while the new ones are
            // fetched.
            for piece in level.row(id).unwrap_or(&[]).chunks(GATHER) {
                let older = pending.len;
                let piece = list.choose(piece, self.count);
                for id in piece.iter().copied().take_while(|id| (*id as usize) < self.count) {
                    pending.push_if(id, visited.insert(id));
                }
                self.stats.distances += pending.len - older;
                pending.rank_older(older, self.query, |candidate| list.offer(candidate));
            }
        }
    }

    /// Enters the base and runs the beam there.
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

    /// Ranks the links that `wanted` accepts. The first id that is no node ends the row.
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
            // Written whether wanted or not. About half of the links are wanted, in no order that a
            // processor could predict.
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

/// What a beam search keeps of the nodes that it ranks, and where it continues.
pub(crate) trait List {
    /// Keeps a candidate or drops it.
    fn offer(&mut self, candidate: Candidate);

    /// The node to expand now; none if no candidate leads to anything that the list would keep.
    fn expand(&mut self) -> Option<NodeId>;

    /// The links worth ranking among those of the node that was expanded last. Ids of `count` or
    /// more are no nodes. There are at most [`GATHER`] links.
    #[inline(always)]
    fn choose<'l>(&'l mut self, links: &'l [u32], _count: usize) -> &'l [u32] {
        links
    }

    /// A guess at the node that is expanded next, whose links are prefetched. It may be wrong.
    fn next(&self) -> Option<NodeId>;

    /// Whether the nearest node that was not expanded is one of the [`APPROACH`] nearest of all.
    fn approaches(&mut self) -> bool;
}

/// Every node is a result. So one sorted array is both the results and the frontier.
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

/// Nodes that are being fetched and were not ranked yet, oldest first.
///
/// The array cannot overflow, whatever the length of a row. [`rank_older`](Self::rank_older) leaves
/// the last piece, of at most [`GATHER`] nodes, and up to three older ones. Then at most one piece
/// is appended before the next call.
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
    /// Three nodes that fill no group of four, the piece that is being fetched, and the piece that
    /// is appended.
    const CAPACITY: usize = 3 + GATHER + GATHER;

    /// Appends a node if it is wanted. There is no branch, which a processor could not predict.
    #[inline(always)]
    fn push_if(&mut self, id: NodeId, is_wanted: bool) {
        self.ids[self.len] = id;
        self.len += usize::from(is_wanted);
    }

    /// Ranks the first `older` nodes, except up to three that fill no group of four. Fetches the
    /// newer ones meanwhile.
    #[inline(always)]
    fn rank_older(&mut self, older: usize, query: &impl Ranker, mut take: impl FnMut(Candidate)) {
        let (older, newer) = self.ids[..self.len].split_at(older);
        let (fours, rest) = older.as_chunks::<4>();
        let mut newer_fours = newer.chunks(4);
        // While four older nodes are ranked, four newer ones are fetched.
        for four in fours {
            newer_fours.next().unwrap_or(&[]).iter().for_each(|id| query.prefetch(*id));
            rank_four(query, four, &mut take);
        }
        newer_fours.flatten().for_each(|id| query.prefetch(*id));
        let ranked = older.len() - rest.len();
        // Up to three older nodes stay, in front of the newer ones.
        self.ids.copy_within(ranked..self.len, 0);
        self.len -= ranked;
    }

    /// Ranks all pending nodes.
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
