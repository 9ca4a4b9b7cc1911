//! Vectors to codes: see the head of `mod.rs`. Every sum is in one fixed order, so that codes do
//! not depend on the machine.
//!
//! The step of a 4-bit code decides how well it points in the direction of its vector. Too small a
//! step clamps large elements, and too large a step rounds small ones away. So eight steps are
//! tried for each vector, and the one with the largest cosine ⟨c, o⟩ / (|c| |o|) is taken.

use alloc::vec::Vec;

use vex_kernels::Metric;

use super::{PAIR_SHIFTS, Quantization, Terms, rotate};
use crate::element::{Float, norm};
use crate::storage::reserve_exact;
use crate::{Elements, OutOfMemory};

/// Steps that are tried for a 4-bit code, in standard deviations of the vector's elements.
///
/// For sixteen values, 0.335 is the best if the elements are normally distributed (J. Max,
/// *Quantizing for minimum distortion*, 1960, table II). Those of a rotated vector nearly are.
const STEPS: [f32; 8] = [0.24, 0.27, 0.295, 0.315, 0.335, 0.355, 0.38, 0.42];

/// Sums that are computed side by side.
const LANES: usize = 16;

/// Codes one vector after the other, in memory of its own.
#[derive(Debug)]
pub(crate) struct Encoder {
    quantization: Quantization,
    metric: Metric,
    /// o = x − μ, filled up with zeros; then rotated in place.
    centred: Vec<f32>,
}

impl Encoder {
    pub(crate) fn new(quantization: Quantization, metric: Metric, dim: usize) -> Result<Self, OutOfMemory> {
        let mut centred = Vec::new();
        let len = quantization.query_len(dim);
        reserve_exact(&mut centred, len)?;
        centred.resize(len, 0.0);
        Ok(Self { quantization, metric, centred })
    }

    /// Writes the code of a vector to its rows in the planes, and returns its correction terms.
    pub(crate) fn encode(&mut self, vector: Elements<'_>, mean: &[f32], row: [&mut [u8]; 2]) -> Terms {
        let at_mean = match vector {
            Elements::F32(vector) => self.centre(vector, mean),
            Elements::F16(vector) => self.centre(vector, mean),
            _ => unreachable!("codes are of floating-point vectors"),
        };
        self.centred[vector.len()..].fill(0.0);
        // Before the rotation, which keeps the length.
        let length = norm(&self.centred);
        let square = length * length;
        let along = match self.quantization {
            Quantization::Sq8 => self.eight(row[0]),
            Quantization::Sq4 | Quantization::Sq2x2 => self.four(row, square),
        };
        // A vector at the mean has no direction: every product with its code counts as zero.
        let factor = if along > 0.0 { square / along } else { 0.0 };
        let offset = if self.metric == Metric::InnerProduct { -at_mean } else { square };
        [offset as f32, factor as f32]
    }

    /// Writes o to memory, and returns ⟨μ, o⟩.
    fn centre(&mut self, vector: &[impl Float], mean: &[f32]) -> f64 {
        let mut at_mean = 0.0f64;
        for ((to, from), mean) in self.centred.iter_mut().zip(vector).zip(mean) {
            *to = from.widen() - mean;
            at_mean += f64::from(*to) * f64::from(*mean);
        }
        at_mean
    }

    /// Writes an SQ8 code, and returns ⟨c, o⟩.
    fn eight(&self, row: &mut [u8]) -> f64 {
        let largest = self.centred.iter().fold(0.0f32, |largest, element| largest.max(element.abs()));
        let inverse = if largest > 0.0 { 127.0 / largest } else { 0.0 };
        for (to, element) in row.iter_mut().zip(&self.centred) {
            *to = ((element * inverse + 128.5) as i32).clamp(1, 255) as u8;
        }
        sum(&self.centred, |index, element| f64::from(element) * f64::from(i32::from(row[index]) - 128))
    }

