//! How 4-bit and 2-bit codes lie in a cache line.

use super::body::{PackedOps, Packing};

/// See [`Code4`](crate::Code4#layout).
pub(crate) enum Fours {}

impl Packing for Fours {
    type Query = [i8; 128];

    #[inline(always)]
    fn products<I: PackedOps>(isa: I, sums: I::Sums, query: &[i8; 128], codes: &[u8; 64]) -> I::Sums {
        isa.products(sums, query, codes)
    }
}

/// See [`Code2`](crate::Code2#layout).
pub(crate) enum Twos {}

impl Packing for Twos {
    type Query = [i8; 256];

    /// Every second pair of bits makes a cache line of 4-bit codes, of which none is above 3. So a
    /// cache line of 2-bit codes adds less to a sum than a cache line of the greatest 4-bit codes.
    #[inline(always)]
    fn products<I: PackedOps>(isa: I, sums: I::Sums, query: &[i8; 256], codes: &[u8; 64]) -> I::Sums {
        let (mut even, mut odd) = ([0; 64], [0; 64]);
        // By index: iterators may stay calls where a program is linked without optimisation.
        for i in 0..64 {
            (even[i], odd[i]) = (codes[i] & 0x33, codes[i] >> 2 & 0x33);
        }
        let [first, second]: &[[i8; 128]; 2] = bytemuck::cast_ref(query);
        let sums = isa.products(sums, first, &even);
        isa.products(sums, second, &odd)
    }
}
