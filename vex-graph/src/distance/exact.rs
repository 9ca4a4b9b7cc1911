//! A query that is compared with the vectors of a graph.
//!
//! Under cosine, floating-point rows have unit length, and their inner product with the query
//! orders them as the cosine does. So the query is never scaled: [`Query::distance`] turns an inner
//! product into a cosine distance at the end. Only a query whose length is near the ends of the
//! range of f32 is multiplied by a power of two first, its *lift*.

use core::ops::RangeInclusive;

use vex_kernels::{Distance, Element, Metric, f16, prefetch};

use super::{Estimator, Ranker, each_of_4};
use crate::element::sealed::{Rank, Sealed};
use crate::element::{Float, check};
use crate::view::Matrix;
use crate::{Elements, NodeId, Rows, Scalar, VectorError};

/// Cache lines of a row that are prefetched. The processor's own prefetcher continues from there.
/// To prefetch whole rows of f32 costs more than it gains.
const PREFETCH_LINES: usize = 4;

/// Ranks rows of `R` by their distance to one vector of `Q`.
#[derive(Clone, Copy)]
pub(crate) struct Query<'q, Q: Element<R>, R: 'static> {
    rows: Matrix<'q, R>,
    kernel: Distance<Q, R>,
    vector: &'q [Q],
    /// What scales the vector to unit length, if rows have unit length. An f64, because a very
    /// short query of f32 has an inverse length that no f32 holds.
    scale: Option<f64>,
    /// The power of two by which the vector is multiplied before it is compared: 1, unless its
    /// inner products with rows of unit length would overflow or lose digits.
    lift: f32,
}

/// Vectors of these lengths are not lifted. Their inner products with vectors of unit length are no
/// longer than they are. Each element loses at most a 2⁻⁴⁹th of the length below the smallest f32,
/// 2⁻¹⁴⁹.
const UNLIFTED: RangeInclusive<f64> = 1.0 / POWER_100..=POWER_64;
const POWER_64: f64 = (1u128 << 64) as f64;
const POWER_100: f64 = (1u128 << 100) as f64;

/// The lift of a vector of this length. The shortest vectors of f32 have the length 2⁻¹⁴⁹ and the
/// longest 2¹³⁶. Lifted, they have 2⁻⁴⁹ and 2⁷².
fn lift(norm: f64) -> f32 {
    match norm {
        norm if UNLIFTED.contains(&norm) => 1.0,
        norm if norm > 1.0 => (1.0 / POWER_64) as f32,
        _ => POWER_100 as f32,
    }
}

/// Elements that are lifted at a time, on the stack: a search allocates nothing.
const LIFTED: usize = 64;

impl<'q, Q: Element<R, Value: Rank> + Scalar, R: Scalar> Query<'q, Q, R> {
    /// Checks a vector that the caller gave.
    fn new(rows: &Rows<'q>, elements: &'q [R], vector: &'q [Q]) -> Result<Self, VectorError> {
        check(rows.metric(), rows.dim(), vector)?;
        let norm = (R::IS_SCALED && rows.metric() == Metric::Cosine).then(|| Q::norm(vector));
        let lift = norm.map_or(1.0, lift);
        let kernel = kernel::<Q, R>(rows.metric());
        Ok(Self {
            rows: Matrix::new(rows, elements),
            kernel,
            vector,
            scale: norm.map(|norm| 1.0 / norm),
            lift,
        })
    }
}

#[cfg(feature = "alloc")]
impl<'q, R: Scalar> Query<'q, R, R> {
    /// Takes a row of the graph itself, which was checked when it was stored. Its ranks are not
    /// turned into distances.
    #[inline(always)]
    pub(crate) fn of_row(rows: Matrix<'q, R>, kernel: Distance<R>, id: NodeId) -> Self {
        Self { rows, kernel, vector: rows.row(id), scale: None, lift: 1.0 }
    }
}

impl<Q: Element<R, Value: Rank> + Sealed, R> Query<'_, Q, R> {
    /// The rank of the lifted vector, piece by piece: inner products of the pieces add up to that
    /// of the whole.
    #[cold]
    #[inline(never)]
    fn rank_lifted(&self, id: NodeId) -> f32 {
        let mut lifted = [Q::default(); LIFTED];
        let pieces = self.vector.chunks(LIFTED).zip(self.rows.row(id).chunks(LIFTED));
        let ranks = pieces.map(|(vector, row)| {
            let lifted = &mut lifted[..vector.len()];
            lifted.iter_mut().zip(vector).for_each(|(to, from)| *to = from.times(self.lift));
            f64::from(self.kernel.distance(lifted, row).rank())
        });
        ranks.sum::<f64>() as f32
    }
}

