//! Packed 4-bit codes: every implementation gives exactly what a plain loop gives, and faulty ones are noticed.

use core::ops::Range;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::vec;
use std::vec::Vec;

use proptest::prelude::*;
use proptest::test_runner::RngSeed;

#[cfg(unix)]
use super::guard_page::Island;
use super::values::Random;
use crate::isa::Capabilities;
use crate::nibble::{Fours, Nibbles, dot, dot_batch_4};
use crate::{Level, NibbleProduct};

type Query = [i8; 128];
type Codes = [u8; 64];

/// Element by element, as the layout is described.
fn expected(query: &[Query], codes: &[Codes]) -> i32 {
    let element = |index: usize| {
        let byte = codes[index / 128][index % 64];
        i32::from(if index % 128 < 64 { byte % 16 } else { byte / 16 })
    };
    (0..128 * query.len()).map(|index| i32::from(query[index / 128][index % 128]) * element(index)).sum()
}

fn draw_query(random: &mut Random, lines: usize) -> Vec<Query> {
    (0..lines).map(|_| [0; 128].map(|_: i8| random.bits() as i8)).collect()
}

fn draw_codes(random: &mut Random, lines: usize) -> Vec<Codes> {
    (0..lines).map(|_| [0; 64].map(|_: u8| random.bits() as u8)).collect()
}

fn check(query: &[Query], rows: [&[Codes]; 4]) {
    let expected = rows.map(|row| expected(query, row));
    for product in NibbleProduct::all() {
        let singles = rows.map(|row| product.dot(query, row));
        assert_eq!(singles, expected, "{product:?}, {} lines", query.len());
        assert_eq!(product.dot_batch_4(query, rows), expected, "{product:?}, {} lines", query.len());
    }
}

#[test]
fn every_number_of_lines_is_exact() {
    let mut random = Random::new(30);
    for lines in (0..=40).chain([NibbleProduct::MAX_LINES - 1, NibbleProduct::MAX_LINES]) {
        let query = draw_query(&mut random, lines);
        let rows = [0; 4].map(|_| draw_codes(&mut random, lines));
        check(&query, rows.each_ref().map(|row| &row[..]));
    }
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 200,
        rng_seed: RngSeed::Fixed(33),
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    /// Values from few, so that sums drift far from zero, or from all; lines at any address.
    #[test]
    fn any_lines_are_exact(seed: u64, lines in 0usize..24, offset in 0usize..64, queries: [i8; 2], codes: [u8; 2]) {
        let mut random = Random::new(seed);
        let few = random.below(2) == 0;
        let mut bytes = |count: usize, values: [u8; 2]| -> Vec<u8> {
            let mut draw = || if few { values[random.below(2)] } else { random.bits() as u8 };
            (0..count + offset).map(|_| draw()).collect()
        };
        let query = bytes(128 * lines, queries.map(|value| value as u8));
        let rows = [0; 4].map(|_| bytes(64 * lines, codes));
        let query: &[Query] = bytemuck::cast_slice(&query[offset..]);
        check(query, rows.each_ref().map(|row| bytemuck::cast_slice(&row[offset..])));
    }
}

/// Every sum as large as it can be, in each half of the codes and in both, at lengths around those at which sums of 16
/// bits are widened.
#[test]
fn no_sum_overflows_or_saturates() {
    for lines in (1..=17).chain([NibbleProduct::MAX_LINES]) {
        let rows = [0xff, 0x0f, 0xf0, 0].map(|byte| vec![[byte; 64]; lines]);
        for value in [-128, 127] {
            check(&vec![[value; 128]; lines], rows.each_ref().map(|row| &row[..]));
        }
    }
}

#[test]
fn every_element_meets_its_own_partner() {
    let codes: Vec<Codes> = draw_codes(&mut Random::new(31), 9);
    let zero = vec![[0; 64]; 9];
    for lines in [1, 2, 3, 4, 5, 8, 9] {
        let mut query = vec![[0i8; 128]; lines];
        for index in 0..128 * lines {
            query[index / 128][index % 128] = -128;
            check(&query, [&codes[..lines], &zero[..lines], &codes[9 - lines..], &codes[..lines]]);
            query[index / 128][index % 128] = 0;
        }
    }
}

