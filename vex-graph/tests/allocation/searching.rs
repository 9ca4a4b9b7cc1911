//! A search allocates nothing once its scratch has grown, and with the caller's memory nothing at
//! all.

use vex_graph::{Batches, Candidate, Metric, Neighbor, NodeSet, OutOfMemory, Params, Quantization, Scratch};
use vex_graph::{ScratchMut, SearchError, SearchParams, Serial, exact, search, search_filtered};
use vex_graph::{search_filtered_in, search_in, search_radius, search_radius_in};

use crate::allocator::{counting, failing_at};
use crate::support::{Shape, bits, built, exactly, found, vectors};

const PARAMS: Params = Params::new().m(8).ef_construction(40).seed(3);

#[test]
fn a_search_with_warm_scratch_allocates_nothing() {
    for metric in Metric::NUMERIC {
        let data = vectors(Shape::Clustered, 17, 2000, 1);
        let (graph, _) = built(metric, PARAMS, &data, &Serial);
        let mut scratch = Scratch::new();
        let mut out = [Neighbor::default(); 20];
        let params = SearchParams::new(20).ef_search(100);
        search(&graph.view(), &data[0], &params, &mut scratch, &mut out).unwrap();

        let ((), allocations) = counting(|| {
            for query in &data {
                for params in [params, SearchParams::new(1).ef_search(1), SearchParams::new(7).ef_search(64)]
                {
                    let stats = search(&graph.view(), query, &params, &mut scratch, &mut out).unwrap();
                    assert_eq!(stats.found, params.k);
                }
            }
        });
        assert_eq!(allocations, 0, "{metric}");
    }
}

#[test]
fn filtered_searches_with_warm_scratch_allocate_nothing() {
    for quantization in [None, Some(Quantization::Sq8), Some(Quantization::Sq4), Some(Quantization::Sq2x2)] {
        let data = vectors(Shape::Clustered, 17, 3000, 1);
        let (graph, _) = built(Metric::Cosine, PARAMS.quantization(quantization), &data, &Serial);
        let deleted: Vec<u64> =
            (0..47).map(|word: u64| word.wrapping_mul(0x9E37_79B9_7F4A_7C15) & 0xFF).collect();
        let view = graph.view().with_tombstones(NodeSet::new(&deleted));
        let mut scratch = Scratch::new();
        let mut out = [Neighbor::default(); 20];
        let params = SearchParams::new(20).ef_search(30);
        let mut all = |query: &[f32]| {
            search(&view, query, &params, &mut scratch, &mut out).unwrap();
            // Few matches, some, and nearly all.
            for of_64 in [1, 16, 60] {
                let filter = |id: u32| id.wrapping_mul(2_654_435_761) >> 26 < of_64;
                search_filtered(&view, query, &params, &filter, &mut scratch, &mut out).unwrap();
            }
            search_radius(&view, query, 0.1, &params, &mut scratch, &mut out).unwrap();
            let mut batches = Batches::new(&view, query, &params, &mut scratch).unwrap();
            for _ in 0..3 {
                assert_eq!(batches.next_batch(&mut out), 20);
            }
        };
        all(&data[0]);
        let ((), allocations) = counting(|| data.iter().take(300).for_each(|query| all(query)));
        assert_eq!(allocations, 0, "{quantization:?}");
    }
}

#[test]
fn filtered_searches_say_how_much_of_the_callers_memory_they_need() {
    let data = vectors(Shape::Uniform, 5, 700, 2);
    let (graph, _) = built(Metric::SquaredEuclidean, PARAMS, &data, &Serial);
    // Twice k: as many candidates are needed with codes as without.
    let (view, params) = (graph.view(), SearchParams::new(6).ef_search(12));
    let visited = vec![0; ScratchMut::visited_words(700)];
    let pool = vec![Candidate::EMPTY; ScratchMut::batches_candidates(&params, 700)];
    let scratch = |candidates: usize| ScratchMut {
        // Of different searches, one after the other.
        visited: Box::leak(visited.clone().into_boxed_slice()),
        candidates: Box::leak(pool[..candidates].to_vec().into_boxed_slice()),
        code: &mut [],
        rotated: &mut [],
    };
    let (mut out, query) = ([Neighbor::default(); 10], &data[3]);
    let needed = ScratchMut::filtered_candidates(&params, 700);
    assert_eq!(needed, 12 + 16 * 12);
    let filter = |id: u32| id.is_multiple_of(3);
    for candidates in [0, needed - 1, needed] {
        let is_enough = candidates == needed;
        let found = search_filtered_in(&view, query, &params, &filter, scratch(candidates), &mut out);
        assert_eq!(found.is_ok(), is_enough);
        let found = search_radius_in(&view, query, 0.5, &params, scratch(candidates), &mut out);
        assert_eq!(found.is_ok(), is_enough);
        let deleted = view.with_tombstones(NodeSet::new(&[2]));
        let found = search_in(&deleted, query, &params, scratch(candidates), &mut out);
        assert_eq!(found.is_ok(), is_enough);
    }
    let needed = ScratchMut::batches_candidates(&params, 700);
    let error = Batches::new_in(&view, query, &params, scratch(needed - 1)).err();
    assert!(
        matches!(error, Some(SearchError::ScratchTooSmall { candidates, .. }) if candidates == (needed, needed - 1))
    );
    assert_eq!(Batches::new_in(&view, query, &params, scratch(needed)).unwrap().next_batch(&mut out), 10);
}

