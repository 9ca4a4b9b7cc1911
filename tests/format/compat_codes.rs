//! Files with codes and tombstones of every released version can always be read, with any
//! instruction set.

use vex_format::{Image, include_index};
use vex_graph::{Metric, Neighbor, Quantization, Scratch, SearchParams, search};

/// Thirty nodes of 20 dimensions under squared Euclidean distance, with SQ8 codes beside their
/// vectors. Two nodes are deleted.
static SQ8: &[u8] = include_index!("../fixtures/v1.0-sq8.vex");
/// The same under cosine, with SQ4 codes and without vectors.
static SQ4_ALONE: &[u8] = include_index!("../fixtures/v1.0-sq4-alone.vex");

/// Like the first, with SQ2x2 codes.
static SQ2X2: &[u8] = include_index!("../fixtures/v1.0-sq2x2.vex");

/// The three nearest vectors, as keys and distances. None of them is deleted.
fn nearest(image: &Image<'_>, rerank: f32) -> Vec<(u64, f32)> {
    let query: [f32; 20] = core::array::from_fn(|i| (i % 7) as f32 / 7.0 - 0.4);
    let mut found = [Neighbor::default(); 3];
    let params = SearchParams::new(3).ef_search(30).rerank(rerank);
    let stats = search(&image.graph(), &query, &params, &mut Scratch::new(), &mut found).unwrap();
    let found = found[..stats.found].iter();
    found.map(|neighbor| (image.keys()[neighbor.id as usize], neighbor.distance)).collect()
}

fn check(image: &Image<'_>, metric: Metric, quantization: Quantization) {
    assert_eq!(image.verify(), Ok(()));
    let graph = image.graph();
    assert_eq!((graph.metric(), graph.dim(), graph.count()), (metric, 20, 30));
    assert_eq!(graph.codes().unwrap().quantization(), quantization);
    let deleted = graph.tombstones().iter().map(|id| image.keys()[id as usize]);
    let mut deleted: Vec<u64> = deleted.collect();
    deleted.sort_unstable();
    assert_eq!(deleted, [512, 587]);
}

#[test]
fn version_1_0_with_codes_is_read() {
    let by_sq8 = [(500, 2.309_433_5), (578, 4.974_214), (560, 5.833_917)];
    let by_sq2x2 = [(500, 2.287_113), (578, 4.979_287_6), (560, 5.762_758)];
    for (file, quantization, by_codes) in
        [(SQ8, Quantization::Sq8, by_sq8), (SQ2X2, Quantization::Sq2x2, by_sq2x2)]
    {
        let image = Image::open(file).unwrap();
        check(&image, Metric::SquaredEuclidean, quantization);
        assert!(image.graph().rows().are_stored());
        // Exact distances are sums of floats, whose last bits depend on a fused multiply-add.
        let expected = [(500, 2.312_697_4), (578, 4.983_131_4), (560, 5.839_5)];
        for (found, expected) in nearest(&image, 30.0).into_iter().zip(expected) {
            assert!(
                found.0 == expected.0 && (found.1 - expected.1).abs() < 1e-5,
                "{found:?}, expected {expected:?}"
            );
        }
        assert_eq!(nearest(&image, 0.0), by_codes);
    }
}

#[test]
fn version_1_0_of_codes_alone_is_read() {
    let image = Image::open(SQ4_ALONE).unwrap();
    check(&image, Metric::Cosine, Quantization::Sq4);
    assert!(!image.graph().rows().are_stored());
    assert_eq!(nearest(&image, 2.0), [(500, 0.433_729_08), (506, 0.544_073_6), (560, 0.714_234_7)]);
}