#[test]
fn unequal_or_too_many_lines_are_refused() {
    let (query, codes) = (vec![[1i8; 128]; 514], vec![[1u8; 64]; 514]);
    let refused = |call: &dyn Fn()| catch_unwind(AssertUnwindSafe(call)).is_err();
    for product in NibbleProduct::all() {
        for (a, b) in [(0, 1), (1, 0), (8, 7), (7, 8), (513, 513), (512, 513), (513, 512)] {
            let (query, row) = (&query[..a], &codes[..b]);
            assert!(refused(&|| _ = product.dot(query, row)), "{product:?}, {a} and {b} lines");
            for odd in 0..4 {
                let mut rows = [&codes[..a]; 4];
                rows[odd] = row;
                assert!(refused(&|| _ = product.dot_batch_4(query, rows)), "{product:?}, {a} and {b} lines");
            }
        }
    }
}

#[cfg(unix)]
#[test]
fn no_load_crosses_either_end_of_a_vector() {
    let (mut first, mut second) = (Island::new(), Island::new());
    let (queries, codes) = (first.elements::<Query>(), second.elements::<Codes>());
    queries.fill([-3; 128]);
    codes.fill([0x7b; 64]);
    for lines in 0..=queries.len().min(codes.len()) {
        for query in [&queries[..lines], &queries[queries.len() - lines..]] {
            check(query, [&codes[..lines], &codes[codes.len() - lines..], &codes[..lines], &codes[..lines]]);
        }
    }
}

#[test]
fn best_implementation_is_what_the_machine_has() {
    let machine = Capabilities::detect();
    let names: Vec<_> = NibbleProduct::all().map(|product| product.name()).collect();
    let expected = [
        (machine.avx512_vnni(), "avx512+vnni"),
        (machine.avx512(), "avx512"),
        (machine.avx_vnni(), "avx2+vnni"),
        (machine.avx2(), "avx2"),
        (machine.dotprod(), "neon+dotprod"),
        (machine.neon(), "neon"),
        (true, "scalar"),
    ];
    let expected: Vec<_> = expected.into_iter().filter(|(exists, _)| *exists).map(|(_, name)| name).collect();
    assert_eq!(names, expected);
    for level in Level::ALL {
        let found = NibbleProduct::with_level(level).map(|product| product.level());
        assert_eq!(found, level.is_available().then_some(level));
    }
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Fault {
    None,
    SwapsNibbles,
    /// As a shift of wider words without the mask.
    KeepsTheNeighborsBits,
    InterleavesElements,
    DropsFourthLine,
    KeepsTheLastGroupAlone,
    /// Lanes of 16 bits, widened too late.
    Saturates,
    DropsAChain,
    SwapsRows,
}

/// Lanes of pairs, as an instruction that multiplies bytes makes them.
#[derive(Clone, Copy)]
pub(super) struct Mutant(Fault);

impl Mutant {
    pub(super) const WITHOUT_A_FAULT: Self = Self(Fault::None);
}

impl Nibbles for Mutant {
    type Sums = ([i32; 32], usize);
    type Lanes = [i32; 32];
    const LINES: usize = 8;
    const CHAINS: usize = 2;
    const BATCH: bool = true;

    fn zero(self) -> Self::Sums {
        ([0; 32], 0)
    }

    fn products(self, (mut sums, lines): Self::Sums, query: &Query, codes: &Codes) -> Self::Sums {
        if self.0 == Fault::DropsFourthLine && lines == 3 {
            return (sums, lines);
        }
        for j in 0..64 {
            let (low, mut high) = (codes[j] & 0x0f, codes[j] >> 4);
            if self.0 == Fault::KeepsTheNeighborsBits {
                high |= codes[j ^ 1] << 4;
            }
            let (a, b) = match self.0 {
                Fault::SwapsNibbles => (query[64 + j], query[j]),
                Fault::InterleavesElements => (query[2 * j], query[2 * j + 1]),
                _ => (query[j], query[64 + j]),
            };
            sums[j / 2] += i32::from(a) * i32::from(low) + i32::from(b) * i32::from(high);
            if self.0 == Fault::Saturates {
                sums[j / 2] = sums[j / 2].clamp(-32_768, 32_767);
            }
        }
        (sums, lines + 1)
    }

    fn add(self, (a, a_lines): Self::Sums, (b, b_lines): Self::Sums) -> Self::Sums {
        match self.0 {
            Fault::DropsAChain => (a, a_lines),
            _ => (core::array::from_fn(|i| a[i] + b[i]), a_lines + b_lines),
        }
    }

    fn no_lanes(self) -> [i32; 32] {
        [0; 32]
    }

    fn widen(self, lanes: [i32; 32], (sums, _): Self::Sums) -> [i32; 32] {
        match self.0 {
            Fault::KeepsTheLastGroupAlone => sums,
            _ => core::array::from_fn(|i| lanes[i] + sums[i]),
        }
    }

    fn total(self, lanes: [i32; 32]) -> i32 {
        lanes.iter().sum()
    }

    fn totals(self, rows: [[i32; 32]; 4]) -> [i32; 4] {
        let [a, b, c, d] = rows.map(|lanes| self.total(lanes));
        if self.0 == Fault::SwapsRows { [a, c, b, d] } else { [a, b, c, d] }
    }
}

/// How many rows at once.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Call {
    Single,
    Batch,
}

