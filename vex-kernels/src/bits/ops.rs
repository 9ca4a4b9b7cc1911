//! What the kernels of packed bits ask of an instruction set.

use bytemuck::{Pod, Zeroable};

/// Words of 64 bits in a register: the bits of one 64-byte cache line.
pub(crate) const WORDS: usize = 8;

/// A register of eight words, and the operations on it. `Self` proves that the instruction set
/// exists.
pub(crate) trait BitOps: Copy {
    /// Eight words, in as many hardware registers as the instruction set needs.
    type Register: Pod;
    /// A running count of bits, in lanes that no vector can overflow.
    type Count: Copy + Zeroable;
    /// Whether one instruction loads any number of words into a register, from none to eight.
    const MASKS_REGISTERS: bool = false;
    /// Vectors of fewer words than this are counted word by word. Set where one instruction counts
    /// a word, but none counts a register.
    const BY_WORD: usize = 0;

    #[inline(always)]
    fn zero(self) -> Self::Count {
        Self::Count::zeroed()
    }

    #[inline(always)]
    fn load(self, register: &[u64; WORDS]) -> Self::Register {
        bytemuck::cast(*register)
    }

    /// Loads fewer than eight words, or up to eight where [`MASKS_REGISTERS`](Self::MASKS_REGISTERS).
    /// Absent ones read as zero.
    fn load_partial(self, slice: &[u64]) -> Self::Register;
    fn or(self, a: Self::Register, b: Self::Register) -> Self::Register;
    fn xor(self, a: Self::Register, b: Self::Register) -> Self::Register;
    /// `count` plus the number of bits that are set in a register.
    fn count(self, count: Self::Count, register: Self::Register) -> Self::Count;
    /// The number of bits that are set in `word`.
    #[inline(always)]
    fn count_word(self, word: u64) -> u64 {
        word.count_ones().into()
    }
    fn add(self, a: Self::Count, b: Self::Count) -> Self::Count;
    fn sum(self, count: Self::Count) -> u64;

    /// The sums of two counts. An f64 counts exactly up to 2⁵³, and no memory holds so many bits.
    #[inline(always)]
    fn sum_pair(self, [a, b]: [Self::Count; 2]) -> [f64; 2] {
        // Signed, since that conversion is one instruction on every target.
        [self.sum(a) as i64 as f64, self.sum(b) as i64 as f64]
    }
}
