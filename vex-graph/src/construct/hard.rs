//! Nodes that their codes do not tell from their neighbors.
//!
//! A build compares nodes by codes. That is as good as comparing vectors, as long as the errors of
//! codes are small against the distances between neighbors, which they are in most places of most
//! sets. Elsewhere, in a tight cluster or where the set has no common centre, they are not. Every
//! node finds out when it is linked (`propose.rs`): a node that is *hard* is linked by its vector,
//! and so is its row whenever links are selected anew.

use alloc::vec::Vec;

use crate::storage::{bytes, reserve_exact};
use crate::{NodeId, OutOfMemory};

/// The hard nodes of a build.
#[derive(Debug, Default)]
pub(super) struct Hard {
    /// By node; none where a build compares nodes by vectors.
    nodes: Vec<bool>,
    are_some: bool,
}

impl Hard {
    /// Makes room for nodes below `count`, none of which is hard yet.
    pub(super) fn reserve(&mut self, count: usize) -> Result<(), OutOfMemory> {
        reserve_exact(&mut self.nodes, count)?;
        self.nodes.resize(count, false);
        Ok(())
    }

    /// Bytes that [`reserve`](Self::reserve) allocates.
    pub(super) fn exact_bytes(count: usize) -> usize {
        bytes::<bool>(count)
    }

    pub(super) fn insert(&mut self, id: NodeId) {
        self.nodes[id as usize] = true;
        self.are_some = true;
    }

    pub(super) fn are_some(&self) -> bool {
        self.are_some
    }

    pub(super) fn contains(&self, id: NodeId) -> bool {
        self.nodes.get(id as usize).is_some_and(|is_hard| *is_hard)
    }
}
