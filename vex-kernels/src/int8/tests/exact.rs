//! Integers: every variant gives exactly what the plain loops give, bit for bit, at any length and
//! with any values.

use std::fmt::Debug;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::vec::Vec;
use std::{println, vec};

use crate::cpu::{Capabilities, Capability};
use crate::tests::lengths;
use crate::tests::values::Random;
use crate::{Code, Code8, Distance, Element, Isa, Metric, Product, Resolved, reference, resolved};

/// An integer of 8 bits, as the tests draw it.
pub(super) trait Sample: Copy + Debug + Into<i64> + 'static {
    const LEAST: Self;
    const GREATEST: Self;
    fn from_byte(byte: u8) -> Self;
}

impl Sample for i8 {
    const LEAST: i8 = -128;
    const GREATEST: i8 = 127;
    fn from_byte(byte: u8) -> i8 {
        byte as i8
    }
}

impl Sample for u8 {
    const LEAST: u8 = 0;
    const GREATEST: u8 = 255;
    fn from_byte(byte: u8) -> u8 {
        byte
    }
}

/// Every variant of every metric that this machine can run, whatever `VEX_SIMD` says.
pub(super) fn variants<Q: Element<R>, R: 'static>() -> Vec<Distance<Q, R>> {
    Metric::NUMERIC.into_iter().flat_map(Distance::all).collect()
}

pub(super) fn expected<Q: Sample, R: Sample>(metric: Metric, a: &[Q], b: &[R]) -> f64 {
    match metric {
        Metric::SquaredEuclidean => reference::squared_euclidean_of_integers(a, b) as f64,
        // From zero, because -0 is no distance.
        Metric::InnerProduct => 0.0 + reference::inner_product_of_integers(a, b) as f64,
        Metric::Cosine => reference::cosine_of_integers(a, b),
        Metric::Hamming | Metric::Jaccard => unreachable!("integers have no {metric} distance"),
    }
}

/// Compares every entry point of every variant with the reference.
pub(super) fn check<Q, R>(variants: &[Distance<Q, R>], query: &[Q], rows: [&[R]; 4])
where
    Q: Sample + Element<R, Value = f64>,
    R: Sample,
{
    for metric in Metric::NUMERIC {
        let mut variants = variants.iter().filter(|variant| variant.metric() == metric).peekable();
        if variants.peek().is_none() {
            continue;
        }
        let expected = rows.map(|row| expected(metric, query, row).to_bits());
        for variant in variants {
            let bound = variant.bind(query);
            let found = [
                rows.map(|row| variant.distance(query, row)),
                variant.distance_batch_4(query, rows),
                rows.map(|row| bound.distance(row)),
                bound.distance_batch_4(rows),
            ];
            let found = found.map(|distances| distances.map(f64::to_bits));
            assert_eq!(found, [expected; 4], "{variant:?}, {} elements", query.len());
        }
    }
}

fn draw<T: Sample>(random: &mut Random, length: usize) -> Vec<T> {
    (0..length).map(|_| T::from_byte(random.bits() as u8)).collect()
}

/// Only the least and the greatest value.
fn draw_extremes<T: Sample>(random: &mut Random, length: usize) -> Vec<T> {
    (0..length).map(|_| if random.below(2) == 0 { T::LEAST } else { T::GREATEST }).collect()
}

fn random_vectors_are_exact<Q: Sample + Element<R, Value = f64>, R: Sample>() {
    let variants = variants();
    let mut random = Random::new(20);
    for length in lengths() {
        // At any offset, since bytes have no alignment.
        let offset = random.below(64);
        let query: Vec<Q> = draw(&mut random, length + offset);
        let rows = [0; 4].map(|_| draw::<R>(&mut random, length + 2 * offset));
        check(&variants, &query[offset..], rows.each_ref().map(|row| &row[2 * offset..]));
        let query: Vec<Q> = draw_extremes(&mut random, length);
        let rows = [0; 4].map(|_| draw_extremes::<R>(&mut random, length));
        check(&variants, &query, rows.each_ref().map(|row| &row[..]));
    }
}

/// All sums as large as they can be, at lengths around those at which 16 or 32 bits overflow.
fn extremes_do_not_overflow<Q: Sample + Element<R, Value = f64>, R: Sample>() {
    let variants = variants();
    for length in [64, 256, 1000, 32_767, 32_768, 32_769, 33_026, 65_537, 131_073, 196_700] {
        let rows = [R::LEAST, R::GREATEST].map(|value| vec![value; length]);
        for value in [Q::LEAST, Q::GREATEST] {
            check(&variants, &vec![value; length], [&rows[0], &rows[1], &rows[1], &rows[0]]);
        }
    }
}

#[test]
fn every_variant_is_exact() {
    random_vectors_are_exact::<i8, i8>();
    random_vectors_are_exact::<u8, u8>();
    random_vectors_are_exact::<i8, u8>();
}

#[test]
fn no_sum_overflows_or_saturates() {
    extremes_do_not_overflow::<i8, i8>();
    extremes_do_not_overflow::<u8, u8>();
    extremes_do_not_overflow::<i8, u8>();
}

#[test]
fn zero_vector_is_at_cosine_distance_one() {
    for length in [0, 1, 63, 64, 300] {
        for variant in Distance::<i8>::all(Metric::Cosine) {
            let (zero, other) = (vec![0; length], vec![-7; length]);
            assert_eq!(variant.distance_batch_4(&zero, [&zero, &other, &zero, &other]), [1.0; 4]);
            assert_eq!(variant.distance(&other, &zero), 1.0);
            if length > 0 {
                assert_eq!(variant.distance(&other, &other), 0.0);
            }
        }
    }
}

