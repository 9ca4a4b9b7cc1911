//! Sets of nodes: one bit each.

use crate::NodeId;

/// A set of nodes, borrowed: bit `id % 64` of word `id / 64`. Nodes beyond the last word are not in
/// the set. [`contains`](Self::contains) takes constant time; what counts or lists nodes reads all
/// words.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct NodeSet<'a> {
    words: &'a [u64],
}

impl<'a> NodeSet<'a> {
    /// The set that these words make up.
    pub const fn new(words: &'a [u64]) -> Self {
        Self { words }
    }

    /// Words of a set that can hold any of `count` nodes.
    pub const fn words_for(count: usize) -> usize {
        count.div_ceil(64)
    }

    /// The words.
    pub const fn words(&self) -> &'a [u64] {
        self.words
    }

    /// Whether a node is in the set.
    #[inline(always)]
    pub fn contains(&self, id: NodeId) -> bool {
        self.words.get(id as usize / 64).is_some_and(|word| word >> (id % 64) & 1 == 1)
    }

    /// How many nodes are in the set.
    pub fn len(&self) -> usize {
        self.words.iter().map(|word| word.count_ones() as usize).sum()
    }

    /// Whether no node is in the set.
    pub fn is_empty(&self) -> bool {
        self.words.iter().all(|word| *word == 0)
    }

    /// The nodes of the set, ascending.
    pub fn iter(&self) -> impl Iterator<Item = NodeId> + use<'a> {
        let words = self.words.iter().enumerate();
        words.flat_map(|(index, word)| {
            let mut rest = *word;
            core::iter::from_fn(move || {
                let bit = rest.trailing_zeros();
                (rest != 0).then(|| {
                    rest &= rest - 1;
                    (index * 64) as NodeId + bit
                })
            })
        })
    }
}

#[cfg(test)]
mod tests {
    use super::NodeSet;

    #[test]
    fn nodes_are_the_bits_that_are_set() {
        let set = NodeSet::new(&[1 | 1 << 63, 0, 1 << 5]);
        assert!(set.iter().eq([0, 63, 133]));
        assert_eq!((set.len(), set.is_empty()), (3, false));
        assert!((0..300).filter(|id| set.contains(*id)).eq(set.iter()));
        assert!(NodeSet::new(&[0]).is_empty());
    }
}
