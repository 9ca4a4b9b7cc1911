//! A coded query against coded rows: integer products, and the ranks and errors that follow from
//! them.
//!
//! Rows keep codes as unsigned integers u, and the product is with the centered code c. The sum of
//! the query's elements makes one of the other:
//!
//! | codes | c | ⟨q, c⟩ |
//! |---|---|---|
//! | SQ8 | u − 128 | ⟨q, u⟩ − 128 Σq |
//! | SQ4, and SQ2x2 by all bits | 2 u − 15 | 2 ⟨q, u⟩ − 15 Σq |
//! | SQ2x2 by the upper bits h | 8 h − 12 | 8 ⟨q, h⟩ − 12 Σq |

use vex_kernels::{Code2, Code4, Code8, Metric, prefetch};

use super::round::Rounded;
#[cfg(feature = "alloc")]
use super::round::sum;
use super::{Codes, Terms};
use crate::distance::{Edge, Estimator, Ranker, each_of_4};
use crate::{Candidate, NodeId};

/// A query in 8 bits an element, and what turns its products into ranks and distances.
#[derive(Clone, Copy)]
pub(crate) struct QueryCode<'q> {
    metric: Metric,
    code: &'q [i8],
    /// What a product with a code is multiplied by, beside the factor of the row: the step of the
    /// query times −2 or −1.
    step: f32,
    /// Σ qᵢ.
    sum: i32,
    /// Added to every rank. Zero for a query of the caller. Of a row it is its own offset, so that
    /// two rows rank each other alike.
    offset: f32,
    /// A rank plus this constant is a distance.
    constant: f64,
    /// |q − μ|.
    length: f32,
}

/// Three standard deviations of the error of a product, in |q − μ| times the factor of the row. The
/// error is the largest [`Product::ERROR`] that reranking meets.
const NOISE: f32 = 3.0 * 0.65;

impl<'q> QueryCode<'q> {
    /// A query of the caller, rounded to `code`.
    pub(super) fn new(metric: Metric, code: &'q [i8], rounded: &Rounded) -> Self {
        let Rounded { at_mean, square, step, sum } = *rounded;
        let length = libm::sqrt(square);
        let constant = if metric == Metric::InnerProduct { -at_mean } else { length * length };
        // Only a forged mean makes the constant infinite. Some distances would then be infinite and
        // others NaN, which have no order. With NaN all are alike.
        let constant = if constant.is_finite() { constant } else { f64::NAN };
        let step = step * multiplier(metric);
        Self { metric, code, step, sum, offset: 0.0, constant, length: length as f32 }
    }

    /// A row as a query. The distance between two rows is then the same in both directions.
    #[cfg(feature = "alloc")]
    pub(super) fn of_row(metric: Metric, code: &'q [i8], [offset, factor]: Terms) -> Self {
        let step = factor * multiplier(metric);
        // By inner product the offset is not |o|², but builds do not compare nodes by codes there.
        let length = if metric == Metric::InnerProduct { 0.0 } else { libm::sqrtf(offset) };
        Self { metric, code, step, sum: sum(code), offset, constant: 0.0, length }
    }

    /// The distance for a rank, as estimated by codes.
    pub(crate) fn distance(&self, rank: f32) -> f32 {
        let distance = f64::from(rank) + self.constant;
        // An estimate can be beyond the range of f32, though no distance is. NaN, which a hostile
        // file can hold, stays.
        const LARGEST: f64 = f32::MAX as f64;
        match self.metric {
            Metric::InnerProduct => distance.clamp(-LARGEST, LARGEST) as f32,
            // Between unit vectors |a − b|² = 2 (1 − cos).
            Metric::Cosine => (distance / 2.0).clamp(0.0, 2.0) as f32,
            // `clamp` keeps NaN, which must not come out as nearest.
            _ => distance.clamp(0.0, LARGEST) as f32,
        }
    }

    /// The standard deviation of the error in the distance of a row with this factor, by products
    /// of `P`.
    fn error<P: Product>(&self, factor: f32) -> f32 {
        let error = P::ERROR * self.length * factor;
        if self.metric == Metric::SquaredEuclidean { 2.0 * error } else { error }
    }

    /// The least distance that a row of this rank can have. About one row in several hundred is
    /// nearer.
    pub(crate) fn least_distance(&self, rank: f32, [_, factor]: Terms) -> f32 {
        let noise = NOISE * self.length * factor;
        let noise = if self.metric == Metric::SquaredEuclidean { 2.0 * noise } else { noise };
        self.distance(rank) - noise
    }
}

/// What ⟨q, c⟩ counts in a rank: see the table in `mod.rs`.
fn multiplier(metric: Metric) -> f32 {
    if metric == Metric::InnerProduct { -1.0 } else { -2.0 }
}

/// The products of a query with one kind of code.
pub(crate) trait Product: Copy {
    /// What a product is multiplied by beside the correction terms of its row.
    const SCALE: f32 = 1.0;

    /// The standard deviation of the error in f ⟨q, c⟩, in |q| f. It was measured over random
    /// queries, and includes the rounding of the query.
    const ERROR: f32;