impl<Q: Element<R, Value: Rank> + Sealed, R> Ranker for Query<'_, Q, R> {
    #[inline(always)]
    fn rank(&self, id: NodeId) -> f32 {
        if self.lift != 1.0 {
            return self.rank_lifted(id);
        }
        self.kernel.distance(self.vector, self.rows.row(id)).rank()
    }

    #[inline(always)]
    fn rank_4(&self, ids: [NodeId; 4]) -> [f32; 4] {
        if self.lift != 1.0 {
            return each_of_4(ids, |id| self.rank_lifted(id));
        }
        let rows = each_of_4(ids, |id| self.rows.row(id));
        each_of_4(self.kernel.distance_batch_4(self.vector, rows), Rank::rank)
    }

    #[inline(always)]
    fn prefetch(&self, id: NodeId) {
        prefetch(self.rows.row(id), PREFETCH_LINES);
    }
}

impl<Q: Element<R, Value: Rank> + Sealed, R> Estimator for Query<'_, Q, R> {
    fn distance(&self, rank: f32) -> f32 {
        match self.scale {
            // `clamp` keeps NaN, which a hostile file can hold.
            Some(scale) => (1.0 + f64::from(rank) / f64::from(self.lift) * scale).clamp(0.0, 2.0) as f32,
            None => rank,
        }
    }

    fn deviation(&self, _: NodeId) -> f32 {
        0.0
    }
}

/// The kernel that ranks rows. Between rows of unit length, the inner product ranks as the cosine
/// does and is used instead.
pub(crate) fn kernel<Q: Element<R>, R: Sealed>(metric: Metric) -> Distance<Q, R> {
    match metric {
        Metric::Cosine if R::IS_SCALED => Distance::new(Metric::InnerProduct),
        metric => Distance::new(metric),
    }
}

/// A query and its rows, of any element type. The type is matched once a search.
#[derive(Clone, Copy)]
pub(crate) enum AnyQuery<'q> {
    F32(Query<'q, f32, f32>),
    F16(Query<'q, f32, f16>),
    /// A query of f16, rounded as its rows are.
    F16ByF16(Query<'q, f16, f16>),
    I8(Query<'q, i8, i8>),
    U8(Query<'q, u8, u8>),
    Bits(Query<'q, u64, u64>),
}

/// Runs the same code with a query of any element type.
macro_rules! with_query {
    ($any:expr, $query:ident => $body:expr) => {
        match $any {
            $crate::distance::AnyQuery::F32($query) => $body,
            $crate::distance::AnyQuery::F16($query) => $body,
            $crate::distance::AnyQuery::F16ByF16($query) => $body,
            $crate::distance::AnyQuery::I8($query) => $body,
            $crate::distance::AnyQuery::U8($query) => $body,
            $crate::distance::AnyQuery::Bits($query) => $body,
        }
    };
}
pub(crate) use with_query;

impl<'q> AnyQuery<'q> {
    /// Checks a vector that the caller gave, and its element type.
    pub(crate) fn new(rows: &Rows<'q>, vector: Elements<'q>) -> Result<Self, VectorError> {
        Ok(match (rows.elements(), vector) {
            (Elements::F32(rows_of), Elements::F32(vector)) => Self::F32(Query::new(rows, rows_of, vector)?),
            (Elements::F16(rows_of), Elements::F32(vector)) => Self::F16(Query::new(rows, rows_of, vector)?),
            (Elements::F16(rows_of), Elements::F16(vector)) => {
                Self::F16ByF16(Query::new(rows, rows_of, vector)?)
            }
            (Elements::I8(rows_of), Elements::I8(vector)) => Self::I8(Query::new(rows, rows_of, vector)?),
            (Elements::U8(rows_of), Elements::U8(vector)) => Self::U8(Query::new(rows, rows_of, vector)?),
            (Elements::Bits(rows_of), Elements::Bits(vector)) => {
                Self::Bits(Query::new(rows, rows_of, vector)?)
            }
            (rows, vector) => {
                return Err(VectorError::Element { expected: rows.element(), found: vector.element() });
            }
        })
    }

    /// The distance for a rank.
    pub(crate) fn distance(&self, rank: f32) -> f32 {
        with_query!(self, query => query.distance(rank))
    }

    /// Writes the vector to `to`, at unit length under cosine. Returns whether it can be coded.
    pub(crate) fn write_scaled(&self, to: &mut [f32]) -> bool {
        match self {
            Self::F32(query) => write_scaled(query, to),
            Self::F16(query) => write_scaled(query, to),
            Self::F16ByF16(query) => write_scaled(query, to),
            _ => return false,
        }
        true
    }
}

fn write_scaled<Q: Element<R> + Float, R>(query: &Query<'_, Q, R>, to: &mut [f32]) {
    let scale = query.scale.unwrap_or(1.0);
    for (to, from) in to.iter_mut().zip(query.vector) {
        *to = (f64::from(from.widen()) * scale) as f32;
    }
}
