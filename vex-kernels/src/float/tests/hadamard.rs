//! The Walsh-Hadamard transform, by its definition.

use std::vec::Vec;

use proptest::prelude::*;

use crate::Isa;

/// For each index, the sum of all elements with the signs of the definition: minus where the two
/// indices share an odd number of bits.
fn by_definition(vector: &[f32]) -> Vec<f64> {
    let scale = 1.0 / (vector.len() as f64).sqrt();
    let sign = |i: usize, j: usize| if (i & j).count_ones().is_multiple_of(2) { scale } else { -scale };
    (0..vector.len())
        .map(|i| vector.iter().enumerate().map(|(j, element)| f64::from(*element) * sign(i, j)).sum())
        .collect()
}

proptest! {
    #[test]
    fn is_what_the_definition_says_and_the_same_at_every_instruction_set(
        vector in (4..=10u32).prop_flat_map(|steps| prop::collection::vec(-100.0f32..100.0, 1 << steps)),
    ) {
        let mut expected = vector.clone();
        Isa::Scalar.hadamard(&mut expected);
        let length = vector.iter().map(|element| f64::from(*element).powi(2)).sum::<f64>().sqrt();
        for (found, expected) in expected.iter().zip(by_definition(&vector)) {
            prop_assert!((f64::from(*found) - expected).abs() <= length * f64::from(f32::EPSILON) * 8.0);
        }
        for isa in Isa::ALL {
            let mut found = vector.clone();
            isa.hadamard(&mut found);
            let bits = |vector: &[f32]| vector.iter().map(|element| element.to_bits()).collect::<Vec<_>>();
            prop_assert_eq!(bits(&found), bits(&expected), "{}", isa);
        }
    }
}

#[test]
#[should_panic(expected = "a power of two, at least 16 elements")]
fn eight_elements_are_refused() {
    Isa::detect().hadamard(&mut [1.0; 8]);
}

#[test]
#[should_panic(expected = "a power of two, at least 16 elements")]
fn three_registers_are_refused() {
    Isa::detect().hadamard(&mut [1.0; 48]);
}
