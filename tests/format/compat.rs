//! Files of every released version can always be read. A fixture is never written again, and its
//! answers are here as numbers.

use support::{Graph, write};
use vex_format::{Image, include_index};
use vex_graph::{Elements, Metric, Neighbor, Params, Scratch, SearchParams, search};

static SQUARED_EUCLIDEAN: &[u8] = include_index!("../fixtures/v1.0-squared-euclidean.vex");
static INNER_PRODUCT: &[u8] = include_index!("../fixtures/v1.0-inner-product.vex");
static COSINE: &[u8] = include_index!("../fixtures/v1.0-cosine.vex");
static EMPTY: &[u8] = include_index!("../fixtures/v1.0-empty.vex");

/// The five nearest vectors to (2, 1, 3), as keys and distances.
fn nearest(image: &Image<'_>) -> Vec<(u64, f32)> {
    let mut found = [Neighbor::default(); 5];
    let params = SearchParams::new(5).ef_search(20);
    let stats = search(&image.graph(), &[2.0, 1.0, 3.0], &params, &mut Scratch::new(), &mut found).unwrap();
    let found = found[..stats.found].iter();
    found.map(|neighbor| (image.keys()[neighbor.id as usize], neighbor.distance)).collect()
}

fn assert_shape(image: &Image<'_>, metric: Metric) {
    assert_eq!(image.verify(), Ok(()));
    let graph = image.graph();
    assert_eq!((graph.metric(), graph.dim(), graph.count(), graph.m()), (metric, 3, 20, 4));
    assert_eq!(graph.entry(), Some(0));
    assert_eq!(image.header().level_count, [20, 6, 2, 0, 0, 0, 0, 0]);
    assert_eq!((&image.header().segment_id, image.header().sequence), (b"a test's segment", 9));
    assert_eq!(*image.params(), Params::new().m(4).ef_construction(120).seed(42).keep_pruned(true));
    assert_eq!((image.keys()[0], image.keys()[19]), (1000, 1133));
    assert_eq!(graph.links(18, 0), [19, 0, 1, 2]);
    assert_eq!(graph.links(5, 1), [0, 1]);
    assert_eq!(graph.links(0, 2), [1]);
}

#[test]
fn version_1_0_squared_euclidean_is_read() {
    let image = Image::open(SQUARED_EUCLIDEAN).unwrap();
    assert_shape(&image, Metric::SquaredEuclidean);
    assert_eq!(image.graph().rows().row(7), Elements::F32(&[3.0, 2.0, 0.0]));
    let expected = [(1014, 2.0), (1035, 3.0), (1007, 4.0), (1021, 5.0), (1042, 5.0)];
    assert_eq!(nearest(&image), expected);
}

#[test]
fn version_1_0_inner_product_is_read() {
    let image = Image::open(INNER_PRODUCT).unwrap();
    assert_shape(&image, Metric::InnerProduct);
    assert_eq!(image.graph().rows().row(7), Elements::F32(&[3.0, 2.0, 0.0]));
    let expected = [(1133, -26.0), (1063, -24.0), (1084, -21.0), (1112, -20.0), (1014, -19.0)];
    assert_eq!(nearest(&image), expected);
}

#[test]
fn version_1_0_cosine_is_read() {
    let image = Image::open(COSINE).unwrap();
    assert_shape(&image, Metric::Cosine);
    assert_eq!(image.graph().rows().row(7), Elements::F32(&[0.832_050_3, 0.554_700_2, 0.0]));
    // The last bits depend on whether the machine has a fused multiply-add.
    let expected = [
        (1014, 0.004_129_4),
        (1084, 0.037_466_6),
        (1063, 0.043_817_1),
        (1035, 0.066_861_1),
        (1133, 0.079_610_0),
    ];
    let found = nearest(&image);
    assert_eq!(found.len(), 5);
    for (found, expected) in found.into_iter().zip(expected) {
        assert_eq!(found.0, expected.0);
        assert!((found.1 - expected.1).abs() < 1e-6, "{found:?}, expected {expected:?}");
    }
}

#[test]
fn version_1_0_empty_is_read() {
    let image = Image::open(EMPTY).unwrap();
    assert_eq!(image.verify(), Ok(()));
    assert_eq!((image.graph().count(), image.graph().entry()), (0, None));
    assert_eq!(image.graph().metric(), Metric::InnerProduct);
    assert_eq!(nearest(&image), []);
}

/// The format does not promise this. But it shows any change of the bytes that nobody intended.
#[test]
fn version_1_0_is_what_is_written_today() {
    for (name, graph) in sources() {
        let file = match name {
            "squared-euclidean" => SQUARED_EUCLIDEAN,
            "inner-product" => INNER_PRODUCT,
            "cosine" => COSINE,
            _ => EMPTY,
        };
        assert!(*write(&graph.view(), &graph.keys()) == *file, "{name}");
    }
}

/// The graphs of the fixtures.
fn sources() -> Vec<(&'static str, Graph)> {
    let mut levels = [0; 20];
    levels[..6].copy_from_slice(&[2, 2, 1, 1, 1, 1]);
    let mut sources: Vec<_> = Metric::NUMERIC
        .into_iter()
        .map(|metric| {
            let vectors: Vec<_> = (0..20).flat_map(|id| vector(metric, id)).collect();
            (metric.name(), Graph::ring(metric, 3, 4, &levels, 20, 0).with_vectors(&vectors))
        })
        .collect();
    sources.push(("empty", Graph::ring(Metric::InnerProduct, 3, 4, &[], 0, 0)));
    sources
}

fn vector(metric: Metric, id: u32) -> [f32; 3] {
    let vector = [id % 5 + 1, id / 5 + 1, id * id % 7].map(|element| element as f32);
    match metric {
        Metric::Cosine => {
            let norm = vector.iter().map(|element| element * element).sum::<f32>().sqrt();
            vector.map(|element| element / norm)
        }
        _ => vector,
    }
}
