//! Instruction sets and packings with a fault, under the real algorithm. The comparison with a
//! plain loop must catch each, which shows that the comparison is not vacuous.

use core::ops::Range;
use std::vec::Vec;

use super::{Codes, draw, expected};
use crate::packed::body::{PackedOps, Packing, dot, dot_batch_4};
use crate::packed::rules::Fours;
use crate::tests::values::Random;
use crate::{Code2, Code4};

#[derive(Clone, Copy, Debug, PartialEq)]
enum Fault {
    None,
    SwapsHalves,
    /// As with a shift of wider words that lacks the mask.
    KeepsTheNeighborsBits,
    InterleavesElements,
    DropsFourthCacheLine,
    KeepsTheLastGroupAlone,
    /// Lanes of 16 bits, widened too late.
    Saturates,
    DropsAChain,
    SwapsRows,
}

/// Lanes of pairs, as an instruction that multiplies bytes makes them.
#[derive(Clone, Copy)]
struct Mutant(Fault);

impl PackedOps for Mutant {
    type Sums = ([i32; 32], usize);
    type Lanes = [i32; 32];
    const CACHE_LINES: usize = 8;
    const CHAINS: usize = 2;
    const BATCH: bool = true;

    fn products(self, (mut sums, cache_lines): Self::Sums, query: &[i8; 128], codes: &Codes) -> Self::Sums {
        if self.0 == Fault::DropsFourthCacheLine && cache_lines == 3 {
            return (sums, cache_lines);
        }
        for j in 0..64 {
            let (low, mut high) = (codes[j] & 0x0f, codes[j] >> 4);
            if self.0 == Fault::KeepsTheNeighborsBits {
                high |= codes[j ^ 1] << 4;
            }
            let (a, b) = match self.0 {
                Fault::SwapsHalves => (query[64 + j], query[j]),
                Fault::InterleavesElements => (query[2 * j], query[2 * j + 1]),
                _ => (query[j], query[64 + j]),
            };
            sums[j / 2] += i32::from(a) * i32::from(low) + i32::from(b) * i32::from(high);
            if self.0 == Fault::Saturates {
                sums[j / 2] = sums[j / 2].clamp(-32_768, 32_767);
            }
        }
        (sums, cache_lines + 1)
    }

    fn add(self, (a, a_count): Self::Sums, (b, b_count): Self::Sums) -> Self::Sums {
        match self.0 {
            Fault::DropsAChain => (a, a_count),
            _ => (core::array::from_fn(|i| a[i] + b[i]), a_count + b_count),
        }
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

/// How many rows are computed at once.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Call {
    Single,
    Batch,
}

/// The numbers of cache lines at which a fault goes unnoticed.
fn survives(fault: Fault, call: Call, cache_lines: Range<usize>) -> Vec<usize> {
    let mut random = Random::new(32);
    let unnoticed = |cache_lines: &usize| {
        // All elements are of one sign and near the greatest, so that sums grow and each cache line
        // matters.
        let query: Vec<[i8; 128]> =
            (0..*cache_lines).map(|_| [0; 128].map(|_: i8| 112 + random.below(16) as i8)).collect();
        let rows = [0; 4].map(|_| -> Vec<Codes> {
            (0..*cache_lines).map(|_| [0; 64].map(|_: u8| random.bits() as u8 | 0xcc)).collect()
        });
        let rows = rows.each_ref().map(|row| &row[..]);
        let isa = Mutant(fault);
        let found = match call {
            Call::Single => rows.map(|row| dot::<_, Fours>(isa, &query, row)),
            Call::Batch => dot_batch_4::<_, Fours>(isa, &query, rows),
        };
        found == rows.map(|row| expected::<Code4>(&query, row))
    };
    cache_lines.filter(unnoticed).collect()
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
    // A single row has two chains of four cache lines. Four rows have one chain of eight.
    for (fault, calls, from) in [
        (Fault::SwapsHalves, [single, batch], 1),
        (Fault::KeepsTheNeighborsBits, [single, batch], 1),
        (Fault::InterleavesElements, [single, batch], 1),
        (Fault::DropsFourthCacheLine, [single, batch], 7),
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

const DROPS_ODD_PAIRS: u8 = 1;
const SWAPS_PAIRS: u8 = 2;
/// As with a shift of wider words that lacks the mask.
const KEEPS_THE_NEIGHBORS_BITS: u8 = 3;
const DOUBLE_COUNTS: u8 = 4;

/// A packing with a fault, or with none.
struct FaultyPacking<const FAULT: u8>;

impl<const FAULT: u8> Packing for FaultyPacking<FAULT> {
    type Query = [i8; 256];

    fn products<I: PackedOps>(isa: I, sums: I::Sums, query: &[i8; 256], codes: &Codes) -> I::Sums {
        let mut halves: [[i8; 128]; 2] = bytemuck::cast(*query);
        let even: Codes = core::array::from_fn(|j| codes[j] & 0x33);
        let mut odd: Codes = core::array::from_fn(|j| codes[j] >> 2 & 0x33);
        match FAULT {
            DROPS_ODD_PAIRS => odd = [0; 64],
            SWAPS_PAIRS => halves.swap(0, 1),
            KEEPS_THE_NEIGHBORS_BITS => {
                odd = core::array::from_fn(|j| codes[j] >> 2 & 0x33 | (codes[j ^ 1] & 1) << 6);
            }
            DOUBLE_COUNTS => odd = core::array::from_fn(|j| odd[j] | even[j]),
            _ => (),
        }
        isa.products(isa.products(sums, &halves[0], &even), &halves[1], &odd)
    }
}

/// Whether a packing gives the expected products for any number of cache lines.
fn packing_survives<P: Packing<Query = [i8; 256]>>() -> bool {
    let mut random = Random::new(44);
    (1..20).any(|cache_lines| {
        let query = draw(&mut random, cache_lines);
        let rows = [0; 4].map(|_| draw::<Codes>(&mut random, cache_lines));
        let rows = rows.each_ref().map(|row| &row[..]);
        let expected = rows.map(|row| expected::<Code2>(&query, row));
        let isa = Mutant(Fault::None);
        rows.map(|row| dot::<_, P>(isa, &query, row)) == expected
            || dot_batch_4::<_, P>(isa, &query, rows) == expected
    })
}

#[test]
fn faulty_packings_are_noticed() {
    assert!(packing_survives::<FaultyPacking<0>>());
    assert!(!packing_survives::<FaultyPacking<DROPS_ODD_PAIRS>>());
    assert!(!packing_survives::<FaultyPacking<SWAPS_PAIRS>>());
    assert!(!packing_survives::<FaultyPacking<KEEPS_THE_NEIGHBORS_BITS>>());
    assert!(!packing_survives::<FaultyPacking<DOUBLE_COUNTS>>());
}
