//! The random rotation of SQ4: it spreads what is in few elements over all, so that one step fits them all.

use crate::random::draw;

/// Of the signs. Part of the format: codes that were made with another seed mean something else.
const SEED: u64 = 0x5EED_0F51_6E5F_11B5;

/// Times that signs and transforms are applied; part of the format too. Once leaves what was in the first elements of a
/// length that is no power of two unevenly spread.
const ROUNDS: u64 = 2;

/// Rotates a vector in place: random signs, then a Hadamard transform of its first 2ᵏ elements, the most that fit; then the
/// same for its last 2ᵏ. Lengths are multiples of sixteen. The same bits on every machine.
pub(crate) fn rotate(vector: &mut [f32]) {
    let len = vector.len();
    let block = 1 << len.ilog2();
    for round in 0..ROUNDS {
        flip(vector, 2 * round);
        hadamard(&mut vector[..block]);
        if block < len {
            flip(vector, 2 * round + 1);
            hadamard(&mut vector[len - block..]);
        }
    }
}

/// The sign bits of four elements, for each value of four random bits.
const SIGNS: [[u32; 4]; 16] = {
    let mut signs = [[0; 4]; 16];
    let mut index = 0;
    while index < 64 {
        signs[index / 4][index % 4] = ((index / 4) as u32 >> (index % 4)) << 31;
        index += 1;
    }
    signs
};

/// Flips the signs that the stream `stream` of random bits says.
fn flip(vector: &mut [f32], stream: u64) {
    for (index, chunk) in vector.chunks_mut(64).enumerate() {
        let mut bits = draw(SEED.wrapping_add(stream), index as u64);
        for four in chunk.as_chunks_mut::<4>().0 {
            for (element, sign) in four.iter_mut().zip(SIGNS[(bits % 16) as usize]) {
                *element = f32::from_bits(element.to_bits() ^ sign);
            }
            bits >>= 4;
        }
    }
}

/// The orthogonal Walsh-Hadamard transform of 2ᵏ elements, k ≥ 4.
///
/// The first four steps at once, and then two at a time, since each would read and write all elements.
fn hadamard(vector: &mut [f32]) {
    let scale = (1.0 / libm::sqrt(vector.len() as f64)) as f32;
    for sixteen in vector.as_chunks_mut::<16>().0 {
        for four in sixteen.as_chunks_mut::<4>().0 {
            *four = butterflies(four.map(|element| element * scale));
        }
        for i in 0..4 {
            let four = [sixteen[i], sixteen[4 + i], sixteen[8 + i], sixteen[12 + i]];
            [sixteen[i], sixteen[4 + i], sixteen[8 + i], sixteen[12 + i]] = butterflies(four);
        }
    }
    let mut quarter = 16;
    while 2 * quarter < vector.len() {
        for chunk in vector.chunks_exact_mut(4 * quarter) {
            let (low, high) = chunk.split_at_mut(2 * quarter);
            let ((a, b), (c, d)) = (low.split_at_mut(quarter), high.split_at_mut(quarter));
            for (((a, b), c), d) in a.iter_mut().zip(b).zip(c).zip(d) {
                [*a, *b, *c, *d] = butterflies([*a, *b, *c, *d]);
            }
        }
        quarter *= 4;
    }
    if quarter < vector.len() {
        let (low, high) = vector.split_at_mut(quarter);
        for (low, high) in low.iter_mut().zip(high) {
            (*low, *high) = (*low + *high, *low - *high);
        }
    }
}

/// The sums and differences of neighbors, and then of every second one.
#[inline(always)]
fn butterflies([a, b, c, d]: [f32; 4]) -> [f32; 4] {
    let (ab, cd, ab_less, cd_less) = (a + b, c + d, a - b, c - d);
    [ab + cd, ab_less + cd_less, ab - cd, ab_less - cd_less]
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
