//! Searches with filters, within a radius, page by page and on several threads, with keys.

use support::Random;
use vex::{
    Element, Hit, Index, ManyError, MappedIndex, Metric, Quantization, Scratch, SearchError, SearchParams,
    Searcher, SharedIndex, Store,
};

const DIM: usize = 12;
const COUNT: usize = 3_000;

fn vectors(count: usize, seed: u64) -> Vec<(u64, Vec<f32>)> {
    let mut random = Random(seed);
    (0..count).map(|i| (1_000 + 3 * i as u64, (0..DIM).map(|_| random.element()).collect())).collect()
}

fn index(metric: Metric) -> Index {
    Index::builder(DIM).metric(metric).m(8).build_from(vectors(COUNT, 1)).unwrap()
}

/// Runs `check` on an owned index, and on the same index in the bytes of a file.
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
            let mut expected = reference.searcher().exact(&query.1, COUNT).unwrap();
            expected.retain(|hit| filter(hit.key));
            assert_eq!(index.searcher().exact_filtered(&query.1, COUNT, filter).unwrap(), expected);
            assert_eq!(index.searcher().exact_filtered(&query.1, 3, filter).unwrap(), expected[..3]);
            // With as many candidates as vectors, the search is exact.
            let params = SearchParams::new(10).ef_search(COUNT);
            let found = index.searcher().search_filtered(&query.1, &params, filter, &mut scratch).unwrap();
            assert_eq!(found.hits, &expected[..10]);
            let params = SearchParams::new(10).ef_search(20);
            let found = index.searcher().search_filtered(&query.1, &params, filter, &mut scratch).unwrap();
            assert_eq!(found.hits.len(), 10);
            assert!(found.hits.iter().all(|hit| expected.contains(hit)));
        }
        let none = index.searcher().search_filtered(
            [0.5; DIM],
            &SearchParams::new(10).ef_search(20),
            |_| false,
            &mut scratch,
        );
        assert!(none.unwrap().hits.is_empty());
    });
}

#[test]
fn a_radius_holds_every_hit() {
    let reference = index(Metric::SquaredEuclidean);
    on_both!(Metric::SquaredEuclidean, |index| {
        let mut scratch = Scratch::new();
        for (_, query) in vectors(20, 8) {
            let exact = reference.searcher().exact(&query, 40).unwrap();
            let radius = exact[24].distance;
            let found = index
                .searcher()
                .search_radius(&query, radius, &SearchParams::new(100).ef_search(COUNT), &mut scratch)
                .unwrap();
            assert_eq!(found.hits, &exact[..25]);
            let found = index
                .searcher()
                .search_radius(&query, radius, &SearchParams::new(7).ef_search(COUNT), &mut scratch)
                .unwrap();
            assert_eq!(found.hits, &exact[..7]);
        }
    });
}

#[test]
fn pages_go_on_until_every_key_was_returned() {
    on_both!(Metric::InnerProduct, |index| {
        let mut scratch = Scratch::new();
        let query = [0.3; DIM];
        let mut pages =
            index.searcher().pages(&query, &SearchParams::new(50).ef_search(80), &mut scratch).unwrap();
        let mut keys = Vec::new();
        loop {
            let page = pages.next_page(70).unwrap();
            if page.is_empty() {
                break;
            }
            keys.extend(page.iter().map(|hit| hit.key));
        }
        assert_eq!(pages.stats().found, COUNT);
        keys.sort_unstable();
        assert!(keys.iter().copied().eq(vectors(COUNT, 1).iter().map(|(key, _)| *key)));
    });
}

#[test]
fn many_searches_give_what_single_searches_give_for_any_number_of_threads() {
    on_both!(Metric::Cosine, |index| {
        let queries: Vec<Vec<f32>> = vectors(101, 7).into_iter().map(|(_, query)| query).collect();
        let params = SearchParams::new(10).ef_search(64);
        let expected: Vec<Vec<Hit>> = queries.iter().map(|query| index.search(query, 10).unwrap()).collect();
        for threads in [Some(1), Some(2), Some(3), Some(8), Some(200), None] {
            assert_eq!(index.searcher().search_many(&queries, &params, threads).unwrap(), expected);
        }
        let none: [Vec<f32>; 0] = [];
        assert!(index.searcher().search_many(&none, &params, Some(2)).unwrap().is_empty());

        let mut wrong = queries.clone();
        wrong[60][3] = f32::NAN;
        wrong[90].clear();
        let error = index.searcher().search_many(&wrong, &params, Some(4)).unwrap_err();
        assert!(matches!(error, ManyError::Query { position: 60, .. }), "{error}");
    });
}

