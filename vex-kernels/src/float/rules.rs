//! The metrics of floats: which sums each keeps, and the distance that the sums stand for.

use super::body::{self, Rule};
use super::element::Float;
use super::ops::FloatOps;
use crate::cpu::sqrt;

/// Σ(aᵢ − bᵢ)²
pub(crate) struct SquaredEuclidean;

impl Rule<1> for SquaredEuclidean {
    #[inline(always)]
    fn step<I: FloatOps>(
        isa: I,
        [sum]: [I::Register; 1],
        a: I::Register,
        b: I::Register,
    ) -> [I::Register; 1] {
        let difference = isa.sub(a, b);
        [isa.mul_add(difference, difference, sum)]
    }

    #[inline(always)]
    fn finish([sum]: [f32; 1], _: f32) -> f32 {
        sum
    }
}

/// −Σ aᵢ bᵢ
pub(crate) struct InnerProduct;

impl Rule<1> for InnerProduct {
    #[inline(always)]
    fn step<I: FloatOps>(
        isa: I,
        [sum]: [I::Register; 1],
        a: I::Register,
        b: I::Register,
    ) -> [I::Register; 1] {
        [isa.mul_add(a, b, sum)]
    }

    #[inline(always)]
    fn finish([sum]: [f32; 1], _: f32) -> f32 {
        // Not `-sum`: the distance of orthogonal vectors is 0, and −0 would sort before it.
        0.0 - sum
    }
}

/// 1 − Σ aᵢ bᵢ / (|a| |b|)
pub(crate) struct Cosine;

impl Rule<3> for Cosine {
    #[inline(always)]
    fn step<I: FloatOps>(
        isa: I,
        [dot, aa, bb]: [I::Register; 3],
        a: I::Register,
        b: I::Register,
    ) -> [I::Register; 3] {
        [isa.mul_add(a, b, dot), isa.mul_add(a, a, aa), isa.mul_add(b, b, bb)]
    }

    #[inline(always)]
    fn finish([dot, aa, bb]: [f32; 3], _: f32) -> f32 {
        cosine(dot, aa, bb)
    }
}

/// The cosine distance from a query whose squared norm was prepared.
pub(crate) struct BoundCosine;

impl Rule<2> for BoundCosine {
    #[inline(always)]
    fn step<I: FloatOps>(
        isa: I,
        [dot, bb]: [I::Register; 2],
        a: I::Register,
        b: I::Register,
    ) -> [I::Register; 2] {
        [isa.mul_add(a, b, dot), isa.mul_add(b, b, bb)]
    }

    #[inline(always)]
    fn finish([dot, bb]: [f32; 2], prepared: f32) -> f32 {
        cosine(dot, prepared, bb)
    }

    #[inline(always)]
    fn finish_4<I: FloatOps>(isa: I, [a, b, c, d]: [[f32; 2]; 4], prepared: f32) -> [f32; 4] {
        cosines(isa, [a[0], b[0], c[0], d[0]], [prepared; 4], [a[1], b[1], c[1], d[1]])
    }

    #[inline(always)]
    fn prepare<I: FloatOps, Q: Float>(isa: I, query: &[Q]) -> f32 {
        body::distance::<I, Q, Q, SquaredNorm, 1>(isa, query, query, 0.0)
    }
}

/// Σ aᵢ², summed as [`Cosine`] sums it.
struct SquaredNorm;

impl Rule<1> for SquaredNorm {
    #[inline(always)]
    fn step<I: FloatOps>(isa: I, [aa]: [I::Register; 1], a: I::Register, _: I::Register) -> [I::Register; 1] {
        [isa.mul_add(a, a, aa)]
    }

    #[inline(always)]
    fn finish([aa]: [f32; 1], _: f32) -> f32 {
        aa
    }
}

/// A vector's cosine with itself may be rounded below one, by less than this. Its distance from
/// itself is nevertheless 0.
const ROUNDING: f64 = 4.0 * f64::EPSILON;

/// In f64 the product of two f32 norms neither overflows nor underflows. The cosine is dot / norms
/// · √norms. So the quotient and the root are computed at the same time, where dot / √norms would
/// wait for the root.
#[inline(always)]
fn cosine(dot: f32, aa: f32, bb: f32) -> f32 {
    let norms = f64::from(aa) * f64::from(bb);
    // A zero vector has no direction. Beside a NaN or an infinity the product of the norms is NaN,
    // so the zero does not hide it.
    if norms == 0.0 {
        return 1.0;
    }
    distance(f64::from(dot) / norms * sqrt(norms))
}

/// [`cosine`] of four rows, in steps that the compiler vectorizes.
#[inline(always)]
fn cosines<I: FloatOps>(isa: I, dots: [f32; 4], aa: [f32; 4], bb: [f32; 4]) -> [f32; 4] {
    let (mut norms, mut distances) = ([0.0; 4], [0.0; 4]);
    for r in 0..4 {
        norms[r] = f64::from(aa[r]) * f64::from(bb[r]);
    }
    let cosines = isa.cosines(dots, norms);
    for r in 0..4 {
        distances[r] = distance(cosines[r]);
    }
    for r in 0..4 {
        distances[r] = if norms[r] == 0.0 { 1.0 } else { distances[r] };
    }
    distances
}

#[inline(always)]
fn distance(cosine: f64) -> f32 {
    // `clamp` lets NaN pass; `max` and `min` would swallow it.
    (((1.0 - ROUNDING) - cosine) as f32).clamp(0.0, 2.0)
}
