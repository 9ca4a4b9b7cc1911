//! Half precision: widened exactly as it is loaded, then computed as f32, within the bound of f32.

use core::fmt::Debug;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::vec;
use std::vec::Vec;

use proptest::prelude::*;
use proptest::test_runner::RngSeed;

use super::bound::check;
use crate::tests::lengths;
use crate::tests::values::{Random, Values};
use crate::{Distance, Element, Isa, Metric, bf16, f16};

/// What the tests need to know of an element.
pub(super) trait Wide: Copy + Debug + PartialEq + 'static {
    const ZERO: Self;
    const ONE: Self;

    /// The nearest finite element.
    fn narrow(x: f32) -> Self;
    /// The exact value, computed without the processor's instructions.
    fn widen(self) -> f32;
    /// Any sign and mantissa, with an exponent for which no sum overflows.
    fn finite(bits: u32) -> Self;
}

impl Wide for f32 {
    const ZERO: Self = 0.0;
    const ONE: Self = 1.0;

    fn narrow(x: f32) -> Self {
        x
    }

    fn widen(self) -> f32 {
        self
    }

    fn finite(bits: u32) -> Self {
        f32::from_bits(bits & 0x807f_ffff | (67 + (bits >> 23 & 0xff) % 116) << 23)
    }
}

impl Wide for bf16 {
    const ZERO: Self = bf16::ZERO;
    const ONE: Self = bf16::ONE;

    fn narrow(x: f32) -> Self {
        bf16::from_f32_const(x)
    }

    fn widen(self) -> f32 {
        self.to_f32_const()
    }

    fn finite(bits: u32) -> Self {
        bf16::from_bits((f32::finite(bits).to_bits() >> 16) as u16)
    }
}

impl Wide for f16 {
    const ZERO: Self = f16::ZERO;
    const ONE: Self = f16::ONE;

    fn narrow(x: f32) -> Self {
        f16::from_f32_const(x.clamp(-65504.0, 65504.0))
    }

    fn widen(self) -> f32 {
        self.to_f32_const()
    }

    fn finite(bits: u32) -> Self {
        f16::from_bits((bits as u16 & 0x83ff) | (((bits >> 16) % 31) << 10) as u16)
    }
}

/// A pair of elements whose distance is an f32.
pub(super) trait Pair {
    type Query: Element<Self::Row, Value = f32> + Wide;
    type Row: Wide;

    /// Every variant of every metric that this machine has.
    fn handles() -> Vec<Distance<Self::Query, Self::Row>> {
        Metric::NUMERIC.into_iter().flat_map(Distance::all).collect()
    }
}

impl<Q: Element<R, Value = f32> + Wide, R: Wide> Pair for (Q, R) {
    type Query = Q;
    type Row = R;
}

/// Calls a generic function for every pair that has a half in it.
macro_rules! for_each_pair {
    ($function:ident($($argument:expr),*)) => {{
        $function::<(f16, f16)>($($argument),*);
        $function::<(bf16, bf16)>($($argument),*);
        $function::<(f32, f16)>($($argument),*);
        $function::<(f32, bf16)>($($argument),*);
    }};
}
pub(super) use for_each_pair;

fn narrowed<T: Wide>(elements: &[f32]) -> Vec<T> {
    elements.iter().map(|x| T::narrow(*x)).collect()
}

fn widened<T: Wide>(elements: &[T]) -> Vec<f32> {
    elements.iter().map(|x| x.widen()).collect()
}

/// Compares every way to compute a distance with the bound, and their bits with each other.
fn check_all<P: Pair>(handles: &[Distance<P::Query, P::Row>], query: &[P::Query], rows: [&[P::Row]; 4]) {
    let wide_query = widened(query);
    let wide_rows = rows.map(widened);
    for handle in handles {
        let single = rows.map(|row| handle.distance(query, row));
        for (row, distance) in wide_rows.iter().zip(single) {
            if let Err(message) = check(handle.metric(), &wide_query, row, distance) {
                panic!("{handle:?}: {message}");
            }
        }
        let bits = single.map(f32::to_bits);
        let bound = handle.bind(query);
        assert_eq!(handle.distance_batch_4(query, rows).map(f32::to_bits), bits, "{handle:?}: batch");
        assert_eq!(rows.map(|row| bound.distance(row).to_bits()), bits, "{handle:?}: bound");
        assert_eq!(bound.distance_batch_4(rows).map(f32::to_bits), bits, "{handle:?}: bound batch");
    }
}

