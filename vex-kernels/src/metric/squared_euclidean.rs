use super::Rule;
use crate::isa::Isa;

/// Σ(aᵢ − bᵢ)²
pub(crate) struct SquaredEuclidean;

impl Rule<1> for SquaredEuclidean {
    #[inline(always)]
    fn step<I: Isa>(isa: I, [sum]: [I::Line; 1], a: I::Line, b: I::Line) -> [I::Line; 1] {
        let difference = isa.sub(a, b);
        [isa.mul_add(difference, difference, sum)]
    }

    #[inline(always)]
    fn finish([sum]: [f32; 1], _: f32) -> f32 {
        sum
    }
}
