//! The promise about bits: one result on every instruction set, and for any number of rows at once.

use std::vec::Vec;

use super::handles;
use crate::tests::lengths;
use crate::tests::values::{Random, Values};
use crate::{Distance, Isa, Metric};

/// FNV-1a of the bits of every instruction set with a fused multiply-add, by metric in the order of
/// [`Metric::NUMERIC`].
const FUSED: [u64; 3] = [0xb472_2075_a771_3e5d, 0x93a7_67aa_d87a_5825, 0x8259_0000_2e35_fd7b];
/// The digests of portable code.
const PORTABLE: [u64; 3] = [0x6c37_7fe0_dffd_23f4, 0x146b_53d5_d03b_0180, 0x8d0e_5156_7392_dfe7];

#[test]
fn batch_of_four_has_the_bits_of_four_single_calls() {
    let mut random = Random::new(4);
    for length in lengths() {
        for values in Values::ALL {
            let (query, first) = values.pair(&mut random, length);
            let (second, third) = values.pair(&mut random, length);
            let rows = [&first[..], &second, &third, &query];
            for handle in handles() {
                let batch = handle.distance_batch_4(&query, rows).map(f32::to_bits);
                let single = rows.map(|row| handle.distance(&query, row).to_bits());
                assert_eq!(batch, single, "{handle:?}, {length} elements, {values:?}");
            }
        }
    }
}

#[test]
fn distance_is_symmetric_in_every_bit() {
    let mut random = Random::new(5);
    for length in lengths() {
        for values in Values::ALL {
            let (a, b) = values.pair(&mut random, length);
            for handle in handles() {
                let (there, back) = (handle.distance(&a, &b), handle.distance(&b, &a));
                assert_eq!(there.to_bits(), back.to_bits(), "{handle:?}, {length} elements, {values:?}");
            }
        }
    }
}

#[test]
fn instruction_sets_with_a_fused_multiply_add_agree_in_every_bit() {
    let mut random = Random::new(6);
    for metric in Metric::NUMERIC {
        let fused: Vec<_> =
            handles().filter(|handle| handle.metric() == metric && handle.isa() != Isa::Scalar).collect();
        for (length, values) in lengths().flat_map(|length| Values::ALL.map(|values| (length, values))) {
            let (a, b) = values.pair(&mut random, length);
            for pair in fused.windows(2) {
                let bits = [pair[0].distance(&a, &b).to_bits(), pair[1].distance(&a, &b).to_bits()];
                assert_eq!(bits[0], bits[1], "{pair:?}, {length} elements, {values:?}");
            }
        }
    }
}

/// One machine cannot run every instruction set, so digests pin the bits across machines.
#[test]
fn bits_of_every_instruction_set_equal_the_pinned_digests() {
    for handle in handles() {
        let pinned = if handle.isa() == Isa::Scalar { PORTABLE } else { FUSED };
        let metric = Metric::NUMERIC.iter().position(|metric| *metric == handle.metric()).unwrap();
        let found = digest(&handle);
        assert_eq!(found, pinned[metric], "{handle:?}: {found:#018x}");
    }
}

fn digest(handle: &Distance<f32>) -> u64 {
    let mut random = Random::new(7);
    let mut hash = 0xcbf2_9ce4_8422_2325u64;
    for length in lengths() {
        for values in Values::ALL {
            let (a, b) = values.pair(&mut random, length);
            for byte in handle.distance(&a, &b).to_bits().to_le_bytes() {
                hash = (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3);
            }
        }
    }
    hash
}
