//! Reproducible vectors of several distributions: the same bits on every target.

use std::vec::Vec;

/// SplitMix64 (Steele, Lea and Flood, 2014).
pub(crate) struct Random(u64);

impl Random {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed)
    }

    pub(crate) fn bits(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ z >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ z >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ z >> 31
    }

    pub(crate) fn below(&mut self, limit: usize) -> usize {
        (self.bits() % limit as u64) as usize
    }

    /// Uniform in [-1, 1), a multiple of 2^-23.
    pub(crate) fn uniform(&mut self) -> f32 {
        (self.bits() >> 40) as f32 / 8_388_608.0 - 1.0
    }

    /// Either sign, any mantissa, and a power of two from `low` to `high`.
    fn exponents(&mut self, low: i32, high: i32) -> f32 {
        let bits = self.bits();
        let exponent = low + (bits >> 32) as i32 % (high - low + 1).max(1);
        let mantissa = f64::from(bits as u32 >> 8) / f64::from(1 << 24) + 1.0;
        let sign = if bits >> 63 == 0 { 1.0 } else { -1.0 };
        (sign * mantissa * libm::exp2(f64::from(exponent))) as f32
    }
}

/// How a pair of vectors is drawn. No sum of theirs overflows at the lengths of these tests.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Values {
    Uniform,
    /// Sums of one sign, where rounding errors cannot cancel each other.
    Positive,
    /// One value throughout, so that every addition in a lane rounds the same way.
    Constant,
    /// Magnitudes so far apart that a few elements drown the others.
    WideExponents,
    /// Products that underflow, and denormal elements.
    Tiny,
    /// Vectors that differ in few low bits of few elements.
    NearlyEqual,
    /// Vectors that nearly point away from each other.
    NearlyOpposite,
    Sparse,
    /// Every element, product and difference is large enough to be missed.
    Significant,
}

impl Values {
    pub(crate) const ALL: [Values; 9] = [
        Values::Uniform,
        Values::Positive,
        Values::Constant,
        Values::WideExponents,
        Values::Tiny,
        Values::NearlyEqual,
        Values::NearlyOpposite,
        Values::Sparse,
        Values::Significant,
    ];

    pub(crate) fn pair(self, random: &mut Random, length: usize) -> (Vec<f32>, Vec<f32>) {
        let constants = (random.uniform(), random.uniform());
        (0..length).map(|_| self.elements(random, constants)).unzip()
    }

    fn elements(self, random: &mut Random, constants: (f32, f32)) -> (f32, f32) {
        match self {
            Values::Uniform => (random.uniform(), random.uniform()),
            Values::Positive => (random.uniform() + 1.0, random.uniform() + 1.0),
            Values::Constant => constants,
            Values::WideExponents => (random.exponents(-60, 55), random.exponents(-60, 55)),
            Values::Tiny => (random.exponents(-148, -60), random.exponents(-148, -60)),
            Values::NearlyEqual => {
                let a = random.exponents(-1, 1);
                let flips = if random.below(4) == 0 { random.below(4) as u32 } else { 0 };
                (a, f32::from_bits(a.to_bits() ^ flips))
            }
            Values::NearlyOpposite => {
                let (a, b) = Values::NearlyEqual.elements(random, constants);
                (a, -b)
            }
            Values::Sparse => {
                let mut element = || if random.below(8) == 0 { random.uniform() } else { 0.0 };
                (element(), element())
            }
            Values::Significant => (random.exponents(-1, -1), random.exponents(1, 1)),
        }
    }
}
