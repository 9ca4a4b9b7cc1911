//! Arrays of words for any target. The compiler counts them with what the target guarantees.

use super::ops::{BitOps, WORDS};
use crate::cpu::Portable;

impl BitOps for Portable {
    type Register = [u64; WORDS];
    type Count = u64;

    #[inline(always)]
    fn load_partial(self, slice: &[u64]) -> Self::Register {
        let mut register = [0; WORDS];
        register[..slice.len()].copy_from_slice(slice);
        register
    }

    #[inline(always)]
    fn or(self, mut a: Self::Register, b: Self::Register) -> Self::Register {
        for (a, b) in a.iter_mut().zip(b) {
            *a |= b;
        }
        a
    }

    #[inline(always)]
    fn xor(self, mut a: Self::Register, b: Self::Register) -> Self::Register {
        for (a, b) in a.iter_mut().zip(b) {
            *a ^= b;
        }
        a
    }

    #[inline(always)]
    fn count(self, mut count: u64, register: Self::Register) -> u64 {
        for word in register {
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
