//! Rankers: what a traversal of the graph needs to know of the nodes.

use crate::NodeId;
use crate::search::{Observer, Step};

/// Applies `f` to each of four values.
///
/// The compiler may leave `map` and `from_fn` of arrays as calls, and then does not see the
/// instruction set that `f` is compiled for. Searches took up to a tenth longer in programs that
/// are linked without optimisation.
#[inline(always)]
pub(crate) fn each_of_4<T, U>([a, b, c, d]: [T; 4], mut f: impl FnMut(T) -> U) -> [U; 4] {
    [f(a), f(b), f(c), f(d)]
}

/// Ranks nodes by their distance to one query; smaller is nearer. A rank orders nodes as the
/// distance does, but need not be the distance.
pub(crate) trait Ranker {
    /// The rank of a node.
    fn rank(&self, id: NodeId) -> f32;

    /// The ranks of four nodes: the same values, in less time.
    fn rank_4(&self, ids: [NodeId; 4]) -> [f32; 4];

    /// Prefetches the memory that ranking a node reads.
    fn prefetch(&self, id: NodeId);

    /// The search that ranks by this takes a step. Only [`Observed`] listens.
    #[inline(always)]
    fn step(&self, _: Step) {}
}

/// A ranker that knows what its ranks mean.
pub(crate) trait Estimator: Ranker {
    /// The distance for a rank.
    fn distance(&self, rank: f32) -> f32;

    /// The standard deviation of the error in the distance of a node: zero by vectors.
    fn deviation(&self, id: NodeId) -> f32;
}

/// A ranker that reports to an observer which nodes it ranks. Without an observer it compiles to
/// the ranker alone.
pub(crate) struct Observed<'q, Q, O> {
    pub(crate) query: &'q Q,
    pub(crate) observer: &'q O,
}

impl<Q: Estimator, O: Observer> Observed<'_, Q, O> {
    #[inline(always)]
    fn report(&self, id: NodeId, rank: f32) {
        if O::LISTENS {
            self.observer.step(Step::Ranked { id, distance: self.query.distance(rank) });
        }
    }
}

impl<Q: Estimator, O: Observer> Ranker for Observed<'_, Q, O> {
    #[inline(always)]
    fn rank(&self, id: NodeId) -> f32 {
        let rank = self.query.rank(id);
        self.report(id, rank);
        rank
    }

    #[inline(always)]
    fn rank_4(&self, ids: [NodeId; 4]) -> [f32; 4] {
        let ranks = self.query.rank_4(ids);
        for (id, rank) in ids.into_iter().zip(ranks) {
            self.report(id, rank);
        }
        ranks
    }

    #[inline(always)]
    fn prefetch(&self, id: NodeId) {
        self.query.prefetch(id);
    }

    #[inline(always)]
    fn step(&self, step: Step) {
        self.observer.step(step);
    }
}

impl<Q: Estimator, O: Observer> Estimator for Observed<'_, Q, O> {
    fn distance(&self, rank: f32) -> f32 {
        self.query.distance(rank)
    }

    fn deviation(&self, id: NodeId) -> f32 {
        self.query.deviation(id)
    }
}
