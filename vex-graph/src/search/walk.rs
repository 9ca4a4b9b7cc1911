//! The way through the graph: a greedy descent, then a beam.

use vex_kernels::prefetch;

use super::{Candidate, Pool, Ranker, SearchStats, Visited};
use crate::copies::Chains;
use crate::{GraphView, LevelView, NodeId};

/// One query on its way through the graph.
pub(crate) struct Walk<'w, R> {
    pub(crate) query: &'w R,
    pub(crate) count: usize,
    pub(crate) chains: Chains<'w>,
    pub(crate) budget: usize,
    pub(crate) stats: &'w mut SearchStats,
}

/// Cache lines of the next candidate's links that are prefetched while the present one's are ranked.
pub(super) const LINK_PREFETCH_LINES: usize = 2;

/// As long as one of so many nearest candidates was not expanded, a walk approaches.
const APPROACH: usize = 2;

/// Links are gathered in pieces of this size, on the stack.
pub(super) const GATHER: usize = 64;

impl<R: Ranker> Walk<'_, R> {
    /// Where the base level is entered: the node to which the levels above lead, and the entry point, which may be the same. None
    /// in a graph of no nodes.
    ///
    /// Every node is reachable from the entry point, not from wherever the descent ended: with both in the pool,
    /// a pool as large as the graph returns the exact answer.
    #[inline(always)]
    pub(crate) fn enter(&mut self, view: &GraphView<'_>) -> impl Iterator<Item = Candidate> + use<R> {
        let start = view.entry().map(|entry| Candidate::new(self.query.rank(entry), entry));
        self.stats.distances += usize::from(start.is_some());
        let levels = view.levels()[1..].iter().rev();
        let nearest = start.map(|start| levels.fold(start, |nearest, level| self.descend(level, nearest)));
        nearest.into_iter().chain(start)
    }

    /// The greedy step above the base: moves to the nearest link until none is nearer. Every move strictly lowers the
    /// candidate, so that it ends on any links.
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

    /// The beam: expands the nearest candidate that was not expanded, until the pool holds no such candidate.
    ///
    /// The links of one candidate are fetched while those of the one before it are ranked, so a candidate is chosen before these
    /// are known. That costs next to nothing, since what is near enough to be in the pool at the end is expanded sooner or later; only
    /// while the walk still approaches, it waits for the links that may lead it nearer.
    pub(crate) fn beam(&mut self, level: &LevelView<'_>, pool: &mut Pool<'_>, visited: &mut Visited<'_>) {
        let mut pending = Pending::default();
        loop {
            if pending.len > 0 && pool.next_position() < APPROACH {
                pending.rank_all(self.query, |candidate| pool.insert(candidate));
            }
            let goes_on = self.stats.distances < self.budget;
            let Some(id) = pool.expand_nearest().filter(|_| goes_on) else {
                if pending.len == 0 {
                    return;
                }
                pending.rank_all(self.query, |candidate| pool.insert(candidate));
                continue;
            };
            self.stats.hops += 1;
            if let Some(links) = pool.runner_up().and_then(|id| level.row(id)) {
                prefetch(links, LINK_PREFETCH_LINES);
            }
            for piece in level.row(id).unwrap_or(&[]).chunks(GATHER) {
                let older = pending.len;
                for id in piece.iter().copied().take_while(|id| (*id as usize) < self.count) {
                    pending.push_if(id, visited.insert(id));
                }
                self.stats.distances += pending.len - older;
                pending.rank_older(older, self.query, |candidate| pool.insert(candidate));
            }
        }
    }

    /// Ranks the links that `wanted` lets through, four at a time. The end of the row is the first id that is no node.
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
            // Written whether wanted or not: about half of the links are, in no order that a processor could guess.
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

/// Nodes that are being fetched and not ranked yet, oldest first.
///
/// It cannot overflow, whatever the row's length. [`rank_older`](Self::rank_older) leaves the last piece, of at most [`GATHER`] nodes,
/// and up to three older ones; then at most one more piece is appended before it is called again.
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
    /// What fills no group of four, the piece that is being fetched, and the piece that is appended.
    const CAPACITY: usize = 3 + GATHER + GATHER;

    /// Appends a node if it is wanted, without a branch that no processor could guess.
    #[inline(always)]
    fn push_if(&mut self, id: NodeId, is_wanted: bool) {
        self.ids[self.len] = id;
        self.len += usize::from(is_wanted);
    }

    /// Ranks the first `older` but for what fills no group of four, and fetches the others meanwhile.
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
