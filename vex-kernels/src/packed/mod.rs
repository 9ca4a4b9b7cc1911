//! Exact products of 8-bit queries with packed 4-bit and 2-bit codes.

mod body;
// Loads and instructions that need an instruction set.
#[cfg(target_arch = "aarch64")]
#[allow(unsafe_code)]
mod neon;
mod portable;
mod rules;
#[cfg(test)]
mod tests;
#[cfg(all(target_arch = "x86_64", target_feature = "sse2"))]
#[allow(unsafe_code)]
mod x86;

use core::marker::PhantomData;

use body::{PackedOps, Packing};
use rules::{Fours, Twos};

use crate::cpu::{Body, Variant, kernels};

/// Every implementation of the product with 4-bit codes, best first.
pub(crate) fn code_4_products() -> &'static [Variant<[i8; 128], [u8; 64], i32>] {
    Packed::<Fours>::ALL
}

/// Every implementation of the product with 2-bit codes, best first.
pub(crate) fn code_2_products() -> &'static [Variant<[i8; 256], [u8; 64], i32>] {
    Packed::<Twos>::ALL
}

/// The product with one kind of codes.
struct Packed<P>(PhantomData<P>);

impl<P: Packing> Packed<P> {
    const ALL: &'static [Variant<P::Query, [u8; 64], i32>] = kernels! {
        Self, x86: Avx512Vnni, Avx512, Avx2Vnni, Avx2; aarch64: NeonDotprod, Neon
    };
}

impl<I: PackedOps, P: Packing> Body<I> for Packed<P> {
    type Query = P::Query;
    type Row = [u8; 64];
    type Value = i32;

    #[inline(always)]
    fn distance(isa: I, query: &[P::Query], codes: &[[u8; 64]]) -> i32 {
        body::dot::<I, P>(isa, query, codes)
    }

    #[inline(always)]
    fn distance_batch_4(isa: I, query: &[P::Query], rows: [&[[u8; 64]]; 4]) -> [i32; 4] {
        body::dot_batch_4::<I, P>(isa, query, rows)
    }

    /// Nothing depends on the query alone.
    #[inline(always)]
    fn prepare(_: I, _: &[P::Query]) -> i32 {
        0
    }

    #[inline(always)]
    fn bound(isa: I, query: &[P::Query], _: i32, codes: &[[u8; 64]]) -> i32 {
        body::dot::<I, P>(isa, query, codes)
    }

    #[inline(always)]
    fn bound_batch_4(isa: I, query: &[P::Query], _: i32, rows: [&[[u8; 64]]; 4]) -> [i32; 4] {
        body::dot_batch_4::<I, P>(isa, query, rows)
    }
}
