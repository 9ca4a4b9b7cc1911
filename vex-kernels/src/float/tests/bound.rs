//! The error bound that the crate's documentation publishes.

use std::format;
use std::string::String;
use std::vec::Vec;

use proptest::prelude::*;
use proptest::test_runner::RngSeed;

use super::handles;
use crate::tests::lengths;
use crate::tests::values::{Random, Values};
use crate::{Metric, reference};

/// Says by how much `computed` misses the bound, if it does.
pub(super) fn check(metric: Metric, a: &[f32], b: &[f32], computed: f32) -> Result<(), String> {
    let u = 2f64.powi(-24);
    let gamma = |k: usize| k as f64 * u / (1.0 - k as f64 * u);
    let m = a.len().div_ceil(64) + 6;
    let underflow = a.len() as f64 * 2f64.powi(-149);

    let (exact, bound) = match metric {
        Metric::InnerProduct => {
            (reference::inner_product(a, b), gamma(m) * reference::absolute_products(a, b) + underflow)
        }
        Metric::SquaredEuclidean => {
            let exact = reference::squared_euclidean(a, b);
            (exact, gamma(m + 2) * exact + underflow)
        }
        Metric::Cosine if a.iter().chain(b).any(|x| square_underflows(*x)) => return Ok(()),
        Metric::Cosine => (reference::cosine(a, b), 2.0 * gamma(m) + 5.0 * u),
        other => unreachable!("{other} is no metric of floats"),
    };
    let error = (f64::from(computed) - exact).abs();
    // Not `error > bound`, which a NaN would pass.
    if error <= bound {
        return Ok(());
    }
    Err(format!(
        "{metric} of {} elements: {computed:e}, exactly {exact:e}, is {} bounds away",
        a.len(),
        error / bound
    ))
}

fn square_underflows(x: f32) -> bool {
    x != 0.0 && x * x < f32::MIN_POSITIVE
}

/// Checks every handle, and in the batch all four rows.
fn check_all(a: &[f32], b: &[f32]) -> Result<(), String> {
    for handle in handles() {
        let named = |message| format!("{}: {message}", handle.isa());
        check(handle.metric(), a, b, handle.distance(a, b)).map_err(named)?;
        for (row, distance) in handle.distance_batch_4(a, [b, a, b, a]).into_iter().enumerate() {
            let row = if row % 2 == 0 { b } else { a };
            check(handle.metric(), a, row, distance).map_err(named)?;
        }
    }
    Ok(())
}

#[test]
fn every_length_and_distribution_is_within_the_bound() {
    let mut random = Random::new(1);
    for length in lengths() {
        for values in Values::ALL {
            let (a, b) = values.pair(&mut random, length);
            if let Err(message) = check_all(&a, &b) {
                panic!("{values:?}: {message}");
            }
        }
    }
}

/// Where the first of the two vectors starts in its buffer, where the second one does, and both
/// buffers.
fn unaligned_pair() -> impl Strategy<Value = (usize, usize, Vec<f32>, Vec<f32>)> {
    let element = prop_oneof![
        4 => -1.0f32..1.0,
        1 => (any::<bool>(), 0u32..1 << 23, 67u32..183)
            .prop_map(|(negative, mantissa, exponent)| {
                f32::from_bits(u32::from(negative) << 31 | exponent << 23 | mantissa)
            }),
        1 => Just(0.0f32),
    ];
    let length = prop_oneof![8 => 0usize..=300, 1 => prop::sample::select(&[384usize, 768, 1000, 1536][..])];
    (length, 0usize..32, 0usize..32).prop_flat_map(move |(length, first, second)| {
        let a = prop::collection::vec(element.clone(), first + length);
        let b = prop::collection::vec(element.clone(), second + length);
        (Just(first), Just(second), a, b)
    })
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 768,
        rng_seed: RngSeed::Fixed(2),
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    #[test]
    fn vectors_at_any_offset_are_within_the_bound((first, second, a, b) in unaligned_pair()) {
        prop_assert_eq!(check_all(&a[first..], &b[second..]), Ok(()));
    }

    #[test]
    fn vectors_that_share_most_elements_are_within_the_bound(
        (first, second, mut a, b) in unaligned_pair(),
        changed in prop::collection::vec(0usize..1536, 0..8),
    ) {
        let mut row = b[second..].to_vec();
        a.truncate(first);
        a.extend(&row);
        for index in changed {
            if let Some(element) = row.get_mut(index) {
                *element = f32::from_bits(element.to_bits() ^ 1);
            }
        }
        prop_assert_eq!(check_all(&a[first..], &row), Ok(()));
    }
}
