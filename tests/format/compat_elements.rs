//! Files of every element except f32, of every released version, can always be read. They consist
//! of [`small`] vectors, and their answers are here as numbers.

use support::{small, write};
use vex_format::{Image, include_index};
use vex_graph::{Element, Elements, Metric, Neighbor, Scratch, SearchParams, search};

#[rustfmt::skip]
const FILES: [(Element, Metric, &[u8]); 11] = [
    (Element::F16, Metric::SquaredEuclidean, include_index!("../fixtures/v1.0-f16-squared-euclidean.vex")),
    (Element::F16, Metric::InnerProduct, include_index!("../fixtures/v1.0-f16-inner-product.vex")),
    (Element::F16, Metric::Cosine, include_index!("../fixtures/v1.0-f16-cosine.vex")),
    (Element::I8, Metric::SquaredEuclidean, include_index!("../fixtures/v1.0-i8-squared-euclidean.vex")),
    (Element::I8, Metric::InnerProduct, include_index!("../fixtures/v1.0-i8-inner-product.vex")),
    (Element::I8, Metric::Cosine, include_index!("../fixtures/v1.0-i8-cosine.vex")),
    (Element::U8, Metric::SquaredEuclidean, include_index!("../fixtures/v1.0-u8-squared-euclidean.vex")),
    (Element::U8, Metric::InnerProduct, include_index!("../fixtures/v1.0-u8-inner-product.vex")),
    (Element::U8, Metric::Cosine, include_index!("../fixtures/v1.0-u8-cosine.vex")),
    (Element::Bits, Metric::Hamming, include_index!("../fixtures/v1.0-bits-hamming.vex")),
    (Element::Bits, Metric::Jaccard, include_index!("../fixtures/v1.0-bits-jaccard.vex")),
];

/// The three nearest vectors to a query, as keys and distances.
fn nearest(image: &Image<'_>) -> Vec<(u64, f32)> {
    let query = match image.header().element {
        Element::F32 | Element::F16 => Elements::F32(&[2.0, 1.0, 3.0]),
        Element::I8 => Elements::I8(&[2, -1, 3]),
        Element::U8 => Elements::U8(&[200, 10, 90]),
        Element::Bits => Elements::Bits(&[0xFF_FFFF, 0b1011]),
    };
    let mut found = [Neighbor::default(); 3];
    let params = SearchParams::new(3).ef_search(20);
    let stats = search(&image.graph(), query, &params, &mut Scratch::new(), &mut found).unwrap();
    let found = found[..stats.found].iter();
    found.map(|neighbor| (image.keys()[neighbor.id as usize], neighbor.distance)).collect()
}

#[test]
fn version_1_0_of_every_element_is_read() {
    #[rustfmt::skip]
    let expected: [[(u64, f32); 3]; 11] = [
        [(1014, 2.0), (1035, 3.0), (1007, 4.0)],
        [(1133, -26.0), (1063, -24.0), (1084, -21.0)],
        [(1014, 0.003_936_404), (1084, 0.037_311_435), (1063, 0.044_032_115)],
        [(1063, 4.0), (1133, 8.0), (1014, 9.0)],
        [(1063, -8.0), (1133, -6.0), (1014, -5.0)],
        [(1063, 0.127_128_44), (1084, 0.198_216_27), (1133, 0.345_346_33)],
        [(1028, 3800.0), (1063, 5900.0), (1021, 7700.0)],
        [(1133, -42000.0), (1063, -41400.0), (1028, -35700.0)],
        [(1028, 0.010_392_872), (1021, 0.015_984_299), (1063, 0.062_979_03)],
        [(1091, 5.0), (1084, 7.0), (1098, 7.0)],
        [(1091, 0.172_413_8), (1084, 0.218_75), (1098, 0.241_379_3)],
    ];
    for ((element, metric, file), expected) in FILES.iter().zip(expected) {
        let image = Image::open(file).unwrap();
        assert_eq!(image.verify(), Ok(()), "{element}, {metric}");
        let (graph, header) = (image.graph(), image.header());
        let dim = if *element == Element::Bits { 70 } else { 3 };
        assert_eq!(
            (graph.element(), graph.metric(), graph.dim(), graph.count()),
            (*element, *metric, dim, 20)
        );
        assert_eq!(header.level_count, [20, 6, 2, 0, 0, 0, 0, 0]);
        assert_eq!(header.stride * element.scalar_bytes(), 64);
        // The last bits depend on whether the machine has a fused multiply-add.
        for (found, expected) in nearest(&image).into_iter().zip(expected) {
            let is_near = (found.1 - expected.1).abs() <= 1e-6;
            assert!(
                found.0 == expected.0 && is_near,
                "{element}, {metric}: {found:?}, expected {expected:?}"
            );
        }
    }
}

/// The format does not promise this. But it shows any change of the bytes that nobody intended.
#[test]
fn version_1_0_is_what_is_written_today() {
    for (element, metric, file) in FILES {
        let (vectors, graph) = small(element, metric);
        assert!(*write(&graph.view_of(vectors.rows()), &graph.keys()) == *file, "{element}, {metric}");
    }
}
