//! A plane picture of vectors: their two principal components.

use vex::Elements;

/// Rounds of the power iteration. The picture needs no more than the rough directions.
const ROUNDS: usize = 30;

/// So many vectors show the directions, spread evenly over all.
const SAMPLE: usize = 1_000;

/// The elements of a vector as numbers; bits are 0 and 1.
pub(super) fn floats(vector: Elements<'_>, dim: usize) -> Vec<f32> {
    match vector {
        Elements::F32(elements) => elements[..dim].to_vec(),
        Elements::F16(elements) => elements[..dim].iter().map(|element| element.to_f32()).collect(),
        Elements::I8(elements) => elements[..dim].iter().map(|element| f32::from(*element)).collect(),
        Elements::U8(elements) => elements[..dim].iter().map(|element| f32::from(*element)).collect(),
        Elements::Bits(words) => (0..dim).map(|at| (words[at / 64] >> (at % 64) & 1) as f32).collect(),
    }
}

/// A point for each vector: its products with the two directions in which the vectors vary most.
/// All vectors have one length.
pub(super) fn plane(vectors: &[Vec<f32>]) -> Vec<[f32; 2]> {
    let Some(dim) = vectors.first().map(Vec::len) else { return Vec::new() };
    let mut mean = vec![0.0f64; dim];
    for vector in vectors {
        mean.iter_mut().zip(vector).for_each(|(mean, element)| *mean += f64::from(*element));
    }
    mean.iter_mut().for_each(|mean| *mean /= vectors.len() as f64);
    let centred: Vec<Vec<f64>> = vectors
        .iter()
        .map(|vector| vector.iter().zip(&mean).map(|(element, mean)| f64::from(*element) - mean).collect())
        .collect();
    let sample: Vec<&Vec<f64>> = centred.iter().step_by(centred.len().div_ceil(SAMPLE)).collect();
    let first = direction(&sample, &[]);
    let second = direction(&sample, std::slice::from_ref(&first));
    centred.iter().map(|vector| [product(vector, &first) as f32, product(vector, &second) as f32]).collect()
}

/// The direction of most variance among those that are orthogonal to `others`.
fn direction(vectors: &[&Vec<f64>], others: &[Vec<f64>]) -> Vec<f64> {
    // Any start will do that is not orthogonal to the answer.
    let mut direction: Vec<f64> = (0..vectors[0].len()).map(|at| 1.0 + (at % 7) as f64).collect();
    for _ in 0..ROUNDS {
        let mut next = vec![0.0; direction.len()];
        for &vector in vectors {
            let along = product(vector, &direction);
            next.iter_mut().zip(vector).for_each(|(next, element)| *next += along * element);
        }
        for other in others {
            let along = product(&next, other);
            next.iter_mut().zip(other).for_each(|(next, element)| *next -= along * element);
        }
        let length = product(&next, &next).sqrt();
        if !(length > 0.0 && length.is_finite()) {
            break;
        }
        next.iter_mut().for_each(|next| *next /= length);
        direction = next;
    }
    direction
}

fn product(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

#[cfg(test)]
mod tests {
    use super::plane;

    #[test]
    fn the_widest_directions_are_shown() {
        // Wide in element 2, less in element 0, flat in element 1.
        let vectors: Vec<Vec<f32>> =
            (0..40).map(|i| vec![(i % 5) as f32, 3.0, 10.0 * (i / 5) as f32]).collect();
        let points = plane(&vectors);
        let spread = |axis: usize| {
            let values = points.iter().map(|point| point[axis]);
            values.clone().fold(f32::MIN, f32::max) - values.fold(f32::MAX, f32::min)
        };
        assert!((spread(0) - 70.0).abs() < 1e-3 && (spread(1) - 4.0).abs() < 1e-3, "{points:?}");
    }

    #[test]
    fn equal_vectors_and_none_have_points() {
        assert!(plane(&[]).is_empty());
        for point in plane(&vec![vec![1.0; 4]; 3]) {
            assert!(point.iter().all(|element| element.is_finite()));
        }
    }
}
