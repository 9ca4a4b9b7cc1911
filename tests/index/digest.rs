//! The bytes of a built index are the same on every machine, with any number of threads.

use support::Random;
use vex::{Index, Metric, Quantization};
use vex_format::crc32c;

/// The checksum of the file of an index of clustered vectors.
fn digest(metric: Metric, dim: usize, count: u64, quantization: Option<Quantization>, threads: usize) -> u32 {
    let mut random = Random(17);
    let centres: Vec<Vec<f32>> = (0..40).map(|_| (0..dim).map(|_| random.element()).collect()).collect();
    let vectors: Vec<_> = (0..count)
        .map(|key| {
            let centre = &centres[random.below(centres.len())];
            (key, centre.iter().map(|element| element + 0.5 * random.element()).collect::<Vec<f32>>())
        })
        .collect();
    let builder = Index::builder(dim).metric(metric).ef_construction(60).threads(threads);
    let index = builder.quantization(quantization).build_from(vectors).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("index.vex");
    index.save(&path).unwrap();
    crc32c(&std::fs::read(path).unwrap())
}

/// Codes are compared by integers, so these values hold on every processor.
#[test]
fn an_index_of_codes_has_these_bytes_everywhere() {
    let (sq8, sq4, sq2x2) = (Quantization::Sq8, Quantization::Sq4, Quantization::Sq2x2);
    let expected = [
        (Metric::SquaredEuclidean, 96, 3000, sq8, 0x5403_13f2),
        (Metric::Cosine, 96, 3000, sq8, 0x1728_3634),
        (Metric::Cosine, 96, 3000, sq4, 0x1705_24e0),
        // From 256 dimensions on, a build with SQ8 codes finds candidates by SQ4 codes.
        (Metric::SquaredEuclidean, 256, 1500, sq8, 0xc0af_3ab0),
        (Metric::Cosine, 256, 1500, sq4, 0x019b_99cf),
        (Metric::Cosine, 256, 1500, sq2x2, 0xda96_61a0),
    ];
    for (metric, dim, count, quantization, expected) in expected {
        for threads in [1, 2, 4, 8] {
            let found = digest(metric, dim, count, Some(quantization), threads);
            assert_eq!(found, expected, "{metric}, {dim}, {quantization}, {threads} threads: {found:#010x}");
        }
    }
}

/// Vectors are compared with fused multiply-adds, which every instruction set except the portable
/// one has. By inner product vectors are compared whatever the codes are.
#[test]
fn an_index_of_vectors_has_these_bytes_where_there_are_fused_multiply_adds() {
    let isa = vex::kernels::Distance::<f32>::new(Metric::SquaredEuclidean).isa();
    for (metric, dim, count, quantization, expected) in [
        (Metric::SquaredEuclidean, 96, 3000, None, 0x1aa6_3345),
        (Metric::SquaredEuclidean, 128, 1500, None, 0x3865_51b6),
        (Metric::InnerProduct, 96, 3000, Some(Quantization::Sq8), 0x19da_38bc),
    ] {
        let threads = [1, 2, 4, 8].map(|threads| digest(metric, dim, count, quantization, threads));
        assert_eq!(threads, [threads[0]; 4]);
        if isa != vex::kernels::Isa::Scalar {
            assert_eq!(threads[0], expected, "{metric}, {dim}: {:#010x}", threads[0]);
        }
    }
}
