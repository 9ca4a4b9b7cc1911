//! Distances of packed bits.

mod body;
// Loads and instructions that need an instruction set.
#[cfg(target_arch = "aarch64")]
#[allow(unsafe_code)]
mod neon;
mod ops;
mod portable;
mod rules;
#[cfg(test)]
mod tests;
mod words;
#[cfg(all(target_arch = "x86_64", target_feature = "sse2"))]
#[allow(unsafe_code)]
mod x86;

use core::marker::PhantomData;

use body::BitRule;
use ops::BitOps;
use rules::{Hamming, Jaccard};

use crate::Metric;
use crate::cpu::{Body, Variant, kernels};

/// Every implementation of a metric between vectors of packed bits, best first.
pub(crate) fn variants(metric: Metric) -> &'static [Variant<u64, u64, f32>] {
    match metric {
        Metric::Hamming => Bits::<Hamming, 1>::ALL,
        Metric::Jaccard => Bits::<Jaccard, 2>::ALL,
        Metric::SquaredEuclidean | Metric::InnerProduct | Metric::Cosine => &[],
    }
}

/// One metric, which keeps `N` counts.
struct Bits<F, const N: usize>(PhantomData<F>);

impl<F: BitRule<N>, const N: usize> Bits<F, N> {
    const ALL: &'static [Variant<u64, u64, f32>] = kernels! {
        Self, x86: Avx512Vpopcntdq, Avx512, Avx2; aarch64: Neon
    };
}

impl<I: BitOps, F: BitRule<N>, const N: usize> Body<I> for Bits<F, N> {
    type Query = u64;
    type Row = u64;
    type Value = f32;

    #[inline(always)]
    fn distance(isa: I, a: &[u64], b: &[u64]) -> f32 {
        body::distance::<I, F, N>(isa, a, b)
    }

    #[inline(always)]
    fn distance_batch_4(isa: I, query: &[u64], rows: [&[u64]; 4]) -> [f32; 4] {
        body::distance_batch_4::<I, F, N>(isa, query, rows)
    }

    /// Nothing depends on the query alone.
    #[inline(always)]
    fn prepare(_: I, _: &[u64]) -> f32 {
        0.0
    }

    #[inline(always)]
    fn bound(isa: I, query: &[u64], _: f32, row: &[u64]) -> f32 {
        body::distance::<I, F, N>(isa, query, row)
    }

    #[inline(always)]
    fn bound_batch_4(isa: I, query: &[u64], _: f32, rows: [&[u64]; 4]) -> [f32; 4] {
        body::distance_batch_4::<I, F, N>(isa, query, rows)
    }
}
