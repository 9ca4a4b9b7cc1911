//! Packed codes: every implementation gives exactly what a plain loop gives.

mod mutants;

use std::fmt::Debug;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::vec;
use std::vec::Vec;

use bytemuck::Pod;
use proptest::prelude::*;
use proptest::test_runner::RngSeed;

use crate::cpu::{Capabilities, Capability};
#[cfg(unix)]
use crate::tests::guard_page::Island;
use crate::tests::values::Random;
use crate::{Code, Code2, Code4, Isa, Product};

type Codes = [u8; 64];

/// A kind of packed code, as the tests read it.
trait Kind: Code<Query: Pod, Row = Codes> + Debug {
    /// Elements in a cache line.
    const ELEMENTS: usize;

    /// An element of a cache line, by the description of the layout.
    fn element(cache_line: &Codes, index: usize) -> u8;
}

impl Kind for Code4 {
    const ELEMENTS: usize = 128;

    fn element(cache_line: &Codes, index: usize) -> u8 {
        if index < 64 { cache_line[index] % 16 } else { cache_line[index - 64] / 16 }
    }
}

impl Kind for Code2 {
    const ELEMENTS: usize = 256;

    fn element(cache_line: &Codes, index: usize) -> u8 {
        cache_line[index % 64] >> [0, 4, 2, 6][index / 64] & 3
    }
}

/// The product, element by element.
fn expected<C: Kind>(query: &[C::Query], codes: &[Codes]) -> i32 {
    let elements: &[i8] = bytemuck::cast_slice(query);
    let code = |index: usize| i32::from(C::element(&codes[index / C::ELEMENTS], index % C::ELEMENTS));
    elements.iter().enumerate().map(|(index, element)| i32::from(*element) * code(index)).sum()
}

fn draw<T: Pod>(random: &mut Random, cache_lines: usize) -> Vec<T> {
    let mut drawn = vec![T::zeroed(); cache_lines];
    bytemuck::cast_slice_mut(&mut drawn).fill_with(|| random.bits() as u8);
    drawn
}

fn filled<T: Pod>(byte: u8, cache_lines: usize) -> Vec<T> {
    let mut filled = vec![T::zeroed(); cache_lines];
    bytemuck::cast_slice_mut(&mut filled).fill(byte);
    filled
}

fn check<C: Kind>(query: &[C::Query], rows: [&[Codes]; 4]) {
    let expected = rows.map(|row| expected::<C>(query, row));
    for product in Product::<C>::all() {
        let singles = rows.map(|row| product.dot(query, row));
        assert_eq!(singles, expected, "{product:?}, {} cache lines", query.len());
        assert_eq!(product.dot_batch_4(query, rows), expected, "{product:?}, {} cache lines", query.len());
    }
}

fn numbers_of_cache_lines_are_exact<C: Kind>() {
    let mut random = Random::new(30);
    for cache_lines in (0..=40).chain([C::MAX_LEN - 1, C::MAX_LEN]) {
        let query = draw(&mut random, cache_lines);
        let rows = [0; 4].map(|_| draw(&mut random, cache_lines));
        check::<C>(&query, rows.each_ref().map(|row| &row[..]));
    }
}

#[test]
fn every_number_of_cache_lines_is_exact() {
    numbers_of_cache_lines_are_exact::<Code4>();
    numbers_of_cache_lines_are_exact::<Code2>();
}

/// The values are from two alone, so that sums drift far from zero, or from all. The cache lines
/// lie at any address.
fn cache_lines_at_any_address_are_exact<C: Kind>(
    seed: u64,
    cache_lines: usize,
    offset: usize,
    few: [[u8; 2]; 2],
) {
    let mut random = Random::new(seed);
    let is_few = random.below(2) == 0;
    let mut bytes = |count: usize, values: [u8; 2]| -> Vec<u8> {
        let mut draw = || if is_few { values[random.below(2)] } else { random.bits() as u8 };
        (0..count + offset).map(|_| draw()).collect()
    };
    let query = bytes(C::ELEMENTS * cache_lines, few[0]);
    let rows = [0; 4].map(|_| bytes(64 * cache_lines, few[1]));
    let rows = rows.each_ref().map(|row| bytemuck::cast_slice(&row[offset..]));
    check::<C>(bytemuck::cast_slice(&query[offset..]), rows);
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 200,
        rng_seed: RngSeed::Fixed(33),
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    #[test]
    fn any_cache_lines_are_exact(
        seed: u64,
        cache_lines in 0usize..24,
        offset in 0usize..64,
        few: [[u8; 2]; 2],
    ) {
        cache_lines_at_any_address_are_exact::<Code4>(seed, cache_lines, offset, few);
        cache_lines_at_any_address_are_exact::<Code2>(seed, cache_lines, offset, few);
    }
}

/// Every sum is as large as it can be, in each part of the codes and in all. The lengths are around
/// those at which sums of 16 bits are widened.
fn sums_do_not_overflow<C: Kind>() {
    for cache_lines in (1..=17).chain([C::MAX_LEN]) {
        for bytes in [[0xff, 0x0f, 0xf0, 0], [0x03, 0x30, 0xcc, 0x33], [0x0c, 0xc0, 0xff, 0]] {
            let rows = bytes.map(|byte| filled(byte, cache_lines));
            for element in [-128i8, 127] {
                check::<C>(&filled(element as u8, cache_lines), rows.each_ref().map(|row| &row[..]));
            }
        }
    }
}

