//! Codes: vectors in one byte an element or less, which a search walks through before it looks at
//! the vectors.
//!
//! A vector x is coded around the mean μ of the set. With o = x − μ (under SQ4 rotated: see
//! [`rotate`]), the code c, small integers, points in nearly the direction of o, and o ≈ f c with f
//! = |o|² / ⟨c, o⟩. This factor makes f ⟨q, c⟩ an unbiased estimate of ⟨q, o⟩: what the code misses
//! of o is orthogonal to o itself (Gao & Long, RaBitQ, SIGMOD 2024, section 3.2). The query q − μ
//! is rounded to eight bits, so that ⟨q, c⟩ is an integer and the same on every machine. Then
//!
//! | metric | what ranks | offset |
//! |---|---|---|
//! | squared Euclidean, and cosine between unit vectors | \|q − o\|² − \|q\|² ≈ \|o\|² − 2 f ⟨q, c⟩ | \|o\|² |
//! | inner product | −⟨x, q + μ⟩ + const ≈ −⟨μ, o⟩ − f ⟨q, c⟩ | −⟨μ, o⟩ |
//!
//! Each row keeps its offset and its factor beside the code.
//!
//! A walk waits for memory, so the fewer bytes of a row it reads the better, as long as it still
//! finds its way. SQ2x2 keeps the codes of SQ4 in two planes: walks go by the upper two bits alone,
//! and what they found is then ranked by all four.

#[cfg(feature = "alloc")]
mod centre;
#[cfg(feature = "alloc")]
mod encode;
mod product;
mod rotate;
mod round;

#[cfg(feature = "alloc")]
pub(crate) use centre::{centre, centre_bytes};
#[cfg(feature = "alloc")]
pub(crate) use encode::Encoder;
pub(crate) use product::{CodeQuery, Eight, Four, Product, QueryCode, Two, TwoByTwo};
use rotate::rotate;
use round::Rounding;

use core::fmt;

use vex_kernels::{Isa, Metric};

use super::AnyQuery;
#[cfg(feature = "alloc")]
use crate::Elements;
use crate::{MAX_DIM, MAX_NODES, NameError, NodeId, ViewError};

/// How vectors are coded.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Quantization {
    /// One byte an element: round(o / Δ) + 128, with Δ = max |oᵢ| / 127 for each vector.
    Sq8,
    /// Half a byte an element of the rotated vector: ⌊o / Δ⌋ + 8 within 0 to 15, with the Δ that
    /// makes the code's direction the best for each vector.
    Sq4,
    /// The codes of [`Sq4`](Self::Sq4), of vectors filled up to a multiple of 256 elements, in two
    /// planes: the upper two bits of every element of every vector, and then the lower two. A
    /// walk goes by the upper bits, and ranks what it found by all four. Faster than SQ4 where
    /// a row takes several cache lines, which is from 512 elements on, and finds as much, but on
    /// clusters so tight that two bits do not tell their members apart.
    Sq2x2,
}

impl Quantization {
    /// Every kind.
    pub const ALL: [Self; 3] = [Self::Sq8, Self::Sq4, Self::Sq2x2];

    /// The name used by the command line and in reports.
    pub fn name(self) -> &'static str {
        match self {
            Self::Sq8 => "sq8",
            Self::Sq4 => "sq4",
            Self::Sq2x2 => "sq2x2",
        }
    }

    /// The kind with this [`name`](Self::name).
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }

    /// What is fastest at the same recall for vectors of `dim` elements, if they are not clustered
    /// so tightly that codes leave them in doubt: SQ2x2 from 512 on, SQ4 from 256, and SQ8
    /// below.
    ///
    /// ```
    /// use vex_graph::Quantization;
    ///
    /// assert_eq!([128, 384, 768].map(Quantization::auto), [Quantization::Sq8, Quantization::Sq4, Quantization::Sq2x2]);
    /// ```
    pub const fn auto(dim: usize) -> Self {
        match dim {
            // Rows take so many cache lines that half of them make the difference.
            512.. => Self::Sq2x2,
            // The errors of half a byte an element average out: SQ4 finds as much as SQ8.
            256.. => Self::Sq4,
            _ => Self::Sq8,
        }
    }

    /// Bytes of the code of a vector, a multiple of 64. What is beyond the elements is coded as
    /// zero.
    pub const fn row_bytes(self, dim: usize) -> usize {
        let [first, second] = self.plane_bytes(dim);
        first + second
    }

    /// The same in each of two planes, of which the second is empty but under SQ2x2.
    pub(crate) const fn plane_bytes(self, dim: usize) -> [usize; 2] {
        let elements = self.query_len(dim);
        match self {
            Self::Sq8 => [elements, 0],
            Self::Sq4 => [elements / 2, 0],
            Self::Sq2x2 => [elements / 4; 2],
        }
    }

    /// Elements of a coded query.
    pub(crate) const fn query_len(self, dim: usize) -> usize {
        match self {
            Self::Sq8 => dim.next_multiple_of(64),
            Self::Sq4 => dim.next_multiple_of(128),
            Self::Sq2x2 => dim.next_multiple_of(256),
        }
    }

    /// Whether codes are of rotated vectors.
    const fn rotates(self) -> bool {
        !matches!(self, Self::Sq8)
    }
}

