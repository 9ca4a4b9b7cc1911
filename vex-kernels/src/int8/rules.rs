//! The metrics of integer elements: which sums they keep, and the distance that the sums stand for.
//!
//! The sums are exact in 64 bits and in f64 (up to 2³⁷ elements), so only the cosine rounds. It
//! rounds in its product of the norms, its root, its quotient and its difference from one, which
//! are the same on every instruction set.

use super::body::IntegerRule;
use super::ops::{Integer, IntegerOps};
use crate::cpu::sqrt;

/// Σ aᵢ bᵢ where the sum is known to fit an i32: see [`Code8`](crate::Code8).
pub(crate) struct Product;

impl IntegerRule<1, 1> for Product {
    type Value = i32;

    #[inline(always)]
    fn query<I: IntegerOps, Q: Integer, R: Integer>(
        isa: I,
        sums: [I::Sums; 1],
        a: I::Register,
    ) -> [I::Sums; 1] {
        IntegerInnerProduct::query::<I, Q, R>(isa, sums, a)
    }

    #[inline(always)]
    fn row<I: IntegerOps, Q: Integer, R: Integer>(
        isa: I,
        sums: [I::Sums; 1],
        a: I::Register,
        b: I::Register,
    ) -> [I::Sums; 1] {
        IntegerInnerProduct::row::<I, Q, R>(isa, sums, a, b)
    }

    #[inline(always)]
    fn prepare<I: IntegerOps, Q: Integer, R: Integer>([a]: [i64; 1]) -> i32 {
        (I::correction::<Q, R>() * a) as i32
    }

    #[inline(always)]
    fn finish<I: IntegerOps, Q: Integer, R: Integer>(prepared: i32, [ab]: [i64; 1]) -> i32 {
        // The two parts may wrap around, but their sum is in range.
        (ab as i32).wrapping_add(prepared)
    }
}

/// −Σ aᵢ bᵢ
pub(crate) struct IntegerInnerProduct;

impl IntegerRule<1, 1> for IntegerInnerProduct {
    type Value = f64;

    #[inline(always)]
    fn query<I: IntegerOps, Q: Integer, R: Integer>(
        isa: I,
        [sum]: [I::Sums; 1],
        a: I::Register,
    ) -> [I::Sums; 1] {
        if I::correction::<Q, R>() == 0 {
            return [sum];
        }
        [isa.elements::<Q>(sum, a)]
    }

    #[inline(always)]
    fn row<I: IntegerOps, Q: Integer, R: Integer>(
        isa: I,
        [ab]: [I::Sums; 1],
        a: I::Register,
        b: I::Register,
    ) -> [I::Sums; 1] {
        [isa.products::<Q, R>(ab, a, b)]
    }

    #[inline(always)]
    fn prepare<I: IntegerOps, Q: Integer, R: Integer>([a]: [i64; 1]) -> f64 {
        (I::correction::<Q, R>() * a) as f64
    }

    #[inline(always)]
    fn finish<I: IntegerOps, Q: Integer, R: Integer>(prepared: f64, [ab]: [i64; 1]) -> f64 {
        // Not negated, since that would make −0 of 0.
        0.0 - (ab as f64 + prepared)
    }
}

/// Σ(aᵢ − bᵢ)²
///
/// Where products have a correction, differences cannot be multiplied either, and squares and cross
/// products are summed apart. With P(x, y) = Σ xᵢ (yᵢ + s), whatever s is, P(a, a) + P(b, b) − P(a,
/// b) − P(b, a) = Σ(aᵢ − bᵢ)².
pub(crate) struct IntegerSquaredEuclidean;

impl IntegerRule<1, 2> for IntegerSquaredEuclidean {
    type Value = f64;

    #[inline(always)]
    fn query<I: IntegerOps, Q: Integer, R: Integer>(
        isa: I,
        [aa]: [I::Sums; 1],
        a: I::Register,
    ) -> [I::Sums; 1] {
        if I::correction::<Q, Q>() == 0 {
            return [aa];
        }
        [isa.products::<Q, Q>(aa, a, a)]
    }

