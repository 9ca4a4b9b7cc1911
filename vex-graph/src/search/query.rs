//! A query against the rows of a graph.

use vex_kernels::{Distance, Element, Metric, f16, prefetch};

use super::{Ranker, each_of_4};
use crate::element::sealed::{Rank, Sealed};
use crate::element::{Float, check};
use crate::view::Matrix;
use crate::{Elements, NodeId, Rows, Scalar, VectorError};

/// Cache lines of a row that are prefetched. The processor's own prefetcher follows from there; asking for whole
/// rows of f32 costs more than it gives.
const PREFETCH_LINES: usize = 4;

/// Ranks rows of `R` by their distance to one vector of `Q`.
///
/// The value it ranks by need not be the distance: under cosine it is the inner product with a query that was not
/// scaled to unit length, which orders rows the same way. [`distance`](Self::distance) turns it into the distance.
#[derive(Clone, Copy)]
pub(crate) struct Query<'q, Q: Element<R>, R: 'static> {
    rows: Matrix<'q, R>,
    kernel: Distance<Q, R>,
    vector: &'q [Q],
    /// What scales the vector to unit length, where rows have it. Wider than a distance: the length of a query of f32 has an
    /// inverse that no f32 holds.
    scale: Option<f64>,
}

impl<'q, Q: Element<R, Value: Rank> + Scalar, R: Scalar> Query<'q, Q, R> {
    /// Checks a vector that comes from outside.
    fn new(rows: &Rows<'q>, elements: &'q [R], vector: &'q [Q]) -> Result<Self, VectorError> {
        check(rows.metric(), rows.dim(), vector)?;
        let scale = (R::IS_SCALED && rows.metric() == Metric::Cosine).then(|| 1.0 / Q::norm(vector));
        let kernel = kernel::<Q, R>(rows.metric());
        Ok(Self { rows: Matrix::new(rows, elements), kernel, vector, scale })
    }

    /// The distance that a rank stands for.
    pub(crate) fn distance(&self, rank: f32) -> f32 {
        match self.scale {
            // `clamp` lets NaN pass, which a hostile file can hold.
            Some(scale) => (1.0 + f64::from(rank) * scale).clamp(0.0, 2.0) as f32,
            None => rank,
        }
    }
}

#[cfg(feature = "alloc")]
impl<'q, R: Scalar> Query<'q, R, R> {
    /// Takes a row of the graph itself, which was checked when it came in. Its ranks are not turned into distances.
    #[inline(always)]
    pub(crate) fn of_row(rows: Matrix<'q, R>, kernel: Distance<R>, id: NodeId) -> Self {
        Self { rows, kernel, vector: rows.row(id), scale: None }
    }
}

impl<Q: Element<R, Value: Rank>, R> Ranker for Query<'_, Q, R> {
    #[inline(always)]
    fn rank(&self, id: NodeId) -> f32 {
        self.kernel.distance(self.vector, self.rows.row(id)).rank()
    }

    #[inline(always)]
    fn rank_4(&self, ids: [NodeId; 4]) -> [f32; 4] {
        let rows = each_of_4(ids, |id| self.rows.row(id));
        each_of_4(self.kernel.distance_batch_4(self.vector, rows), Rank::rank)
    }

    #[inline(always)]
    fn prefetch(&self, id: NodeId) {
        prefetch(self.rows.row(id), PREFETCH_LINES);
    }
}

/// The kernel that ranks rows. Between rows of unit length it is not the metric's: the inner product ranks as the cosine does.
pub(crate) fn kernel<Q: Element<R>, R: Sealed>(metric: Metric) -> Distance<Q, R> {
    match metric {
        Metric::Cosine if R::IS_SCALED => Distance::new(Metric::InnerProduct),
        metric => Distance::new(metric),
    }
}

/// A query whose elements, and those of the rows, are asked for once a search.
#[derive(Clone, Copy)]
pub(crate) enum AnyQuery<'q> {
    F32(Query<'q, f32, f32>),
    F16(Query<'q, f32, f16>),
    /// Rounded as its rows are.
    F16ByF16(Query<'q, f16, f16>),
    I8(Query<'q, i8, i8>),
    U8(Query<'q, u8, u8>),
    Bits(Query<'q, u64, u64>),
}

/// Does the same with a query of whatever elements.
macro_rules! with_query {
    ($any:expr, $query:ident => $body:expr) => {
        match $any {
            $crate::search::AnyQuery::F32($query) => $body,
            $crate::search::AnyQuery::F16($query) => $body,
            $crate::search::AnyQuery::F16ByF16($query) => $body,
            $crate::search::AnyQuery::I8($query) => $body,
            $crate::search::AnyQuery::U8($query) => $body,
            $crate::search::AnyQuery::Bits($query) => $body,
        }
    };
}
pub(crate) use with_query;

impl<'q> AnyQuery<'q> {
    /// Checks a vector that comes from outside.
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

    /// Writes the vector, of unit length under cosine, to `to`, and returns whether it can be coded.
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
