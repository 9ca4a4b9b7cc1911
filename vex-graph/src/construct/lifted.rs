//! How a build compares nodes whose searches are by inner product.
//!
//! The inner product is no distance. The node with the largest product with a vector is most often
//! a long one, whatever its direction. Links that are selected by products alone lead to a few long
//! vectors, the *hubs*, and to nothing else. Searches then miss many nodes, and with the hubs
//! deleted they find next to nothing.
//!
//! There is a distance that ranks as the product does: the distance between vectors that are
//! *lifted* by their length. Lift x to the pair of x and the step function that is 1 from 0 to |x|²
//! and 0 beyond. Then the squared distance of two lifted vectors is
//!
//! ```text
//! |x − y|² + | |x|² − |y|² |
//! ```
//!
//! Lift a query q to the pair of q and the function that is 1 everywhere. Up to a constant, its
//! squared distance to x is then |q|² − 2 q·x + |x|² − |x|². So its neighbors are the vectors with
//! the largest products. The usual lift has the coordinate √(M² − |x|²) and needs the largest
//! length M. This one needs none: one vector of absurd length changes nothing for the others.
//!
//! Both kinds of links are needed. Vectors as queries stand for the queries to come, which are like
//! none of the lifted vectors: [`Products`] finds and selects links by the product. [`Lifted`]
//! shows which of these are diverse, and adds links to nodes that are alike in direction and
//! length: see [`Choice`](super::choice::Choice).

use alloc::vec::Vec;

use vex_kernels::{Distance, Metric};

use super::{Plain, Space};
use crate::distance::{Query, Ranker, each_of_4};
use crate::element::each;
use crate::element::sealed::Sealed;
use crate::storage::{bytes, growth, held, reserve, reserve_exact, swap_rows};
use crate::view::Matrix;
use crate::{Elements, NodeId, OutOfMemory, Rows, Scalar};

/// |x|² of every vector that is compared by inner product. Empty for other metrics.
#[derive(Debug, Default)]
pub(crate) struct Squares {
    squares: Vec<f32>,
}

impl Squares {
    /// The squares of all rows.
    pub(crate) fn of(rows: &Rows<'_>) -> Result<Self, OutOfMemory> {
        let mut all = Self::default();
        if rows.metric() == Metric::InnerProduct {
            reserve_exact(&mut all.squares, rows.count())?;
            all.squares.extend((0..rows.count() as NodeId).map(|id| square(rows.row(id))));
        }
        Ok(all)
    }

    /// Bytes of the squares of `count` vectors.
    pub(crate) fn exact_bytes(metric: Metric, count: usize) -> usize {
        if metric == Metric::InnerProduct { bytes::<f32>(count) } else { 0 }
    }

    /// Bytes held, and bytes of the new memory that one more vector would move them to.
    pub(crate) fn memory(&self, metric: Metric) -> [usize; 2] {
        let growth = if metric == Metric::InnerProduct { growth(&self.squares) } else { 0 };
        [held(&self.squares), growth]
    }

    /// Appends the square of the last row.
    pub(crate) fn push(&mut self, rows: &Rows<'_>) -> Result<(), OutOfMemory> {
        if rows.metric() == Metric::InnerProduct {
            reserve(&mut self.squares, 1)?;
            self.squares.push(square(rows.row(rows.count() as NodeId - 1)));
        }
        Ok(())
    }

    /// Replaces the square of a row that was changed.
    pub(crate) fn set(&mut self, id: NodeId, rows: &Rows<'_>) {
        if let Some(to) = self.squares.get_mut(id as usize) {
            *to = square(rows.row(id));
        }
    }

    /// Removes every square from `count` on.
    pub(crate) fn truncate(&mut self, count: usize) {
        self.squares.truncate(count);
    }

