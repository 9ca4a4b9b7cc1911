//! Distances of floating-point vectors.

mod body;
mod element;
mod hadamard;
// Loads and instructions that need an instruction set.
#[cfg(target_arch = "aarch64")]
#[allow(unsafe_code)]
mod neon;
mod ops;
mod portable;
mod rules;
#[cfg(test)]
mod tests;
#[cfg(all(target_arch = "x86_64", target_feature = "sse2"))]
#[allow(unsafe_code)]
mod x86;

use core::marker::PhantomData;

use body::Rule;
use element::Float;
use half::f16;
use ops::FloatOps;
use rules::{BoundCosine, Cosine, InnerProduct, SquaredEuclidean};

use crate::Metric;
use crate::cpu::{Body, Variant, kernels};

/// Every implementation of a metric between queries of `Q` and rows of `R`, best first.
pub(crate) fn variants<Q: Float, R: Float>(metric: Metric) -> &'static [Variant<Q, R, f32>] {
    match metric {
        Metric::SquaredEuclidean => Floats::<Q, R, SquaredEuclidean, 1, SquaredEuclidean, 1>::ALL,
        Metric::InnerProduct => Floats::<Q, R, InnerProduct, 1, InnerProduct, 1>::ALL,
        Metric::Cosine => Floats::<Q, R, Cosine, 3, BoundCosine, 2>::ALL,
        Metric::Hamming | Metric::Jaccard => &[],
    }
}

/// Every implementation of a metric between vectors of f16, best first. Registers of 256 bits may
/// be faster here than those of 512.
pub(crate) fn f16_variants(metric: Metric) -> &'static [Variant<f16, f16, f32>] {
    match metric {
        Metric::SquaredEuclidean => {
            Floats::<f16, f16, SquaredEuclidean, 1, SquaredEuclidean, 1>::WITH_HALVED_REGISTERS
        }
        Metric::InnerProduct => Floats::<f16, f16, InnerProduct, 1, InnerProduct, 1>::WITH_HALVED_REGISTERS,
        Metric::Cosine => Floats::<f16, f16, Cosine, 3, BoundCosine, 2>::WITH_HALVED_REGISTERS,
        Metric::Hamming | Metric::Jaccard => &[],
    }
}

/// One metric. `F` keeps `N` sums for two vectors, and `B` keeps `M` sums for a bound query and a
/// row.
struct Floats<Q, R, F, const N: usize, B, const M: usize>(PhantomData<(Q, R, F, B)>);

impl<Q: Float, R: Float, F: Rule<N>, const N: usize, B: Rule<M>, const M: usize> Floats<Q, R, F, N, B, M> {
    const ALL: &'static [Variant<Q, R, f32>] = kernels! { Self, x86: Avx512, Avx2; aarch64: Neon };

    /// With AVX-512 in registers of 256 bits as well as of 512. The slower of the two on this
    /// machine comes second and is not left out, so that tests run both.
    const WITH_HALVED_REGISTERS: &'static [Variant<Q, R, f32>] = kernels! {
        Self,
        x86: Avx512Vl if |machine| machine.has(crate::cpu::Capability::Halves512), Avx512,
            Avx512Vl if |machine| !machine.has(crate::cpu::Capability::Halves512), Avx2;
        aarch64: Neon
    };
}

impl<I, Q, R, F, const N: usize, B, const M: usize> Body<I> for Floats<Q, R, F, N, B, M>
where
    I: FloatOps,
    Q: Float,
    R: Float,
    F: Rule<N>,
    B: Rule<M>,
{
    type Query = Q;
    type Row = R;
    type Value = f32;

    #[inline(always)]
    fn distance(isa: I, a: &[Q], b: &[R]) -> f32 {
        body::distance::<I, Q, R, F, N>(isa, a, b, 0.0)
    }

    #[inline(always)]
    fn distance_batch_4(isa: I, query: &[Q], rows: [&[R]; 4]) -> [f32; 4] {
        // The part that depends on the query alone is computed once for all four.
        body::distance_batch_4::<I, Q, R, B, M>(isa, query, rows, B::prepare(isa, query))
    }

    #[inline(always)]
    fn prepare(isa: I, query: &[Q]) -> f32 {
        B::prepare(isa, query)
    }

    #[inline(always)]
    fn bound(isa: I, query: &[Q], prepared: f32, row: &[R]) -> f32 {
        body::distance::<I, Q, R, B, M>(isa, query, row, prepared)
    }

    #[inline(always)]
    fn bound_batch_4(isa: I, query: &[Q], prepared: f32, rows: [&[R]; 4]) -> [f32; 4] {
        body::distance_batch_4::<I, Q, R, B, M>(isa, query, rows, prepared)
    }
}