/// The numbers of lines at which a fault goes unnoticed.
fn survives(fault: Fault, call: Call, lines: Range<usize>) -> Vec<usize> {
    let mut random = Random::new(32);
    let unnoticed = |lines: &usize| {
        // All of one sign and near the greatest, so that sums grow and each line matters.
        let query: Vec<Query> =
            (0..*lines).map(|_| [0; 128].map(|_: i8| 112 + random.below(16) as i8)).collect();
        let rows = [0; 4].map(|_| -> Vec<Codes> {
            (0..*lines).map(|_| [0; 64].map(|_: u8| random.bits() as u8 | 0xcc)).collect()
        });
        let rows = rows.each_ref().map(|row| &row[..]);
        let isa = Mutant(fault);
        let found = match call {
            Call::Single => rows.map(|row| dot::<_, Fours>(isa, &query, row)),
            Call::Batch => dot_batch_4::<_, Fours>(isa, &query, rows),
        };
        found == rows.map(|row| expected(&query, row))
    };
    lines.filter(unnoticed).collect()
}

#[test]
fn body_without_a_fault_passes() {
    for call in [Call::Single, Call::Batch] {
        assert_eq!(survives(Fault::None, call, 0..50), Vec::from_iter(0..50), "{call:?}");
    }
}

#[test]
fn every_fault_is_noticed_from_where_it_shows() {
    let (single, batch) = (Some(Call::Single), Some(Call::Batch));
    // A row on its own has two chains of four lines, four rows have one of eight.
    for (fault, calls, from) in [
        (Fault::SwapsNibbles, [single, batch], 1),
        (Fault::KeepsTheNeighborsBits, [single, batch], 1),
        (Fault::InterleavesElements, [single, batch], 1),
        (Fault::DropsFourthLine, [single, batch], 7),
        (Fault::KeepsTheLastGroupAlone, [single, batch], 9),
        (Fault::Saturates, [None, batch], 8),
        (Fault::DropsAChain, [single, None], 2),
        (Fault::SwapsRows, [None, batch], 1),
    ] {
        for call in calls.into_iter().flatten() {
            assert_eq!(survives(fault, call, from..50), [0; 0], "{fault:?}, {call:?}");
        }
    }
}
