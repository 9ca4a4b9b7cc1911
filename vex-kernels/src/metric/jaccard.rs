use crate::bits::BitRule;
use crate::isa::BitIsa;

/// 1 − |a ∧ b| / |a ∨ b|, as |a ⊕ b| / |a ∨ b|: one quotient of two exact counts.
///
/// A bound query prepares nothing. With |a| known the union would still take a second count, that of |b|.
pub(crate) struct Jaccard;

impl BitRule<2> for Jaccard {
    #[inline(always)]
    fn step<I: BitIsa>(isa: I, [different, either]: [I::Count; 2], a: I::Line, b: I::Line) -> [I::Count; 2] {
        [isa.count(different, isa.xor(a, b)), isa.count(either, isa.or(a, b))]
    }

    #[inline(always)]
    fn finish<I: BitIsa>(isa: I, counts: [I::Count; 2]) -> f32 {
        let [different, either] = isa.sum_pair(counts);
        // Two empty sets are equal.
        (different / either.max(1.0)) as f32
    }
}
