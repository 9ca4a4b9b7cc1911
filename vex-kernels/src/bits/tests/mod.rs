//! Packed bits: every variant counts exactly.

use std::sync::LazyLock;
use std::vec;
use std::vec::Vec;

use crate::bits::ops::{BitOps, WORDS};
use crate::bits::{body, rules};
use crate::cpu::Portable;
use crate::tests::values::Random;
use crate::{Distance, Isa, Metric, reference};

/// Every variant of both metrics that this machine has: an instruction set may have more than one.
fn packed_handles() -> impl Iterator<Item = Distance<u64>> {
    static HANDLES: LazyLock<Vec<Distance<u64>>> =
        LazyLock::new(|| Metric::BITS.into_iter().flat_map(Distance::all).collect());
    HANDLES.iter().copied()
}

/// Every length up to several blocks with all its tails, then some that models use, and longer
/// ones.
fn packed_lengths() -> impl Iterator<Item = usize> {
    (0..=70).chain([96, 128, 255, 256, 257, 1000])
}

fn expected(metric: Metric, a: &[u64], b: &[u64]) -> f32 {
    match metric {
        Metric::Hamming => reference::hamming(a, b) as f32,
        Metric::Jaccard => reference::jaccard(a, b) as f32,
        other => unreachable!("{other} is no metric of bits"),
    }
}

/// How many of the bits are set.
#[derive(Clone, Copy, Debug)]
enum Density {
    None,
    Few,
    Half,
    Most,
    All,
}

impl Density {
    const ALL: [Density; 5] = [Density::None, Density::Few, Density::Half, Density::Most, Density::All];

    fn vector(self, random: &mut Random, length: usize) -> Vec<u64> {
        let word = || match self {
            Density::None => 0,
            Density::Few => random.bits() & random.bits() & random.bits(),
            Density::Half => random.bits(),
            Density::Most => random.bits() | random.bits() | random.bits(),
            Density::All => u64::MAX,
        };
        core::iter::repeat_with(word).take(length).collect()
    }
}

#[test]
fn every_variant_counts_exactly_at_every_length_and_density() {
    let mut random = Random::new(20);
    for length in packed_lengths() {
        for (first, second) in Density::ALL.into_iter().flat_map(|a| Density::ALL.map(|b| (a, b))) {
            let query = first.vector(&mut random, length);
            let rows = [second, second, first, Density::Half].map(|row| row.vector(&mut random, length));
            let rows = rows.each_ref().map(|row| &row[..]);
            for handle in packed_handles() {
                let expected = rows.map(|row| expected(handle.metric(), &query, row));
                let bound = handle.bind(&query);
                let context = (handle, length, first, second);
                assert_eq!(rows.map(|row| handle.distance(&query, row)), expected, "{context:?}");
                assert_eq!(rows.map(|row| handle.distance(row, &query)), expected, "{context:?}");
                assert_eq!(handle.distance_batch_4(&query, rows), expected, "{context:?}");
                assert_eq!(rows.map(|row| bound.distance(row)), expected, "{context:?}");
                assert_eq!(bound.distance_batch_4(rows), expected, "{context:?}");
            }
        }
    }
}

#[test]
fn every_bit_counts_once_at_every_length() {
    for length in 1..=24 {
        let zero = vec![0; length];
        for bit in 0..64 * length {
            let mut one_hot = zero.clone();
            one_hot[bit / 64] = 1 << (bit % 64);
            let mut other = zero.clone();
            other[(bit / 64 + 1) % length] = 1 << ((bit + 1) % 64);
            for handle in packed_handles() {
                let found = handle.distance_batch_4(&one_hot, [&one_hot, &zero, &other, &one_hot]);
                let apart = if handle.metric() == Metric::Hamming { 2.0 } else { 1.0 };
                assert_eq!(found, [0.0, 1.0, apart, 0.0], "{handle:?}: bit {bit} of {length} words");
                assert_eq!(handle.distance(&one_hot, &zero), 1.0, "{handle:?}: bit {bit} of {length} words");
            }
        }
    }
}

/// A counter of 8 or of 16 bits would overflow.
#[test]
fn long_vectors_with_every_bit_set_do_not_overflow_a_counter() {
    let length = 1 << 18;
    let (all, none) = (vec![u64::MAX; length], vec![0; length]);
    for handle in packed_handles() {
        let expected = if handle.metric() == Metric::Hamming { 16_777_216.0 } else { 1.0 };
        assert_eq!(handle.distance(&all, &none), expected, "{handle:?}");
        assert_eq!(handle.distance_batch_4(&all, [&none, &all, &none, &all]), [expected, 0.0, expected, 0.0]);
    }
}

#[test]
fn distance_many_finds_what_single_calls_find() {
    let mut random = Random::new(21);
    let (length, stride, count) = (13, 16, 23);
    let base = Density::Half.vector(&mut random, stride * count);
    let query = Density::Few.vector(&mut random, length);
    let ids: Vec<u32> = (0..19).map(|_| random.below(count) as u32).collect();
    for handle in packed_handles() {
        let mut found = vec![0.0; ids.len()];
        handle.distance_many(&query, &base, stride, &ids, &mut found);
        let single = ids.iter().map(|id| {
            let start = *id as usize * stride;
            handle.distance(&query, &base[start..start + length])
        });
        assert_eq!(found, single.collect::<Vec<_>>(), "{handle:?}");
    }
}

