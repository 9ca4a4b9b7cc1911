//! The operations on packed bits for x86-64.

mod avx2;
mod avx512;

/// The numbers of bits that are set in 0, 1, 2, ... 15.
const HALF_BYTE_COUNTS: [u8; 16] = [0, 1, 1, 2, 1, 2, 2, 3, 1, 2, 2, 3, 2, 3, 3, 4];
