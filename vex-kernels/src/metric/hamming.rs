use crate::bits::BitRule;
use crate::isa::BitIsa;

/// |a ⊕ b|
pub(crate) struct Hamming;

impl BitRule<1> for Hamming {
    #[inline(always)]
    fn step<I: BitIsa>(isa: I, [different]: [I::Count; 1], a: I::Line, b: I::Line) -> [I::Count; 1] {
        [isa.count(different, isa.xor(a, b))]
    }

    #[inline(always)]
    fn finish<I: BitIsa>(isa: I, [different]: [I::Count; 1]) -> f32 {
        // Exact up to 2²⁴, the nearest f32 above. Signed, because that conversion is one instruction on every target.
        isa.sum(different) as i64 as f32
    }
}