#[test]
fn vectors_of_different_lengths_are_refused() {
    let words = [1u64; 33];
    for handle in packed_handles() {
        for (a, b) in [(0, 1), (1, 0), (7, 8), (8, 7), (8, 16), (32, 33)] {
            let single = || handle.distance(&words[..a], &words[..b]);
            let batch =
                || handle.distance_batch_4(&words[..a], [&words[..a], &words[..a], &words[..b], &words[..a]]);
            assert!(std::panic::catch_unwind(single).is_err(), "{handle:?}: {a} and {b}");
            assert!(std::panic::catch_unwind(batch).is_err(), "{handle:?}: {a} and {b}");
        }
    }
}

#[test]
fn each_element_knows_its_metrics_alone() {
    for metric in Metric::ALL {
        assert_eq!(Distance::<f32>::try_new(metric).is_some(), Metric::NUMERIC.contains(&metric), "{metric}");
        assert_eq!(Distance::<u64>::try_new(metric).is_some(), Metric::BITS.contains(&metric), "{metric}");
    }
}

#[test]
fn packed_handle_exists_exactly_where_its_instruction_set_is_available() {
    for (isa, metric) in Isa::ALL.into_iter().flat_map(|isa| Metric::BITS.map(|metric| (isa, metric))) {
        let handle = Distance::<u64>::with_isa(metric, isa);
        assert_eq!(handle.is_some(), isa.is_available(), "{metric} {isa}");
    }
}

/// Faulty instruction sets under the real body, which comparison with the reference must catch.
#[derive(Clone, Copy, PartialEq)]
enum Fault {
    None,
    DropsLastWord,
    CountsLastWordTwice,
    DropsTopBit,
    WrapsByteCounts,
    DropsCounters,
}

/// An instruction set with a fault. With `MASKS`, one load takes any number of words.
#[derive(Clone, Copy)]
struct Mutant<const MASKS: bool>(Fault);

impl<const MASKS: bool> BitOps for Mutant<MASKS> {
    type Register = [u64; WORDS];
    type Count = u64;
    const MASKS_REGISTERS: bool = MASKS;

    fn load_partial(self, slice: &[u64]) -> Self::Register {
        let mut register = Portable.load_partial(slice);
        match self.0 {
            Fault::DropsLastWord => register[slice.len() - 1] = 0,
            // A full register has no place for another word.
            Fault::CountsLastWordTwice if slice.len() < WORDS => {
                register[slice.len()] = slice[slice.len() - 1]
            }
            _ => {}
        }
        register
    }

    fn or(self, a: Self::Register, b: Self::Register) -> Self::Register {
        Portable.or(a, b)
    }

    fn xor(self, a: Self::Register, b: Self::Register) -> Self::Register {
        Portable.xor(a, b)
    }

    fn count(self, count: u64, register: Self::Register) -> u64 {
        match self.0 {
            Fault::DropsTopBit => Portable.count(count, register.map(|word| word & u64::MAX >> 1)),
            Fault::WrapsByteCounts => Portable.count(count, register) & 0xff,
            _ => Portable.count(count, register),
        }
    }

    fn add(self, a: u64, b: u64) -> u64 {
        if self.0 == Fault::DropsCounters { a } else { a + b }
    }

    fn sum(self, count: u64) -> u64 {
        count
    }
}

/// The lengths at which a fault goes unnoticed, among those at which it changes anything.
fn survives(fault: Fault, shows: impl Fn(usize) -> bool) -> usize {
    let mut survived = 0;
    for length in packed_lengths().filter(|length| shows(*length)) {
        let (a, mut b) = (vec![u64::MAX; length], vec![0; length]);
        // The vectors have one bit in common. Without it, a quotient would hide what drops from
        // both of its counts.
        if let Some(word) = b.first_mut() {
            *word = 1;
        }
        survived +=
            survives_body(Mutant::<false>(fault), &a, &b) + survives_body(Mutant::<true>(fault), &a, &b);
    }
    survived
}

fn survives_body(isa: impl BitOps, a: &[u64], b: &[u64]) -> usize {
    let hamming = body::distance::<_, rules::Hamming, 1>(isa, a, b);
    let jaccard = body::distance::<_, rules::Jaccard, 2>(isa, a, b);
    usize::from(hamming == expected(Metric::Hamming, a, b))
        + usize::from(jaccard == expected(Metric::Jaccard, a, b))
}

#[test]
fn body_without_a_fault_counts_exactly() {
    assert_eq!(survives(Fault::None, |_| true), 4 * packed_lengths().count());
}

#[test]
fn faults_are_caught_at_every_length_at_which_they_show() {
    assert_eq!(survives(Fault::DropsLastWord, |length| length % WORDS > 1), 0);
    // Where a single word holds every set bit, both counts of a quotient double.
    assert_eq!(survives(Fault::CountsLastWordTwice, |length| length % WORDS > 0 && length > 1), 0);
    assert_eq!(survives(Fault::DropsTopBit, |length| length > 0), 0);
    assert_eq!(survives(Fault::DropsCounters, |length| length >= 4 * WORDS), 0);
    assert_eq!(survives(Fault::WrapsByteCounts, |length| (16..256).contains(&length)), 0);
}

#[cfg(unix)]
mod guard_page {
    use std::vec::Vec;

    use super::{packed_handles, packed_lengths};
    use crate::tests::guard_page::stay_inside;

    #[test]
    fn no_load_crosses_either_end_of_packed_bits() {
        stay_inside(&packed_handles().collect::<Vec<_>>(), packed_lengths(), 1u64, 3);
    }
}
