//! Codes: vectors in one byte an element or less, by which a search ranks nodes before it compares
//! vectors.
//!
//! A search waits for memory. A code is a quarter to an eighth as long as a vector of f32, so a
//! search through codes reads as much less. Its distances are estimates, and the best candidates
//! are compared by vectors in the end.
//!
//! # How a vector is coded
//! `encode.rs` codes a vector x around the mean μ of the set (`centre.rs`):
//!
//! ```text
//! o = x − μ
//! SQ4 and SQ2x2: rotate o                        rotate.rs: evens out the elements
//! c = small integers, in nearly the direction of o:
//!     SQ8             cᵢ = round(oᵢ / Δ)         −127 to 127,     Δ = max |oᵢ| / 127
//!     SQ4 and SQ2x2   cᵢ = 2 ⌊oᵢ / Δ⌋ + 1        −15 to 15, odd;  Δ = the best of eight steps
//! f = |o|² / ⟨c, o⟩
//! keep c, and beside it two correction terms: an offset and the factor f
//! ```
//!
//! Now f c stands for o. The factor makes f ⟨q, c⟩ an unbiased estimate of ⟨q, o⟩, since f c − o is
//! orthogonal to o itself. (Gao & Long, RaBitQ, SIGMOD 2024, section 3.2.)
//!
//! # How a distance follows
//! `round.rs` makes of a query its difference q from μ, rotates it if codes are, and rounds it to 8
//! bits an element. So ⟨q, c⟩ is an integer product, the same on every machine (`product.rs`). The
//! rank of a row is its offset plus a multiple of f ⟨q, c⟩:
//!
//! | metric | rank | offset |
//! |---|---|---|
//! | squared Euclidean, and cosine between unit vectors | \|q − o\|² − \|q\|² ≈ \|o\|² − 2 f ⟨q, c⟩ | \|o\|² |
//! | inner product | −⟨x, q + μ⟩ + const ≈ −⟨μ, o⟩ − f ⟨q, c⟩ | −⟨μ, o⟩ |
//!
//! A constant of the query turns the rank into a distance: \|q\|², or −⟨μ, q + μ⟩ by inner product.
//! The error of f ⟨q, c⟩ has a standard deviation of about `Product::ERROR` · \|q\| · f. It decides
//! what is reranked (`distance/rerank.rs`) and whether the codes are trusted (`distance/doubt.rs`).
//!
//! # Two planes
//! The fewer bytes of a row a search reads the better, as long as it finds the candidates. SQ2x2
//! keeps the codes of SQ4 in two planes. A search ranks nodes by the upper two bits alone, which is
//! half the memory traffic. Then all 4 bits rank the candidates again.

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

/// How vectors are coded: the scalar quantization of a graph.
///
/// Let x be a vector, μ the mean of the set and o = x − μ. A code is small integers that point in
/// nearly the direction of o, with two [correction terms](Terms) beside them. The terms make a
/// product with the code an unbiased estimate of one with o (Gao & Long, *RaBitQ*, SIGMOD 2024,
/// section 3.2). A search ranks nodes by codes and compares the best candidates by vectors.
///
/// | kind | bits an element | bytes a vector of 768 elements | meant for |
/// |---|---:|---:|---|
/// | [`Sq8`](Self::Sq8) | 8 | 768 | fewer than 256 elements |
/// | [`Sq4`](Self::Sq4) | 4 | 384 | 256 to 511 elements |
/// | [`Sq2x2`](Self::Sq2x2) | 2 + 2 | 192 + 192 | 512 elements and more |
///
/// Each vector takes 8 bytes more, for the terms. To code a vector of n elements takes time linear
/// in n, and n log n with a rotation. Chapter 6 (`docs/6-codes.md` in the repository) explains it
/// all.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "lowercase"))]
#[non_exhaustive]
pub enum Quantization {
    /// One byte an element: round(oᵢ / Δ) + 128. Δ = max |oᵢ| / 127 is chosen for each vector.
    Sq8,
    /// 4 bits an element of the rotated o: ⌊oᵢ / Δ⌋ + 8 within 0 to 15. Δ is chosen for each
    /// vector, among eight steps, so that the code points nearest to its direction.
    Sq4,
    /// The codes of [`Sq4`](Self::Sq4), of vectors filled up to a multiple of 256 elements instead
    /// of 128, in two planes. The first has the upper two bits of every element of every vector,
    /// the second the lower two.
    ///
    /// A search ranks nodes by the upper bits, and its candidates again by all four. If a row of
    /// SQ4 takes several cache lines, which is from 512 elements on, this is faster than SQ4 and
    /// finds as much. Clusters so tight that 2-bit codes do not distinguish their members are an
    /// exception.
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

    /// The kind with this [`name`](Self::name), or `None`.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }

