//! Reranking: the best candidates of a search through codes are compared by vectors.
//!
//! ```text
//! rerank(candidates sorted by codes, k):
//!     compare the first k by vectors
//!     farthest = the distance of the farthest of these
//!     last = the last candidate whose least distance is at most `farthest`
//!     compare all candidates up to `last` by vectors, and sort
//! ```
//!
//! The least distance of a candidate is its distance by codes minus three standard deviations of
//! the error (Gao & Long, RaBitQ, SIGMOD 2024, section 4). A candidate behind `last` is not among
//! the `k` nearest, so its vector is not fetched.

use core::cmp::Ordering::Greater;

use super::Ranker;
use crate::Candidate;

/// Candidates that were compared by vectors.
pub(crate) struct Reranked<'c> {
    /// Sorted.
    pub(crate) candidates: &'c mut [Candidate],
    /// By how much codes placed them too near, on average.
    pub(crate) shift: f32,
}

/// Compares candidates, which are sorted by their codes, by their vectors: the first `k`, and all
/// up to the last that may be nearer than one of these.
///
/// `distance` turns a rank by vectors into a distance, and `coded` a rank by codes. `least` is the
/// least distance that a candidate may have.
pub(super) fn rerank<'c>(
    exact: &impl Ranker,
    distance: impl Fn(f32) -> f32,
    coded: impl Fn(f32) -> f32,
    least: impl Fn(Candidate) -> f32,
    candidates: &'c mut [Candidate],
    k: usize,
) -> Reranked<'c> {
    let k = k.min(candidates.len());
    let (first, rest) = candidates.split_at_mut(k);
    let mut by_codes = sum(first, &coded);
    rank_anew(exact, first);
    let farthest = first.last().map_or(f32::INFINITY, |last| distance(last.distance()));
    // A NaN may stand for any distance, so the candidate is compared.
    let may_be_nearer = |candidate: &Candidate| least(*candidate).partial_cmp(&farthest) != Some(Greater);
    // Candidates before the last one are compared as well. They are nearer by their codes, and few.
    let near = rest.iter().rposition(may_be_nearer).map_or(0, |last| last + 1);
    by_codes += sum(&rest[..near], &coded);
    rank_anew(exact, &mut rest[..near]);
    let candidates = &mut candidates[..k + near];
    candidates.sort_unstable();
    let shift = (sum(candidates, distance) - by_codes) / candidates.len().max(1) as f64;
    Reranked { candidates, shift: shift as f32 }
}

/// Ranks candidates by whole codes that were ranked by the upper bits, and sorts them. Returns by
/// how much the upper bits placed them too near, on average. `distance` turns a rank into a
/// distance.
pub(crate) fn refine(fine: &impl Ranker, candidates: &mut [Candidate], distance: impl Fn(f32) -> f32) -> f32 {
    let before = sum(candidates, &distance);
    rank_anew(fine, candidates);
    ((sum(candidates, distance) - before) / candidates.len().max(1) as f64) as f32
}

/// The sum of the distances of candidates.
fn sum(candidates: &[Candidate], distance: impl Fn(f32) -> f32) -> f64 {
    candidates.iter().map(|candidate| f64::from(distance(candidate.distance()))).sum()
}

/// Ranks candidates again, by another ranker, and sorts them.
pub(crate) fn rank_anew(ranker: &impl Ranker, candidates: &mut [Candidate]) {
    for candidate in &*candidates {
        ranker.prefetch(candidate.id());
    }
    let (fours, rest) = candidates.as_chunks_mut::<4>();
    for four in fours {
        let ids = [four[0].id(), four[1].id(), four[2].id(), four[3].id()];
        for ((candidate, rank), id) in four.iter_mut().zip(ranker.rank_4(ids)).zip(ids) {
            *candidate = Candidate::new(rank, id);
        }
    }
    for candidate in rest {
        *candidate = Candidate::new(ranker.rank(candidate.id()), candidate.id());
    }
    candidates.sort_unstable();
}

#[cfg(test)]
mod tests {
    use core::cell::RefCell;

    use alloc::vec::Vec;

    use super::*;
    use crate::NodeId;

    /// Ranks a node by ten times its id, and remembers which it was asked for.
    #[derive(Default)]
    struct Asked(RefCell<Vec<NodeId>>);

    impl Ranker for Asked {
        fn rank(&self, id: NodeId) -> f32 {
            self.0.borrow_mut().push(id);
            10.0 * id as f32
        }

        fn rank_4(&self, ids: [NodeId; 4]) -> [f32; 4] {
            ids.map(|id| self.rank(id))
        }

        fn prefetch(&self, _: NodeId) {}
    }

    fn candidates(ids: &[NodeId]) -> Vec<Candidate> {
        (0..).zip(ids).map(|(rank, id)| Candidate::new(rank as f32, *id)).collect()
    }

    /// How many candidates are compared.
    fn compared(
        exact: &Asked,
        distance: impl Fn(f32) -> f32,
        least: impl Fn(Candidate) -> f32,
        candidates: &mut [Candidate],
        k: usize,
    ) -> usize {
        rerank(exact, distance, |rank| rank, least, candidates, k).candidates.len()
    }

    #[test]
    fn what_is_farther_in_any_case_is_not_compared() {
        let exact = Asked::default();
        let mut found = candidates(&[5, 1, 7, 4, 9, 8, 2, 6]);
        // Distances are half of what ranks: 25 and 5 of the first two. Of the others 4 may be as near as
        // 25, and what is before it is compared.
        let least = |candidate: Candidate| if candidate.id() == 4 { 25.0 } else { 25.5 };
        let Reranked { candidates: compared, shift } =
            rerank(&exact, |rank| rank / 2.0, |rank| rank, least, &mut found, 2);
        // 25, 5, 35 and 20 instead of 0 to 3.
        assert_eq!(shift, (85.0 - 6.0) / 4.0);
        assert_eq!(compared.iter().map(|candidate| candidate.id()).collect::<Vec<_>>(), [1, 4, 5, 7]);
        assert_eq!(compared[1].distance(), 40.0);
        assert_eq!(exact.0.take(), [5, 1, 7, 4]);
    }

    #[test]
    fn what_is_no_number_is_compared() {
        let exact = Asked::default();
        let mut found = candidates(&[5, 1, 7, 4]);
        assert_eq!(compared(&exact, |rank| rank, |_| f32::NAN, &mut found, 2), 4);
        assert_eq!(compared(&exact, |_| f32::NAN, |_| 1e9, &mut candidates(&[5, 1, 7, 4]), 2), 4);
    }

    #[test]
    fn fewer_candidates_than_neighbors_are_all_compared() {
        let exact = Asked::default();
        assert_eq!(compared(&exact, |rank| rank, |_| 0.0, &mut candidates(&[3, 2]), 5), 2);
        assert_eq!(compared(&exact, |rank| rank, |_| 0.0, &mut [], 5), 0);
    }
}
