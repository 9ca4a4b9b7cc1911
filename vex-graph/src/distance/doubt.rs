//! Whether a search through codes may have lost a neighbor.
//!
//! A search through codes loses a neighbor if the error of its code places it behind the end of the
//! list. Nothing there is compared by vectors. So the search estimates how many neighbors it has
//! lost:
//!
//! ```text
//! ρ   density of candidates where the list ends, in candidates per distance
//! e   coded distance at which the list ends
//! σ   standard deviation of the errors, which are normally distributed
//! d   exact distance of the k-th neighbor
//! ```
//!
//! At the coded distance x > e there are ρ dx nodes, and each is nearer than d with the probability
//! Φ((d − x) / σ). Their sum is
//!
//! > ρ ∫ₑ^∞ Φ((d − x) / σ) dx = ρ σ L((e − d) / σ), with L(z) = φ(z) − z Φ(−z).
//!
//! If that is more than a small share of `k`, codes do not distinguish the vectors around the
//! query. The caller then searches by vectors. The estimate depends on the list alone, not on the
//! set as a whole. So no average hides a few tight clusters.

use crate::Candidate;

/// A gap of this many standard deviations between the k-th neighbor and the end of the list loses
/// nothing.
const CERTAIN: f32 = 4.0;

/// The end of a list of candidates that was cut off.
#[derive(Clone, Copy)]
pub(crate) struct Edge {
    /// The distances of the last candidate and of the one in the middle, by codes.
    last: f32,
    middle: f32,
    /// How many candidates are between them.
    between: usize,
    /// The standard deviation of the errors of codes there.
    deviation: f32,
}

impl Edge {
    /// The share of the neighbors that a search of the graph may lose by this estimate. The estimate
    /// is too high if the query is nearer to its neighbors than to the center of the codes.
    pub(crate) const TOLERANCE: f32 = 0.1;

    /// A scan is there to be right. With none at all, large scans would be repeated in vain.
    pub(crate) const TOLERANCE_OF_SCAN: f32 = 0.001;

    /// The end of a list that was cut off. `distance` turns a rank into a distance, and `deviation`
    /// is the standard deviation of its error.
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

    /// The end of the list if all candidates are farther by `shift` than their codes say.
    ///
    /// The members of a tight cluster share most of their error. An error that all candidates share
    /// changes no order. It must not count as a distance between the neighbors and the end of the
    /// list.
    pub(crate) fn shifted(self, shift: f32) -> Self {
        Self { last: self.last + shift, middle: self.middle + shift, ..self }
    }

    /// Whether codes leave in doubt which nodes are the `k` nearest. The last of these is at the
    /// distance `farthest`. `tolerance` is the share of them that may be lost.
    pub(crate) fn is_in_doubt(&self, farthest: f32, k: usize, tolerance: f32) -> bool {
        let gap = self.last - farthest;
        if gap >= CERTAIN * self.deviation {
            return false;
        }
        let spread = self.last - self.middle;
        // The last half of the list stands for the density behind it.
        let density = self.between as f32 / spread;
        let lost = density * self.deviation * loss(gap / self.deviation);
        // If the deviation is NaN, so is `lost`, and the comparison is false: then nothing is
        // certain.
        let is_little = lost <= tolerance * k as f32;
        !is_little
    }
}

/// L(z) = φ(z) − z Φ(−z): by how much a normally distributed value exceeds z on average, counting
/// zero where it does not.
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
        assert!(!edge(0.1).is_in_doubt(1.0, 10, Edge::TOLERANCE));
        assert!(edge(1.0).is_in_doubt(1.0, 10, Edge::TOLERANCE));
        // The list ends at the last neighbor: a few of many may be lost.
        assert!(!edge(0.01).is_in_doubt(2.0, 64, Edge::TOLERANCE));
        assert!(edge(0.5).is_in_doubt(2.0, 64, Edge::TOLERANCE));
        // All candidates are equally far.
        let shifted = edge(0.3).shifted(-1.2);
        assert!(
            !edge(0.2).is_in_doubt(1.0, 10, Edge::TOLERANCE) && shifted.is_in_doubt(1.0, 10, Edge::TOLERANCE)
        );
        let ties = |deviation| Edge { last: 1.0, middle: 1.0, between: 32, deviation };
        assert!(ties(0.1).is_in_doubt(1.0, 10, Edge::TOLERANCE));
        assert!(!ties(0.1).is_in_doubt(0.5, 10, Edge::TOLERANCE));
        assert!(!ties(0.0).is_in_doubt(1.0, 10, Edge::TOLERANCE));
        for deviation in [f32::NAN, f32::INFINITY] {
            assert!(edge(deviation).is_in_doubt(1.0, 10, Edge::TOLERANCE));
        }
    }
}