    /// Brings rows to other places: see [`swap_rows`].
    pub(crate) fn swap_rows(&mut self, swaps: &[NodeId]) {
        if !self.squares.is_empty() {
            swap_rows(&mut self.squares, 1, swaps);
        }
    }
}

/// |x|² in f64, which holds every term. The sum has one fixed order, so that it has the same bits everywhere.
fn square(row: Elements<'_>) -> f32 {
    fn of<S: Sealed>(vector: &[S]) -> f64 {
        S::square(vector)
    }
    each!(Elements, row, vector => of(vector)) as f32
}

/// Vectors that searches compare by inner product, as a space.
#[derive(Clone, Copy)]
pub(crate) struct Products<'a, R: Scalar> {
    plain: Plain<'a, R>,
    lifted: Lifted<'a, R>,
}

impl<'a, R: Scalar> Products<'a, R> {
    /// `scalars` and `squares` are those of `rows`.
    pub(crate) fn new(rows: &Rows<'a>, scalars: &'a [R], squares: &'a Squares) -> Self {
        let kernel = Distance::new(Metric::SquaredEuclidean);
        let lifted = Lifted { rows: Matrix::new(rows, scalars), kernel, squares: &squares.squares };
        Self { plain: Plain::new(rows, scalars), lifted }
    }
}

impl<'a, R: Scalar> Space for Products<'a, R> {
    type Query<'q>
        = Query<'q, R, R>
    where
        Self: 'q;
    type Guide<'q>
        = Query<'q, R, R>
    where
        Self: 'q;
    type Lifted = Lifted<'a, R>;
    type Exact = Self;

    fn buffer_len(self) -> usize {
        0
    }

    #[inline(always)]
    fn query<'q>(self, id: NodeId, buffer: &'q mut [i8]) -> Query<'q, R, R>
    where
        Self: 'q,
    {
        self.plain.query(id, buffer)
    }

    #[inline(always)]
    fn guide<'q>(self, id: NodeId, buffer: &'q mut [i8], _: &mut [f32]) -> Query<'q, R, R>
    where
        Self: 'q,
    {
        self.plain.query(id, buffer)
    }

    fn are_copies(self, a: NodeId, b: NodeId) -> bool {
        self.plain.are_copies(a, b)
    }

    fn lifted(self) -> Option<Lifted<'a, R>> {
        Some(self.lifted)
    }

    fn exact(self) -> Self {
        self
    }
}

/// The same vectors, lifted by their lengths.
#[derive(Clone, Copy)]
pub(crate) struct Lifted<'a, R: Scalar> {
    rows: Matrix<'a, R>,
    kernel: Distance<R>,
    squares: &'a [f32],
}

/// One lifted vector, as the others are compared with it.
pub(crate) struct LiftedQuery<'q, R: Scalar> {
    query: Query<'q, R, R>,
    squares: &'q [f32],
    own: f32,
}

impl<R: Scalar> LiftedQuery<'_, R> {
    /// A sum of two terms that are not negative. So near nodes have different distances however
    /// long they are.
    #[inline(always)]
    fn lift(&self, distance: f32, id: NodeId) -> f32 {
        distance + (self.own - self.squares[id as usize]).abs()
    }
}

impl<R: Scalar> Ranker for LiftedQuery<'_, R> {
    #[inline(always)]
    fn rank(&self, id: NodeId) -> f32 {
        self.lift(self.query.rank(id), id)
    }

    #[inline(always)]
    fn rank_4(&self, ids: [NodeId; 4]) -> [f32; 4] {
        let ranks = self.query.rank_4(ids);
        each_of_4([0, 1, 2, 3], |i| self.lift(ranks[i], ids[i]))
    }

    #[inline(always)]
    fn prefetch(&self, id: NodeId) {
        self.query.prefetch(id);
    }
}