    fn new() -> Self;
    /// ⟨q, c⟩ for one row.
    fn one(self, query: &QueryCode<'_>, codes: &Codes<'_>, id: NodeId) -> i32;
    /// ⟨q, c⟩ for four rows.
    fn four(self, query: &QueryCode<'_>, codes: &Codes<'_>, ids: [NodeId; 4]) -> [i32; 4];

    /// Prefetches the memory that a product reads.
    #[inline(always)]
    fn prefetch(codes: &Codes<'_>, id: NodeId) {
        let row = codes.plane_row::<0>(id);
        prefetch(row, row.len() / 64);
    }
}

/// Products with SQ8 codes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Eight(vex_kernels::Product<Code8>);

impl Product for Eight {
    const ERROR: f32 = 0.41;

    fn new() -> Self {
        Self(vex_kernels::Product::new())
    }

    #[inline(always)]
    fn one(self, query: &QueryCode<'_>, codes: &Codes<'_>, id: NodeId) -> i32 {
        self.0.dot(query.code, codes.plane_row::<0>(id)) - 128 * query.sum
    }

    #[inline(always)]
    fn four(self, query: &QueryCode<'_>, codes: &Codes<'_>, ids: [NodeId; 4]) -> [i32; 4] {
        let products = self.0.dot_batch_4(query.code, each_of_4(ids, |id| codes.plane_row::<0>(id)));
        each_of_4(products, |product| product - 128 * query.sum)
    }
}

/// Products with SQ4 codes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Four(vex_kernels::Product<Code4>);

impl Product for Four {
    const ERROR: f32 = 0.65;

    fn new() -> Self {
        Self(vex_kernels::Product::new())
    }

    #[inline(always)]
    fn one(self, query: &QueryCode<'_>, codes: &Codes<'_>, id: NodeId) -> i32 {
        2 * self.0.dot(query.code.as_chunks().0, codes.plane_row::<0>(id).as_chunks().0) - 15 * query.sum
    }

    #[inline(always)]
    fn four(self, query: &QueryCode<'_>, codes: &Codes<'_>, ids: [NodeId; 4]) -> [i32; 4] {
        let rows = each_of_4(ids, |id| codes.plane_row::<0>(id).as_chunks().0);
        let products = self.0.dot_batch_4(query.code.as_chunks().0, rows);
        each_of_4(products, |product| 2 * product - 15 * query.sum)
    }
}

/// Products with the upper bits h of SQ2x2 codes. A code u = 4 h + l counts as 4 h + 1.5, the
/// middle of the four that have these upper bits.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Two(vex_kernels::Product<Code2>);

impl Two {
    /// 2 (4 h + 1.5) − 15 = 8 h − 12.
    #[inline(always)]
    fn centred(product: i32, query: &QueryCode<'_>) -> i32 {
        8 * product - 12 * query.sum
    }
}

impl Product for Two {
    /// Elements are the rarer the larger they are. So the middle of four codes is farther from zero
    /// than what is coded so, on average. If elements are normally distributed, with steps of 0.335
    /// standard deviations, ⟨q, c⟩ is on average 0.885 times what the middles give.
    const SCALE: f32 = 0.885;

    const ERROR: f32 = 2.1;

    fn new() -> Self {
        Self(vex_kernels::Product::new())
    }

    #[inline(always)]
    fn one(self, query: &QueryCode<'_>, codes: &Codes<'_>, id: NodeId) -> i32 {
        let row = codes.plane_row::<0>(id).as_chunks().0;
        Self::centred(self.0.dot(query.code.as_chunks().0, row), query)
    }

    #[inline(always)]
    fn four(self, query: &QueryCode<'_>, codes: &Codes<'_>, ids: [NodeId; 4]) -> [i32; 4] {
        let rows = each_of_4(ids, |id| codes.plane_row::<0>(id).as_chunks().0);
        let products = self.0.dot_batch_4(query.code.as_chunks().0, rows);
        each_of_4(products, |product| Self::centred(product, query))
    }
}

/// Products with all bits of SQ2x2 codes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct TwoByTwo(vex_kernels::Product<Code2>);

impl TwoByTwo {
    /// 2 (4 h + l) − 15.
    #[inline(always)]
    fn centred(upper: i32, lower: i32, query: &QueryCode<'_>) -> i32 {
        2 * (4 * upper + lower) - 15 * query.sum
    }
}

impl Product for TwoByTwo {
    const ERROR: f32 = 0.65;

    fn new() -> Self {
        Self(vex_kernels::Product::new())
    }

    #[inline(always)]
    fn one(self, query: &QueryCode<'_>, codes: &Codes<'_>, id: NodeId) -> i32 {
        let code = query.code.as_chunks().0;
        let upper = self.0.dot(code, codes.plane_row::<0>(id).as_chunks().0);
        let lower = self.0.dot(code, codes.plane_row::<1>(id).as_chunks().0);
        Self::centred(upper, lower, query)
    }

