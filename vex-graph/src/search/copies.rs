//! Copies in a search: the beam visits originals alone, and each stands for its chain.
//!
//! A filter is asked for the whole chain, since a copy may match though its original does not. When
//! results are written, each original is followed by its copies, which are at the same distance.

use core::cell::Cell;

use super::{Filter, Neighbor};
use crate::copies::Chains;
use crate::{Candidate, NodeId};

/// A filter that accepts an original if it accepts any node of its chain, and no copy.
///
/// A search may ask for a node as often as links lead to it. So the copies that it may ask for are
/// limited in all, or long chains would take quadratic time.
pub(crate) struct Grouped<'a, F> {
    filter: &'a F,
    chains: Chains<'a>,
    /// How many more copies may be asked for.
    steps: Cell<usize>,
}

impl<'a, F: Filter> Grouped<'a, F> {
    /// For a graph of `count` nodes. As many copies may be asked for, which takes about as long as
    /// asking for every node.
    pub(crate) fn new(filter: &'a F, chains: Chains<'a>, count: usize) -> Self {
        Self { filter, chains, steps: Cell::new(count) }
    }

    /// Whether the limit was reached. Then some answers may be wrong.
    pub(crate) fn is_exhausted(&self) -> bool {
        self.steps.get() == 0
    }

    /// Whether the filter accepts at least `k` nodes of these chains.
    pub(crate) fn accepts_as_many(&self, originals: &[Candidate], k: usize) -> bool {
        let members = originals.iter().flat_map(|original| {
            let id = original.id();
            core::iter::once(id).chain(self.chains.copies_of(id).take_while(|_| self.step()))
        });
        members.filter(|id| self.filter.accepts(*id)).take(k).count() == k
    }

    /// Takes a step, if there is one left.
    fn step(&self) -> bool {
        let steps = self.steps.get();
        self.steps.set(steps.saturating_sub(1));
        steps > 0
    }

    /// Whether the filter accepts the chain of a node, if it is an original.
    #[inline(never)]
    fn accepts_chain(&self, id: NodeId, accepts_original: bool) -> bool {
        if accepts_original {
            return !self.chains.is_copy(id);
        }
        let mut copies = self.chains.copies_of(id).take_while(|_| self.step());
        copies.any(|copy| self.filter.accepts(copy))
    }
}

impl<F: Filter> Filter for Grouped<'_, F> {
    #[inline(always)]
    fn accepts(&self, id: NodeId) -> bool {
        let accepted = self.filter.accepts(id);
        if self.chains.are_none() { accepted } else { self.accepts_chain(id, accepted) }
    }
}

/// Writes the nodes that were found, each original with its copies, to the front of `out`. Returns
/// how many nodes that are.
///
/// Only `accepted` nodes are written. Of a chain, a copy that the search has `seen` by itself is
/// left out. Equal distances are ordered by id, whether a node is an original or a copy.
///
/// `found` is sorted. A copy to which a link was left over may be in it.
pub(crate) fn write_groups(
    chains: Chains<'_>,
    found: &[Candidate],
    accepted: impl Fn(NodeId) -> bool,
    seen: impl Fn(NodeId) -> bool,
    out: &mut [Neighbor],
    distance: impl Fn(f32) -> f32,
) -> usize {
    let mut written = 0;
    // Candidates at one distance, and all their copies, compete for places by their ids alone.
    for equal in found.chunk_by(|a, b| a.distance().to_bits() == b.distance().to_bits()) {
        let mut lowest = Lowest { slots: &mut out[written..], len: 0 };
        if lowest.slots.is_empty() {
            break;
        }
        let distance = distance(equal[0].distance());
        for id in equal.iter().map(|candidate| candidate.id()) {
            if accepted(id) {
                lowest.insert(Neighbor { id, distance });
            }
            // Copies ascend: after one for which there is no room, there is room for none.
            for id in chains.copies_of(id) {
                if !lowest.has_room_for(id) {
                    break;
                }
                if accepted(id) && !seen(id) {
                    lowest.insert(Neighbor { id, distance });
                }
            }
        }
        written += lowest.finish();
    }
    written
}

/// The nodes of the lowest ids, as many as there are slots. They are sorted once no slot is left.
struct Lowest<'o> {
    slots: &'o mut [Neighbor],
    len: usize,
}

