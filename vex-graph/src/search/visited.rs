//! The visited set: which nodes a search has seen.
//!
//! One bit for each node would have to be cleared before every search. Here each word has an epoch
//! beside its bits:
//!
//! ```text
//! word = epoch of its bits (32 bits) | bits of 32 nodes
//! ```
//!
//! A word counts as empty if its epoch is not the present one. So a new search empties the set by
//! taking the next epoch. One more word keeps the epoch between searches.

use crate::NodeId;

/// Nodes in a word.
const NODES: usize = 32;

/// A set of node ids that is emptied in constant time.
pub(crate) struct Visited<'s> {
    words: &'s mut [u64],
    epoch: u64,
}

impl<'s> Visited<'s> {
    /// Words for a graph of `count` nodes, with the one for the epoch.
    pub(crate) const fn words(count: usize) -> usize {
        count.div_ceil(NODES) + 1
    }

    /// An empty set over `words`. They were zero before their first use, and only this type writes
    /// to them.
    pub(crate) fn new(words: &'s mut [u64]) -> Self {
        let Some((last, words)) = words.split_first_mut() else {
            return Self { words: &mut [], epoch: 0 };
        };
        let mut epoch = (*last >> NODES).wrapping_add(1) & u64::from(u32::MAX);
        if epoch == 0 {
            // After 2³² searches epochs start again, so old bits must be cleared.
            words.fill(0);
            epoch = 1;
        }
        *last = epoch << NODES;
        Self { words, epoch: epoch << NODES }
    }

    /// Empties the set in time that is linear in the number of nodes.
    pub(crate) fn clear(&mut self) {
        // No set has the epoch zero.
        self.words.fill(0);
    }

    /// Whether `id` was added.
    pub(crate) fn contains(&self, id: NodeId) -> bool {
        let word = self.words[id as usize / NODES];
        word >> NODES << NODES == self.epoch && word >> (id as usize % NODES) & 1 == 1
    }

    /// Adds `id`, and returns whether it is new.
    #[inline(always)]
    pub(crate) fn insert(&mut self, id: NodeId) -> bool {
        let word = &mut self.words[id as usize / NODES];
        let bit = 1u64 << (id as usize % NODES);
        let current = if *word >> NODES << NODES == self.epoch { *word } else { self.epoch };
        *word = current | bit;
        current & bit == 0
    }
}

#[cfg(test)]
mod tests {
    use super::Visited;

    #[test]
    fn a_new_set_is_empty_and_remembers() {
        let mut words = [0u64; Visited::words(100)];
        for _ in 0..3 {
            let mut visited = Visited::new(&mut words);
            for id in 0..100 {
                assert!(!visited.contains(id));
                assert!(visited.insert(id));
                assert!(visited.contains(id));
                assert!(!visited.insert(id));
            }
        }
    }

    #[test]
    fn marks_do_not_survive_the_wrap_of_the_epoch() {
        let mut words = [0u64; Visited::words(40)];
        Visited::new(&mut words).insert(7);
        words[0] = u64::from(u32::MAX) << 32;
        let mut visited = Visited::new(&mut words);
        assert!(visited.insert(7));
    }
}
