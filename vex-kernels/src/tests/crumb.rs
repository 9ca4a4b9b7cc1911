//! Packed 2-bit codes: every implementation gives exactly what a plain loop gives, and faulty packings are noticed. What the
//! body does with lines, chains and lanes is tested with [four bits](super::nibble).

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::vec;
use std::vec::Vec;

use proptest::prelude::*;
use proptest::test_runner::RngSeed;

#[cfg(unix)]
use super::guard_page::Island;
use super::values::Random;
use crate::isa::Capabilities;
use crate::nibble::{Nibbles, Packing, dot, dot_batch_4};
use crate::{CrumbProduct, Level, NibbleProduct};

type Query = [i8; 256];
type Codes = [u8; 64];

/// Element by element, as the layout is described.
fn expected(query: &[Query], codes: &[Codes]) -> i32 {
    let shift = |element: usize| [0, 4, 2, 6][element / 64];
    let element = |index: usize| i32::from(codes[index / 256][index % 64] >> shift(index % 256) & 3);
    (0..256 * query.len()).map(|index| i32::from(query[index / 256][index % 256]) * element(index)).sum()
}

fn draw_query(random: &mut Random, lines: usize) -> Vec<Query> {
    (0..lines).map(|_| [0; 256].map(|_: i8| random.bits() as i8)).collect()
}

fn draw_codes(random: &mut Random, lines: usize) -> Vec<Codes> {
    (0..lines).map(|_| [0; 64].map(|_: u8| random.bits() as u8)).collect()
}

fn check(query: &[Query], rows: [&[Codes]; 4]) {
    let expected = rows.map(|row| expected(query, row));
    for product in CrumbProduct::all() {
        let singles = rows.map(|row| product.dot(query, row));
        assert_eq!(singles, expected, "{product:?}, {} lines", query.len());
        assert_eq!(product.dot_batch_4(query, rows), expected, "{product:?}, {} lines", query.len());
    }
}

#[test]
fn every_number_of_lines_is_exact() {
    let mut random = Random::new(40);
    for lines in (0..=40).chain([CrumbProduct::MAX_LINES - 1, CrumbProduct::MAX_LINES]) {
        let query = draw_query(&mut random, lines);
        let rows = [0; 4].map(|_| draw_codes(&mut random, lines));
        check(&query, rows.each_ref().map(|row| &row[..]));
    }
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 200,
        rng_seed: RngSeed::Fixed(41),
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    /// Lines at any address.
    #[test]
    fn any_lines_are_exact(seed: u64, lines in 0usize..24, offset in 0usize..64) {
        let mut random = Random::new(seed);
        let mut bytes = |count: usize| -> Vec<u8> { (0..count + offset).map(|_| random.bits() as u8).collect() };
        let query = bytes(256 * lines);
        let rows = [0; 4].map(|_| bytes(64 * lines));
        let query: &[Query] = bytemuck::cast_slice(&query[offset..]);
        check(query, rows.each_ref().map(|row| bytemuck::cast_slice(&row[offset..])));
    }
}

/// Every sum as large as it can be, in each pair of bits and in all, at lengths around those at which sums of 16 bits are widened.
#[test]
fn no_sum_overflows_or_saturates() {
    for lines in (1..=17).chain([CrumbProduct::MAX_LINES]) {
        for bytes in [[0xff, 0x03, 0x30, 0], [0xcc, 0x0c, 0xc0, 0x33]] {
            let rows = bytes.map(|byte| vec![[byte; 64]; lines]);
            for value in [-128, 127] {
                check(&vec![[value; 256]; lines], rows.each_ref().map(|row| &row[..]));
            }
        }
    }
}

#[test]
fn every_element_meets_its_own_partner() {
    let codes: Vec<Codes> = draw_codes(&mut Random::new(42), 5);
    let zero = vec![[0; 64]; 5];
    for lines in [1, 2, 3, 4, 5] {
        let mut query = vec![[0i8; 256]; lines];
        for index in 0..256 * lines {
            query[index / 256][index % 256] = -128;
            check(&query, [&codes[..lines], &zero[..lines], &codes[5 - lines..], &codes[..lines]]);
            query[index / 256][index % 256] = 0;
        }
    }
}

