//! What the kernels of floats do with a line of lanes, on any instruction set.

use bytemuck::{Pod, Zeroable};
use half::{bf16, f16};

use crate::cpu::sqrt;

/// f32 lanes in a line: one 64-byte cache line.
pub(crate) const LINE: usize = 16;

/// A line of sixteen f32 lanes and what the kernels do with it. `Self` is the proof that the
/// instruction set exists.
pub(crate) trait FloatOps: Copy {
    /// Sixteen f32 lanes, in as many registers as the instruction set needs.
    type Line: Pod;
    /// How many lines of sums to keep at once for a single row. Measured; about what the registers
    /// hold.
    const LINES_AT_ONCE: usize;
    /// The same where elements are widened one line at a time, which takes registers, too.
    const WIDENED_AT_ONCE: usize = Self::LINES_AT_ONCE;
    /// The same for a batch of four rows, which are computed one after the other if it is too few
    /// for them.
    const LINES_IN_BATCH: usize;
    /// A length, of many embeddings, for which a single row has code without a loop, where that is
    /// faster. Measured.
    const UNROLLED: usize = 0;

    /// Aligns the stack of a kernel that needs more registers than there are. The compiler finds
    /// out too late to do so: a register that it puts where the stack happens to be may lie across
    /// two lines of the cache, which doubles the time of a short distance.
    #[inline(always)]
    fn align_stack(self) {}

    #[inline(always)]
    fn zero(self) -> Self::Line {
        Self::Line::zeroed()
    }

    #[inline(always)]
    fn load(self, line: &[f32; LINE]) -> Self::Line {
        bytemuck::cast(*line)
    }

    fn load_f16(self, line: &[f16; LINE]) -> Self::Line;
    fn load_bf16(self, line: &[bf16; LINE]) -> Self::Line;
    /// Sixteen elements at even places and sixteen at odd ones, each the lower or the upper half of
    /// a word: as an f32 is the bf16 in its upper half and zeros, a shift or a mask widens them
    /// where they are.
    fn load_bf16_pair(self, pair: &[bf16; 2 * LINE]) -> [Self::Line; 2];
    /// A line of fewer than sixteen elements; what is absent reads as zero.
    fn load_partial(self, slice: &[f32]) -> Self::Line;

    /// As [`load_partial`](Self::load_partial).
    #[inline(always)]
    fn load_partial_f16(self, slice: &[f16]) -> Self::Line {
        self.load_f16(&padded(slice, f16::ZERO))
    }

    /// As [`load_partial`](Self::load_partial).
    #[inline(always)]
    fn load_partial_bf16(self, slice: &[bf16]) -> Self::Line {
        self.load_bf16(&padded(slice, bf16::ZERO))
    }

    /// [`load_bf16_pair`](Self::load_bf16_pair) of fewer than 32 elements; what is absent reads as
    /// zero.
    #[inline(always)]
    fn load_partial_bf16_pair(self, slice: &[bf16]) -> [Self::Line; 2] {
        self.load_bf16_pair(&padded(slice, bf16::ZERO))
    }

    #[inline(always)]
    fn store(self, line: Self::Line) -> [f32; LINE] {
        bytemuck::cast(line)
    }

    /// Swaps lanes that are `DISTANCE`, a power of two, apart: lane i with lane i ^ `DISTANCE`.
    #[inline(always)]
    fn swap<const DISTANCE: usize>(self, line: Self::Line) -> Self::Line {
        // Not `from_fn`: the compiler may call it, without the instruction set.
        let (lanes, mut swapped) = (self.store(line), [0.0; LINE]);
        for i in 0..LINE {
            swapped[i] = lanes[i ^ DISTANCE];
        }
        self.load(&swapped)
    }

    fn add(self, a: Self::Line, b: Self::Line) -> Self::Line;
    fn sub(self, a: Self::Line, b: Self::Line) -> Self::Line;
    /// a × b + c, fused on every instruction set but the portable one.
    fn mul_add(self, a: Self::Line, b: Self::Line, c: Self::Line) -> Self::Line;
    /// The sum of all lanes, by halves: lane i with i + 8, then i + 4, i + 2 and i + 1.
    fn sum(self, line: Self::Line) -> f32;

    /// The same of four lines.
    #[inline(always)]
    fn sums(self, [a, b, c, d]: [Self::Line; 4]) -> [f32; 4] {
        [self.sum(a), self.sum(b), self.sum(c), self.sum(d)]
    }

    /// The cosines of four pairs of vectors: inner products, by the roots of `norms`, which are the
    /// products of their squared norms.
    #[inline(always)]
    fn cosines(self, dots: [f32; 4], norms: [f64; 4]) -> [f64; 4] {
        let mut cosines = [0.0; 4];
        for i in 0..4 {
            cosines[i] = f64::from(dots[i]) / norms[i] * sqrt(norms[i]);
        }
        cosines
    }
}

/// [`FloatOps::sum`] where the compiler is trusted to find the instructions.
#[inline(always)]
pub(super) fn sum_lanes(lanes: [f32; LINE]) -> f32 {
    let mut sums = lanes;
    for half in [8, 4, 2, 1] {
        for i in 0..half {
            sums[i] += sums[i + half];
        }
    }
    sums[0]
}

/// Fewer than `N` elements, and zeros.
#[inline(always)]
fn padded<T: Copy, const N: usize>(slice: &[T], zero: T) -> [T; N] {
    let mut line = [zero; N];
    for (to, from) in line.iter_mut().zip(slice) {
        *to = *from;
    }
    line
}
