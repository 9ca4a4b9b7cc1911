//! What the kernels of floats do with a register of lanes, on any instruction set.

use bytemuck::{Pod, Zeroable};
use half::{bf16, f16};

use crate::cpu::sqrt;

/// f32 lanes in a register: one 64-byte cache line.
pub(crate) const LANES: usize = 16;

/// A register of sixteen f32 lanes and what the kernels do with it. `Self` is the proof that the
/// instruction set exists.
pub(crate) trait FloatOps: Copy {
    /// Sixteen f32 lanes, in as many registers as the instruction set needs.
    type Register: Pod;
    /// How many registers of sums to keep at once for a single row. Measured; about what the registers
    /// hold.
    const REGISTERS_AT_ONCE: usize;
    /// The same where elements are widened one register at a time, which takes registers, too.
    const WIDENED_AT_ONCE: usize = Self::REGISTERS_AT_ONCE;
    /// The same for a batch of four rows, which are computed one after the other if it is too few
    /// for them.
    const REGISTERS_IN_BATCH: usize;
    /// A length, of many embeddings, for which a single row has code without a loop, where that is
    /// faster. Measured.
    const UNROLLED: usize = 0;

    /// Aligns the stack of a kernel that needs more registers than there are. The compiler finds
    /// out too late to do so: a register that it puts where the stack happens to be may lie across
    /// two cache lines, which doubles the time of a short distance.
    #[inline(always)]
    fn align_stack(self) {}

    #[inline(always)]
    fn zero(self) -> Self::Register {
        Self::Register::zeroed()
    }

    #[inline(always)]
    fn load(self, register: &[f32; LANES]) -> Self::Register {
        bytemuck::cast(*register)
    }

    fn load_f16(self, register: &[f16; LANES]) -> Self::Register;
    fn load_bf16(self, register: &[bf16; LANES]) -> Self::Register;
    /// Sixteen elements at even places and sixteen at odd ones, each the lower or the upper half of
    /// a word: as an f32 is the bf16 in its upper half and zeros, a shift or a mask widens them
    /// where they are.
    fn load_bf16_pair(self, pair: &[bf16; 2 * LANES]) -> [Self::Register; 2];
    /// A register of fewer than sixteen elements; what is absent reads as zero.
    fn load_partial(self, slice: &[f32]) -> Self::Register;

    /// As [`load_partial`](Self::load_partial).
    #[inline(always)]
    fn load_partial_f16(self, slice: &[f16]) -> Self::Register {
        self.load_f16(&padded(slice, f16::ZERO))
    }

    /// As [`load_partial`](Self::load_partial).
    #[inline(always)]
    fn load_partial_bf16(self, slice: &[bf16]) -> Self::Register {
        self.load_bf16(&padded(slice, bf16::ZERO))
    }

    /// [`load_bf16_pair`](Self::load_bf16_pair) of fewer than 32 elements; what is absent reads as
    /// zero.
    #[inline(always)]
    fn load_partial_bf16_pair(self, slice: &[bf16]) -> [Self::Register; 2] {
        self.load_bf16_pair(&padded(slice, bf16::ZERO))
    }

    #[inline(always)]
    fn store(self, register: Self::Register) -> [f32; LANES] {
        bytemuck::cast(register)
    }

    /// Swaps lanes that are `DISTANCE`, a power of two, apart: lane i with lane i ^ `DISTANCE`.
    #[inline(always)]
    fn swap<const DISTANCE: usize>(self, register: Self::Register) -> Self::Register {
        // Not `from_fn`: the compiler may call it, without the instruction set.
        let (lanes, mut swapped) = (self.store(register), [0.0; LANES]);
        for i in 0..LANES {
            swapped[i] = lanes[i ^ DISTANCE];
        }
        self.load(&swapped)
    }

    fn add(self, a: Self::Register, b: Self::Register) -> Self::Register;
    fn sub(self, a: Self::Register, b: Self::Register) -> Self::Register;
    /// a × b + c, fused on every instruction set but the portable one.
    fn mul_add(self, a: Self::Register, b: Self::Register, c: Self::Register) -> Self::Register;
    /// The sum of all lanes, by halves: lane i with i + 8, then i + 4, i + 2 and i + 1.
    fn sum(self, register: Self::Register) -> f32;

    /// The same of four registers.
    #[inline(always)]
    fn sums(self, [a, b, c, d]: [Self::Register; 4]) -> [f32; 4] {
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
pub(super) fn sum_lanes(lanes: [f32; LANES]) -> f32 {
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
    let mut padded = [zero; N];
    for (to, from) in padded.iter_mut().zip(slice) {
        *to = *from;
    }
    padded
}
