use super::Rule;
use crate::isa::{Isa, sqrt};

/// 1 − Σ aᵢ bᵢ / (|a| |b|)
pub(crate) struct Cosine;

impl Rule<3> for Cosine {
    #[inline(always)]
    fn step<I: Isa>(isa: I, [dot, aa, bb]: [I::Line; 3], a: I::Line, b: I::Line) -> [I::Line; 3] {
        [isa.mul_add(a, b, dot), isa.mul_add(a, a, aa), isa.mul_add(b, b, bb)]
    }

    #[inline(always)]
    fn finish([dot, aa, bb]: [f32; 3]) -> f32 {
        if aa == 0.0 || bb == 0.0 {
            // A zero vector has no direction, but must not hide a NaN or an infinity of the other one.
            return if dot.is_nan() { dot } else { 1.0 };
        }
        // In f64 the product of two f32 norms neither overflows nor underflows.
        let norms = sqrt(f64::from(aa) * f64::from(bb));
        let distance = (1.0 - f64::from(dot) / norms) as f32;
        // `clamp` lets NaN pass; `max` and `min` would swallow it.
        distance.clamp(0.0, 2.0)
    }
}
