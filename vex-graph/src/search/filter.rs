//! Filters: which nodes a search may return.

use crate::{NodeId, NodeSet};

/// Which nodes a search may return: a [`NodeSet`], a predicate `Fn(NodeId) -> bool`, or with the
/// feature `roaring` a `RoaringBitmap`.
///
/// A predicate is asked for nodes of the view alone, in no particular order and possibly more than
/// once. Deleted nodes are among them. Its answer for a node should not change during a search. If
/// it does, the search returns some of the nodes that the predicate accepted once.
///
/// A beam search asks for each link that it reads, and a scan for every node. So an answer should
/// take no longer than a few nanoseconds. Chapter 7 (`docs/7-filters.md` in the repository)
/// explains filters.
///
/// ```
/// use vex_graph::{Filter, NodeId, NodeSet};
///
/// /// Every node from a first one on.
/// struct From(NodeId);
///
/// impl Filter for From {
///     fn accepts(&self, id: NodeId) -> bool {
///         id >= self.0
///     }
///
///     fn matches(&self, count: usize) -> Option<usize> {
///         Some(count.saturating_sub(self.0 as usize))
///     }
/// }
///
/// assert_eq!(From(60).word(0, 100), 0b1111 << 60);
/// assert_eq!(NodeSet::new(&[0b1010]).matches(100), Some(2));
/// ```
pub trait Filter {
    /// Whether a search may return the node.
    fn accepts(&self, id: NodeId) -> bool;

    /// How many of the nodes below `count` the filter accepts, if it knows in much less time than
    /// asking for each takes. The planner uses this number, so a few more do no harm. If there is
    /// none, it asks for a sample of nodes.
    fn matches(&self, count: usize) -> Option<usize> {
        let _ = count;
        None
    }

    /// The filter's answers for the 64 nodes from `64 * index` on: one bit each, the lowest first.
    /// Bits of ids from `count` on are ignored. By default each node is asked for; a set that keeps
    /// words should return them.
    fn word(&self, index: usize, count: usize) -> u64 {
        let start = index * 64;
        let ids = start..count.min(start + 64);
        ids.fold(0, |word, id| word | u64::from(self.accepts(id as NodeId)) << (id - start))
    }
}

impl<F: Fn(NodeId) -> bool> Filter for F {
    #[inline(always)]
    fn accepts(&self, id: NodeId) -> bool {
        self(id)
    }
}

impl Filter for NodeSet<'_> {
    #[inline(always)]
    fn accepts(&self, id: NodeId) -> bool {
        self.contains(id)
    }

    fn matches(&self, count: usize) -> Option<usize> {
        let words = &self.words()[..self.words().len().min(NodeSet::words_for(count))];
        Some(NodeSet::new(words).len().min(count))
    }

    #[inline(always)]
    fn word(&self, index: usize, _: usize) -> u64 {
        self.words().get(index).copied().unwrap_or(0)
    }
}

#[cfg(feature = "roaring")]
impl Filter for roaring::RoaringBitmap {
    fn accepts(&self, id: NodeId) -> bool {
        self.contains(id)
    }

    fn matches(&self, count: usize) -> Option<usize> {
        Some(self.range_cardinality(..count as NodeId) as usize)
    }

    fn word(&self, index: usize, count: usize) -> u64 {
        let start = index * 64;
        let ids = self.range(start as NodeId..count.min(start + 64) as NodeId);
        ids.fold(0, |word, id| word | 1 << (id as usize - start))
    }
}

/// The nodes that a filter accepts and that are not deleted.
pub(crate) struct Live<'a, F> {
    pub(crate) filter: &'a F,
    pub(crate) tombstones: NodeSet<'a>,
}

impl<F: Filter> Filter for Live<'_, F> {
    #[inline(always)]
    fn accepts(&self, id: NodeId) -> bool {
        !self.tombstones.contains(id) && self.filter.accepts(id)
    }

    #[inline(always)]
    fn word(&self, index: usize, count: usize) -> u64 {
        match self.filter.word(index, count) {
            0 => 0,
            word => word & !self.tombstones.word(index, count),
        }
    }
}
