//! A query to 8 bits an element. All of it is compiled for the machine's instruction set
//! ([`Work`]), and has the same result on each.
//!
//! ```text
//! q = query − μ, rotated if codes are
//! step = max |qᵢ| / 127
//! code = round(q / step)
//! ```

use vex_kernels::Work;

use super::rotate;

/// Rounds a query to `code`, around the mean of the set and rotated as its codes are.
pub(super) struct Rounding<'r> {
    /// The query, filled up with zeros; q in the end.
    pub(super) vector: &'r mut [f32],
    pub(super) mean: &'r [f32],
    pub(super) rotates: bool,
    pub(super) code: &'r mut [i8],
}

/// What is known of a query that was rounded.
pub(super) struct Rounded {
    /// ⟨μ, query⟩
    pub(super) at_mean: f64,
    /// |q − μ|²
    pub(super) square: f64,
    /// What one step of the code stands for.
    pub(super) step: f32,
    /// The sum of the code's elements.
    pub(super) sum: i32,
}

impl Work for Rounding<'_> {
    type Output = Rounded;

    #[inline(always)]
    fn run(self) -> Rounded {
        let Self { vector, mean, rotates, code } = self;
        let at_mean = product(&vector[..mean.len()], mean);
        vector.iter_mut().zip(mean).for_each(|(element, mean)| *element -= mean);
        let square = product(vector, vector);
        if rotates {
            rotate(vector);
        }
        let step = round(vector, code);
        Rounded { at_mean, square, step, sum: sum(code) }
    }
}

/// Sums that are computed side by side. Their order is fixed, so the bits are.
const LANES: usize = 16;

/// ⟨a, b⟩ in f64, where no product of two f32 overflows or underflows.
#[inline(always)]
fn product(a: &[f32], b: &[f32]) -> f64 {
    let mut sums = [0.0; LANES];
    let ((a, a_rest), (b, b_rest)) = (a.as_chunks::<LANES>(), b.as_chunks::<LANES>());
    for (a, b) in a.iter().zip(b) {
        for i in 0..LANES {
            sums[i] += f64::from(a[i]) * f64::from(b[i]);
        }
    }
    for ((sum, a), b) in sums.iter_mut().zip(a_rest).zip(b_rest) {
        *sum += f64::from(*a) * f64::from(*b);
    }
    sums.iter().sum()
}

/// Rounds a vector to 8 bits an element, and returns the step.
#[inline(always)]
fn round(vector: &[f32], code: &mut [i8]) -> f32 {
    // Magnitudes as bits: unlike a maximum of floats, that of integers does not wait for the
    // comparison before.
    let magnitudes = vector.iter().map(|element| element.to_bits() & (u32::MAX >> 1));
    let largest = f32::from_bits(magnitudes.fold(0, u32::max));
    // A query at the mean itself has a code of zeros, whatever the step.
    let step = if largest > 0.0 { largest / 127.0 } else { 1.0 };
    let inverse = 1.0 / step;
    for (to, from) in code.iter_mut().zip(vector) {
        // Within ±127.5 around 128.5. At the ends of the range of f32 the product can be anything,
        // infinite or NaN.
        let positive = (from * inverse + 128.5).clamp(1.0, 255.0);
        *to = (floor(positive) as u8 ^ 0x80) as i8;
    }
    step
}

/// ⌊x⌋ for 0 ≤ x < 2²², by the low bits of a float. A conversion would check for numbers that are
/// out of range, one element after the other.
#[inline(always)]
fn floor(x: f32) -> u32 {
    // The last bit of a number of this size stands for one.
    const LARGE: f32 = (1 << 23) as f32;
    let nearest = x + LARGE;
    nearest.to_bits() - u32::from(nearest - LARGE > x)
}

/// The sum of a code's elements.
#[inline(always)]
pub(super) fn sum(code: &[i8]) -> i32 {
    code.iter().map(|element| i32::from(*element)).sum()
}
