//! Candidates that wait to be expanded, in a slice that the caller owns.

use crate::Candidate;

/// A binary heap with the nearest candidate on top, of at most as many as the slice is long.
///
/// A heap, not a sorted array as the pool is: where most nodes are gated it holds many times the
/// pool, and almost all of it is never looked at again.
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

    /// How many it can hold.
    pub(crate) fn capacity(&self) -> usize {
        self.slots.len()
    }

    /// The nearest.
    #[inline(always)]
    pub(crate) fn peek(&self) -> Option<Candidate> {
        self.slots[..self.len].first().copied()
    }

    /// Adds a candidate. If there is no room, it takes the place of the one at the end of the heap,
    /// which is a far one though not the farthest, or is dropped if it is farther than that.
    #[inline(always)]
    pub(crate) fn push(&mut self, candidate: Candidate) {
        if self.len < self.slots.len() {
            self.len += 1;
        } else if self.slots.last().is_none_or(|last| *last <= candidate) {
            return;
        }
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
