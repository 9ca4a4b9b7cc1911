//! The candidate list of a beam search: the nearest nodes so far, sorted, in a slice that the
//! caller owns.

use crate::{Candidate, NodeId};

/// The nearest candidates so far, at most as many as the slice is long.
///
/// A sorted array, not a heap. The list is short, so an insert is one `memmove` within the
/// first-level cache. The next candidate to expand is at a position that is known.
///
/// Invariant: candidates are sorted by distance and id, and all before `next` are expanded.
pub(crate) struct CandidateList<'s> {
    /// Candidates in the first `len`; anything behind them.
    slots: &'s mut [Candidate],
    len: usize,
    /// Everything before this position is expanded.
    next: usize,
}

impl<'s> CandidateList<'s> {
    pub(crate) fn new(slots: &'s mut [Candidate]) -> Self {
        Self { slots, len: 0, next: 0 }
    }

    pub(crate) fn candidates(&self) -> &[Candidate] {
        &self.slots[..self.len]
    }

    /// Whether the list is as long as it can be.
    pub(crate) fn is_full(&self) -> bool {
        self.len == self.slots.len()
    }

    /// Whether the list would keep a candidate.
    #[inline(always)]
    pub(crate) fn has_room_for(&self, candidate: Candidate) -> bool {
        !self.is_full() || self.slots.last().is_some_and(|farthest| candidate < *farthest)
    }

    pub(crate) fn into_candidates(self) -> &'s mut [Candidate] {
        &mut self.slots[..self.len]
    }

    /// Keeps `candidate` if there is room, or if it is nearer than the farthest, which is then
    /// dropped.
    #[inline(always)]
    pub(crate) fn insert(&mut self, candidate: Candidate) {
        if self.len == self.slots.len() {
            match self.slots.last() {
                // The others move over the farthest below.
                Some(farthest) if candidate < *farthest => self.len -= 1,
                _ => return,
            }
        }
        let position = self.slots[..self.len].partition_point(|kept| *kept < candidate);
        self.slots.copy_within(position..self.len, position + 1);
        self.slots[position] = candidate;
        self.len += 1;
        // The new candidate was not expanded, and may lie before `next`.
        self.next = self.next.min(position);
    }

    /// Inserts `candidate` and returns the candidate that has no room any more: the farthest, or
    /// itself.
    #[inline(always)]
    pub(crate) fn replace_farthest(&mut self, candidate: Candidate) -> Option<Candidate> {
        if !self.has_room_for(candidate) {
            return Some(candidate);
        }
        let farthest = if self.is_full() { self.slots.last().copied() } else { None };
        self.insert(candidate);
        farthest
    }

    /// Marks the candidates at some positions as expanded.
    pub(crate) fn mark(&mut self, positions: core::ops::Range<usize>) {
        for candidate in &mut self.slots[positions] {
            *candidate = candidate.expanded();
        }
    }

    /// Drops all candidates.
    pub(crate) fn clear(&mut self) {
        (self.len, self.next) = (0, 0);
    }

    /// Drops the candidates that are marked as expanded.
    pub(crate) fn drop_marked(&mut self) {
        let mut kept = 0;
        for position in 0..self.len {
            let candidate = self.slots[position];
            if !candidate.is_expanded() {
                self.slots[kept] = candidate;
                kept += 1;
            }
        }
        (self.len, self.next) = (kept, 0);
    }

    /// The nearest candidate that was not expanded yet, marked as expanded.
    #[inline(always)]
    pub(crate) fn expand_nearest(&mut self) -> Option<NodeId> {
        let position = self.next_position();
        let candidate = self.slots[..self.len].get_mut(position)?;
        *candidate = candidate.expanded();
        self.next += 1;
        Some(candidate.id())
    }

    /// How many candidates are nearer than the nearest that was not expanded.
    #[inline(always)]
    pub(crate) fn next_position(&mut self) -> usize {
        while self.slots[..self.len].get(self.next).is_some_and(|candidate| candidate.is_expanded()) {
            self.next += 1;
        }
        self.next
    }

    /// The candidate at `next`. It may be expanded already, since `next` does not skip those until
    /// it must.
    #[inline(always)]
    pub(crate) fn runner_up(&self) -> Option<NodeId> {
        self.candidates().get(self.next).map(|candidate| candidate.id())
    }
}

#[cfg(test)]
mod tests {
    use super::CandidateList;
    use crate::Candidate;

    #[test]
    fn the_list_keeps_the_nearest_in_order_and_expands_each_once() {
        let mut slots = [Candidate::EMPTY; 3];
        let mut list = CandidateList::new(&mut slots);
        for (distance, id) in [(5.0, 1), (3.0, 2), (4.0, 3)] {
            list.insert(Candidate::new(distance, id));
        }
        assert_eq!(list.expand_nearest(), Some(2));
        assert_eq!(list.expand_nearest(), Some(3));
        // Nearer than what was expanded: it must be the next, and push out the farthest.
        list.insert(Candidate::new(1.0, 4));
        assert_eq!(list.expand_nearest(), Some(4));
        assert_eq!(list.expand_nearest(), None);
        list.insert(Candidate::new(9.0, 5));
        let ids: [u32; 3] = core::array::from_fn(|i| list.candidates()[i].id());
        assert_eq!(ids, [4, 2, 3]);
    }

    #[test]
    fn an_empty_list_keeps_nothing() {
        let mut list = CandidateList::new(&mut []);
        list.insert(Candidate::new(1.0, 1));
        assert_eq!(list.expand_nearest(), None);
    }
}
