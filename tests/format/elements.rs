//! Files of every element are written, read, damaged and refused.

use proptest::prelude::*;
use support::{Random, Vector, poke, seal, small, write, write_with};
use vex_format::{AlignedBytes, Field, Image, Meta, OpenError, Store, VerifyError, WriteError, Writer};
use vex_graph::{
    Element, Elements, Hnsw, Metric, Neighbor, Params, Quantization, Rows, Scratch, SearchParams, Vectors,
    f16, search,
};

fn pairs() -> impl Iterator<Item = (Element, Metric)> {
    Element::ALL
        .into_iter()
        .flat_map(|element| element.metrics().iter().map(move |metric| (element, *metric)))
}

fn file(element: Element, metric: Metric) -> AlignedBytes {
    let (vectors, graph) = small(element, metric);
    write(&graph.view_of(vectors.rows()), &graph.keys())
}

/// The offset of the first vector.
fn vectors_at(file: &[u8]) -> usize {
    u64::from_le_bytes(file[128 + 8..128 + 16].try_into().unwrap()) as usize
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 40, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_graph_that_was_written_is_read_as_it_was(
        (element, metric) in prop::sample::select(pairs().collect::<Vec<_>>()),
        dim in 1usize..200,
        count in 1usize..60,
        seed in any::<u64>(),
    ) {
        let mut random = Random(seed);
        let params = Params::new().m(4).ef_construction(20).element(element);
        let mut graph = Hnsw::new(metric, dim, params).unwrap();
        for _ in 0..count {
            // A vector of one element may be zero, which cosine refuses.
            let _ = graph.insert(Vector::random(element, dim, &mut random).elements());
        }
        let view = graph.view();
        let keys: Vec<u64> = (0..view.count() as u64).collect();
        let file = write(&view, &keys);
        let image = Image::open(&file).unwrap();
        prop_assert_eq!(image.verify(), Ok(()));
        prop_assert_eq!((image.header().element, image.params().element), (element, element));
        for (id, key) in image.keys().iter().enumerate() {
            prop_assert_eq!(image.graph().rows().row(id as u32), view.rows().row(*key as u32));
        }
        let copy = Hnsw::from_view(&image.graph(), *image.params()).unwrap();
        prop_assert!(*write(&copy.view(), image.keys()) == *file);
        let query = Vector::random(element, dim, &mut random);
        let (mut before, mut after) = ([Neighbor::default(); 5], [Neighbor::default(); 5]);
        let params = SearchParams::new(5).ef_search(60);
        if let Ok(stats) = search(&view, query.elements(), &params, &mut Scratch::new(), &mut before) {
            search(&image.graph(), query.elements(), &params, &mut Scratch::new(), &mut after).unwrap();
            for (before, after) in before[..stats.found].iter().zip(&after) {
                prop_assert_eq!(before.distance.to_bits(), after.distance.to_bits());
            }
        }
    }
}

#[test]
fn every_flipped_bit_is_found_and_none_is_fatal() {
    for (element, metric) in pairs() {
        let good = file(element, metric);
        for position in 0..good.len() {
            let mut damaged = AlignedBytes::copy_of(&good).unwrap();
            damaged[position] ^= 1 << (position % 8);
            if let Ok(image) = Image::open(&damaged) {
                assert_ne!(image.verify(), Ok(()), "{element}, {metric}: byte {position}");
                poke(&image.graph());
            }
            seal(&mut damaged);
            if let Ok(image) = Image::open(&damaged) {
                let _ = image.verify();
                poke(&image.graph());
            }
        }
        for len in 0..good.len() {
            let cut = AlignedBytes::copy_of(&good[..len]).unwrap();
            assert!(Image::open(&cut).is_err(), "{element}, {metric}: {len} bytes");
        }
    }
}

/// The result of a full scan of a file with these bytes at `offset` of its first row.
fn verify_with(element: Element, metric: Metric, offset: usize, bytes: &[u8]) -> Result<(), VerifyError> {
    let mut file = file(element, metric);
    let at = vectors_at(&file) + offset;
    file[at..at + bytes.len()].copy_from_slice(bytes);
    seal(&mut file);
    Image::open(&file).unwrap().verify()
}

#[test]
fn rows_that_no_index_holds_are_found() {
    let padding = |position| Err(VerifyError::VectorPadding { node: 0, position });
    assert_eq!(verify_with(Element::F16, Metric::InnerProduct, 6, &[0, 0x80]), padding(3));
    assert_eq!(verify_with(Element::I8, Metric::InnerProduct, 3, &[1]), padding(3));
    assert_eq!(verify_with(Element::U8, Metric::Cosine, 63, &[1]), padding(63));
    assert_eq!(verify_with(Element::Bits, Metric::Hamming, 8, &[1 << 6]), padding(1));
    assert_eq!(verify_with(Element::Bits, Metric::Hamming, 8, &[1 << 5]), Ok(()));
    assert_eq!(verify_with(Element::Bits, Metric::Jaccard, 16, &[1]), padding(2));
    let infinite = VerifyError::NotFinite { node: 0, position: 1 };
    assert_eq!(verify_with(Element::F16, Metric::InnerProduct, 2, &[0, 0x7C]), Err(infinite));
    let long = verify_with(Element::F16, Metric::Cosine, 0, &f16::ONE.to_le_bytes());
    assert!(matches!(long, Err(VerifyError::NotUnitLength { node: 0, .. })), "{long:?}");
    let zero = Err(VerifyError::ZeroVector { node: 0 });
    assert_eq!(verify_with(Element::I8, Metric::Cosine, 0, &[0; 3]), zero);
    assert_eq!(verify_with(Element::U8, Metric::Cosine, 0, &[0; 3]), zero);
    assert_eq!(verify_with(Element::U8, Metric::SquaredEuclidean, 0, &[0; 3]), Ok(()));
}

