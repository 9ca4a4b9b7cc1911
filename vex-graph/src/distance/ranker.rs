//! What a walk through the graph needs to know of the nodes.

use crate::NodeId;

/// What `f` makes of each of four. In place of `map` and `from_fn` of arrays, which the compiler
/// may call, with what is asked of `f` then out of its sight: searches took up to a tenth longer in
/// programs that are linked without optimisation.
#[inline(always)]
pub(crate) fn each_of_4<T, U>([a, b, c, d]: [T; 4], mut f: impl FnMut(T) -> U) -> [U; 4] {
    [f(a), f(b), f(c), f(d)]
}

/// Ranks nodes by their distance to one query; smaller is nearer. The value need not be the
/// distance itself.
pub(crate) trait Ranker {
    /// The rank of a node.
    fn rank(&self, id: NodeId) -> f32;

    /// The ranks of four nodes: the same values, in less time.
    fn rank_4(&self, ids: [NodeId; 4]) -> [f32; 4];

    /// Asks for what ranking a node will read.
    fn prefetch(&self, id: NodeId);
}
