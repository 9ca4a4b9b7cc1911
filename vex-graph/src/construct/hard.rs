//! Hard nodes: those whose codes do not distinguish them from their neighbors.
//!
//! A build compares nodes by codes. That is as good as comparing vectors as long as the errors of
//! codes are small against the distances between neighbors. In most places of most sets they are.
//! In a tight cluster, or in a set without a common center, they are not.
//!
//! Whether a node is *hard* shows when it is linked (`propose.rs`). A hard node is linked by its
//! vector. Its row is selected by vectors, too, whenever links are selected again, and so is a row
//! that it links to (`merge.rs`).

use alloc::vec::Vec;

use crate::storage::{bytes, reserve_exact};
use crate::{NodeId, OutOfMemory};

/// The hard nodes of a build.
#[derive(Debug, Default)]
pub(super) struct Hard {
    /// By node; empty if a build compares nodes by vectors.
    nodes: Vec<bool>,
}

impl Hard {
    /// Reserves memory for nodes below `count`, none of which is hard yet.
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
    }

    pub(super) fn contains(&self, id: NodeId) -> bool {
        self.nodes.get(id as usize).is_some_and(|is_hard| *is_hard)
    }
}
