//! Plain loops for any target. The compiler vectorizes them with what the target guarantees.

use super::body::{MAX_CACHE_LINES, PackedOps};
use crate::cpu::Portable;

impl PackedOps for Portable {
    type Sums = i32;
    type Lanes = i32;
    const CACHE_LINES: usize = MAX_CACHE_LINES;
    const CHAINS: usize = 1;
    const BATCH: bool = false;

    #[inline(always)]
    fn products(self, mut sums: i32, query: &[i8; 128], codes: &[u8; 64]) -> i32 {
        for (j, codes) in codes.iter().enumerate() {
            sums += i32::from(query[j]) * i32::from(codes & 0x0f);
            sums += i32::from(query[64 + j]) * i32::from(codes >> 4);
        }
        sums
    }

    #[inline(always)]
    fn widen(self, lanes: i32, sums: i32) -> i32 {
        lanes + sums
    }

    #[inline(always)]
    fn total(self, lanes: i32) -> i32 {
        lanes
    }
}