    #[inline(always)]
    fn row<I: IntegerOps, Q: Integer, R: Integer>(
        isa: I,
        [squares, crosses]: [I::Sums; 2],
        a: I::Register,
        b: I::Register,
    ) -> [I::Sums; 2] {
        if I::correction::<Q, Q>() == 0 {
            let difference = isa.difference::<Q>(a, b);
            return [isa.products::<u8, u8>(squares, difference, difference), crosses];
        }
        let squares = isa.products::<R, R>(squares, b, b);
        [squares, isa.products::<R, Q>(isa.products::<Q, R>(crosses, a, b), b, a)]
    }

    #[inline(always)]
    fn prepare<I: IntegerOps, Q: Integer, R: Integer>([aa]: [i64; 1]) -> f64 {
        aa as f64
    }

    #[inline(always)]
    fn finish<I: IntegerOps, Q: Integer, R: Integer>(prepared: f64, [squares, crosses]: [i64; 2]) -> f64 {
        prepared + (squares - crosses) as f64
    }
}

/// 1 − Σ aᵢ bᵢ / (|a| |b|)
pub(crate) struct IntegerCosine;

impl IntegerRule<2, 3> for IntegerCosine {
    type Value = f64;

    #[inline(always)]
    fn query<I: IntegerOps, Q: Integer, R: Integer>(
        isa: I,
        [aa, sum]: [I::Sums; 2],
        a: I::Register,
    ) -> [I::Sums; 2] {
        let aa = isa.products::<Q, Q>(aa, a, a);
        [aa, if I::correction::<Q, Q>() == 0 { sum } else { isa.elements::<Q>(sum, a) }]
    }

    /// The row is the first factor of both products, so that one sum of its elements corrects both.
    #[inline(always)]
    fn row<I: IntegerOps, Q: Integer, R: Integer>(
        isa: I,
        [ba, bb, sum]: [I::Sums; 3],
        a: I::Register,
        b: I::Register,
    ) -> [I::Sums; 3] {
        let ba = isa.products::<R, Q>(ba, b, a);
        let bb = isa.products::<R, R>(bb, b, b);
        [ba, bb, if I::correction::<R, R>() == 0 { sum } else { isa.elements::<R>(sum, b) }]
    }

    #[inline(always)]
    fn prepare<I: IntegerOps, Q: Integer, R: Integer>([aa, a]: [i64; 2]) -> f64 {
        (aa + I::correction::<Q, Q>() * a) as f64
    }

    #[inline(always)]
    fn finish<I: IntegerOps, Q: Integer, R: Integer>(aa: f64, [ba, bb, b]: [i64; 3]) -> f64 {
        let ba = ba + I::correction::<R, Q>() * b;
        let bb = bb + I::correction::<R, R>() * b;
        let norms = aa * bb as f64;
        if norms == 0.0 {
            return 1.0;
        }
        (1.0 - ba as f64 / sqrt(norms)).clamp(0.0, 2.0)
    }

    /// In steps that the compiler vectorizes.
    #[inline(always)]
    fn finish_4<I: IntegerOps, Q: Integer, R: Integer>(isa: I, aa: f64, sums: &[[i64; 3]; 4]) -> [f64; 4] {
        let (mut dots, mut norms, mut distances) = ([0.0; 4], [0.0; 4], [0.0; 4]);
        for r in 0..4 {
            let [ba, bb, b] = sums[r];
            dots[r] = (ba + I::correction::<R, Q>() * b) as f64;
            norms[r] = aa * (bb + I::correction::<R, R>() * b) as f64;
        }
        let cosines = isa.cosines(dots, norms);
        for r in 0..4 {
            distances[r] = (1.0 - cosines[r]).clamp(0.0, 2.0);
        }
        for r in 0..4 {
            distances[r] = if norms[r] == 0.0 { 1.0 } else { distances[r] };
        }
        distances
    }
}
