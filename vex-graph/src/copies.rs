//! Copies: of the nodes with equal vectors one is linked, and the others are found through it.
//!
//! A node whose vector equals that of a linked node, its *original*, is a *copy*. A copy has an id,
//! a vector and a code like any node, and a row on each of its levels. Its rows are empty, and no
//! node is linked to it. The copies of one original form a chain:
//!
//! ```text
//! original <-> copy <-> copy <-> copy       ids of copies ascend; that of the original may be any
//! ```
//!
//! So a search meets one node for each vector, however often that vector is there. When results are
//! written, each original is followed by its copies, which are at the same distance.
//!
//! A chain has links in both directions, though searches follow one. Two nodes belong to one chain
//! only if each names the other. So every node has at most one node before it. A chain that begins
//! at a node without one can neither run in a circle nor meet another chain, whatever bytes a file
//! holds.
//!
//! A deleted copy leaves its chain and names itself on both sides. So it counts as a copy, and no
//! chain leads to it.

use crate::NodeId;
#[cfg(feature = "alloc")]
use crate::TERMINATOR;

/// The next copy of a node's vector, and the node before it in the chain:
/// [`TERMINATOR`](crate::TERMINATOR) where there is none.
///
/// An original has no node before it, and its first copy after it. A node without copies has
/// neither. A deleted copy names itself twice. Chapter 4, `docs/4-changes.md` in the repository,
/// explains copies.
pub type CopyLinks = [NodeId; 2];

/// The links of a node that is in no chain.
#[cfg(feature = "alloc")]
pub(crate) const ALONE: CopyLinks = [TERMINATOR; 2];

/// The chains of all nodes. Only the number of links is checked; they may hold anything.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Chains<'a> {
    /// By node; empty if there are no copies.
    links: &'a [CopyLinks],
}

impl<'a> Chains<'a> {
    pub(crate) fn new(links: &'a [CopyLinks]) -> Self {
        Self { links }
    }

    pub(crate) fn links(self) -> &'a [CopyLinks] {
        self.links
    }

    /// Whether there are no copies.
    #[inline(always)]
    pub(crate) fn are_none(self) -> bool {
        self.links.is_empty()
    }

    /// The copy after a node.
    pub(crate) fn next(self, id: NodeId) -> Option<NodeId> {
        let [next, _] = *self.links.get(id as usize)?;
        let [_, previous] = *self.links.get(next as usize)?;
        (previous == id).then_some(next)
    }

    /// The node before a copy.
    pub(crate) fn previous(self, id: NodeId) -> Option<NodeId> {
        let [_, previous] = *self.links.get(id as usize)?;
        let [next, _] = *self.links.get(previous as usize)?;
        (next == id).then_some(previous)
    }

    /// Whether a node is found through another one.
    pub(crate) fn is_copy(self, id: NodeId) -> bool {
        self.previous(id).is_some()
    }

    /// The copies of a node; none of a node that is a copy itself.
    pub(crate) fn copies_of(self, id: NodeId) -> impl Iterator<Item = NodeId> + use<'a> {
        let first = self.next(id).filter(|_| !self.is_copy(id));
        core::iter::successors(first, move |id| self.next(*id))
    }
}

#[cfg(test)]
mod tests {
    use alloc::vec::Vec;

    use super::*;

    const T: NodeId = TERMINATOR;

    fn all(links: &[CopyLinks]) -> Vec<Vec<NodeId>> {
        (0..links.len() as NodeId).map(|id| Chains::new(links).copies_of(id).collect()).collect()
    }

    #[test]
    fn a_chain_belongs_to_its_original() {
        let links = [[T, 3], [2, T], [3, 1], [0, 2], [T, T]];
        assert_eq!(all(&links), [&[][..], &[2, 3, 0], &[], &[], &[]]);
        let chains = Chains::new(&links);
        assert!([0, 2, 3].into_iter().all(|id| chains.is_copy(id)));
        assert!([1, 4, 5, T].into_iter().all(|id| !chains.is_copy(id)));
    }

    #[test]
    fn garbage_makes_no_circle_and_no_node_is_in_two_chains() {
        // A circle, a node that names itself, two that name one, one that is not named back, and ids that
        // are no nodes.
        for links in [
            &[[1, 2], [2, 0], [0, 1]][..],
            &[[0, 0]],
            &[[2, T], [2, T], [T, 0]],
            &[[2, T], [2, T], [T, 1]],
            &[[1, T], [T, T]],
            &[[7, 9], [T, 1 << 31]],
            &[[1, T], [2, 0], [1, 1]],
        ] {
            let mut found: Vec<NodeId> = all(links).concat();
            let count = found.len();
            found.sort_unstable();
            found.dedup();
            assert_eq!(found.len(), count, "{links:?}");
        }
    }
}