impl<R: Scalar> Space for Lifted<'_, R> {
    type Query<'q>
        = LiftedQuery<'q, R>
    where
        Self: 'q;
    type Guide<'q>
        = LiftedQuery<'q, R>
    where
        Self: 'q;
    type Lifted = Self;
    type Exact = Self;

    fn buffer_len(self) -> usize {
        0
    }

    #[inline(always)]
    fn query<'q>(self, id: NodeId, _: &'q mut [i8]) -> LiftedQuery<'q, R>
    where
        Self: 'q,
    {
        let query = Query::of_row(self.rows, self.kernel, id);
        LiftedQuery { query, squares: self.squares, own: self.squares[id as usize] }
    }

    #[inline(always)]
    fn guide<'q>(self, id: NodeId, buffer: &'q mut [i8], _: &mut [f32]) -> LiftedQuery<'q, R>
    where
        Self: 'q,
    {
        self.query(id, buffer)
    }

    fn are_copies(self, a: NodeId, b: NodeId) -> bool {
        self.rows.row(a) == self.rows.row(b)
    }

    fn exact(self) -> Self {
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::draw;

    const DIM: usize = 24;

    fn vector(seed: u64, length: f32) -> [f32; DIM] {
        core::array::from_fn(|i| length * ((draw(seed, i as u64) >> 40) as f32 / (1 << 23) as f32 - 0.9))
    }

    fn vectors() -> Vec<f32> {
        (0..60).flat_map(|id| vector(id, libm::expf(id as f32 / 20.0))).collect()
    }

    fn square_of(vector: &[f32]) -> f64 {
        vector.iter().map(|x| f64::from(*x) * f64::from(*x)).sum()
    }

    #[test]
    fn a_lifted_distance_is_that_of_vectors_and_that_of_their_squares() {
        let elements = vectors();
        let rows = Rows::new(Metric::InnerProduct, &elements, DIM, DIM, 60).unwrap();
        let squares = Squares::of(&rows).unwrap();
        let lifted = Products::new(&rows, &elements, &squares).lifted().unwrap();
        let at = |id: u32| &elements[id as usize * DIM..][..DIM];
        for a in 0..60 {
            let query = lifted.query(a, &mut []);
            for b in 0..60 {
                let difference: Vec<f32> = at(a).iter().zip(at(b)).map(|(a, b)| a - b).collect();
                let (square_a, square_b) = (square_of(at(a)), square_of(at(b)));
                let expected = square_of(&difference) + (square_a - square_b).abs();
                assert!((f64::from(query.rank(b)) - expected).abs() <= 1e-6 * (square_a + square_b));
                assert_eq!(query.rank(b), lifted.query(b, &mut []).rank(a));
                assert_eq!(query.rank_4([b, a, b, 0]), [b, a, b, 0].map(|id| query.rank(id)));
            }
        }
    }

    /// A query that is lifted to a square no vector has.
    #[test]
    fn lifted_far_enough_a_query_ranks_as_the_product_does() {
        let elements = vectors();
        let query = vector(99, 1.0);
        let far = 1e6;
        let ranks = elements.chunks(DIM).map(|row| {
            let pairs = || row.iter().zip(query).map(|(x, q)| (f64::from(*x), f64::from(q)));
            let between: f64 = pairs().map(|(x, q)| (x - q) * (x - q)).sum();
            let product: f64 = pairs().map(|(x, q)| x * q).sum();
            (between + (far - square_of(row)), -product)
        });
        let mut ranks: Vec<(f64, f64)> = ranks.collect();
        ranks.sort_unstable_by(|a, b| a.0.total_cmp(&b.0));
        assert!(ranks.is_sorted_by_key(|(_, product)| *product));
    }

    #[test]
    fn squares_of_integers_are_exact() {
        assert_eq!(square(Elements::U8(&[255; 65_536])), 65_536.0 * 65_025.0);
        assert_eq!(square(Elements::I8(&[-128; 1_000])), 16_384_000.0);
        assert_eq!(square(Elements::F32(&[3.0, -4.0])), 25.0);
    }
}