    /// Rotates o, writes its 4-bit code, and returns ⟨2 c − 15, o⟩.
    fn four(&mut self, [row, lower]: [&mut [u8]; 2], square: f64) -> f64 {
        rotate(&mut self.centred);
        let deviation = libm::sqrt(square / self.centred.len() as f64) as f32;
        // Without a direction, every element has the code 8.
        let inverse = if deviation > 0.0 { self.best_inverse(deviation) } else { 0.0 };
        match self.quantization {
            Quantization::Sq2x2 => pack_planes(&self.centred, inverse, row, lower),
            _ => pack_halves(&self.centred, inverse, row),
        }
        sum(&self.centred, |_, element| {
            f64::from(element) * f64::from(2 * nearest_code(element, inverse) - 15)
        })
    }

    /// One over the step whose code points nearest to the direction of the vector.
    fn best_inverse(&self, deviation: f32) -> f32 {
        let mut best = (-1.0f64, 0.0);
        for step in STEPS {
            let inverse = 1.0 / (step * deviation);
            let quality = quality(&self.centred, inverse);
            if quality > best.0 {
                best = (quality, inverse);
            }
        }
        best.1
    }
}

/// Writes two codes to a byte: of each block of 128 elements, the first 64 in the lower halves.
fn pack_halves(centred: &[f32], inverse: f32, row: &mut [u8]) {
    let (lines, _) = centred.as_chunks::<128>();
    let (rows, _) = row.as_chunks_mut::<64>();
    for (line, row) in lines.iter().zip(rows) {
        let (low, high) = line.split_at(64);
        for ((byte, low), high) in row.iter_mut().zip(low).zip(high) {
            *byte = nearest_code(*low, inverse) as u8 | (nearest_code(*high, inverse) as u8) << 4;
        }
    }
}

/// Writes the upper bits of four codes to a byte of one plane, and the lower bits to a byte of the
/// other.
fn pack_planes(centred: &[f32], inverse: f32, upper: &mut [u8], lower: &mut [u8]) {
    upper.fill(0);
    lower.fill(0);
    let (lines, _) = centred.as_chunks::<256>();
    for ((line, upper), lower) in lines.iter().zip(upper.chunks_mut(64)).zip(lower.chunks_mut(64)) {
        for (line, shift) in line.as_chunks::<64>().0.iter().zip(PAIR_SHIFTS) {
            for ((element, upper), lower) in line.iter().zip(&mut *upper).zip(&mut *lower) {
                let code = nearest_code(*element, inverse) as u8;
                *upper |= code >> 2 << shift;
                *lower |= (code & 3) << shift;
            }
        }
    }
}

/// The stored code of an element, 0 to 15.
#[inline(always)]
fn nearest_code(element: f32, inverse: f32) -> i32 {
    // Clamped first, so that the number is positive and the conversion rounds down.
    (element * inverse + 8.0).clamp(0.0, 15.0) as i32
}

/// ⟨c, o⟩² / |c|² for the codes that this step makes. Up to the factor |o|², the squared cosine of
/// the angle between them.
fn quality(centred: &[f32], inverse: f32) -> f64 {
    let (mut along, mut square) = ([0.0f32; LANES], [0.0f32; LANES]);
    for chunk in centred.as_chunks::<LANES>().0 {
        for ((along, square), element) in along.iter_mut().zip(&mut square).zip(chunk) {
            let code = (2 * nearest_code(*element, inverse) - 15) as f32;
            *along += code * element;
            *square += code * code;
        }
    }
    // In f64: the square of a sum over long vectors is beyond the range of f32, and over short ones
    // below it.
    let (along, square) = (f64::from(along.iter().sum::<f32>()), f64::from(square.iter().sum::<f32>()));
    along * along / square
}

/// A sum over all elements in f64.
fn sum(centred: &[f32], term: impl Fn(usize, f32) -> f64) -> f64 {
    let mut lanes = [0.0f64; LANES];
    for (chunk_index, chunk) in centred.as_chunks::<LANES>().0.iter().enumerate() {
        for (index, (lane, element)) in lanes.iter_mut().zip(chunk).enumerate() {
            *lane += term(chunk_index * LANES + index, *element);
        }
    }
    lanes.iter().sum()
}

#[cfg(test)]
mod tests {
    use alloc::vec::Vec;

    use super::*;
    use crate::distance::codes::Codes;
    use crate::random::draw;

    fn vector(stream: u64, dim: usize) -> Vec<f32> {
        let uniform = |index| draw(stream, index) as f64 / 2.0f64.powi(64) - 0.5;
        (0..dim as u64).map(|i| (uniform(3 * i) + uniform(3 * i + 1) + uniform(3 * i + 2)) as f32).collect()
    }

