use super::Rule;
use crate::isa::Isa;

/// −Σ aᵢ bᵢ
pub(crate) struct InnerProduct;

impl Rule<1> for InnerProduct {
    #[inline(always)]
    fn step<I: Isa>(isa: I, [sum]: [I::Line; 1], a: I::Line, b: I::Line) -> [I::Line; 1] {
        [isa.mul_add(a, b, sum)]
    }

    #[inline(always)]
    fn finish([sum]: [f32; 1], _: f32) -> f32 {
        // Not `-sum`: the distance of orthogonal vectors is 0, and -0 would sort before it.
        0.0 - sum
    }
}