    #[inline(always)]
    fn four(self, query: &QueryCode<'_>, codes: &Codes<'_>, ids: [NodeId; 4]) -> [i32; 4] {
        let code = query.code.as_chunks().0;
        let upper = self.0.dot_batch_4(code, each_of_4(ids, |id| codes.plane_row::<0>(id).as_chunks().0));
        let lower = self.0.dot_batch_4(code, each_of_4(ids, |id| codes.plane_row::<1>(id).as_chunks().0));
        each_of_4([0, 1, 2, 3], |i| Self::centred(upper[i], lower[i], query))
    }

    #[inline(always)]
    fn prefetch(codes: &Codes<'_>, id: NodeId) {
        codes.row(id).into_iter().for_each(|row| prefetch(row, row.len() / 64));
    }
}

/// Candidates at the end of a list whose errors stand for those of all.
const SAMPLE: usize = 4;

/// Ranks rows by their codes.
pub(crate) struct CodeQuery<'q, P> {
    codes: Codes<'q>,
    query: QueryCode<'q>,
    product: P,
}

impl<'q, P: Product> CodeQuery<'q, P> {
    pub(crate) fn new(codes: &Codes<'q>, query: QueryCode<'q>, product: P) -> Self {
        Self { codes: *codes, query: QueryCode { step: query.step * P::SCALE, ..query }, product }
    }

    /// The end of a list of candidates; `None` if the list was not cut off. Its error is that of
    /// the last few candidates.
    pub(crate) fn edge(&self, candidates: &[Candidate], is_cut: bool) -> Option<Edge> {
        if !is_cut || candidates.is_empty() {
            return None;
        }
        let sample = &candidates[candidates.len().saturating_sub(SAMPLE)..];
        let factors = sample.iter().map(|candidate| self.codes.terms[candidate.id() as usize][1]);
        let factor = factors.sum::<f32>() / sample.len() as f32;
        Edge::new(candidates, |rank| self.query.distance(rank), self.query.error::<P>(factor))
    }

    /// The standard deviation of the error in the rank of a row.
    #[cfg(feature = "alloc")]
    pub(crate) fn rank_error(&self, id: NodeId) -> f32 {
        let [_, factor] = self.codes.terms[id as usize];
        multiplier(self.query.metric).abs() * P::ERROR * self.query.length * factor
    }

    #[inline(always)]
    fn rank_of(&self, id: NodeId, product: i32) -> f32 {
        let [offset, factor] = self.codes.terms[id as usize];
        // In this order the rank is the same, to the last bit, if a row and a row as a query change
        // places.
        (self.query.offset + offset) + (self.query.step * factor) * product as f32
    }
}

impl<P: Product> Estimator for CodeQuery<'_, P> {
    fn distance(&self, rank: f32) -> f32 {
        self.query.distance(rank)
    }

    fn deviation(&self, id: NodeId) -> f32 {
        let [_, factor] = self.codes.terms[id as usize];
        self.query.error::<P>(factor)
    }
}

impl<P: Product> Ranker for CodeQuery<'_, P> {
    #[inline(always)]
    fn rank(&self, id: NodeId) -> f32 {
        self.rank_of(id, self.product.one(&self.query, &self.codes, id))
    }

    #[inline(always)]
    fn rank_4(&self, ids: [NodeId; 4]) -> [f32; 4] {
        let products = self.product.four(&self.query, &self.codes, ids);
        each_of_4([0, 1, 2, 3], |i| self.rank_of(ids[i], products[i]))
    }

    #[inline(always)]
    fn prefetch(&self, id: NodeId) {
        P::prefetch(&self.codes, id);
        prefetch(&self.codes.terms[id as usize..], 1);
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::distance::codes::Quantization;

    #[test]
    fn a_rank_that_is_no_number_is_no_distance() {
        let query = |metric| QueryCode {
            metric,
            code: &[],
            step: 1.0,
            sum: 0,
            offset: 0.0,
            constant: 1.0,
            length: 1.0,
        };
        for metric in Metric::NUMERIC {
            assert!(query(metric).distance(f32::NAN).is_nan());
        }
        assert_eq!(query(Metric::SquaredEuclidean).distance(-2.0), 0.0);
        // No estimate is infinite.
        assert_eq!(query(Metric::SquaredEuclidean).distance(f32::INFINITY), f32::MAX);
    }

    /// The coded distance between a query and the first row, and the least that it may be.
    pub(in crate::distance::codes) fn distances(codes: &Codes<'_>, query: QueryCode<'_>) -> [f32; 2] {
        fn ranked<P: Product>(codes: &Codes<'_>, query: QueryCode<'_>) -> [f32; 2] {
            let query = CodeQuery::new(codes, query, P::new());
            let rank = query.rank(0);
            assert_eq!(query.rank_4([0; 4]), [rank; 4]);
            [query.query.distance(rank), query.query.least_distance(rank, codes.terms[0])]
        }
        match codes.quantization() {
            Quantization::Sq8 => ranked::<Eight>(codes, query),
            Quantization::Sq4 => ranked::<Four>(codes, query),
            Quantization::Sq2x2 => ranked::<TwoByTwo>(codes, query),
        }
    }
}