impl Lowest<'_> {
    fn is_full(&self) -> bool {
        self.len == self.slots.len()
    }

    fn has_room_for(&self, id: NodeId) -> bool {
        !self.is_full() || self.slots.last().is_some_and(|last| id < last.id)
    }

    fn insert(&mut self, neighbor: Neighbor) {
        if !self.is_full() {
            self.slots[self.len] = neighbor;
            self.len += 1;
            if self.is_full() {
                self.sort();
            }
        } else if self.has_room_for(neighbor.id) {
            let position = self.slots.partition_point(|slot| slot.id < neighbor.id);
            self.slots[position..].rotate_right(1);
            self.slots[position] = neighbor;
        }
    }

    fn sort(&mut self) {
        self.slots[..self.len].sort_unstable_by_key(|slot| slot.id);
    }

    fn finish(mut self) -> usize {
        if !self.is_full() {
            self.sort();
        }
        self.len
    }
}

#[cfg(test)]
mod tests {
    use alloc::vec;
    use alloc::vec::Vec;

    use super::*;
    use crate::{CopyLinks, TERMINATOR};

    const T: NodeId = TERMINATOR;
    /// Two chains: 5, 0, 3, 9 and 4, 8. Nodes 1, 2, 6 and 7 are alone.
    const LINKS: [CopyLinks; 10] =
        [[3, 5], [T, T], [T, T], [9, 0], [8, T], [0, T], [T, T], [T, T], [T, 4], [T, 3]];

    fn written(found: &[(f32, NodeId)], k: usize, accepted: impl Fn(NodeId) -> bool) -> Vec<NodeId> {
        let found: Vec<_> = found.iter().map(|(rank, id)| Candidate::new(*rank, *id)).collect();
        let mut out = vec![Neighbor::default(); k];
        let seen = |id| found.iter().any(|candidate| candidate.id() == id);
        let len = write_groups(Chains::new(&LINKS), &found, accepted, seen, &mut out, |rank| rank);
        out.truncate(len);
        assert!(out.is_sorted_by(|a, b| a.distance <= b.distance));
        out.iter().map(|neighbor| neighbor.id).collect()
    }

    #[test]
    fn originals_bring_their_copies_and_ties_are_by_id() {
        let apart = [(1.0, 2), (2.0, 5), (3.0, 4), (4.0, 1)];
        assert_eq!(written(&apart, 10, |_| true), [2, 0, 3, 5, 9, 4, 8, 1]);
        assert_eq!(written(&apart, 3, |_| true), [2, 0, 3]);
        assert_eq!(written(&apart, 0, |_| true), []);
        let tied = [(1.0, 2), (1.0, 4), (1.0, 5), (1.0, 7)];
        for k in 0..10 {
            assert_eq!(written(&tied, k, |_| true), [0, 2, 3, 4, 5, 7, 8, 9][..k.min(8)]);
        }
        assert_eq!(written(&tied, 3, |id| id % 2 == 1), [3, 5, 7]);
    }

    #[test]
    fn a_copy_that_was_found_itself_is_written_once() {
        assert_eq!(written(&[(1.0, 3), (1.0, 5)], 10, |_| true), [0, 3, 5, 9]);
        assert_eq!(written(&[(1.0, 3), (1.0, 5)], 2, |_| true), [0, 3]);
        assert_eq!(written(&[(1.0, 9), (1.0, 5)], 2, |_| true), [0, 3]);
        // Without its original.
        assert_eq!(written(&[(1.0, 3), (1.0, 7)], 10, |_| true), [3, 7]);
    }

    #[test]
    fn a_group_is_accepted_if_one_of_it_is() {
        let only_nine = |id: NodeId| id == 9;
        let grouped = Grouped::new(&only_nine, Chains::new(&LINKS), 10);
        let accepted: Vec<NodeId> = (0..10).filter(|id| grouped.accepts(*id)).collect();
        assert_eq!(accepted, [5]);
        assert!(!grouped.is_exhausted());
        while !grouped.is_exhausted() {
            assert!(!grouped.accepts(4));
        }
        assert!(!grouped.accepts(5));
        let all = |_| true;
        let grouped = Grouped::new(&all, Chains::new(&LINKS), 10);
        let found = [Candidate::new(0.0, 4), Candidate::new(1.0, 7)];
        assert!(grouped.accepts_as_many(&found, 3) && !grouped.accepts_as_many(&found, 4));
    }
}