#[test]
fn code_products_are_exact_up_to_the_longest() {
    let mut random = Random::new(21);
    let exact = |query: &[i8], rows: [&[u8]; 4]| {
        let expected = rows.map(|row| (-reference::inner_product_of_integers(query, row)) as i32);
        for product in Product::<Code8>::all() {
            assert_eq!(rows.map(|row| product.dot(query, row)), expected, "{product:?}, {}", query.len());
            assert_eq!(product.dot_batch_4(query, rows), expected, "{product:?}, {}", query.len());
        }
    };
    for length in lengths() {
        let query: Vec<i8> = draw(&mut random, length);
        let rows = [0; 4].map(|_| draw::<u8>(&mut random, length));
        exact(&query, rows.each_ref().map(|row| &row[..]));
    }
    let (none, all) = (vec![0; Code8::MAX_LEN], vec![255; Code8::MAX_LEN]);
    for value in [-128, 127] {
        exact(&vec![value; Code8::MAX_LEN], [&all, &none, &all, &all]);
    }
}

#[test]
fn vectors_of_different_lengths_or_too_long_are_refused() {
    let (signed, unsigned) = (vec![1i8; 65_537], vec![1u8; 65_537]);
    let refused = |call: &dyn Fn()| catch_unwind(AssertUnwindSafe(call)).is_err();
    for product in Product::<Code8>::all() {
        assert!(refused(&|| _ = product.dot(&signed, &unsigned)), "{product:?}");
        assert!(refused(&|| _ = product.dot_batch_4(&signed, [&unsigned; 4])), "{product:?}");
        for (a, b) in [(0, 1), (64, 63), (63, 64), (64, 128)] {
            let (row, other) = (&unsigned[..b], &unsigned[..a]);
            assert!(refused(&|| _ = product.dot(&signed[..a], row)), "{product:?}");
            for rows in [
                [row, other, other, other],
                [other, row, other, other],
                [other, other, row, other],
                [other, other, other, row],
            ] {
                assert!(refused(&|| _ = product.dot_batch_4(&signed[..a], rows)), "{product:?}");
            }
        }
    }
    for variant in variants::<u8, u8>() {
        assert!(refused(&|| _ = variant.distance(&unsigned[..64], &unsigned[..65])), "{variant:?}");
        assert!(refused(&|| _ = variant.bind(&unsigned[..64]).distance(&unsigned[..65])), "{variant:?}");
    }
}

/// FNV-1a of the bits of every variant, by metric in the order of [`Metric::NUMERIC`]. One machine
/// cannot run every variant, so digests pin the bits across machines.
const SIGNED: [u64; 3] = [0xebad_7e40_68d7_bb91, 0xf7b4_34d5_7c25_1e0c, 0x05c0_eadf_6af1_0bf4];
const UNSIGNED: [u64; 3] = [0x0c23_11eb_eec5_d119, 0x1d88_7648_eeed_ac5f, 0x24fe_815e_7359_b4ab];

#[test]
fn bits_of_every_variant_equal_the_pinned_digests() {
    fn digests<T: Sample + Element<T, Value = f64>>(pinned: [u64; 3]) {
        for variant in variants::<T, T>() {
            let mut random = Random::new(22);
            let mut hash = 0xcbf2_9ce4_8422_2325u64;
            for length in lengths() {
                let (a, b): (Vec<T>, Vec<T>) = (draw(&mut random, length), draw(&mut random, length));
                for byte in variant.distance(&a, &b).to_bits().to_le_bytes() {
                    hash = (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3);
                }
            }
            let metric = Metric::NUMERIC.iter().position(|metric| *metric == variant.metric()).unwrap();
            assert_eq!(hash, pinned[metric], "{variant:?}: {hash:#018x}");
        }
    }
    digests::<i8>(SIGNED);
    digests::<u8>(UNSIGNED);
}

/// Lists what every pair of elements and metric runs on this machine. None may fall back to
/// portable code on a machine that has a better variant.
#[test]
fn nothing_resolves_to_scalar_on_a_machine_with_simd() {
    let simd = Isa::ALL.into_iter().any(|isa| isa != Isa::Scalar && isa.is_available());
    let capped = std::env::var_os("VEX_SIMD").is_some();
    let resolved: Vec<_> = resolved().collect();
    // Of the eight pairs of numbers, seven have three metrics, and codes have one. Bits have two.
    assert_eq!(resolved.len(), 7 * 3 + 1 + 2);
    for Resolved { query, row, metric, isa, name, .. } in &resolved {
        println!("{query} x {row}, {metric}: {name}");
        assert!(!simd || capped || *isa != Isa::Scalar, "{query} x {row}, {metric}");
    }
    let product = Product::<Code8>::all().next().map(|best| best.name());

    let machine = Capabilities::detect();
    for (exists, best) in [
        (machine.has(Capability::Avx512Vnni), "avx512+vnni"),
        (machine.has(Capability::AvxVnni) && !machine.has(Capability::Avx512), "avx2+vnni"),
        (machine.has(Capability::Dotprod), "neon+dotprod"),
    ] {
        let integers = Distance::<i8>::all(Metric::InnerProduct).next().map(|distance| distance.name());
        assert!(!exists || (product, integers) == (Some(best), Some(best)), "{product:?}, {integers:?}");
    }
}
