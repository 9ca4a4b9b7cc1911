//! Sets of rows of one segment: a bit for each node.

use vex::graph::{NodeId, NodeSet};

/// A set of nodes with numbers below a length.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Bits {
    words: Vec<u64>,
    len: usize,
}

impl Bits {
    /// The empty set.
    pub(crate) fn none(len: usize) -> Self {
        Self { words: vec![0; NodeSet::words_for(len)], len }
    }

    /// The set of all nodes.
    pub(crate) fn all(len: usize) -> Self {
        let mut all = Self::none(len);
        all.invert();
        all
    }

    pub(crate) fn set(&mut self, node: NodeId) {
        debug_assert!((node as usize) < self.len);
        self.words[node as usize / 64] |= 1 << (node % 64);
    }

    pub(crate) fn unset(&mut self, node: NodeId) {
        self.words[node as usize / 64] &= !(1 << (node % 64));
    }

    pub(crate) fn toggle(&mut self, node: NodeId) {
        self.words[node as usize / 64] ^= 1 << (node % 64);
    }

    pub(crate) fn contains(&self, node: NodeId) -> bool {
        self.as_set().contains(node)
    }

    pub(crate) fn count(&self) -> usize {
        self.as_set().len()
    }

    pub(crate) fn as_set(&self) -> NodeSet<'_> {
        NodeSet::new(&self.words)
    }

    pub(crate) fn invert(&mut self) {
        self.words.iter_mut().for_each(|word| *word = !*word);
        if !self.len.is_multiple_of(64)
            && let Some(last) = self.words.last_mut()
        {
            *last &= (1 << (self.len % 64)) - 1;
        }
    }

    pub(crate) fn intersect(&mut self, other: &Self) {
        self.words.iter_mut().zip(&other.words).for_each(|(word, other)| *word &= other);
    }

    pub(crate) fn unite(&mut self, other: &Self) {
        self.words.iter_mut().zip(&other.words).for_each(|(word, other)| *word |= other);
    }

    /// Keeps what is in one of the sets alone.
    pub(crate) fn toggle_all(&mut self, other: &Self) {
        self.words.iter_mut().zip(&other.words).for_each(|(word, other)| *word ^= other);
    }

    /// Bytes of memory.
    pub(crate) fn memory(&self) -> usize {
        self.words.capacity() * 8
    }

    /// Runs of nodes that are in the set and follow each other.
    pub(crate) fn runs(&self) -> impl Iterator<Item = std::ops::Range<NodeId>> {
        let mut nodes = self.as_set().iter().peekable();
        std::iter::from_fn(move || {
            let start = nodes.next()?;
            let mut end = start + 1;
            while nodes.next_if_eq(&end).is_some() {
                end += 1;
            }
            Some(start..end)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sets_invert_within_their_length() {
        for len in [0, 1, 63, 64, 65, 130] {
            let mut bits = Bits::all(len);
            assert_eq!(bits.count(), len);
            assert_eq!(bits.runs().collect::<Vec<_>>().len(), usize::from(len > 0));
            for node in (0..len as u32).step_by(3) {
                bits.unset(node);
            }
            let runs: usize = bits.runs().map(|run| run.len()).sum();
            assert_eq!(runs, len - len.div_ceil(3));
            bits.invert();
            assert_eq!(bits.count(), len.div_ceil(3));
            assert!(bits.as_set().iter().all(|node| node % 3 == 0 && bits.contains(node)));
        }
    }
}
