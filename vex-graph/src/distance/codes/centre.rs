//! The center of codes: the mean of all vectors, except those that are far from most.
//!
//! The error of a code grows with the distance of its vector from the center. The plain mean
//! follows vectors that are far. One absurd vector among ten thousand can move it farther from all
//! others than these are from each other. So far vectors are left out:
//!
//! ```text
//! middle = the median of each element, over a sample
//! far    = a distance from the middle of more than 8 times the median distance of the sample
//! center = the mean of all vectors that are not far
//! ```
//!
//! Most sets have no vectors that are far, and the center is then the plain mean.

use alloc::vec::Vec;

use crate::element::Float;
use crate::storage::{bytes, reserve_exact};
use crate::{Elements, OutOfMemory, Rows};

/// Vectors in the sample.
const SAMPLE: usize = 128;

/// A vector is far if its distance from the middle is more than this many times the median distance
/// of the sample.
const FAR: f64 = 8.0;

/// At most this many bytes are needed to find a center.
pub(crate) fn centre_bytes(dim: usize) -> usize {
    // The sums, the middle and the center. Then one element of each vector of the sample, and its
    // distances.
    let vectors = bytes::<f64>(dim).saturating_add(2 * bytes::<f32>(dim));
    vectors.saturating_add(bytes::<f32>(SAMPLE) + bytes::<f64>(SAMPLE))
}

/// The mean of all vectors that are not far from most.
pub(crate) fn centre(rows: &Rows<'_>) -> Result<Vec<f32>, OutOfMemory> {
    match rows.elements() {
        Elements::F32(scalars) => centre_of(rows, scalars),
        Elements::F16(scalars) => centre_of(rows, scalars),
        _ => unreachable!("codes are of floating-point vectors"),
    }
}

fn centre_of<F: Float>(rows: &Rows<'_>, scalars: &[F]) -> Result<Vec<f32>, OutOfMemory> {
    let (dim, count) = (rows.dim(), rows.count());
    let row = |id: usize| &scalars[id * rows.stride()..][..dim];
    let mut sums: Vec<f64> = Vec::new();
    reserve_exact(&mut sums, dim)?;
    sums.resize(dim, 0.0);
    let mut centre: Vec<f32> = Vec::new();
    reserve_exact(&mut centre, dim)?;
    if count == 0 {
        centre.resize(dim, 0.0);
        return Ok(centre);
    }

    // The sample is spread evenly over the rows.
    let sampled = SAMPLE.min(count);
    let sample = move |index: usize| index * count / sampled;
    let mut middle: Vec<f32> = Vec::new();
    reserve_exact(&mut middle, dim)?;
    let mut elements: Vec<f32> = Vec::new();
    reserve_exact(&mut elements, sampled)?;
    for at in 0..dim {
        elements.clear();
        elements.extend((0..sampled).map(|index| row(sample(index))[at].widen()));
        middle.push(*elements.select_nth_unstable_by(sampled / 2, f32::total_cmp).1);
    }
    let mut squares: Vec<f64> = Vec::new();
    reserve_exact(&mut squares, sampled)?;
    squares.extend((0..sampled).map(|index| square_distance(row(sample(index)), &middle)));
    let median = *squares.select_nth_unstable_by(sampled / 2, f64::total_cmp).1;
    let limit = FAR * FAR * median;

    // One pass over all rows: the sum of those that are not far.
    let mut near = 0usize;
    for id in 0..count {
        let row = row(id);
        if square_distance(row, &middle) <= limit {
            near += 1;
            for (sum, element) in sums.iter_mut().zip(row) {
                *sum += f64::from(element.widen());
            }
        }
    }
    // `near` is not zero: at least half of the sample is near.
    centre.extend(sums.iter().map(|sum| (sum / near as f64) as f32));
    Ok(centre)
}

/// |x − y|² in f64, where nothing overflows. The sums are in one fixed order, so that centers do not depend on the machine.
fn square_distance(x: &[impl Float], y: &[f32]) -> f64 {
    const LANES: usize = 8;
    let mut sums = [0.0f64; LANES];
    let ((x, x_rest), (y, y_rest)) = (x.as_chunks::<LANES>(), y.as_chunks::<LANES>());
    for (x, y) in x.iter().zip(y) {
        for lane in 0..LANES {
            let difference = f64::from(x[lane].widen()) - f64::from(y[lane]);
            sums[lane] += difference * difference;
        }
    }
    for ((sum, x), y) in sums.iter_mut().zip(x_rest).zip(y_rest) {
        let difference = f64::from(x.widen()) - f64::from(*y);
        *sum += difference * difference;
    }
    sums.iter().sum()
}

#[cfg(test)]
mod tests {
    use super::*;
    use vex_kernels::Metric;

    fn centre_of_rows(rows: &[[f32; 2]]) -> Vec<f32> {
        let rows = Rows::new(Metric::SquaredEuclidean, rows.as_flattened(), 2, 2, rows.len()).unwrap();
        centre(&rows).unwrap()
    }

    #[test]
    fn it_is_the_mean_where_nothing_is_far() {
        assert_eq!(centre_of_rows(&[[1.0, 2.0], [3.0, 4.0], [5.0, 9.0]]), [3.0, 5.0]);
        assert_eq!(centre_of_rows(&[[7.0, -1.0]]), [7.0, -1.0]);
        assert_eq!(centre_of_rows(&[]), [0.0, 0.0]);
        assert_eq!(centre_of_rows(&[[0.25, 0.25]; 300]), [0.25, 0.25]);
    }

    #[test]
    fn absurd_vectors_do_not_move_it() {
        let mut rows: Vec<[f32; 2]> = (0..1000).map(|i| [(i % 10) as f32, (i % 7) as f32]).collect();
        let before = centre_of_rows(&rows);
        for (at, absurd) in [(0, f32::MAX), (500, -1e30), (999, 1e8)] {
            rows[at] = [absurd, -absurd];
        }
        let after = centre_of_rows(&rows);
        assert!(before.iter().zip(after).all(|(before, after)| (before - after).abs() < 0.05), "{before:?}");
    }
}
