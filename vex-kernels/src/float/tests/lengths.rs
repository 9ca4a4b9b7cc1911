//! Vectors of different lengths are refused before any of their elements is read.

use std::panic::{AssertUnwindSafe, catch_unwind};

use super::handles;

const ELEMENTS: [f32; 130] = [1.0; 130];

fn panics<R>(call: impl FnOnce() -> R) -> bool {
    catch_unwind(AssertUnwindSafe(call)).is_err()
}

#[test]
fn single_distance_of_different_lengths_panics() {
    for handle in handles() {
        for (a, b) in [(0, 1), (1, 0), (63, 64), (64, 63), (64, 128), (129, 130)] {
            assert!(panics(|| handle.distance(&ELEMENTS[..a], &ELEMENTS[..b])), "{handle:?}: {a} and {b}");
        }
    }
}

#[test]
fn batch_with_any_row_of_another_length_panics() {
    for handle in handles() {
        for odd in 0..4 {
            for length in [0, 63, 65, 130] {
                let mut rows = [&ELEMENTS[..64]; 4];
                rows[odd] = &ELEMENTS[..length];
                let refused = panics(|| handle.distance_batch_4(&ELEMENTS[..64], rows));
                assert!(refused, "{handle:?}: row {odd} of {length}");
            }
        }
    }
}