/// One function searches every kind of index.
fn digest(searcher: Searcher<'_>, queries: &[Vec<f32>]) -> Vec<(u64, u32)> {
    let hits = queries.iter().flat_map(|query| searcher.search(query, 5).unwrap());
    hits.map(|hit| (hit.key, hit.distance.to_bits())).collect()
}

#[test]
fn a_searcher_answers_alike_wherever_the_index_lives() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("index.vex");
    let mut owned = index(Metric::SquaredEuclidean);
    assert_eq!(owned.delete_many([1_000, 1_300]), Ok(2));
    owned.save(&path).unwrap();
    let queries: Vec<Vec<f32>> = vectors(30, 5).into_iter().map(|(_, query)| query).collect();
    let expected = digest(owned.searcher(), &queries);
    // SAFETY: here and below, the file is in the test's own folder, and nothing writes to it.
    let mapped = unsafe { MappedIndex::open(&path) }.unwrap();
    // SAFETY: as above.
    let near = unsafe { MappedIndex::open_near(&path) }.unwrap();
    let loaded = MappedIndex::read(&path).unwrap();
    let shared = [SharedIndex::from(mapped), near.into(), loaded.into(), owned.into()];
    for index in &shared {
        let (searcher, all) = (index.searcher(), vectors(COUNT, 1));
        assert_eq!(digest(searcher, &queries), expected);
        assert_eq!((searcher.len(), searcher.dim()), (COUNT - 2, DIM));
        assert_eq!((searcher.metric(), searcher.element()), (Metric::SquaredEuclidean, Element::F32));
        assert_eq!(searcher.get(1_003), Some((&all[1].1).into()));
        assert!(searcher.contains(1_003) && !searcher.contains(1_000) && !searcher.contains(7));
        assert_eq!((searcher.get(1_300), searcher.get(1_301)), (None, None));
        let exact = searcher.exact(&queries[0], 3).unwrap();
        assert_eq!(exact, shared[3].searcher().exact(&queries[0], 3).unwrap());
        // A searcher outlives the variable that it was copied from. It does not outlive the index.
        let vector = { index.searcher() }.get(1_006).unwrap();
        assert_eq!(vector, (&all[2].1).into());
    }
    let threads = shared.map(|index| {
        let queries = queries.clone();
        std::thread::spawn(move || digest(index.searcher(), &queries))
    });
    assert!(threads.into_iter().all(|thread| thread.join().unwrap() == expected));
}

#[test]
fn codes_alone_have_no_vectors_to_give_and_no_exact_answer() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("index.vex");
    let index = Index::builder(DIM).quantization(Quantization::Sq8).build_from(vectors(50, 1)).unwrap();
    index.save_with(&path, Store::None).unwrap();
    let codes = MappedIndex::read(&path).unwrap();
    assert_eq!(codes.searcher().exact([0.5; DIM], 3), Err(SearchError::VectorsNotStored));
    assert_eq!(codes.get(1_000), None);
    assert!(codes.searcher().contains(1_000));
    assert_eq!(codes.search([0.5; DIM], 3).unwrap().len(), 3);
}

#[test]
fn an_iterator_of_pages_is_the_same_as_page_by_page() {
    let index = index(Metric::Cosine);
    let (query, params) = ([0.3; DIM], SearchParams::new(700));
    let (mut one, mut other) = (Scratch::new(), Scratch::new());
    let pages = index.searcher().pages(&query, &params, &mut one).unwrap();
    let mut same = index.searcher().pages(&query, &params, &mut other).unwrap();
    let mut lengths = Vec::new();
    for page in pages {
        let page = page.unwrap();
        assert_eq!(page, same.next_page(700).unwrap());
        lengths.push(page.len());
    }
    assert_eq!(lengths, [700, 700, 700, 700, 200]);
    assert!(same.next_page(700).unwrap().is_empty());
}
