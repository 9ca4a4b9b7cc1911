use super::Rule;
use crate::element::Float;
use crate::isa::{Isa, sqrt};
use crate::kernel;

/// 1 − Σ aᵢ bᵢ / (|a| |b|)
pub(crate) struct Cosine;

impl Rule<3> for Cosine {
    #[inline(always)]
    fn step<I: Isa>(isa: I, [dot, aa, bb]: [I::Line; 3], a: I::Line, b: I::Line) -> [I::Line; 3] {
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
    fn step<I: Isa>(isa: I, [dot, bb]: [I::Line; 2], a: I::Line, b: I::Line) -> [I::Line; 2] {
        [isa.mul_add(a, b, dot), isa.mul_add(b, b, bb)]
    }

    #[inline(always)]
    fn finish([dot, bb]: [f32; 2], prepared: f32) -> f32 {
        cosine(dot, prepared, bb)
    }

    #[inline(always)]
    fn prepare<I: Isa, Q: Float>(isa: I, query: &[Q]) -> f32 {
        kernel::distance::<I, Q, Q, SquaredNorm, 1>(isa, query, query, 0.0)
    }
}

/// Σ aᵢ², summed as [`Cosine`] sums it.
struct SquaredNorm;

impl Rule<1> for SquaredNorm {
    #[inline(always)]
    fn step<I: Isa>(isa: I, [aa]: [I::Line; 1], a: I::Line, _: I::Line) -> [I::Line; 1] {
        [isa.mul_add(a, a, aa)]
    }

    #[inline(always)]
    fn finish([aa]: [f32; 1], _: f32) -> f32 {
        aa
    }
}

#[inline(always)]
fn cosine(dot: f32, aa: f32, bb: f32) -> f32 {
    if aa == 0.0 || bb == 0.0 {
        // A zero vector has no direction, but must not hide a NaN or an infinity of the other one.
        return if dot.is_nan() { dot } else { 1.0 };
    }
    // In f64 the product of two f32 norms neither overflows nor underflows. Divided by it, the inner product need not wait for its root.
    let norms = f64::from(aa) * f64::from(bb);
    let cosine = f64::from(dot) / norms * sqrt(norms);
    // A vector's cosine with itself may be rounded below one, by less than this: they are at no distance.
    const ROUNDING: f64 = 4.0 * f64::EPSILON;
    let distance = ((1.0 - ROUNDING) - cosine) as f32;
    // `clamp` lets NaN pass; `max` and `min` would swallow it.
    distance.clamp(0.0, 2.0)
}
