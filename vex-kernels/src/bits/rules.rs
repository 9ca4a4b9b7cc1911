//! The metrics of packed bits: which bits each counts, and the distance that the counts stand for.

use super::body::BitRule;
use super::ops::BitOps;

/// |a ⊕ b|
pub(crate) struct Hamming;

impl BitRule<1> for Hamming {
    #[inline(always)]
    fn step<I: BitOps>(isa: I, [different]: [I::Count; 1], a: I::Register, b: I::Register) -> [I::Count; 1] {
        [isa.count(different, isa.xor(a, b))]
    }

    #[inline(always)]
    fn finish<I: BitOps>(isa: I, [different]: [I::Count; 1]) -> f32 {
        // Exact up to 2²⁴, and beyond it the nearest f32. Signed, because that conversion is one
        // instruction on every target.
        isa.sum(different) as i64 as f32
    }
}

/// 1 − |a ∧ b| / |a ∨ b|, as |a ⊕ b| / |a ∨ b|: one quotient of two exact counts.
///
/// A bound query prepares nothing. Even with |a| known, the union would take a second count, that
/// of
/// |b|.
pub(crate) struct Jaccard;

impl BitRule<2> for Jaccard {
    #[inline(always)]
    fn step<I: BitOps>(
        isa: I,
        [different, either]: [I::Count; 2],
        a: I::Register,
        b: I::Register,
    ) -> [I::Count; 2] {
        [isa.count(different, isa.xor(a, b)), isa.count(either, isa.or(a, b))]
    }

    #[inline(always)]
    fn finish<I: BitOps>(isa: I, counts: [I::Count; 2]) -> f32 {
        let [different, either] = isa.sum_pair(counts);
        // Two empty sets are equal.
        (different / either.max(1.0)) as f32
    }
}
