//! Tombstones: the deleted nodes, whose slots are free.

use alloc::collections::BinaryHeap;
use alloc::vec::Vec;
use core::cmp::Reverse;

use super::{bytes, reserve};
use crate::{NodeId, NodeSet, OutOfMemory};

/// The deleted nodes: a set for searches, and a heap that gives the next insert the lowest.
#[derive(Debug, Default)]
pub(crate) struct Tombstones {
    words: Vec<u64>,
    free: BinaryHeap<Reverse<NodeId>>,
}

impl Tombstones {
    /// Copies the nodes of a set that are below `count`.
    pub(crate) fn copy_of(set: NodeSet<'_>, count: usize) -> Result<Self, OutOfMemory> {
        let mut copy = Self::default();
        for id in set.iter().take_while(|id| (*id as usize) < count) {
            copy.insert(id)?;
        }
        Ok(copy)
    }

    /// Adds a node that is not in the set.
    pub(crate) fn insert(&mut self, id: NodeId) -> Result<(), OutOfMemory> {
        let word = id as usize / 64;
        let more = (word + 1).saturating_sub(self.words.len());
        reserve(&mut self.words, more)?;
        let bytes = bytes::<NodeId>(self.free.len() + 1);
        self.free.try_reserve(1).map_err(|_| OutOfMemory { bytes })?;
        self.words.resize(self.words.len() + more, 0);
        self.words[word] |= 1 << (id % 64);
        self.free.push(Reverse(id));
        Ok(())
    }

    /// The lowest node of the set.
    pub(crate) fn lowest(&self) -> Option<NodeId> {
        self.free.peek().map(|lowest| lowest.0)
    }

    /// Removes the lowest node from the set.
    pub(crate) fn remove_lowest(&mut self) {
        if let Some(Reverse(id)) = self.free.pop() {
            self.words[id as usize / 64] &= !(1 << (id % 64));
        }
    }

    pub(crate) fn contains(&self, id: NodeId) -> bool {
        self.set().contains(id)
    }

    pub(crate) fn len(&self) -> usize {
        self.free.len()
    }

    /// Bytes held.
    pub(crate) fn held(&self) -> usize {
        super::held(&self.words) + bytes::<NodeId>(self.free.capacity())
    }

    /// The set, without words if it is empty.
    pub(crate) fn set(&self) -> NodeSet<'_> {
        NodeSet::new(if self.free.is_empty() { &[] } else { &self.words })
    }
}

#[cfg(test)]
mod tests {
    use super::Tombstones;
    use crate::NodeSet;

    #[test]
    fn the_lowest_comes_first_and_the_set_follows() {
        let mut tombstones = Tombstones::default();
        for id in [70, 3, 200, 64] {
            tombstones.insert(id).unwrap();
        }
        for (left, id) in [(3, 3), (2, 64), (1, 70), (0, 200)] {
            assert_eq!(tombstones.lowest(), Some(id));
            assert!(tombstones.contains(id));
            tombstones.remove_lowest();
            assert!(!tombstones.contains(id));
            assert_eq!((tombstones.len(), tombstones.set().len()), (left, left));
        }
        assert_eq!(tombstones.lowest(), None);
        assert!(tombstones.set().words().is_empty());
    }

    #[test]
    fn a_copy_leaves_out_what_is_no_node() {
        let copy = Tombstones::copy_of(NodeSet::new(&[1 << 5 | 1 << 63, u64::MAX]), 65).unwrap();
        assert!(copy.set().iter().eq([5, 63, 64]));
    }
}
