//! Arrays of words for any target. The compiler counts them with what the target guarantees.

use super::ops::{BitOps, WORDS};
use crate::cpu::Portable;

impl BitOps for Portable {
    type Line = [u64; WORDS];
    type Count = u64;

    #[inline(always)]
    fn load_partial(self, slice: &[u64]) -> Self::Line {
        let mut line = [0; WORDS];
        line[..slice.len()].copy_from_slice(slice);
        line
    }

    #[inline(always)]
    fn or(self, mut a: Self::Line, b: Self::Line) -> Self::Line {
        for (a, b) in a.iter_mut().zip(b) {
            *a |= b;
        }
        a
    }

    #[inline(always)]
    fn xor(self, mut a: Self::Line, b: Self::Line) -> Self::Line {
        for (a, b) in a.iter_mut().zip(b) {
            *a ^= b;
        }
        a
    }

    #[inline(always)]
    fn count(self, mut count: u64, line: Self::Line) -> u64 {
        for word in line {
            count += u64::from(word.count_ones());
        }
        count
    }

    #[inline(always)]
    fn add(self, a: u64, b: u64) -> u64 {
        a + b
    }

    #[inline(always)]
    fn sum(self, count: u64) -> u64 {
        count
    }
}
