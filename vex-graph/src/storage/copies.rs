//! Owned chains of copies: see [`copies`](crate::copies).

use alloc::vec::Vec;

use super::{bytes, growth, held, reserve, reserve_exact};
use crate::copies::{ALONE, Chains};
use crate::{CopyLinks, NodeId, OutOfMemory, TERMINATOR};

/// Marks the last copy of a chain, which its original holds while the chain is sorted.
const FLAG: NodeId = 1 << 31;

/// The chains of all nodes.
#[derive(Debug, Default)]
pub(crate) struct Copies {
    /// By node; empty until there is a copy.
    links: Vec<CopyLinks>,
    /// How many nodes are copies.
    count: usize,
}

impl Copies {
    /// The chains as searches see them: empty if there is no copy.
    pub(crate) fn chains(&self) -> Chains<'_> {
        Chains::new(if self.count == 0 { &[] } else { &self.links })
    }

    pub(crate) fn is_copy(&self, id: NodeId) -> bool {
        self.chains().is_copy(id)
    }

    /// The first copy of an original.
    pub(crate) fn first_of(&self, id: NodeId) -> Option<NodeId> {
        self.chains().copies_of(id).next()
    }

    /// Makes room for `additional` nodes more, in a graph that has a copy.
    pub(crate) fn reserve(&mut self, additional: usize) -> Result<(), OutOfMemory> {
        if self.links.is_empty() { Ok(()) } else { reserve(&mut self.links, additional) }
    }

    /// Makes room for the chains of a graph of `count` nodes, if there is none.
    pub(crate) fn prepare(&mut self, count: usize) -> Result<(), OutOfMemory> {
        if self.links.is_empty() {
            reserve_exact(&mut self.links, count)?;
            self.links.resize(count, ALONE);
        }
        Ok(())
    }

    /// Adds nodes that are in no chain until there are `count`, in a graph that has a copy. Room
    /// for them was reserved.
    pub(crate) fn extend_to(&mut self, count: usize) {
        if !self.links.is_empty() {
            self.links.resize(count.max(self.links.len()), ALONE);
        }
    }

    /// Adds a chain: an original and then its copies, ascending.
    pub(crate) fn push_chain(&mut self, ids: impl Iterator<Item = NodeId>) {
        let mut ids = ids;
        let Some(mut last) = ids.next() else { return };
        for id in ids {
            self.insert_after(last, id);
            last = id;
        }
    }

    /// Makes a node that is in no chain a copy of `original`. `is_equal` says which nodes have the
    /// same vector.
    ///
    /// The place is searched from both ends: along the chain, and by ids downward from the node's
    /// own. If the chain is long against the number of nodes, an equal vector has a near id. If it
    /// is short, its end is soon reached.
    pub(crate) fn insert(&mut self, original: NodeId, id: NodeId, is_equal: impl Fn(NodeId) -> bool) {
        let chains = self.chains();
        let (mut after, mut below) = (original, id);
        while let Some(next) = chains.next(after).filter(|next| *next < id) {
            after = next;
            below = below.saturating_sub(1);
            // A parked copy is in no chain, so nothing can follow it.
            let is_parked = self.links[below as usize] == [below; 2];
            if below < id && chains.is_copy(below) && !is_parked && is_equal(below) {
                after = below;
                break;
            }
        }
        self.insert_after(after, id);
    }

    fn insert_after(&mut self, before: NodeId, id: NodeId) {
        let next = core::mem::replace(&mut self.links[before as usize][0], id);
        self.links[id as usize] = [next, before];
        if let Some([_, previous]) = self.links.get_mut(next as usize) {
            *previous = id;
        }
        self.count += 1;
    }

    /// Removes a node from its chain, and returns the links that it had. If it was the original,
    /// the first copy takes its place.
    pub(crate) fn take(&mut self, id: NodeId) -> CopyLinks {
        let Some(links) = self.links.get_mut(id as usize) else { return ALONE };
        let taken = core::mem::replace(links, ALONE);
        let [next, previous] = taken;
        if taken != [id, id] {
            self.join(previous, next);
        }
        self.count -= usize::from(taken != ALONE);
        taken
    }

    /// Restores a node that was just taken.
    pub(crate) fn put_back(&mut self, id: NodeId, taken: CopyLinks) {
        if self.links.is_empty() {
            return;
        }
        let [next, previous] = taken;
        self.join(previous, id);
        self.join(id, next);
        self.links[id as usize] = taken;
        self.count += usize::from(taken != ALONE);
    }

    /// Makes two nodes name each other, if both exist.
    fn join(&mut self, previous: NodeId, next: NodeId) {
        if let Some(links) = self.links.get_mut(previous as usize) {
            links[0] = next;
        }
        if let Some(links) = self.links.get_mut(next as usize) {
            links[1] = previous;
        }
    }

    /// Removes a copy from its chain, but leaves it a copy: it names itself, and is not found any
    /// more. Links to it may be left over, and must not make it look like a node that is linked.
    pub(crate) fn park(&mut self, id: NodeId) {
        self.take(id);
        if let Some(links) = self.links.get_mut(id as usize) {
            *links = [id, id];
            self.count += 1;
        }
    }

    /// Removes every node from `count` on. No node before it is a copy of one of these.
    pub(crate) fn truncate(&mut self, count: usize) {
        for id in count..self.links.len() {
            self.take(id as NodeId);
        }
        self.links.truncate(count);
    }

    /// The chains of a graph whose nodes are renumbered: `new_id` has the id of each. `is_kept`
    /// says whether an original and a copy stay together. A parked copy is its own original.
    pub(crate) fn renumbered(
        chains: Chains<'_>,
        new_id: impl Fn(NodeId) -> NodeId,
        is_kept: impl Fn(NodeId, NodeId) -> bool,
    ) -> Result<Self, OutOfMemory> {
        let mut copies = Self::default();
        let links = &mut copies.links;
        let count = chains.links().len();
        reserve_exact(links, count)?;
        links.resize(count, ALONE);
        // First each copy holds the new id of its original.
        for old in 0..count as NodeId {
            for copy in chains.copies_of(old).filter(|copy| is_kept(old, *copy)) {
                links[new_id(copy) as usize][1] = new_id(old);
                copies.count += 1;
            }
        }
        // Then each copy is appended to its chain, in the order of ids. Meanwhile an original holds
        // the last of its chain, with a mark.
        for id in 0..count as NodeId {
            let original = links[id as usize][1];
            if original >= FLAG {
                continue;
            }
            let last = match links[original as usize][1] {
                TERMINATOR => original,
                marked => marked & !FLAG,
            };
            links[last as usize][0] = id;
            links[id as usize][1] = last;
            links[original as usize][1] = id | FLAG;
        }
        links.iter_mut().filter(|links| links[1] >= FLAG).for_each(|links| links[1] = TERMINATOR);
        // Parked copies stay parked.
        for old in (0..count as NodeId).filter(|old| chains.links()[*old as usize] == [*old; 2]) {
            if is_kept(old, old) {
                links[new_id(old) as usize] = [new_id(old); 2];
                copies.count += 1;
            }
        }
        if copies.count == 0 {
            copies.links = Vec::new();
        }
        Ok(copies)
    }

    /// The links, by node; empty if there is no copy.
    pub(crate) fn into_links(self) -> Vec<CopyLinks> {
        self.links
    }

    /// Bytes of the chains of `count` nodes.
    pub(crate) fn exact_bytes(count: usize) -> usize {
        bytes::<CopyLinks>(count)
    }

    /// Bytes held, and bytes of the new memory that one more node would move them to.
    pub(crate) fn memory(&self) -> [usize; 2] {
        let growth = if self.links.is_empty() { 0 } else { growth(&self.links) };
        [held(&self.links), growth]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Nodes of three kinds, by their remainders.
    fn copies(order: impl IntoIterator<Item = NodeId>, count: NodeId) -> Copies {
        let mut copies = Copies::default();
        copies.prepare(count as usize).unwrap();
        for id in order {
            copies.insert(id % 3, id, |other| other % 3 == id % 3);
        }
        copies
    }

    fn of(copies: &Copies, id: NodeId) -> Vec<NodeId> {
        copies.chains().copies_of(id).collect()
    }

    #[test]
    fn chains_ascend_whatever_the_order() {
        let mut scrambled: Vec<NodeId> = (3..60).collect();
        scrambled.sort_unstable_by_key(|id| crate::random::draw(3, u64::from(*id)));
        let orders: [Vec<NodeId>; 3] = [(3..60).collect(), (3..60).rev().collect(), scrambled];
        for order in orders {
            let copies = copies(order, 60);
            for kind in 0..3 {
                assert!(of(&copies, kind).into_iter().eq((kind + 3..60).step_by(3)));
            }
            assert_eq!(copies.count, 57);
        }
    }

    #[test]
    fn who_leaves_a_chain_is_alone_and_the_first_copy_follows_the_original() {
        let mut copies = copies(3..15, 15);
        for id in 0..15 {
            let before = copies.links.clone();
            let taken = copies.take(id);
            copies.put_back(id, taken);
            assert!(copies.links == before && copies.count == 12);
        }
        copies.take(6);
        assert_eq!(of(&copies, 0), [3, 9, 12]);
        copies.take(12);
        copies.take(0);
        assert!(of(&copies, 0).is_empty() && of(&copies, 6).is_empty());
        assert_eq!(of(&copies, 3), [9]);
        assert!(!copies.is_copy(3) && copies.is_copy(9));
        copies.take(9);
        assert!(of(&copies, 3).is_empty());
        copies.truncate(5);
        assert_eq!(of(&copies, 1), [4]);
        assert!(of(&copies, 2).is_empty());
        copies.truncate(3);
        assert!(copies.chains().are_none());
    }

    #[test]
    fn a_parked_copy_is_one_and_in_no_chain() {
        let mut copies = copies(3..9, 9);
        copies.park(6);
        assert!(copies.is_copy(6) && of(&copies, 6).is_empty());
        assert_eq!(of(&copies, 0), [3]);
        let new = Copies::renumbered(copies.chains(), |id| 8 - id, |_, _| true).unwrap();
        assert!(new.links[2] == [2, 2] && new.count == copies.count);
        let taken = copies.take(6);
        assert!(!copies.is_copy(6));
        copies.put_back(6, taken);
        assert!(copies.links[6] == [6, 6] && copies.count == 6);
        // No place in a chain is beside it.
        copies.park(7);
        copies.take(8);
        copies.insert(1, 8, |other| other % 3 == 1);
        assert_eq!(of(&copies, 1), [4, 8]);
    }

    #[test]
    fn renumbered_chains_are_sorted_again() {
        let copies = copies(3..12, 12);
        let new = Copies::renumbered(copies.chains(), |id| 11 - id, |_, copy| copy != 9).unwrap();
        assert_eq!(of(&new, 11), [5, 8]);
        assert_eq!(of(&new, 10), [1, 4, 7]);
        assert_eq!(of(&new, 9), [0, 3, 6]);
        assert_eq!(new.count, 8);
        let none = Copies::renumbered(copies.chains(), |id| id, |_, _| false).unwrap();
        assert!(none.chains().are_none() && none.memory() == [0, 0]);
    }
}