/// The upper and the lower two bits of packed codes of four, as the layouts of the two products meet.
#[test]
fn two_planes_of_two_bits_are_codes_of_four() {
    let mut random = Random::new(43);
    let (query, codes) = (draw_query(&mut random, 3), draw_codes(&mut random, 6));
    let plane = |shift: u8| -> Vec<Codes> {
        let bits = |byte: u8| byte >> shift & 0x33;
        codes
            .as_chunks()
            .0
            .iter()
            .map(|[a, b]: &[Codes; 2]| core::array::from_fn(|j| bits(a[j]) | bits(b[j]) << 2))
            .collect()
    };
    let fours = NibbleProduct::new().dot(bytemuck::cast_slice(&query), &codes);
    let product = CrumbProduct::new();
    assert_eq!(4 * product.dot(&query, &plane(2)) + product.dot(&query, &plane(0)), fours);
}

#[test]
fn unequal_or_too_many_lines_are_refused() {
    let (query, codes) = (vec![[1i8; 256]; 258], vec![[1u8; 64]; 258]);
    let refused = |call: &dyn Fn()| catch_unwind(AssertUnwindSafe(call)).is_err();
    for product in CrumbProduct::all() {
        for (a, b) in [(0, 1), (1, 0), (8, 7), (7, 8), (257, 257), (256, 257), (257, 256)] {
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
    queries.fill([-3; 256]);
    codes.fill([0x7b; 64]);
    for lines in 0..=queries.len().min(codes.len()) {
        for query in [&queries[..lines], &queries[queries.len() - lines..]] {
            check(query, [&codes[..lines], &codes[codes.len() - lines..], &codes[..lines], &codes[..lines]]);
        }
    }
}

#[test]
fn implementations_are_those_of_four_bits() {
    let names: Vec<_> = CrumbProduct::all().map(|product| (product.level(), product.name())).collect();
    let fours: Vec<_> = NibbleProduct::all().map(|product| (product.level(), product.name())).collect();
    assert_eq!(names, fours);
    assert!(!Capabilities::detect().avx2() || CrumbProduct::with_level(Level::Avx2).is_some());
}

const DROPS_ODD_PAIRS: u8 = 1;
const SWAPS_PAIRS: u8 = 2;
/// As a shift of wider words without the mask.
const KEEPS_THE_NEIGHBORS_BITS: u8 = 3;
const DOUBLE_COUNTS: u8 = 4;

/// A packing with a fault, or with none.
struct Mutant<const FAULT: u8>;

impl<const FAULT: u8> Packing for Mutant<FAULT> {
    type Query = Query;
    const MAX_LINES: usize = CrumbProduct::MAX_LINES;

    fn products<I: Nibbles>(isa: I, sums: I::Sums, query: &Query, codes: &Codes) -> I::Sums {
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

/// Whether a packing gives what is expected for any number of lines.
fn survives<P: Packing<Query = Query>>() -> bool {
    let mut random = Random::new(44);
    (1..20).any(|lines| {
        let query = draw_query(&mut random, lines);
        let rows = [0; 4].map(|_| draw_codes(&mut random, lines));
        let rows = rows.each_ref().map(|row| &row[..]);
        let expected = rows.map(|row| expected(&query, row));
        let isa = super::nibble::Mutant::WITHOUT_A_FAULT;
        rows.map(|row| dot::<_, P>(isa, &query, row)) == expected
            || dot_batch_4::<_, P>(isa, &query, rows) == expected
    })
}

#[test]
fn faulty_packings_are_noticed() {
    assert!(survives::<Mutant<0>>());
    assert!(!survives::<Mutant<DROPS_ODD_PAIRS>>());
    assert!(!survives::<Mutant<SWAPS_PAIRS>>());
    assert!(!survives::<Mutant<KEEPS_THE_NEIGHBORS_BITS>>());
    assert!(!survives::<Mutant<DOUBLE_COUNTS>>());
}
