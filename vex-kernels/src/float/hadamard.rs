//! The orthogonal Walsh-Hadamard transform, written over [`FloatOps`].
//!
//! ```text
//! x *= 1 / √(2ᵏ)
//! for distance in 1, 2, 4, ... 2ᵏ⁻¹:
//!     for each pair i, j = i + distance, where i lacks the bit `distance`:
//!         (x[i], x[j]) = (x[i] + x[j], x[i] - x[j])
//! ```
//!
//! **Within a register.** The first four steps pair lanes of one register. Each swaps the lanes of
//! a pair and adds the lane itself, negated in the second lane of the pair.
//!
//! **Across registers.** The later steps pair whole registers. Each would read and write all
//! elements, so two steps are done together, on four registers at a time.
//!
//! **Why the bits are equal.** In each step an element is one sum or difference of the same two
//! elements. The products with signs are exact, so it does not matter whether they are fused.

use core::f32::consts::FRAC_1_SQRT_2;

use super::ops::{FloatOps, LANES};
use crate::Isa;
use crate::cpu::{Work, run_on};

/// The signs of a step within a register. A lane becomes its partner plus or minus itself.
const SIGNS: [[f32; LANES]; 4] = {
    let mut signs = [[1.0; LANES]; 4];
    let mut index = 0;
    while index < 4 * LANES {
        if (index % LANES) & (1 << (index / LANES)) != 0 {
            signs[index / LANES][index % LANES] = -1.0;
        }
        index += 1;
    }
    signs
};

impl Isa {
    /// The orthogonal Walsh-Hadamard transform of 2ᵏ elements, k ≥ 4, in place: H x / √(2ᵏ), where
    /// H₁ = (1) and H₂ₙ = (Hₙ Hₙ; Hₙ −Hₙ). It is its own inverse, and gives the same bits on every
    /// instruction set.
    ///
    /// # Panics
    /// If the length is below sixteen, or no power of two.
    ///
    /// # Complexity
    /// One product for each of the n elements, and n log₂ n additions. No further memory.
    ///
    /// # Examples
    /// ```
    /// use vex_kernels::Isa;
    ///
    /// let mut vector = [0.0; 16];
    /// vector[3] = 4.0;
    /// Isa::detect().hadamard(&mut vector);
    /// assert_eq!(vector[..4], [1.0, -1.0, -1.0, 1.0]);
    /// Isa::detect().hadamard(&mut vector);
    /// assert_eq!(vector[3], 4.0);
    /// ```
    #[inline]
    pub fn hadamard(self, vector: &mut [f32]) {
        run_on!(self, |isa| Hadamard { isa, vector });
    }
}

struct Hadamard<'v, I> {
    isa: I,
    vector: &'v mut [f32],
}

impl<I: FloatOps> Work for Hadamard<'_, I> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        hadamard(self.isa, self.vector);
    }
}

/// See [`Isa::hadamard`](crate::Isa::hadamard) for the definition, and the head of this file for
/// the algorithm.
#[inline(always)]
fn hadamard<I: FloatOps>(isa: I, vector: &mut [f32]) {
    let steps = vector.len().ilog2();
    let (registers, _) = vector.as_chunks_mut::<LANES>();
    assert!(registers.len() * LANES == 1 << steps, "a power of two, at least {LANES} elements");
    // 1 / √(2ᵏ): a power of two for an even k, times 1 / √2 for an odd one.
    let scale = isa.load(&[[1.0, FRAC_1_SQRT_2][steps as usize % 2] / (1u64 << (steps / 2)) as f32; LANES]);
    let signs = [isa.load(&SIGNS[0]), isa.load(&SIGNS[1]), isa.load(&SIGNS[2]), isa.load(&SIGNS[3])];
    for register in &mut *registers {
        // A product, since −0 added to it changes nothing: the operations have no plain
        // multiplication.
        let scaled = isa.mul_add(isa.load(register), scale, isa.load(&[-0.0; LANES]));
        let one = isa.mul_add(scaled, signs[0], isa.swap::<1>(scaled));
        let two = isa.mul_add(one, signs[1], isa.swap::<2>(one));
        let four = isa.mul_add(two, signs[2], isa.swap::<4>(two));
        let eight = isa.mul_add(four, signs[3], isa.swap::<8>(four));
        *register = isa.store(eight);
    }
    // Steps `quarter` and 2 · `quarter`, counted in registers, on the registers a, b, c and d,
    // which are `quarter` apart.
    let mut quarter = 1;
    while 2 * quarter < registers.len() {
        for chunk in registers.chunks_exact_mut(4 * quarter) {
            let (low, high) = chunk.split_at_mut(2 * quarter);
            let ((a, b), (c, d)) = (low.split_at_mut(quarter), high.split_at_mut(quarter));
            for (((a, b), c), d) in a.iter_mut().zip(b).zip(c).zip(d) {
                let [la, lb, lc, ld] = [isa.load(a), isa.load(b), isa.load(c), isa.load(d)];
                let (ab, ab_less) = (isa.add(la, lb), isa.sub(la, lb));
                let (cd, cd_less) = (isa.add(lc, ld), isa.sub(lc, ld));
                (*a, *b) = (isa.store(isa.add(ab, cd)), isa.store(isa.add(ab_less, cd_less)));
                (*c, *d) = (isa.store(isa.sub(ab, cd)), isa.store(isa.sub(ab_less, cd_less)));
            }
        }
        quarter *= 4;
    }
    // The last step, if their number is odd.
    if quarter < registers.len() {
        let (low, high) = registers.split_at_mut(quarter);
        for (low, high) in low.iter_mut().zip(high) {
            let (a, b) = (isa.load(low), isa.load(high));
            (*low, *high) = (isa.store(isa.add(a, b)), isa.store(isa.sub(a, b)));
        }
    }
}