impl fmt::Display for Quantization {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl core::str::FromStr for Quantization {
    type Err = NameError;

    fn from_str(name: &str) -> Result<Self, NameError> {
        Self::from_name(name).ok_or(NameError { expected: "sq8, sq4 or sq2x2" })
    }
}

/// Where in a byte the two bits of an element are, of each sixty-four of the 256 elements of a
/// line: so that every second pair of bits makes a line of four-bit codes.
#[cfg(feature = "alloc")]
const PAIR_SHIFTS: [u32; 4] = [0, 4, 2, 6];

/// What turns the product with a row's code into a rank: `offset` and `factor`, as the table of
/// this module has them. Under SQ4 and SQ2x2 the factor is for products of 2 c − 15.
pub type Terms = [f32; 2];

/// The codes of all nodes, borrowed.
#[derive(Clone, Copy, Debug)]
pub struct Codes<'a> {
    quantization: Quantization,
    planes: [&'a [u8]; 2],
    /// Bytes of a row in each plane.
    plane_bytes: [usize; 2],
    terms: &'a [Terms],
    mean: &'a [f32],
}

impl<'a> Codes<'a> {
    /// Codes for vectors of `mean.len()` elements: [`Quantization::row_bytes`] and two terms a row.
    /// Under SQ2x2 `rows` has the upper bits of all rows, and then the lower ones.
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
        let plane_bytes = quantization.plane_bytes(dim);
        let (first, second) = rows.split_at(terms.len() * plane_bytes[0]);
        Ok(Self { quantization, planes: [first, second], plane_bytes, terms, mean })
    }

    /// Codes whose planes are apart, and as long as they must be.
    #[cfg(feature = "alloc")]
    pub(crate) fn of_planes(
        quantization: Quantization,
        planes: [&'a [u8]; 2],
        terms: &'a [Terms],
        mean: &'a [f32],
    ) -> Self {
        Self { quantization, planes, plane_bytes: quantization.plane_bytes(mean.len()), terms, mean }
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

    /// All codes, back to back. Under SQ2x2 the upper bits of all, and the lower ones; else there
    /// is no second plane.
    pub fn planes(&self) -> [&'a [u8]; 2] {
        self.planes
    }

    /// Offset and factor of each row.
    pub fn terms(&self) -> &'a [Terms] {
        self.terms
    }

    /// What the vectors are coded around.
    pub fn mean(&self) -> &'a [f32] {
        self.mean
    }

    /// The code of a node, in the planes.
    ///
    /// # Panics
    /// If there is no such row.
    pub fn row(&self, id: NodeId) -> [&'a [u8]; 2] {
        [self.plane_row::<0>(id), self.plane_row::<1>(id)]
    }

    #[inline(always)]
    fn plane_row<const PLANE: usize>(&self, id: NodeId) -> &'a [u8] {
        let bytes = self.plane_bytes[PLANE];
        let start = id as usize * bytes;
        &self.planes[PLANE][start..start + bytes]
    }

    /// Codes a query: `code` takes its elements, and `rotated` is room for as many. `None` if it
    /// cannot be coded.
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
        centred[self.dim()..].fill(0.0);
        let rotates = self.quantization.rotates();
        let rounded = Isa::detect().run(Rounding { vector: centred, mean: self.mean, rotates, code });
        QueryCode::new(metric, code, &rounded)
    }

    /// Takes the code of a row as a query.
    #[cfg(feature = "alloc")]
    pub(crate) fn query_of_row<'q>(&self, metric: Metric, id: NodeId, code: &'q mut [i8]) -> QueryCode<'q> {
        let [row, lower] = self.row(id);
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
            Quantization::Sq2x2 => {
                let (lines, _) = code.as_chunks_mut::<256>();
                for ((line, upper), lower) in lines.iter_mut().zip(row.chunks(64)).zip(lower.chunks(64)) {
                    for (line, shift) in line.as_chunks_mut::<64>().0.iter_mut().zip(PAIR_SHIFTS) {
                        for ((to, upper), lower) in line.iter_mut().zip(upper).zip(lower) {
                            let code = (upper >> shift & 3) << 2 | lower >> shift & 3;
                            *to = 2 * code as i8 - 15;
                        }
                    }
                }
            }
        }
        QueryCode::of_row(metric, code, self.terms[id as usize])
    }
}
