//! What a walk through the graph needs to know of the nodes.

use crate::NodeId;

/// Ranks nodes by their distance to one query; smaller is nearer. The value need not be the distance itself.
pub(crate) trait Ranker {
    /// The rank of a node.
    fn rank(&self, id: NodeId) -> f32;

    /// The ranks of four nodes: the same values, in less time.
    fn rank_4(&self, ids: [NodeId; 4]) -> [f32; 4];

    /// Asks for what ranking a node will read.
    fn prefetch(&self, id: NodeId);
}