#[test]
fn a_search_in_slices_of_the_caller_needs_no_allocator() {
    let data = vectors(Shape::Uniform, 5, 700, 2);
    let (graph, _) = built(Metric::SquaredEuclidean, PARAMS, &data, &Serial);
    let view = graph.view();
    let params = SearchParams::new(10).ef_search(50);
    let expected = bits(&found(&view, &data[3], 10, 50));

    let (words, candidates) = (ScratchMut::visited_words(700), ScratchMut::candidates(&params, 700));
    let mut visited = vec![0; words];
    let mut pool = vec![Candidate::EMPTY; candidates];
    let mut out = [Neighbor::default(); 10];
    for (given_words, given_candidates) in [(0, 0), (words - 1, candidates), (words, candidates - 1)] {
        let scratch = ScratchMut {
            visited: &mut visited[..given_words],
            candidates: &mut pool[..given_candidates],
            code: &mut [],
            rotated: &mut [],
        };
        let result = failing_at(0, || search_in(&view, &data[3], &params, scratch, &mut out));
        let expected = SearchError::ScratchTooSmall {
            visited: (words, given_words),
            candidates: (candidates, given_candidates),
            code: (0, 0),
        };
        assert_eq!(result, Err(expected));
    }

    // As large as the error says is enough, again and again.
    for _ in 0..100 {
        let scratch =
            ScratchMut { visited: &mut visited, candidates: &mut pool, code: &mut [], rotated: &mut [] };
        let result = failing_at(0, || search_in(&view, &data[3], &params, scratch, &mut out));
        assert_eq!(result.map(|stats| stats.found), Ok(10));
        assert_eq!(bits(&out), expected);
    }
}

#[test]
fn a_scratch_that_cannot_grow_does_what_it_could_before() {
    let data = vectors(Shape::Uniform, 5, 3000, 2);
    let (small, _) = built(Metric::SquaredEuclidean, PARAMS, &data[..100], &Serial);
    let (large, _) = built(Metric::SquaredEuclidean, PARAMS, &data, &Serial);
    let (small, large) = (small.view(), large.view());
    let (few, many) = (SearchParams::new(5).ef_search(10), SearchParams::new(10).ef_search(400));
    let of_small = bits(&found(&small, &data[7], 5, 10));
    let of_large = bits(&found(&large, &data[7], 10, 400));

    let mut failures = 0;
    for n in 0.. {
        let mut scratch = Scratch::new();
        let mut out = [Neighbor::default(); 10];
        search(&small, &data[7], &few, &mut scratch, &mut out).unwrap();
        let result = failing_at(n, || search(&large, &data[7], &many, &mut scratch, &mut out));
        if result.is_ok() {
            break;
        }
        assert!(matches!(result, Err(SearchError::OutOfMemory(OutOfMemory { bytes: 1.. }))));
        failures += 1;

        failing_at(0, || search(&small, &data[7], &few, &mut scratch, &mut out)).unwrap();
        assert_eq!(bits(&out[..5]), of_small);
        search(&large, &data[7], &many, &mut scratch, &mut out).unwrap();
        assert_eq!(bits(&out), of_large);
    }
    assert_eq!(failures, 2, "the visited set and the pool");
}

#[test]
fn an_exact_search_without_memory_is_an_error() {
    let data = vectors(Shape::Uniform, 5, 300, 2);
    let (graph, _) = built(Metric::Cosine, PARAMS, &data, &Serial);
    let view = graph.view();
    let mut out = [Neighbor::default(); 10];
    let result = failing_at(0, || exact(view.rows(), &data[0], &mut out));
    assert!(matches!(result, Err(SearchError::OutOfMemory(OutOfMemory { bytes: 1.. }))));
    exact(view.rows(), &data[0], &mut out).unwrap();
    assert_eq!(bits(&out), bits(&exactly(view.rows(), &data[0], 10)));
}
