//! What the kernels of packed bits do with a line of words, on any instruction set.

use bytemuck::{Pod, Zeroable};

/// Words of 64 bits in a line: one 64-byte cache line.
pub(crate) const WORDS: usize = 8;

/// A line of eight words of bits and what the kernels do with it. `Self` is the proof that the
/// instruction set exists.
pub(crate) trait BitOps: Copy {
    /// Eight words, in as many registers as the instruction set needs.
    type Line: Pod;
    /// A running count of bits, in lanes that no vector can overflow.
    type Count: Copy + Zeroable;
    /// Whether a line of any number of words, eight and none included, is loaded by one
    /// instruction.
    const MASKS_LINES: bool = false;
    /// Vectors of fewer words than this are counted word by word: where one instruction counts a
    /// word, but none a line.
    const BY_WORD: usize = 0;

    #[inline(always)]
    fn zero(self) -> Self::Count {
        Self::Count::zeroed()
    }

    #[inline(always)]
    fn load(self, line: &[u64; WORDS]) -> Self::Line {
        bytemuck::cast(*line)
    }

    /// A line of fewer than eight words, or of up to eight where
    /// [`MASKS_LINES`](Self::MASKS_LINES); what is absent reads as zero.
    fn load_partial(self, slice: &[u64]) -> Self::Line;
    fn or(self, a: Self::Line, b: Self::Line) -> Self::Line;
    fn xor(self, a: Self::Line, b: Self::Line) -> Self::Line;
    /// `count` and the bits that are set in `line`.
    fn count(self, count: Self::Count, line: Self::Line) -> Self::Count;
    /// The bits that are set in `word`.
    #[inline(always)]
    fn count_word(self, word: u64) -> u64 {
        word.count_ones().into()
    }
    fn add(self, a: Self::Count, b: Self::Count) -> Self::Count;
    fn sum(self, count: Self::Count) -> u64;

    /// The sums of two counts. No memory holds the 2⁵³ bits up to which an f64 counts exactly.
    #[inline(always)]
    fn sum_pair(self, [a, b]: [Self::Count; 2]) -> [f64; 2] {
        // Signed, as that conversion is one instruction on every target.
        [self.sum(a) as i64 as f64, self.sum(b) as i64 as f64]
    }
}
