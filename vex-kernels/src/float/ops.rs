//! What the kernels of floats ask of an instruction set.

use bytemuck::{Pod, Zeroable};
use half::{bf16, f16};

use crate::cpu::sqrt;

/// f32 lanes in a register: the elements of one 64-byte cache line.
pub(crate) const LANES: usize = 16;

/// A register of sixteen f32 lanes, and the operations on it. `Self` proves that the instruction
/// set exists.
pub(crate) trait FloatOps: Copy {
    /// Sixteen f32 lanes, in as many hardware registers as the instruction set needs.
    type Register: Pod;
    /// How many registers of sums to keep at once for a single row: about as many as the hardware
    /// holds. Measured.
    const REGISTERS_AT_ONCE: usize;
    /// The same where elements are widened one register at a time, which takes hardware registers,
    /// too.
    const WIDENED_AT_ONCE: usize = Self::REGISTERS_AT_ONCE;
    /// The same for a batch of four rows. If there are too few for four rows, the rows are computed
    /// one after the other. Zero asks for small code: four single distances.
    const REGISTERS_IN_BATCH: usize;
    /// A length, common among embeddings, for which a single row has code without a loop. Set where
    /// that is faster. Measured.
    const UNROLLED: usize = 0;

    /// Aligns the stack of a kernel that needs more registers than the hardware has. The compiler
    /// finds out too late to do so. A register that it spills to the stack may then lie across two
    /// cache lines, which doubles the time of a short distance.
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
    /// Loads sixteen elements at even places and sixteen at odd ones: the lower and the upper
    /// halves of words. A bf16 is the upper half of an f32 whose lower half is zero. So a shift or
    /// a mask widens the elements where they are.
    fn load_bf16_pair(self, pair: &[bf16; 2 * LANES]) -> [Self::Register; 2];
    /// Loads fewer than sixteen elements. Absent ones read as zero.
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

    /// As [`load_bf16_pair`](Self::load_bf16_pair), for fewer than 32 elements. Absent ones read as
    /// zero.
    #[inline(always)]
    fn load_partial_bf16_pair(self, slice: &[bf16]) -> [Self::Register; 2] {
        self.load_bf16_pair(&padded(slice, bf16::ZERO))
    }

    #[inline(always)]
    fn store(self, register: Self::Register) -> [f32; LANES] {
        bytemuck::cast(register)
    }

    /// Swaps lanes that are `DISTANCE` apart, a power of two: lane i with lane i ^ `DISTANCE`.
    #[inline(always)]
    fn swap<const DISTANCE: usize>(self, register: Self::Register) -> Self::Register {
        // Not `from_fn`: the compiler may call its closure, without the instruction set.
        let (lanes, mut swapped) = (self.store(register), [0.0; LANES]);
        for i in 0..LANES {
            swapped[i] = lanes[i ^ DISTANCE];
        }
        self.load(&swapped)
    }

    fn add(self, a: Self::Register, b: Self::Register) -> Self::Register;
    fn sub(self, a: Self::Register, b: Self::Register) -> Self::Register;
    /// a × b + c, fused on every instruction set except the portable one.
    fn mul_add(self, a: Self::Register, b: Self::Register, c: Self::Register) -> Self::Register;
    /// The sum of all lanes, by halves: lane i with i + 8, then with i + 4, i + 2 and i + 1.
    fn sum(self, register: Self::Register) -> f32;

    /// The sums of four registers.
    #[inline(always)]
    fn sums(self, [a, b, c, d]: [Self::Register; 4]) -> [f32; 4] {
        [self.sum(a), self.sum(b), self.sum(c), self.sum(d)]
    }

    /// The cosines of four pairs of vectors. `dots` are their inner products, and `norms` the
    /// products of their squared norms. A cosine is the inner product over the root of that.
    #[inline(always)]
    fn cosines(self, dots: [f32; 4], norms: [f64; 4]) -> [f64; 4] {
        let mut cosines = [0.0; 4];
        for i in 0..4 {
            cosines[i] = f64::from(dots[i]) / norms[i] * sqrt(norms[i]);
        }
        cosines
    }
}

/// [`FloatOps::sum`] in plain Rust, for which the compiler finds the instructions.
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

/// Fewer than `N` elements, padded with zeros.
#[inline(always)]
fn padded<T: Copy, const N: usize>(slice: &[T], zero: T) -> [T; N] {
    let mut padded = [zero; N];
    for (to, from) in padded.iter_mut().zip(slice) {
        *to = *from;
    }
    padded
}