#[test]
fn no_sum_overflows_or_saturates() {
    sums_do_not_overflow::<Code4>();
    sums_do_not_overflow::<Code2>();
}

fn elements_meet_their_partners<C: Kind>() {
    let codes: Vec<Codes> = draw(&mut Random::new(31), 9);
    let zero = vec![[0; 64]; 9];
    for cache_lines in [1, 2, 3, 4, 5, 8, 9] {
        let mut query: Vec<C::Query> = filled(0, cache_lines);
        for index in 0..C::ELEMENTS * cache_lines {
            bytemuck::cast_slice_mut(&mut query)[index] = -128i8;
            check::<C>(
                &query,
                [
                    &codes[..cache_lines],
                    &zero[..cache_lines],
                    &codes[9 - cache_lines..],
                    &codes[..cache_lines],
                ],
            );
            bytemuck::cast_slice_mut(&mut query)[index] = 0i8;
        }
    }
}

#[test]
fn every_element_meets_its_own_partner() {
    elements_meet_their_partners::<Code4>();
    elements_meet_their_partners::<Code2>();
}

/// The upper and the lower two bits of 4-bit codes are two planes of 2-bit codes, which the layouts
/// allow.
#[test]
fn two_planes_of_two_bits_are_codes_of_four() {
    let mut random = Random::new(43);
    let (query, codes) = (draw::<[i8; 256]>(&mut random, 3), draw::<Codes>(&mut random, 6));
    let plane = |shift: u8| -> Vec<Codes> {
        let bits = |byte: u8| byte >> shift & 0x33;
        let pairs = codes.as_chunks().0.iter();
        pairs.map(|[a, b]: &[Codes; 2]| core::array::from_fn(|j| bits(a[j]) | bits(b[j]) << 2)).collect()
    };
    let fours = Product::<Code4>::new().dot(bytemuck::cast_slice(&query), &codes);
    let product = Product::<Code2>::new();
    assert_eq!(4 * product.dot(&query, &plane(2)) + product.dot(&query, &plane(0)), fours);
}

fn wrong_lengths_are_refused<C: Kind>() {
    let max = C::MAX_LEN;
    let (query, codes): (Vec<C::Query>, Vec<Codes>) = (filled(1, max + 2), filled(1, max + 2));
    let refused = |call: &dyn Fn()| catch_unwind(AssertUnwindSafe(call)).is_err();
    for product in Product::<C>::all() {
        for (a, b) in [(0, 1), (1, 0), (8, 7), (7, 8), (max + 1, max + 1), (max, max + 1), (max + 1, max)] {
            let (query, row) = (&query[..a], &codes[..b]);
            assert!(refused(&|| _ = product.dot(query, row)), "{product:?}, {a} and {b} cache lines");
            for odd in 0..4 {
                let mut rows = [&codes[..a]; 4];
                rows[odd] = row;
                assert!(
                    refused(&|| _ = product.dot_batch_4(query, rows)),
                    "{product:?}, {a} and {b} cache lines"
                );
            }
        }
    }
}

#[test]
fn unequal_or_too_many_cache_lines_are_refused() {
    wrong_lengths_are_refused::<Code4>();
    wrong_lengths_are_refused::<Code2>();
}

#[cfg(unix)]
fn loads_stay_inside<C: Kind>() {
    let (mut first, mut second) = (Island::new(), Island::new());
    let (queries, codes) = (first.elements::<C::Query>(), second.elements::<Codes>());
    bytemuck::cast_slice_mut(queries).fill(-3i8);
    codes.fill([0x7b; 64]);
    for cache_lines in 0..=queries.len().min(codes.len()) {
        for query in [&queries[..cache_lines], &queries[queries.len() - cache_lines..]] {
            check::<C>(
                query,
                [
                    &codes[..cache_lines],
                    &codes[codes.len() - cache_lines..],
                    &codes[..cache_lines],
                    &codes[..cache_lines],
                ],
            );
        }
    }
}

#[cfg(unix)]
#[test]
fn no_load_crosses_either_end_of_a_vector() {
    loads_stay_inside::<Code4>();
    loads_stay_inside::<Code2>();
}

fn implementations_are_those_of_the_machine<C: Kind>() {
    let machine = Capabilities::detect();
    let names: Vec<_> = Product::<C>::all().map(|product| product.name()).collect();
    let expected = [
        (machine.has(Capability::Avx512Vnni), "avx512+vnni"),
        (machine.has(Capability::Avx512), "avx512"),
        (machine.has(Capability::AvxVnni), "avx2+vnni"),
        (machine.has(Capability::Avx2), "avx2"),
        (machine.has(Capability::Dotprod), "neon+dotprod"),
        (machine.has(Capability::Neon), "neon"),
        (true, "scalar"),
    ];
    let expected: Vec<_> = expected.into_iter().filter(|(exists, _)| *exists).map(|(_, name)| name).collect();
    assert_eq!(names, expected);
    for isa in Isa::ALL {
        let found = Product::<C>::with_isa(isa).map(|product| product.isa());
        assert_eq!(found, isa.is_available().then_some(isa));
    }
}

#[test]
fn best_implementation_is_what_the_machine_has() {
    implementations_are_those_of_the_machine::<Code4>();
    implementations_are_those_of_the_machine::<Code2>();
}
