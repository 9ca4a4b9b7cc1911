//! Searches with filters, within a radius, in batches and over threads, in terms of keys.

use support::Random;
use vex::{BatchError, Hit, Index, MappedIndex, Metric, Scratch, SearchParams};

const DIM: usize = 12;
const COUNT: usize = 3_000;

fn vectors(count: usize, seed: u64) -> Vec<(u64, Vec<f32>)> {
    let mut random = Random(seed);
    (0..count).map(|i| (1_000 + 3 * i as u64, (0..DIM).map(|_| random.element()).collect())).collect()
}

fn index(metric: Metric) -> Index {
    Index::builder(DIM).metric(metric).m(8).build_from(vectors(COUNT, 1)).unwrap()
}

/// Runs `check` on an owned index and on the same in the bytes of a file.
macro_rules! on_both {
    ($metric:expr, |$index:ident| $check:block) => {{
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("index.vex");
        let $index = index($metric);
        $index.save(&path).unwrap();
        $check
        // SAFETY: the file is in the test's own folder, and nothing writes to it.
        let $index = unsafe { MappedIndex::open(&path) }.unwrap();
        $check
    }};
}

#[test]
fn a_filter_sees_keys_and_the_nearest_matches_are_found() {
    let reference = index(Metric::Cosine);
    on_both!(Metric::Cosine, |index| {
        let mut scratch = Scratch::new();
        for (of_100, query) in [1, 5, 30, 99].iter().cycle().zip(vectors(40, 9)) {
            let filter =
                |key: u64| key.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 32 < of_100 * ((1 << 32) / 100);
            let mut expected = reference.exact(&query.1, COUNT).unwrap();
            expected.retain(|hit| filter(hit.key));
            // A pool of as many as there are is exact.
            let params = SearchParams::new(10, COUNT);
            let found = index.search_filtered(&query.1, &params, filter, &mut scratch).unwrap();
            assert_eq!(found.hits, &expected[..10]);
            let params = SearchParams::new(10, 20);
            let found = index.search_filtered(&query.1, &params, filter, &mut scratch).unwrap();
            assert_eq!(found.hits.len(), 10);
            assert!(found.hits.iter().all(|hit| expected.contains(hit)));
        }
        let none = index.search_filtered(&[0.5; DIM], &SearchParams::new(10, 20), |_| false, &mut scratch);
        assert!(none.unwrap().hits.is_empty());
    });
}

#[test]
fn a_radius_holds_every_hit() {
    let reference = index(Metric::SquaredEuclidean);
    on_both!(Metric::SquaredEuclidean, |index| {
        let mut scratch = Scratch::new();
        for (_, query) in vectors(20, 8) {
            let exact = reference.exact(&query, 40).unwrap();
            let radius = exact[24].distance;
            let found =
                index.search_radius(&query, radius, &SearchParams::new(100, COUNT), &mut scratch).unwrap();
            assert_eq!(found.hits, &exact[..25]);
            let found =
                index.search_radius(&query, radius, &SearchParams::new(7, COUNT), &mut scratch).unwrap();
            assert_eq!(found.hits, &exact[..7]);
        }
    });
}

#[test]
fn batches_go_on_until_every_key_was_returned() {
    on_both!(Metric::InnerProduct, |index| {
        let mut scratch = Scratch::new();
        let query = [0.3; DIM];
        let mut batches = index.search_batches(&query, &SearchParams::new(50, 80), &mut scratch).unwrap();
        let mut keys = Vec::new();
        loop {
            let batch = batches.next_batch(70).unwrap();
            if batch.is_empty() {
                break;
            }
            keys.extend(batch.iter().map(|hit| hit.key));
        }
        assert_eq!(batches.stats().found, COUNT);
        keys.sort_unstable();
        assert!(keys.iter().copied().eq(vectors(COUNT, 1).iter().map(|(key, _)| *key)));
    });
}

#[test]
fn a_batch_gives_what_single_searches_give_for_any_number_of_threads() {
    on_both!(Metric::Cosine, |index| {
        let queries: Vec<Vec<f32>> = vectors(101, 7).into_iter().map(|(_, query)| query).collect();
        let params = SearchParams::new(10, 64);
        let expected: Vec<Vec<Hit>> = queries.iter().map(|query| index.search(query, 10).unwrap()).collect();
        for threads in [Some(1), Some(2), Some(3), Some(8), Some(200), None] {
            assert_eq!(index.search_batch(&queries, &params, threads).unwrap(), expected);
        }
        let none: [Vec<f32>; 0] = [];
        assert!(index.search_batch(&none, &params, Some(2)).unwrap().is_empty());

        let mut wrong = queries.clone();
        wrong[60][3] = f32::NAN;
        wrong[90].clear();
        let error = index.search_batch(&wrong, &params, Some(4)).unwrap_err();
        assert!(matches!(error, BatchError::Query { position: 60, .. }), "{error}");
    });
}
