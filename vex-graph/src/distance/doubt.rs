//! Whether a search through codes can be trusted.
//!
//! A search through codes loses a neighbor if the error of its code places it behind the last
//! candidate of the list, where nothing is compared by vectors any more. Candidates lie with a
//! density ρ (candidates per distance) where the list ends, at the coded distance e; errors are
//! normally distributed with the deviation σ; and the k-th neighbor is at the distance d. Then
//!
//! > ρ ∫ₑ^∞ Φ((d − x) / σ) dx = ρ σ L((e − d) / σ), with L(z) = φ(z) − z Φ(−z),
//!
//! neighbors are lost in the mean. If that is more than a small share of `k`, codes do not tell the
//! vectors around the query apart: the caller then searches by the vectors. This needs to know
//! nothing of the set as a whole, so no average hides a few tight clusters.

use crate::Candidate;

/// The share of the neighbors that may be lost, as far as this estimate tells. The estimate is too
/// high where the query is nearer to its neighbors than to the centre of the codes.
const TOLERANCE: f32 = 0.1;

/// Beyond so many deviations nothing is lost.
const CERTAIN: f32 = 4.0;

/// Where a list of candidates was cut off.
#[derive(Clone, Copy)]
pub(crate) struct Edge {
    /// The distance of the last candidate, and of the one in the middle, by their codes.
    last: f32,
    middle: f32,
    /// How many candidates are between them.
    between: usize,
    /// The standard deviation of the errors of codes there.
    deviation: f32,
}

impl Edge {
    /// The edge of a list that was cut off. `distance` is what a rank stands for, and `deviation`
    /// the standard deviation of its error.
    pub(crate) fn new(
        candidates: &[Candidate],
        distance: impl Fn(f32) -> f32,
        deviation: f32,
    ) -> Option<Self> {
        let (last, middle) = (candidates.last()?, &candidates[candidates.len() / 2]);
        Some(Self {
            last: distance(last.distance()),
            middle: distance(middle.distance()),
            between: candidates.len() - candidates.len() / 2,
            deviation,
        })
    }

    /// The edge where candidates are farther than their codes say by so much. An error that all
    /// candidates share, as members of a tight cluster do, changes no order: it must not pass
    /// for a distance between the neighbors and the edge.
    pub(crate) fn shifted(self, shift: f32) -> Self {
        Self { last: self.last + shift, middle: self.middle + shift, ..self }
    }

    /// Whether codes leave in doubt which are the `k` nearest, the last of which is at the distance
    /// `farthest`.
    pub(crate) fn is_in_doubt(&self, farthest: f32, k: usize) -> bool {
        let gap = self.last - farthest;
        if gap >= CERTAIN * self.deviation {
            return false;
        }
        let spread = self.last - self.middle;
        let density = self.between as f32 / spread;
        let lost = density * self.deviation * loss(gap / self.deviation);
        // It is not a number if the deviation is not: then nothing is certain.
        let is_little = lost <= TOLERANCE * k as f32;
        !is_little
    }
}

/// L(z) = φ(z) − z Φ(−z): how far a normally distributed value is beyond z in the mean, counting
/// zero where it is not.
fn loss(z: f32) -> f32 {
    const INVERSE_ROOT_OF_TAU: f32 = 0.398_942_3;
    let density = INVERSE_ROOT_OF_TAU * libm::expf(-0.5 * z * z);
    let beyond = 0.5 * libm::erfcf(z * core::f32::consts::FRAC_1_SQRT_2);
    density - z * beyond
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_loss_is_that_of_a_normal_distribution() {
        for (z, expected) in [(0.0, 0.398_94), (1.0, 0.083_32), (2.0, 0.008_491), (-1.0, 1.083_32)] {
            assert!((loss(z) - expected).abs() < 1e-4, "{z}: {}", loss(z));
        }
    }

    #[test]
    fn codes_are_in_doubt_where_their_errors_reach_from_the_neighbors_to_the_end_of_the_list() {
        let edge = |deviation| Edge { last: 2.0, middle: 1.5, between: 32, deviation };
        assert!(!edge(0.1).is_in_doubt(1.0, 10));
        assert!(edge(1.0).is_in_doubt(1.0, 10));
        // The list ends at the last neighbor: a few of many may be lost.
        assert!(!edge(0.01).is_in_doubt(2.0, 64));
        assert!(edge(0.5).is_in_doubt(2.0, 64));
        // All candidates are equally far.
        let shifted = edge(0.3).shifted(-1.2);
        assert!(!edge(0.2).is_in_doubt(1.0, 10) && shifted.is_in_doubt(1.0, 10));
        let ties = |deviation| Edge { last: 1.0, middle: 1.0, between: 32, deviation };
        assert!(ties(0.1).is_in_doubt(1.0, 10));
        assert!(!ties(0.1).is_in_doubt(0.5, 10));
        assert!(!ties(0.0).is_in_doubt(1.0, 10));
        for deviation in [f32::NAN, f32::INFINITY] {
            assert!(edge(deviation).is_in_doubt(1.0, 10));
        }
    }
}