fn check_every_length<P: Pair>() {
    let handles = P::handles();
    let mut random = Random::new(30);
    for length in lengths() {
        for values in Values::ALL {
            let (query, first) = values.pair(&mut random, length);
            let (second, third) = values.pair(&mut random, length);
            let query = narrowed::<P::Query>(&query);
            let rows = [first, second, third, widened(&query)].map(|row| narrowed::<P::Row>(&row));
            check_all::<P>(&handles, &query, rows.each_ref().map(|row| &row[..]));
        }
    }
}

#[test]
fn halves_of_every_length_and_distribution_are_within_the_bound() {
    for_each_pair!(check_every_length());
}

/// The bound of floats has tests of its own. This one is about the bits of a bound query.
#[test]
fn bound_query_of_floats_has_the_bits_of_an_unbound_one() {
    check_every_length::<(f32, f32)>();
}

fn check_at_offsets<P: Pair>((first, second, a, b): &(usize, usize, Vec<u32>, Vec<u32>)) {
    let query: Vec<P::Query> = a.iter().map(|bits| P::Query::finite(*bits)).collect();
    let row: Vec<P::Row> = b.iter().map(|bits| P::Row::finite(*bits)).collect();
    check_all::<P>(&P::handles(), &query[*first..], [&row[*second..]; 4]);
}

/// Where each of two vectors starts in its buffer, and the bits of their elements.
fn unaligned_pair() -> impl Strategy<Value = (usize, usize, Vec<u32>, Vec<u32>)> {
    let length = prop_oneof![8 => 0usize..=300, 1 => prop::sample::select(&[384usize, 768, 1000][..])];
    (length, 0usize..32, 0usize..32).prop_flat_map(|(length, first, second)| {
        let bits = |count| prop::collection::vec(any::<u32>(), count);
        (Just(first), Just(second), bits(first + length), bits(second + length))
    })
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 192,
        rng_seed: RngSeed::Fixed(31),
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    #[test]
    fn halves_at_any_offset_are_within_the_bound(pair in unaligned_pair()) {
        for_each_pair!(check_at_offsets(&pair));
    }
}

/// A distance shows every bit of an element except the sign of a zero.
fn check_widening<P: Pair>(element: fn(u16) -> P::Row) {
    let handles: Vec<_> = Distance::<P::Query, P::Row>::all(Metric::InnerProduct).collect();
    for bits in 0..=u16::MAX {
        let element = element(bits);
        let expected = 0.0 - element.widen();
        // A full register, and a partial one.
        for length in [16, 1 + usize::from(bits) % 15] {
            let lane = usize::from(bits) % length;
            let (mut query, mut row) = ([P::Query::ZERO; 16], [P::Row::ZERO; 16]);
            query[lane] = P::Query::ONE;
            row[lane] = element;
            for handle in &handles {
                let found = handle.distance(&query[..length], &row[..length]);
                let same = found.to_bits() == expected.to_bits() || found.is_nan() && expected.is_nan();
                assert!(same, "{handle:?}: {bits:#06x} in lane {lane} of {length}: {found}, not {expected}");
            }
        }
    }
}

#[test]
fn every_half_widens_exactly_in_every_variant() {
    check_widening::<(f16, f16)>(f16::from_bits);
    check_widening::<(f32, f16)>(f16::from_bits);
    check_widening::<(bf16, bf16)>(bf16::from_bits);
    check_widening::<(f32, bf16)>(bf16::from_bits);
}

/// Elements may be loaded in any order, but each must meet the one at its own place. All products
/// here are exact.
fn check_places<P: Pair>() {
    let handles: Vec<_> = Distance::<P::Query, P::Row>::all(Metric::InnerProduct).collect();
    let counting: Vec<P::Row> = (0..200).map(|i| P::Row::narrow(i as f32 + 1.0)).collect();
    for length in 1..=200 {
        let mut query = vec![P::Query::ZERO; length];
        for index in 0..length {
            query[index] = P::Query::ONE;
            for handle in &handles {
                let expected = -(index as f32 + 1.0);
                let row = &counting[..length];
                let found = (handle.distance(&query, row), handle.distance_batch_4(&query, [row; 4]));
                assert_eq!(found, (expected, [expected; 4]), "{handle:?}: element {index} of {length}");
            }
            query[index] = P::Query::ZERO;
        }
    }
}

#[test]
fn every_half_meets_its_own_partner_at_every_length() {
    for_each_pair!(check_places());
}

