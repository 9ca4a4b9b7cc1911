//! The way through the graph: a greedy descent, then a beam.

use vex_kernels::prefetch;

use super::{Candidate, Pool, Ranker, SearchStats, Visited};
use crate::{GraphView, LevelView, NodeId};

/// One query on its way through the graph.
pub(crate) struct Walk<'w, R> {
    pub(crate) query: &'w R,
    pub(crate) count: usize,
    pub(crate) budget: usize,
    pub(crate) stats: &'w mut SearchStats,
}

/// Cache lines of the next candidate's links that are prefetched while the present one's are ranked.
pub(super) const LINK_PREFETCH_LINES: usize = 2;

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
            self.rank_each(links, |_| true, |candidate| nearest = nearest.min(candidate));
            if nearest == start {
                break;
            }
        }
        nearest
    }

    /// The beam: expands the nearest candidate that was not expanded, until the pool holds no such candidate.
    pub(crate) fn beam(&mut self, level: &LevelView<'_>, pool: &mut Pool<'_>, visited: &mut Visited<'_>) {
        while self.stats.distances < self.budget {
            let Some(id) = pool.expand_nearest() else { return };
            self.stats.hops += 1;
            if let Some(links) = pool.runner_up().and_then(|id| level.row(id)) {
                prefetch(links, LINK_PREFETCH_LINES);
            }
            let links = level.row(id).unwrap_or(&[]);
            self.rank_each(links, |id| visited.insert(id), |candidate| pool.insert(candidate));
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
            for id in piece.iter().copied().take_while(|id| (*id as usize) < self.count) {
                if wanted(id) {
                    self.query.prefetch(id);
                    gathered[len] = id;
                    len += 1;
                }
            }
            self.stats.distances += len;
            rank_gathered(self.query, &gathered[..len], &mut take);
        }
    }
}

/// Ranks nodes, four at a time.
#[inline(always)]
pub(super) fn rank_gathered(query: &impl Ranker, ids: &[NodeId], mut take: impl FnMut(Candidate)) {
    let (fours, rest) = ids.as_chunks::<4>();
    for four in fours {
        for (rank, id) in query.rank_4(*four).into_iter().zip(four) {
            take(Candidate::new(rank, *id));
        }
    }
    for id in rest {
        take(Candidate::new(query.rank(*id), *id));
    }
}
