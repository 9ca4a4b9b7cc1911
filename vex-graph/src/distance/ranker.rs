//! Rankers: what a traversal of the graph needs to know of the nodes.

use crate::NodeId;

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
}

/// A ranker that knows what its ranks mean.
pub(crate) trait Estimator: Ranker {
    /// The distance for a rank.
    fn distance(&self, rank: f32) -> f32;

    /// The standard deviation of the error in the distance of a node: zero by vectors.
    fn deviation(&self, id: NodeId) -> f32;
}
