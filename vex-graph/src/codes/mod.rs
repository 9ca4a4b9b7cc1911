//! Codes: vectors in one byte an element or half a byte, which a search walks through before it looks at the vectors.
//!
//! A vector x is coded around the mean μ of the set. With o = x − μ (under SQ4 rotated: see [`rotate`]), the code c, small
//! integers, points in nearly the direction of o, and o ≈ f c with f = |o|² / ⟨c, o⟩. This factor makes f ⟨q, c⟩ an unbiased
//! estimate of ⟨q, o⟩: what the code misses of o is orthogonal to o itself (Gao & Long, RaBitQ, SIGMOD 2024, section 3.2).
//! The query q − μ is rounded to eight bits, so that ⟨q, c⟩ is an integer and the same on every machine. Then
//!
//! | metric | what ranks | offset |
//! |---|---|---|
//! | squared Euclidean, and cosine between unit vectors | \|q − o\|² − \|q\|² ≈ \|o\|² − 2 f ⟨q, c⟩ | \|o\|² |
//! | inner product | −⟨x, q + μ⟩ + const ≈ −⟨μ, o⟩ − f ⟨q, c⟩ | −⟨μ, o⟩ |
//!
//! Each row keeps its offset and its factor beside the code.

#[cfg(feature = "alloc")]
mod encode;
mod query;
mod rotate;

#[cfg(feature = "alloc")]
pub(crate) use encode::Encoder;
pub(crate) use query::{CodeQuery, Eight, Four, Product, QueryCode};
pub(crate) use rotate::rotate;

use core::fmt;

use vex_kernels::Metric;

#[cfg(feature = "alloc")]
use crate::Elements;
use crate::search::AnyQuery;
use crate::{MAX_DIM, MAX_NODES, NodeId, ViewError};

/// How vectors are coded.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Quantization {
    /// One byte an element: round(o / Δ) + 128, with Δ = max |oᵢ| / 127 for each vector.
    Sq8,
    /// Half a byte an element of the rotated vector: ⌊o / Δ⌋ + 8 within 0 to 15, with the Δ that makes the code's
    /// direction the best for each vector.
    Sq4,
}

impl Quantization {
    /// Every kind.
    pub const ALL: [Self; 2] = [Self::Sq8, Self::Sq4];

    /// The name used by the command line and in reports.
    pub fn name(self) -> &'static str {
        match self {
            Self::Sq8 => "sq8",
            Self::Sq4 => "sq4",
        }
    }

    /// Bytes of the code of a vector, a multiple of 64. What is beyond the elements is coded as zero.
    pub const fn row_bytes(self, dim: usize) -> usize {
        match self {
            Self::Sq8 => dim.next_multiple_of(64),
            Self::Sq4 => dim.next_multiple_of(128) / 2,
        }
    }

    /// Elements of a coded query.
    pub(crate) const fn query_len(self, dim: usize) -> usize {
        match self {
            Self::Sq8 => dim.next_multiple_of(64),
            Self::Sq4 => dim.next_multiple_of(128),
        }
    }
}

impl fmt::Display for Quantization {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// What turns the product with a row's code into a rank: `offset` and `factor`, as the table of this module has them. Under SQ4 the
/// factor is for products of 2 c − 15.
pub type Terms = [f32; 2];

/// The codes of all nodes, borrowed.
#[derive(Clone, Copy, Debug)]
pub struct Codes<'a> {
    quantization: Quantization,
    rows: &'a [u8],
    terms: &'a [Terms],
    mean: &'a [f32],
}

impl<'a> Codes<'a> {
    /// Codes for vectors of `mean.len()` elements: [`Quantization::row_bytes`] and two terms a row.
    ///
    /// The values are not looked at. Whatever they are, a search ranks by them and ends.
    ///
    /// # Errors
    /// If the lengths do not agree with each other.
    pub fn new(
        quantization: Quantization,
        rows: &'a [u8],
        terms: &'a [Terms],
        mean: &'a [f32],
    ) -> Result<Self, ViewError> {
        let dim = mean.len();
        if dim == 0 || dim > MAX_DIM {
            return Err(ViewError::Dim { dim, stride: dim });
        }
        if terms.len() > MAX_NODES {
            return Err(ViewError::Count { found: terms.len() });
        }
        let expected = terms.len().checked_mul(quantization.row_bytes(dim));
        if expected != Some(rows.len()) {
            return Err(ViewError::Codes { expected: expected.unwrap_or(usize::MAX), found: rows.len() });
        }
        Ok(Self { quantization, rows, terms, mean })
    }

