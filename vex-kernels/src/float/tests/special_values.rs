//! Zeros, infinities, NaN and denormals.

use std::vec;
use std::vec::Vec;

use super::handles;
use crate::Metric;
use crate::tests::lengths;
use crate::tests::values::{Random, Values};

#[test]
fn empty_vectors_have_no_distance_and_no_direction() {
    for handle in handles() {
        let expected = if handle.metric() == Metric::Cosine { 1.0 } else { 0.0 };
        assert_eq!(handle.distance(&[], &[]).to_bits(), f32::to_bits(expected), "{handle:?}");
        assert_eq!(handle.distance_batch_4(&[], [&[]; 4]), [expected; 4], "{handle:?}");
    }
}

#[test]
fn zero_vector_is_at_cosine_distance_one() {
    for length in lengths() {
        let (zero, other) = (vec![0.0; length], vec![0.5; length]);
        for handle in handles().filter(|handle| handle.metric() == Metric::Cosine) {
            let found =
                [(&zero, &other), (&other, &zero), (&zero, &zero)].map(|(a, b)| handle.distance(a, b));
            assert_eq!(found, [1.0; 3], "{handle:?}, {length} elements");
            let (from_zero, from_other) = ([&*zero, &other, &other, &zero], [&*zero, &zero, &zero, &zero]);
            assert_eq!(handle.distance_batch_4(&zero, from_zero), [1.0; 4], "{handle:?}, {length} elements");
            assert_eq!(
                handle.distance_batch_4(&other, from_other),
                [1.0; 4],
                "{handle:?}, {length} elements"
            );
        }
    }
}

/// Candidates are ordered by `total_cmp`, for which a negative zero would come first.
#[test]
fn zero_distance_is_never_negative() {
    let zero = [0.0; 100];
    for handle in handles() {
        for a in [[0.0; 100], [-0.0; 100], [f32::from_bits(1); 100], [-f32::from_bits(1); 100]] {
            assert!(handle.distance(&a, &zero).is_sign_positive(), "{handle:?}, {}", a[0]);
            assert!(
                handle.distance(&a, &[f32::from_bits(1); 100]).is_sign_positive(),
                "{handle:?}, {}",
                a[0]
            );
        }
    }
}

/// Libraries that take a minimum or maximum report distance 0 for such a vector.
#[test]
fn nan_at_any_position_propagates() {
    for length in 1..=200 {
        let (other, zero) = (vec![0.5; length], vec![0.0; length]);
        let mut poisoned = other.clone();
        for index in 0..length {
            poisoned[index] = f32::NAN;
            for handle in handles() {
                for other in [&other, &zero, &poisoned] {
                    let found = [handle.distance(&poisoned, other), handle.distance(other, &poisoned)];
                    assert!(found.iter().all(|x| x.is_nan()), "{handle:?}: {index} of {length}: {found:?}");
                }
                for query in [&other, &zero] {
                    let batch = handle.distance_batch_4(query, [&other, &poisoned, &zero, &poisoned]);
                    let expected = [false, true, false, true];
                    assert_eq!(batch.map(f32::is_nan), expected, "{handle:?}: {index} of {length}");
                }
            }
            poisoned[index] = 0.5;
        }
    }
}

#[test]
fn infinity_at_any_position_is_infinitely_far_or_has_no_direction() {
    for length in 1..=200 {
        let (other, zero) = (vec![0.5; length], vec![0.0; length]);
        let mut infinite = other.clone();
        for index in 0..length {
            infinite[index] = f32::INFINITY;
            for handle in handles() {
                let found = [&other, &infinite, &zero].map(|other| handle.distance(&infinite, other));
                let nan = f32::NAN;
                let expected = match handle.metric() {
                    Metric::SquaredEuclidean => [f32::INFINITY, nan, f32::INFINITY],
                    Metric::InnerProduct => [f32::NEG_INFINITY, f32::NEG_INFINITY, nan],
                    Metric::Cosine => [nan; 3],
                    other => unreachable!("{other} is no metric of floats"),
                };
                for (found, expected) in found.into_iter().zip(expected) {
                    let same = found == expected || found.is_nan() && expected.is_nan();
                    assert!(same, "{handle:?}: {index} of {length}: {found}, not {expected}");
                }
            }
            infinite[index] = 0.5;
        }
    }
}

#[test]
fn norm_that_overflows_has_no_direction() {
    for length in lengths().filter(|length| *length > 1) {
        let mut long = vec![0.0; length];
        long[0] = 1e30;
        let mut other = vec![0.0; length];
        // With and without a product of its own, and against a zero vector.
        for (first, rest) in [(0.0, 1.0), (1.0, 1.0), (1e30, 1.0), (0.0, 0.0)] {
            other.fill(rest);
            other[0] = first;
            for handle in handles().filter(|handle| handle.metric() == Metric::Cosine) {
                let found = [handle.distance(&long, &other), handle.distance(&other, &long)];
                assert!(
                    found.iter().all(|x| x.is_nan()),
                    "{handle:?}, {length} elements, {first}: {found:?}"
                );
            }
        }
    }
}

#[test]
fn denormal_elements_are_not_flushed_to_zero() {
    let denormal = f32::from_bits(3);
    for length in lengths().filter(|length| *length > 0) {
        let (a, b) = (vec![denormal; length], vec![2.0; length]);
        for handle in handles().filter(|handle| handle.metric() == Metric::InnerProduct) {
            let expected = -(length as f32 * 2.0 * denormal);
            assert_eq!(handle.distance(&a, &b), expected, "{handle:?}, {length} elements");
        }
    }
}

#[test]
fn vector_is_at_no_distance_from_itself() {
    let mut random = Random::new(8);
    for length in lengths().filter(|length| *length > 0) {
        let (a, _) = Values::Uniform.pair(&mut random, length);
        for handle in handles() {
            match handle.metric() {
                Metric::SquaredEuclidean | Metric::Cosine => {
                    assert_eq!(handle.distance(&a, &a), 0.0, "{handle:?}, {length} elements");
                }
                Metric::InnerProduct => {
                    assert!(handle.distance(&a, &a) < 0.0, "{handle:?}, {length} elements")
                }
                other => unreachable!("{other} is no metric of floats"),
            }
        }
    }
}

/// Without the clamp, rounding would let parallel vectors come out below 0 and opposite ones above
/// 2.
#[test]
fn cosine_stays_between_zero_and_two() {
    let mut random = Random::new(9);
    for length in lengths() {
        let (a, _) = Values::Uniform.pair(&mut random, length);
        let scaled: Vec<f32> = a.iter().map(|x| x * 1.1).collect();
        let opposite: Vec<f32> = scaled.iter().map(|x| -x).collect();
        for handle in handles().filter(|handle| handle.metric() == Metric::Cosine) {
            for other in [&scaled, &opposite] {
                let found = handle.distance(&a, other);
                assert!((0.0..=2.0).contains(&found), "{handle:?}, {length} elements: {found}");
            }
        }
    }
}
