//! Vectors with a single nonzero element: each lane is counted once, and against its own partner.

use std::vec;
use std::vec::Vec;

use super::handles;
use crate::Metric;

const LONGEST: usize = 300;

/// The exact distance from the vector 1, 2, 3, ... to one that is zero except for a 2 at `index`.
fn expected(metric: Metric, length: usize, index: usize) -> f32 {
    let element = index as f64 + 1.0;
    let squares: f64 = (1..=length).map(|i| (i * i) as f64).sum();
    match metric {
        Metric::InnerProduct => (-2.0 * element) as f32,
        Metric::SquaredEuclidean => (squares - element * element + (element - 2.0) * (element - 2.0)) as f32,
        Metric::Cosine => (1.0 - element / squares.sqrt()) as f32,
        other => unreachable!("{other} is no metric of floats"),
    }
}

#[test]
fn every_element_counts_once_at_every_length() {
    let counting: Vec<f32> = (1..=LONGEST).map(|i| i as f32).collect();
    for length in 1..=LONGEST {
        let mut one_hot = vec![0.0; length];
        for index in 0..length {
            one_hot[index] = 2.0;
            for handle in handles() {
                // Sums of integers below 2^24 are exact, so only the cosine rounds.
                let expected = expected(handle.metric(), length, index);
                let single = handle.distance(&counting[..length], &one_hot);
                let batch = handle.distance_batch_4(&one_hot, [&counting[..length]; 4]);
                for found in [single].into_iter().chain(batch) {
                    let close = (found - expected).abs() <= f32::EPSILON;
                    assert!(close, "{handle:?}: element {index} of {length}: {found}, not {expected}");
                }
            }
            one_hot[index] = 0.0;
        }
    }
}

#[test]
fn element_that_both_vectors_have_alone_counts_once() {
    for length in 1..=200 {
        let mut one_hot = vec![0.0; length];
        let zero = vec![0.0; length];
        for index in 0..length {
            one_hot[index] = 3.0;
            for handle in handles() {
                let (same, to_zero) = match handle.metric() {
                    Metric::InnerProduct => (-9.0, 0.0),
                    Metric::SquaredEuclidean => (0.0, 9.0),
                    Metric::Cosine => (0.0, 1.0),
                    other => unreachable!("{other} is no metric of floats"),
                };
                let found = handle.distance_batch_4(&one_hot, [&one_hot, &zero, &zero, &one_hot]);
                assert_eq!(found, [same, to_zero, to_zero, same], "{handle:?}: element {index} of {length}");
            }
            one_hot[index] = 0.0;
        }
    }
}