    /// How the vectors are coded.
    pub fn quantization(&self) -> Quantization {
        self.quantization
    }

    /// How many rows there are.
    pub fn count(&self) -> usize {
        self.terms.len()
    }

    /// Elements of a vector.
    pub fn dim(&self) -> usize {
        self.mean.len()
    }

    /// All codes, back to back.
    pub fn rows(&self) -> &'a [u8] {
        self.rows
    }

    /// Offset and factor of each row.
    pub fn terms(&self) -> &'a [Terms] {
        self.terms
    }

    /// What the vectors are coded around.
    pub fn mean(&self) -> &'a [f32] {
        self.mean
    }

    /// The code of a node.
    ///
    /// # Panics
    /// If there is no such row.
    #[inline]
    pub fn row(&self, id: NodeId) -> &'a [u8] {
        let bytes = self.quantization.row_bytes(self.mean.len());
        let start = id as usize * bytes;
        &self.rows[start..start + bytes]
    }

    /// Codes a query: `code` takes its elements, and `rotated` is room for as many. `None` if it cannot be coded.
    pub(crate) fn query<'q>(
        &self,
        metric: Metric,
        query: &AnyQuery<'_>,
        code: &'q mut [i8],
        rotated: &mut [f32],
    ) -> Option<QueryCode<'q>> {
        let len = self.quantization.query_len(self.dim());
        let (code, centred) = (&mut code[..len], &mut rotated[..len]);
        query.write_scaled(centred).then(|| self.query_of(metric, code, centred))
    }

    /// Codes a vector of the graph itself, as it is stored, as finely as a query.
    #[cfg(feature = "alloc")]
    pub(crate) fn query_of_vector<'q>(
        &self,
        metric: Metric,
        vector: Elements<'_>,
        code: &'q mut [i8],
        rotated: &mut [f32],
    ) -> QueryCode<'q> {
        let len = self.quantization.query_len(self.dim());
        let (code, centred) = (&mut code[..len], &mut rotated[..len]);
        match vector {
            Elements::F32(vector) => centred[..vector.len()].copy_from_slice(vector),
            Elements::F16(vector) => {
                centred.iter_mut().zip(vector).for_each(|(to, from)| *to = from.to_f32());
            }
            _ => unreachable!("codes are of floating-point vectors"),
        }
        self.query_of(metric, code, centred)
    }

    /// Codes the vector in `centred`, which is of unit length under cosine.
    fn query_of<'q>(&self, metric: Metric, code: &'q mut [i8], centred: &mut [f32]) -> QueryCode<'q> {
        let mut at_mean = 0.0f64;
        for (element, mean) in centred.iter_mut().zip(self.mean) {
            at_mean += f64::from(*element) * f64::from(*mean);
            *element -= mean;
        }
        centred[self.dim()..].fill(0.0);
        let square = square(centred);
        if self.quantization == Quantization::Sq4 {
            rotate(centred);
        }
        QueryCode::new(metric, centred, code, square, at_mean)
    }

    /// Takes the code of a row as a query.
    #[cfg(feature = "alloc")]
    pub(crate) fn query_of_row<'q>(&self, metric: Metric, id: NodeId, code: &'q mut [i8]) -> QueryCode<'q> {
        let row = self.row(id);
        let code = &mut code[..self.quantization.query_len(self.dim())];
        match self.quantization {
            Quantization::Sq8 => {
                for (to, from) in code.iter_mut().zip(row) {
                    *to = (from ^ 0x80) as i8;
                }
            }
            Quantization::Sq4 => {
                let (lines, _) = code.as_chunks_mut::<128>();
                let (rows, _) = row.as_chunks::<64>();
                for (line, row) in lines.iter_mut().zip(rows) {
                    let (low, high) = line.split_at_mut(64);
                    for ((low, high), byte) in low.iter_mut().zip(high).zip(row) {
                        *low = 2 * (byte & 15) as i8 - 15;
                        *high = 2 * (byte >> 4) as i8 - 15;
                    }
                }
            }
        }
        QueryCode::of_row(metric, code, self.terms[id as usize])
    }
}

/// |v|², in f64 and in a fixed order.
fn square(vector: &[f32]) -> f64 {
    let norm = crate::element::norm(vector);
    norm * norm
}
