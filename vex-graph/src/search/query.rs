//! A query against the rows of a graph.

use vex_kernels::{Distance, Metric, prefetch};

use super::Ranker;
use crate::{NodeId, Rows, VectorError};

/// Cache lines of a row that are prefetched. The processor's own prefetcher follows from there; asking for whole
/// rows of f32 costs more than it gives.
const PREFETCH_LINES: usize = 4;

/// Ranks rows by their distance to one vector.
///
/// The value it ranks by need not be the distance: under cosine it is the inner product with a query that was not
/// scaled to unit length, which orders rows the same way. [`distance`](Self::distance) turns it into the distance.
#[derive(Clone, Copy)]
pub(crate) struct Query<'q> {
    rows: Rows<'q>,
    kernel: Distance<f32>,
    vector: &'q [f32],
    /// Wider than a distance: the length of a query of f32 has an inverse that no f32 holds.
    scale: f64,
}

impl<'q> Query<'q> {
    /// Checks a vector that comes from outside.
    pub(crate) fn new(rows: &Rows<'q>, vector: &'q [f32]) -> Result<Self, VectorError> {
        check(rows.metric(), rows.dim(), vector)?;
        let scale = match rows.metric() {
            Metric::Cosine => 1.0 / norm(vector),
            _ => 1.0,
        };
        Ok(Self { rows: *rows, kernel: rows.ranking(), vector, scale })
    }

    /// Takes a row of the graph itself, which was checked when it came in.
    #[cfg(feature = "alloc")]
    pub(crate) fn of_row(rows: &Rows<'q>, id: NodeId) -> Self {
        Self { rows: *rows, kernel: rows.ranking(), vector: rows.row(id), scale: 1.0 }
    }

    /// What scales the vector to unit length under cosine; 1 under other metrics.
    pub(crate) fn scale(&self) -> f64 {
        self.scale
    }

    /// The distance that a rank stands for.
    pub(crate) fn distance(&self, rank: f32) -> f32 {
        if self.rows.metric() != Metric::Cosine {
            return rank;
        }
        let distance = 1.0 + f64::from(rank) * self.scale;
        // `clamp` lets NaN pass, which a hostile file can hold.
        distance.clamp(0.0, 2.0) as f32
    }
}

impl Ranker for Query<'_> {
    #[inline(always)]
    fn rank(&self, id: NodeId) -> f32 {
        self.kernel.distance(self.vector, self.rows.row(id))
    }

    #[inline(always)]
    fn rank_4(&self, ids: [NodeId; 4]) -> [f32; 4] {
        self.kernel.distance_batch_4(self.vector, ids.map(|id| self.rows.row(id)))
    }

    #[inline(always)]
    fn prefetch(&self, id: NodeId) {
        prefetch(self.rows.row(id), PREFETCH_LINES);
    }
}

/// Checks that a vector can be indexed or searched for.
pub(crate) fn check(metric: Metric, dim: usize, vector: &[f32]) -> Result<(), VectorError> {
    if vector.len() != dim {
        return Err(VectorError::Dimension { expected: dim, found: vector.len() });
    }
    // Largest magnitude, as bits: in one pass without a branch it finds NaN, infinity and all zeros.
    let largest = vector.iter().map(|element| element.to_bits() & (u32::MAX >> 1)).fold(0, u32::max);
    if largest >= f32::INFINITY.to_bits() {
        let position = vector.iter().position(|element| !element.is_finite()).unwrap_or(0);
        return Err(VectorError::NotFinite { position });
    }
    if metric == Metric::Cosine && largest == 0 {
        return Err(VectorError::ZeroVector);
    }
    Ok(())
}

/// |v| in f64, where no square of an f32 overflows or underflows.
pub(crate) fn norm(vector: &[f32]) -> f64 {
    // Four sums, since one would wait for each addition; the order is fixed, so the bits are.
    let mut sums = [0.0f64; 4];
    let (fours, rest) = vector.as_chunks::<4>();
    for four in fours {
        for (sum, element) in sums.iter_mut().zip(four) {
            *sum += f64::from(*element) * f64::from(*element);
        }
    }
    for (sum, element) in sums.iter_mut().zip(rest) {
        *sum += f64::from(*element) * f64::from(*element);
    }
    libm::sqrt((sums[0] + sums[1]) + (sums[2] + sums[3]))
}