    /// The kind that is fastest at the same recall for vectors of `dim` elements: SQ2x2 from 512
    /// on, SQ4 from 256, and SQ8 below. Sets that are clustered so tightly that codes leave their
    /// vectors in doubt are an exception.
    ///
    /// ```
    /// use vex_graph::Quantization;
    ///
    /// assert_eq!([128, 384, 768].map(Quantization::auto), [Quantization::Sq8, Quantization::Sq4, Quantization::Sq2x2]);
    /// ```
    pub const fn auto(dim: usize) -> Self {
        match dim {
            // Rows take so many cache lines that reading half of them saves time.
            512.. => Self::Sq2x2,
            // The errors of 4-bit codes average out, so that SQ4 finds as much as SQ8.
            256.. => Self::Sq4,
            _ => Self::Sq8,
        }
    }

    /// Bytes of the code of a vector, a multiple of 64, without the 8 bytes of its
    /// [terms](Terms). Before a vector is coded it is filled up with zeros.
    pub const fn row_bytes(self, dim: usize) -> usize {
        let [first, second] = self.plane_bytes(dim);
        first + second
    }

    /// Bytes of the code of a vector in each of two planes. The second is empty except under SQ2x2.
    pub(crate) const fn plane_bytes(self, dim: usize) -> [usize; 2] {
        let elements = self.query_len(dim);
        match self {
            Self::Sq8 => [elements, 0],
            Self::Sq4 => [elements / 2, 0],
            Self::Sq2x2 => [elements / 4; 2],
        }
    }

    /// Elements of a coded query, one byte each: the length of
    /// [`ScratchMut::code`](crate::ScratchMut::code). It is `dim`, rounded up to whole cache lines
    /// of codes.
    pub const fn query_len(self, dim: usize) -> usize {
        match self {
            Self::Sq8 => dim.next_multiple_of(64),
            Self::Sq4 => dim.next_multiple_of(128),
            Self::Sq2x2 => dim.next_multiple_of(256),
        }
    }

    /// Whether vectors are rotated before they are coded.
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
        Self::from_name(name).ok_or(NameError::new("sq8, sq4 or sq2x2"))
    }
}

/// Where in a byte the 2-bit codes are, for each 64 of the 256 elements of a block.
///
/// With these, `byte & 0x33` looks like the 4-bit codes of the first 128 elements. The same mask of
/// `byte >> 2` looks like those of the others.
#[cfg(feature = "alloc")]
const PAIR_SHIFTS: [u32; 4] = [0, 4, 2, 6];

/// The correction terms of a row's code: an offset and a factor, which turn a product with the code
/// into a rank.
///
/// Let μ be the mean and o the vector minus μ, rotated if codes are. Let c be the stored code minus
/// 128 under SQ8, and twice the stored code minus 15 under SQ4 and SQ2x2. The factor is |o|² / ⟨c,
/// o⟩. The offset is |o|², or −⟨μ, o⟩ by inner product. A vector at the mean has the factor 0.
pub type Terms = [f32; 2];

/// The codes of all nodes, borrowed: see [`Quantization`]. Row i is the code of node i.
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
    /// Codes for vectors of `mean.len()` elements: [`Quantization::row_bytes`] and two correction
    /// terms a row. Under SQ2x2, `rows` has the upper bits of all rows and then the lower ones.
    ///
    /// The values are not checked, so this takes constant time. Whatever they are, a search ranks
    /// by them and ends.
    ///
    /// # Errors
    /// If the lengths do not agree with each other, or there are too many elements or rows.
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

    /// Codes whose planes are in two slices. Their lengths are right.
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

    /// All codes, back to back. Under SQ2x2 the upper bits of all rows, and then the lower ones.
    /// Else there is no second plane.
    pub fn planes(&self) -> [&'a [u8]; 2] {
        self.planes
    }

    /// The correction terms of each row.
    pub fn terms(&self) -> &'a [Terms] {
        self.terms
    }

    /// The mean around which the vectors are coded, one element for each of a vector. Vectors that
    /// are far from most do not count in it.
    pub fn mean(&self) -> &'a [f32] {
        self.mean
    }

    /// The code of a node, in the [planes](Self::planes).
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

    /// Codes a query. `code` takes its elements, and `rotated` is room for as many. `None` if the
    /// query cannot be coded.
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

    /// Codes the vector in `centred`, which has unit length under cosine.
    fn query_of<'q>(&self, metric: Metric, code: &'q mut [i8], centred: &mut [f32]) -> QueryCode<'q> {
        centred[self.dim()..].fill(0.0);
        let rotates = self.quantization.rotates();
        let rounded = Isa::detect().run(Rounding { vector: centred, mean: self.mean, rotates, code });
        QueryCode::new(metric, code, &rounded)
    }

    /// Uses the code of a row as a query.
    #[cfg(feature = "alloc")]
    pub(crate) fn query_of_row<'q>(&self, metric: Metric, id: NodeId, code: &'q mut [i8]) -> QueryCode<'q> {
        let [row, lower] = self.row(id);
        let code = &mut code[..self.quantization.query_len(self.dim())];
        match self.quantization {
            Quantization::Sq8 => {
                // u − 128 as a signed byte is u with its highest bit flipped.
                for (to, from) in code.iter_mut().zip(row) {
                    *to = (from ^ 0x80) as i8;
                }
            }
            Quantization::Sq4 => {
                // The reverse of `pack_halves`: low halves of the bytes are the first 64 elements
                // of a block.
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
                // The reverse of `pack_planes`.
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
