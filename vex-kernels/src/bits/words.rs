//! Word by word, as the instruction set `I` counts one. This is fastest for a few words.

use super::ops::{BitOps, WORDS};

/// The operations of `I`, in which a register is a single word.
#[derive(Clone, Copy)]
pub(crate) struct Words<I>(pub(crate) I);

impl<I: BitOps> BitOps for Words<I> {
    type Register = u64;
    type Count = u64;

    #[inline(always)]
    fn load(self, register: &[u64; WORDS]) -> u64 {
        register[0]
    }

    #[inline(always)]
    fn load_partial(self, slice: &[u64]) -> u64 {
        slice[0]
    }

    #[inline(always)]
    fn or(self, a: u64, b: u64) -> u64 {
        a | b
    }

    #[inline(always)]
    fn xor(self, a: u64, b: u64) -> u64 {
        a ^ b
    }

    #[inline(always)]
    fn count(self, count: u64, word: u64) -> u64 {
        count + self.0.count_word(word)
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
