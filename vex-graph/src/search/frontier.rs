//! The frontier of a search: candidates that wait to be expanded, in a slice that the caller owns.

use crate::Candidate;

/// A binary heap with the nearest candidate on top, of at most as many as the slice is long.
///
/// A heap, not a sorted array as the candidate list is. Where few nodes match, it holds many times
/// as many candidates as the list, and almost none of them is ever looked at again.
pub(crate) struct Frontier<'s> {
    slots: &'s mut [Candidate],
    len: usize,
}

impl<'s> Frontier<'s> {
    pub(crate) fn new(slots: &'s mut [Candidate]) -> Self {
        Self { slots, len: 0 }
    }

    /// Drops all candidates.
    pub(crate) fn clear(&mut self) {
        self.len = 0;
    }

    /// How many candidates it can hold.
    pub(crate) fn capacity(&self) -> usize {
        self.slots.len()
    }

    /// The nearest.
    #[inline(always)]
    pub(crate) fn peek(&self) -> Option<Candidate> {
        self.slots[..self.len].first().copied()
    }

    /// Adds a candidate. A full heap compares it with the candidate at its end, which is a far one
    /// but need not be the farthest. The nearer of the two stays.
    #[inline(always)]
    pub(crate) fn push(&mut self, candidate: Candidate) {
        if self.len < self.slots.len() {
            self.len += 1;
        } else if self.slots.last().is_none_or(|last| *last <= candidate) {
            return;
        }
        // The free place rises from the end until its parent is nearer than the candidate.
        let mut position = self.len - 1;
        while position > 0 {
            let parent = (position - 1) / 2;
            if self.slots[parent] <= candidate {
                break;
            }
            self.slots[position] = self.slots[parent];
            position = parent;
        }
        self.slots[position] = candidate;
    }

    /// Takes the nearest.
    #[inline(always)]
    pub(crate) fn pop(&mut self) -> Option<Candidate> {
        let nearest = self.peek()?;
        self.len -= 1;
        // The last candidate takes the place on top, and sinks below every child that is nearer.
        let moved = self.slots[self.len];
        let heap = &mut self.slots[..self.len];
        let mut position = 0;
        while let Some(left) = heap.get(2 * position + 1) {
            let right_is_nearer = heap.get(2 * position + 2).is_some_and(|right| right < left);
            let child = 2 * position + 1 + usize::from(right_is_nearer);
            if moved <= heap[child] {
                break;
            }
            heap[position] = heap[child];
            position = child;
        }
        if let Some(slot) = heap.get_mut(position) {
            *slot = moved;
        }
        Some(nearest)
    }
}

#[cfg(test)]
mod tests {
    use super::Frontier;
    use crate::Candidate;
    use crate::random::draw;

    #[test]
    fn candidates_leave_nearest_first() {
        let mut slots = [Candidate::EMPTY; 100];
        for len in 0..=100u32 {
            let mut frontier = Frontier::new(&mut slots);
            for id in 0..len {
                frontier.push(Candidate::new((draw(1, id.into()) % 50) as f32, id));
            }
            let mut left = 0;
            let mut last = None;
            while let Some(candidate) = frontier.pop() {
                assert!(last.is_none_or(|last| last < candidate));
                (last, left) = (Some(candidate), left + 1);
            }
            assert_eq!(left, len);
        }
    }

    #[test]
    fn a_full_frontier_never_drops_the_nearest() {
        let mut slots = [Candidate::EMPTY; 7];
        let mut frontier = Frontier::new(&mut slots);
        let mut nearest = Candidate::EMPTY;
        for id in 0..500 {
            let candidate = Candidate::new((draw(2, id) % 1000) as f32, id as u32);
            frontier.push(candidate);
            nearest = nearest.min(candidate);
            assert_eq!(frontier.peek(), Some(nearest));
        }
        let left = core::iter::from_fn(|| frontier.pop());
        assert!(left.is_sorted());
    }

    #[test]
    fn no_room_holds_nothing() {
        let mut frontier = Frontier::new(&mut []);
        frontier.push(Candidate::new(1.0, 1));
        assert_eq!((frontier.peek(), frontier.pop()), (None, None));
    }
}