#[test]
fn vectors_near_the_limits_are_judged_by_their_elements() {
    let verify_row = |metric, row: [f32; 3]| {
        let bytes: Vec<u8> = row.iter().flat_map(|element| element.to_le_bytes()).collect();
        verify_with(Element::F32, metric, 0, &bytes)
    };
    // The elements are finite, although the sum of their squares is not.
    for metric in [Metric::SquaredEuclidean, Metric::InnerProduct] {
        assert_eq!(verify_row(metric, [f32::MAX, f32::MIN, 0.0]), Ok(()));
        let infinite = Err(VerifyError::NotFinite { node: 0, position: 2 });
        assert_eq!(verify_row(metric, [f32::MAX, 0.0, f32::NEG_INFINITY]), infinite);
    }
    for (length, is_unit) in [(0.9989, false), (0.9991, true), (1.0009, true), (1.0011, false)] {
        let found = f64::from(length) * f64::from(length);
        let expected = if is_unit { Ok(()) } else { Err(VerifyError::NotUnitLength { node: 0, found }) };
        assert_eq!(verify_row(Metric::Cosine, [0.0, -length, 0.0]), expected);
    }
}

#[test]
fn headers_that_do_not_agree_with_their_element_are_refused() {
    let with = |element, metric, offset: usize, byte: u8| {
        let mut file = file(element, metric);
        file[offset] = byte;
        seal(&mut file);
        Image::open(&file).map(drop)
    };
    let refused = |field, offset, expected, found| Err(OpenError::Field { field, offset, expected, found });
    assert_eq!(with(Element::U8, Metric::Cosine, 77, 4), refused(Field::Metric, 77, (1, 3), 4));
    assert_eq!(with(Element::Bits, Metric::Hamming, 77, 1), refused(Field::Metric, 77, (4, 5), 1));
    assert_eq!(with(Element::U8, Metric::Cosine, 68, 128), refused(Field::Stride, 68, (64, 64), 128));
    assert_eq!(with(Element::Bits, Metric::Hamming, 68, 2), refused(Field::Stride, 68, (8, 8), 2));
    // Integers have no codes.
    assert_eq!(with(Element::I8, Metric::Cosine, 16, 1), refused(Field::Element, 76, (1, 2), 3));
}

#[test]
fn f32_is_written_as_f16_if_f16_holds_it() {
    for metric in Metric::NUMERIC {
        let (vectors, graph) = small(Element::F32, metric);
        let (halves, _) = small(Element::F16, metric);
        let expected = write(&graph.view_of(halves.rows()), &graph.keys());
        let found = write_with(&graph.view_of(vectors.rows()), &graph.keys(), Store::F16);
        assert!(*found == *expected, "{metric}");
        let again = write_with(&graph.view_of(halves.rows()), &graph.keys(), Store::F16);
        assert!(*again == *expected, "{metric}");
    }
    let refused = |element: Element, vector: Elements<'_>| {
        let mut vectors = Vectors::new(element, Metric::SquaredEuclidean, 2).unwrap();
        vectors.push(vector).unwrap();
        let graph = support::Graph::ring(Metric::SquaredEuclidean, 2, 4, &[0], 1, 0);
        let view = graph.view_of(vectors.rows());
        let params = Params::new().m(4);
        let meta = Meta::new(params).store(Store::F16);
        Writer::new(&view, &[1], &meta).map(drop)
    };
    assert_eq!(refused(Element::F32, (&[0.0f32, 65_519.0]).into()), Ok(()));
    let range = Err(WriteError::Range { node: 0, position: 1 });
    assert_eq!(refused(Element::F32, (&[0.0f32, -65_520.0]).into()), range);
    let element = Err(WriteError::Element { found: Element::I8 });
    assert_eq!(refused(Element::I8, (&[0i8, 1]).into()), element);
}

#[test]
fn codes_alone_of_f16_vectors_are_read() {
    let params = Params::new().m(4).element(Element::F16).quantization(Some(Quantization::Sq8));
    let mut graph = Hnsw::new(Metric::Cosine, 20, params).unwrap();
    let mut random = Random(3);
    for _ in 0..50 {
        graph.insert(Vector::random(Element::F16, 20, &mut random).elements()).unwrap();
    }
    let keys: Vec<u64> = (0..50).collect();
    let file = write_with(&graph.view(), &keys, Store::None);
    let image = Image::open(&file).unwrap();
    assert_eq!(image.verify(), Ok(()));
    assert_eq!((image.header().element, image.header().stores_vectors()), (Element::F16, false));
    poke(&image.graph());
    let absent = Rows::absent(Element::I8, Metric::Cosine, 20, 50).unwrap();
    let levels = image.graph();
    let error =
        vex_graph::GraphView::new(absent, levels.codes().copied(), 4, 0, levels.levels()).unwrap_err();
    assert_eq!(error, vex_graph::ViewError::Coded { found: Element::I8 });
}