    /// Coded distances between queries and rows, the least that they may be, and the exact ones.
    fn distances(quantization: Quantization, metric: Metric, dim: usize, pairs: u64) -> Vec<[f64; 3]> {
        let mean = vector(5000, dim);
        let mut encoder = Encoder::new(quantization, metric, dim).unwrap();
        let mut distances = Vec::new();
        for stream in 0..pairs {
            let (row, query) = (vector(stream, dim), vector(2000 + stream, dim));
            let mut code = alloc::vec![0; quantization.row_bytes(dim)];
            let planes = code.split_at_mut(quantization.plane_bytes(dim)[0]);
            let terms = [encoder.encode((&row).into(), &mean, planes.into())];
            let codes = Codes::new(quantization, &code, &terms, &mean).unwrap();
            let len = quantization.query_len(dim);
            let (mut query_code, mut rotated) = (alloc::vec![0; len], alloc::vec![0.0; len]);
            rotated[..dim].copy_from_slice(&query);
            let coded = codes.query_of(metric, &mut query_code, &mut rotated);
            let [estimate, least] = crate::distance::codes::product::tests::distances(&codes, coded);
            let exact: f64 = row
                .iter()
                .zip(&query)
                .map(|(a, b)| match metric {
                    Metric::InnerProduct => -f64::from(*a) * f64::from(*b),
                    _ => (f64::from(*a) - f64::from(*b)).powi(2),
                })
                .sum();
            distances.push([f64::from(estimate), f64::from(least), exact]);
        }
        distances
    }

    /// The largest error of a coded distance.
    fn worst(quantization: Quantization, metric: Metric, dim: usize) -> f64 {
        let distances = distances(quantization, metric, dim, 20);
        distances.iter().map(|[estimate, _, exact]| (estimate - exact).abs()).fold(0.0, f64::max)
    }

    #[test]
    fn next_to_no_distance_is_less_than_the_least() {
        for quantization in Quantization::ALL {
            for (dim, metric) in
                [(16, Metric::SquaredEuclidean), (100, Metric::InnerProduct), (384, Metric::SquaredEuclidean)]
            {
                let distances = distances(quantization, metric, dim, 1000);
                let wrong = distances.iter().filter(|[_, least, exact]| exact < least).count();
                assert!(wrong <= 5, "{quantization}, {dim}, {metric}: {wrong} of 1000");
                // Three deviations, and not so many that the least distance is of no use.
                let square =
                    |[estimate, least, exact]: &[f64; 3]| ((estimate - exact) / (estimate - least)).powi(2);
                let deviations = 1.0 / (distances.iter().map(square).sum::<f64>() / 1000.0).sqrt();
                assert!((2.5..7.0).contains(&deviations), "{quantization}, {dim}, {metric}: {deviations}");
            }
        }
    }

    #[test]
    fn coded_distances_are_near_the_exact_ones() {
        for dim in [1, 7, 64, 100, 384, 768] {
            for metric in [Metric::SquaredEuclidean, Metric::InnerProduct] {
                // Errors of single elements average out, so that they grow with the root of the dimension:
                // four standard deviations of them, from steps of about 2.5 / 127 and 0.24.
                let root = (dim as f64).sqrt();
                let error = worst(Quantization::Sq8, metric, dim);
                assert!(error < 0.05 * root, "sq8, {dim}, {metric}: {error}");
                for kind in [Quantization::Sq4, Quantization::Sq2x2] {
                    let error = worst(kind, metric, dim);
                    assert!(error < 0.5 * root, "{kind}, {dim}, {metric}: {error}");
                }
            }
        }
    }

    #[test]
    fn a_vector_at_the_mean_is_coded_without_a_direction() {
        for quantization in Quantization::ALL {
            let mean = vector(1, 10);
            let mut encoder = Encoder::new(quantization, Metric::SquaredEuclidean, 10).unwrap();
            let mut row = alloc::vec![0; quantization.row_bytes(10)];
            let planes = row.split_at_mut(quantization.plane_bytes(10)[0]);
            assert_eq!(encoder.encode((&mean).into(), &mean, planes.into()), [0.0, 0.0]);
        }
    }
}
