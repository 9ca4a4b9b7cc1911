//! Exact distances of vectors of 8-bit integers.

mod body;
// Loads and instructions that need an instruction set.
#[cfg(target_arch = "aarch64")]
#[allow(unsafe_code)]
mod neon;
mod ops;
mod portable;
mod rules;
#[cfg(any(all(target_arch = "x86_64", target_feature = "sse2"), target_arch = "aarch64"))]
mod tail;
#[cfg(test)]
mod tests;
#[cfg(all(target_arch = "x86_64", target_feature = "sse2"))]
#[allow(unsafe_code)]
mod x86;

use core::marker::PhantomData;

use body::IntegerRule;
use ops::{Integer, IntegerOps};
use rules::{IntegerCosine, IntegerInnerProduct, IntegerSquaredEuclidean, Product};

use crate::Metric;
use crate::cpu::{Body, Variant, kernels};

/// Every implementation of a metric between vectors of one integer type, best first.
pub(crate) fn variants<T: Integer>(metric: Metric) -> &'static [Variant<T, T, f64>] {
    match metric {
        Metric::SquaredEuclidean => Int8::<T, T, IntegerSquaredEuclidean, 1, 2>::ALL,
        Metric::InnerProduct => Int8::<T, T, IntegerInnerProduct, 1, 1>::ALL,
        Metric::Cosine => Int8::<T, T, IntegerCosine, 2, 3>::ALL,
        Metric::Hamming | Metric::Jaccard => &[],
    }
}

/// Every implementation of a metric between a query and codes, best first. Each row of codes has a
/// scale and an offset of its own, so codes have the inner product alone.
pub(crate) fn code_variants(metric: Metric) -> &'static [Variant<i8, u8, f64>] {
    match metric {
        Metric::InnerProduct => Int8::<i8, u8, IntegerInnerProduct, 1, 1>::ALL,
        _ => &[],
    }
}

/// Every implementation of the product of a query and an 8-bit code, best first.
pub(crate) fn code_products() -> &'static [Variant<i8, u8, i32>] {
    Int8::<i8, u8, Product, 1, 1>::ALL
}

/// One metric. `F` keeps `N` sums of a query and `M` sums of each row.
struct Int8<Q, R, F, const N: usize, const M: usize>(PhantomData<(Q, R, F)>);

impl<Q: Integer, R: Integer, F: IntegerRule<N, M>, const N: usize, const M: usize> Int8<Q, R, F, N, M> {
    const ALL: &'static [Variant<Q, R, F::Value>] = kernels! {
        Self, x86: Avx512Vnni, Avx512, Avx2Vnni, Avx2; aarch64: NeonDotprod, Neon
    };
}

impl<I, Q, R, F, const N: usize, const M: usize> Body<I> for Int8<Q, R, F, N, M>
where
    I: IntegerOps,
    Q: Integer,
    R: Integer,
    F: IntegerRule<N, M>,
{
    type Query = Q;
    type Row = R;
    type Value = F::Value;

    #[inline(always)]
    fn distance(isa: I, a: &[Q], b: &[R]) -> F::Value {
        body::distances::<I, Q, R, F, N, M, 1>(isa, a, [b])[0]
    }

    #[inline(always)]
    fn distance_batch_4(isa: I, query: &[Q], rows: [&[R]; 4]) -> [F::Value; 4] {
        body::distances::<I, Q, R, F, N, M, 4>(isa, query, rows)
    }

    #[inline(always)]
    fn prepare(isa: I, query: &[Q]) -> F::Value {
        body::prepare::<I, Q, R, F, N, M>(isa, query)
    }

    #[inline(always)]
    fn bound(isa: I, query: &[Q], prepared: F::Value, row: &[R]) -> F::Value {
        body::bound_distances::<I, Q, R, F, N, M, 1>(isa, query, prepared, [row])[0]
    }

    #[inline(always)]
    fn bound_batch_4(isa: I, query: &[Q], prepared: F::Value, rows: [&[R]; 4]) -> [F::Value; 4] {
        body::bound_distances::<I, Q, R, F, N, M, 4>(isa, query, prepared, rows)
    }
}
