//! The rotation of 4-bit codes: it spreads each element of a vector over all, so that one step fits
//! all elements.
//!
//! A vector whose length is in few elements would need a large step for these and a small one for
//! the others. A rotation keeps lengths and angles, so distances stay. After a random one, elements
//! are nearly normally distributed.
//!
//! ```text
//! rotate(v):
//!     twice:
//!         flip random signs of v; Hadamard transform of its first 2ᵏ elements, the most that fit
//!         if v is longer: flip random signs; Hadamard transform of its last 2ᵏ elements
//! ```
//!
//! A Hadamard transform takes n log n additions, where a random matrix would take n² products.

use vex_kernels::{Isa, Work};

use crate::random::draw;

/// Seed of the signs. Part of the format: codes that were made with another seed mean something
/// else.
const SEED: u64 = 0x5EED_0F51_6E5F_11B5;

/// Times that signs and transforms are applied. Part of the format, too. After one round, what was
/// in the first elements is spread unevenly if the length is no power of two.
const ROUNDS: u64 = 2;

/// Rotates a vector in place. Its length is a multiple of sixteen. The same bits on every machine.
pub(crate) fn rotate(vector: &mut [f32]) {
    let isa = Isa::detect();
    isa.run(Rotation { vector, isa });
}

/// The work of [`rotate`].
struct Rotation<'v> {
    vector: &'v mut [f32],
    isa: Isa,
}

impl Work for Rotation<'_> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        let Self { vector, isa } = self;
        let len = vector.len();
        let block = 1 << len.ilog2();
        for round in 0..ROUNDS {
            flip(vector, 2 * round);
            isa.hadamard(&mut vector[..block]);
            if block < len {
                flip(vector, 2 * round + 1);
                isa.hadamard(&mut vector[len - block..]);
            }
        }
    }
}

/// Flips the signs that the stream `stream` of random bits selects.
#[inline(always)]
fn flip(vector: &mut [f32], stream: u64) {
    for (index, chunk) in vector.chunks_mut(64).enumerate() {
        let bits = draw(SEED.wrapping_add(stream), index as u64);
        for (half, bits) in chunk.chunks_mut(32).zip([bits as u32, (bits >> 32) as u32]) {
            for (i, element) in half.iter_mut().enumerate() {
                // Bit i moves to the sign bit of the i-th element.
                *element = f32::from_bits(element.to_bits() ^ (bits << (31 - i) & 1 << 31));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::rotate;

    fn product(a: &[f32], b: &[f32]) -> f64 {
        a.iter().zip(b).map(|(a, b)| f64::from(*a) * f64::from(*b)).sum()
    }

    #[test]
    fn lengths_and_angles_stay() {
        for len in [128, 256, 384, 768, 1024, 1152] {
            let mut a = [0.0; 1152];
            let mut b = [0.0; 1152];
            for (index, (a, b)) in a.iter_mut().zip(&mut b).enumerate() {
                (*a, *b) = ((index as f32 * 0.7).sin(), (index as f32 * 1.3).cos());
            }
            let (a, b) = (&mut a[..len], &mut b[..len]);
            let before = [product(a, a), product(b, b), product(a, b)];
            rotate(a);
            rotate(b);
            let after = [product(a, a), product(b, b), product(a, b)];
            for (before, after) in before.iter().zip(after) {
                assert!((before - after).abs() < 1e-4 * len as f64, "{len}: {before} against {after}");
            }
        }
    }

    #[test]
    fn one_element_is_spread_over_all() {
        for (len, at) in [(128, 0), (384, 0), (384, 200), (384, 383), (768, 767)] {
            let mut vector = [0.0; 768];
            vector[at] = 1.0;
            rotate(&mut vector[..len]);
            let largest = vector[..len].iter().fold(0.0, |most: f32, element| most.max(element.abs()));
            assert!(largest < 6.0 / (len as f32).sqrt(), "{len}, {at}: {largest}");
        }
    }
}