/// FNV-1a of the distances of halves, by metric in the order of [`Metric::NUMERIC`].
fn digests<P: Pair>(isa: Isa) -> [u64; 3] {
    Metric::NUMERIC.map(|metric| {
        let handle = Distance::<P::Query, P::Row>::with_isa(metric, isa).expect("an available one");
        let mut random = Random::new(32);
        let mut hash = 0xcbf2_9ce4_8422_2325u64;
        for (length, values) in lengths().flat_map(|length| Values::ALL.map(|values| (length, values))) {
            let (a, b) = values.pair(&mut random, length);
            for byte in handle.distance(&narrowed(&a), &narrowed(&b)).to_bits().to_le_bytes() {
                hash = (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3);
            }
        }
        hash
    })
}

fn check_digests<P: Pair>(fused: [u64; 3], portable: [u64; 3]) {
    for isa in Isa::ALL.into_iter().filter(|isa| isa.is_available()) {
        let pinned = if isa == Isa::Scalar { portable } else { fused };
        let found = digests::<P>(isa);
        assert_eq!(found, pinned, "{} at {isa}: {found:#018x?}", core::any::type_name::<P>());
    }
}

/// One machine cannot run every instruction set, so digests pin the bits across machines. The
/// product of two halves of one type is exact in f32, unless it underflows. Where only such
/// products are summed, portable code has the same bits as the others.
#[test]
fn bits_of_halves_equal_the_pinned_digests() {
    let (dot, cosine) = (0x3ef4_8e8e_2789_f22f, 0x13c1_ae45_d051_6af5);
    check_digests::<(f16, f16)>([0x2d29_95a2_e0a8_0bf8, dot, cosine], [0x438a_2064_eee4_2a07, dot, cosine]);
    let (dot, cosine) = (0x4f32_945f_ac04_3fbb, 0x7b50_1ae5_1794_6ac7);
    check_digests::<(bf16, bf16)>([0x4e63_0440_c414_53ec, dot, cosine], [0xc77d_d51a_7a24_f29e, dot, cosine]);
    check_digests::<(f32, f16)>(
        [0x51ee_91f8_ee59_9d4f, 0xbaa6_badc_264a_cbfe, 0x0cbe_4ebc_f7e3_fda7],
        [0xbcd5_47a2_3fc4_922e, 0x0417_f614_e641_6fcf, 0xd842_faad_86ee_33f3],
    );
    check_digests::<(f32, bf16)>(
        [0x6123_fc41_92b7_e903, 0x1540_5b64_30f7_59e5, 0xe731_935a_d948_1d06],
        [0x2ae8_e210_bb67_37b1, 0xc13c_e085_4506_cfeb, 0x7aae_0f3b_b439_c7fb],
    );
}

fn check_distance_many<P: Pair>() {
    let mut random = Random::new(33);
    let (length, stride, count) = (77, 96, 23);
    let mut bits = || random.bits() as u32;
    let base: Vec<P::Row> = (0..stride * count).map(|_| P::Row::finite(bits())).collect();
    let query: Vec<P::Query> = (0..length).map(|_| P::Query::finite(bits())).collect();
    let ids: Vec<u32> = (0..19).map(|_| bits() % count as u32).collect();
    for handle in P::handles() {
        let mut found = vec![0.0; ids.len()];
        handle.distance_many(&query, &base, stride, &ids, &mut found);
        for (id, found) in ids.iter().zip(found) {
            let start = *id as usize * stride;
            let single = handle.distance(&query, &base[start..start + length]);
            assert_eq!(found.to_bits(), single.to_bits(), "{handle:?}");
        }
    }
}

#[test]
fn distance_many_finds_what_single_calls_find() {
    for_each_pair!(check_distance_many());
    check_distance_many::<(f32, f32)>();
}

fn check_lengths<P: Pair>() {
    let (queries, rows) = ([P::Query::ONE; 130], [P::Row::ONE; 130]);
    for handle in P::handles() {
        for (a, b) in [(0, 1), (1, 0), (63, 64), (64, 63), (64, 128), (129, 130)] {
            let (query, row, odd) = (&queries[..a], &rows[..a], &rows[..b]);
            let single = AssertUnwindSafe(|| handle.distance(query, odd));
            let batch = AssertUnwindSafe(|| handle.distance_batch_4(query, [row, row, row, odd]));
            assert!(catch_unwind(single).is_err(), "{handle:?}: {a} and {b}");
            assert!(catch_unwind(batch).is_err(), "{handle:?}: {a} and {b}");
        }
    }
}

#[test]
fn halves_of_different_lengths_are_refused() {
    for_each_pair!(check_lengths());
}
