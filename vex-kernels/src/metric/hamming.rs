use crate::bits::{BitRule, to_f32};
use crate::isa::BitIsa;

/// |a ⊕ b|
pub(crate) struct Hamming;

impl BitRule<1> for Hamming {
    #[inline(always)]
    fn step<I: BitIsa>(isa: I, [different]: [I::Count; 1], a: I::Line, b: I::Line) -> [I::Count; 1] {
        [isa.count(different, isa.xor(a, b))]
    }

    #[inline(always)]
    fn finish([different]: [u64; 1]) -> f32 {
        to_f32(different)
    }
}
