//! Equal vectors: one of them is linked, all of them are found, and none of this takes more than
//! linear time.

use std::collections::BTreeSet;
use std::ops::ControlFlow;

use vex_graph::{
    Batches, GraphView, Hnsw, Metric, Neighbor, NodeId, NodeSet, Params, Quantization, Scratch, SearchParams,
    Serial, search, search_filtered, search_radius,
};

use crate::invariants::{assert_copies, assert_invariants, assert_reachable, assert_structure};
use crate::support::{
    Rng, Shape, Snapshot, Threads, bits, built, exactly_live, found, found_live, inserted, vectors,
};

const PARAMS: Params = Params::new().m(8).ef_construction(60).seed(3);

/// How many nodes are linked for themselves.
fn originals(view: &GraphView<'_>) -> usize {
    (0..view.count() as NodeId).filter(|id| !view.is_copy(*id)).count()
}

/// Every second of `count` vectors is zero.
fn half_zeros(dim: usize, count: usize, seed: u64) -> Vec<Vec<f32>> {
    let mut rng = Rng(seed);
    let zero = |index: usize| index.is_multiple_of(2);
    (0..count).map(|index| (0..dim).map(|_| if zero(index) { 0.0 } else { rng.normal() }).collect()).collect()
}

/// Of the ten nearest, how many a search with 64 candidates finds, by distance.
fn recall_at_64(view: &GraphView<'_>, queries: &[Vec<f32>]) -> f64 {
    let hits = queries.iter().map(|query| {
        let exact = crate::support::exactly(view.rows(), query, 10);
        let last = exact[9].distance;
        found(view, query, 10, 64).iter().filter(|neighbor| neighbor.distance <= last).count()
    });
    hits.sum::<usize>() as f64 / (10 * queries.len()) as f64
}

#[test]
fn half_of_the_vectors_being_zero_costs_no_recall() {
    let params = PARAMS.m(16).ef_construction(200);
    for quantization in [None, Some(Quantization::Sq8), Some(Quantization::Sq4), Some(Quantization::Sq2x2)] {
        let params = params.quantization(quantization);
        let data = half_zeros(24, 4000, 1);
        let queries = vectors(Shape::Uniform, 24, 50, 2);
        let (bulk, _) = built(Metric::SquaredEuclidean, params, &data, &Serial);
        assert_eq!(originals(&bulk.view()), 2001);
        let recall = recall_at_64(&bulk.view(), &queries);
        assert!(recall >= 0.95, "{quantization:?}: {recall}");
    }
    let data = half_zeros(24, 4000, 1);
    let queries = vectors(Shape::Uniform, 24, 50, 2);
    let grown = inserted(Metric::SquaredEuclidean, params, &data);
    assert!(originals(&grown.view()) <= 2008, "{}", originals(&grown.view()));
    let recall = recall_at_64(&grown.view(), &queries);
    assert!(recall >= 0.95, "grown: {recall}");

    // Zeros that take the places of other vectors, which were linked.
    let (mut updated, _) =
        built(Metric::SquaredEuclidean, params, &vectors(Shape::Uniform, 24, 4000, 3), &Serial);
    for id in (0..4000).step_by(2) {
        updated.update(id, &[0.0; 24]).unwrap();
    }
    assert_invariants(&updated.view());
    assert!(originals(&updated.view()) <= 2002);
    let recall = recall_at_64(&updated.view(), &queries);
    assert!(recall >= 0.95, "updated: {recall}");
}

/// Distances that are computed do not depend on how many copies there are.
#[test]
fn a_search_of_copies_looks_at_one_of_each() {
    let different = vectors(Shape::Uniform, 16, 5, 1);
    let data: Vec<Vec<f32>> = (0..20_000).map(|index| different[index % 5].clone()).collect();
    let (bulk, _) = built(Metric::SquaredEuclidean, PARAMS, &data, &Threads(2));
    let grown = inserted(Metric::SquaredEuclidean, PARAMS, &data);
    for graph in [bulk, grown] {
        assert_invariants(&graph.view());
        assert!(originals(&graph.view()) <= 12);
        let mut deleted = Hnsw::from_view(&graph.view(), PARAMS).unwrap();
        (0..20_000).step_by(3).for_each(|id| deleted.delete(id).unwrap());
        assert_invariants(&deleted.view());
        for graph in [graph, deleted] {
            for query in &different {
                let mut out = [Neighbor::default(); 30];
                let stats = search(
                    &graph.view(),
                    query,
                    &SearchParams::new(30).ef_search(64),
                    &mut Scratch::new(),
                    &mut out,
                )
                .unwrap();
                assert!(stats.found == 30 && stats.distances < 60, "{stats:?}");
                assert_eq!(bits(&out), bits(&exactly_live(&graph, query, 30)));
            }
        }
    }
}

/// A graph whose time grew with the square of its copies would take minutes here.
#[test]
fn many_copies_take_no_more_time_than_few() {
    let data = vec![vec![0.25; 16]; 120_000];
    let (graph, _) = built(Metric::SquaredEuclidean, PARAMS, &data, &Serial);
    assert_eq!(
        (originals(&graph.view()), graph.view().copies_of(graph.view().entry().unwrap()).count()),
        (1, 119_999)
    );
    let mut grown = inserted(Metric::SquaredEuclidean, PARAMS, &data);
    assert!(originals(&grown.view()) <= 8);
    // The original leaves again and again.
    for round in 0..300 {
        grown.update(round, &[round as f32; 16]).unwrap();
    }
    for id in 300..60_000 {
        grown.delete(id).unwrap();
    }
    for id in 300..60_000 {
        assert_eq!(grown.insert(&[0.25; 16]), Ok(id));
    }
    assert_eq!(found(&grown.view(), &[0.25; 16], 1000, 1000).len(), 1000);
    assert_invariants(&grown.view());
}

#[test]
fn near_copies_take_linear_time() {
    let mut rng = Rng(1);
    let data: Vec<Vec<f32>> =
        (0..30_000).map(|_| (0..16).map(|_| 0.25 + 1e-7 * rng.signed()).collect()).collect();
    for quantization in [None, Some(Quantization::Sq8)] {
        let params = PARAMS.quantization(quantization);
        let (graph, _) = built(Metric::SquaredEuclidean, params, &data, &Threads(2));
        assert_invariants(&graph.view());
    }
}

#[test]
fn the_queries_of_a_small_set_are_answered_right() {
    let mut data = vec![vec![1.0; 4]; 11];
    (data[8][0], data[9][0], data[10][0]) = (2.0, 2.1, 1.9);
    let (bulk, order) = built(Metric::SquaredEuclidean, PARAMS, &data, &Serial);
    let grown = inserted(Metric::SquaredEuclidean, PARAMS, &data);
    let id_of = |position: u32| order.iter().position(|other| *other == position).unwrap() as NodeId;
    for (graph, nine) in [(&bulk, id_of(9)), (&grown, 9)] {
        let near = found(&graph.view(), &[2.08, 1.0, 1.0, 1.0], 3, 3);
        assert_eq!(near[0].id, nine);
        assert!(near[2].distance < 0.1);
        let copies = found(&graph.view(), &[1.0; 4], 8, 8);
        assert!(copies.len() == 8 && copies.iter().all(|neighbor| neighbor.distance == 0.0));
        assert!(copies.is_sorted_by_key(|neighbor| neighbor.id));
    }
}

/// By a beam search, since there are more nodes than a scan ranks.
#[test]
fn filters_and_pages_return_every_match_once() {
    let different = vectors(Shape::Uniform, 6, 400, 5);
    for kinds in [1, 3, 40, 400] {
        let mut rng = Rng(kinds as u64);
        let data: Vec<Vec<f32>> = (0..4000).map(|_| different[rng.below(kinds)].clone()).collect();
        let (mut graph, _) = built(Metric::SquaredEuclidean, PARAMS, &data, &Serial);
        for id in 0..4000 {
            match rng.below(8) {
                0 => graph.delete(id).unwrap(),
                1 => graph.update(id, &different[rng.below(kinds)]).unwrap(),
                _ => (),
            }
        }
        assert_invariants(&graph.view());
        let view = graph.view();
        let (mut scratch, params) = (Scratch::new(), SearchParams::new(7).ef_search(8));
        for share in [1u64, 16, 128, 250] {
            let mut words = vec![0u64; NodeSet::words_for(4000)];
            (0..4000).filter(|_| rng.next() % 256 < share).for_each(|id| words[id / 64] |= 1 << (id % 64));
            let set = NodeSet::new(&words);
            let matches: Vec<NodeId> = set.iter().filter(|id| graph.is_live(*id)).collect();
            for query in &different[..10] {
                let mut out = [Neighbor::default(); 7];
                let stats = search_filtered(&view, query, &params, &set, &mut scratch, &mut out).unwrap();
                assert_eq!(stats.found, matches.len().min(7), "{kinds} kinds, {share} of 256");
                let ids: BTreeSet<NodeId> = out[..stats.found].iter().map(|neighbor| neighbor.id).collect();
                assert!(ids.len() == stats.found && ids.iter().all(|id| matches.binary_search(id).is_ok()));
                if kinds <= 3 {
                    let mut exact = exactly_live(&graph, query, 4000);
                    exact.retain(|neighbor| set.contains(neighbor.id));
                    assert_eq!(bits(&out[..stats.found]), bits(&exact[..stats.found]));
                }
            }
        }
        let query = &different[0];
        let mut out = vec![Neighbor::default(); 4000];
        let stats =
            search_radius(&view, query, 0.0, &SearchParams::new(0).ef_search(64), &mut scratch, &mut out)
                .unwrap();
        let all = exactly_live(&graph, query, 4000);
        assert_eq!(bits(&out[..stats.found]), bits(&all[..all.partition_point(|near| near.distance <= 0.0)]));

        let mut batches = Batches::new(&view, query, &params, &mut scratch).unwrap();
        let mut pages = Vec::new();
        loop {
            let mut page = [Neighbor::default(); 7];
            let found = batches.next_batch(&mut page);
            assert!(page[..found].is_sorted_by(|a, b| (a.distance, a.id) < (b.distance, b.id)));
            pages.extend_from_slice(&page[..found]);
            if found < 7 {
                break;
            }
        }
        assert_eq!(pages.len(), graph.live_count());
        if kinds <= 3 {
            assert!(pages.iter().zip(&all).all(|(page, exact)| page.distance == exact.distance));
        }
        pages.sort_unstable_by_key(|neighbor| neighbor.id);
        assert!(pages.iter().map(|neighbor| neighbor.id).eq((0..4000).filter(|id| graph.is_live(*id))));
    }
}

#[test]
fn copies_of_a_deleted_original_are_found_and_it_can_be_replaced() {
    let zero = [0.0; 3];
    let mut graph = Hnsw::new(Metric::SquaredEuclidean, 3, PARAMS).unwrap();
    for vector in [[5.0, 0.0, 0.0], zero, zero, [0.0, 4.0, 0.0], zero, zero] {
        graph.insert(&vector).unwrap();
    }
    let of_one = |graph: &Hnsw| graph.view().copies_of(1).collect::<Vec<_>>();
    assert_eq!(of_one(&graph), [2, 4, 5]);
    graph.delete(1).unwrap();
    assert_eq!(found_live(&graph, &zero, 3).iter().map(|near| near.id).collect::<Vec<_>>(), [2, 4, 5]);
    // A deleted copy is left out, and its slot is taken by another vector and then again by a copy.
    graph.delete(4).unwrap();
    assert_eq!(of_one(&graph), [2, 5]);
    assert_invariants(&graph.view());
    assert_eq!(graph.insert(&[9.0, 9.0, 9.0]), Ok(1));
    assert_eq!(graph.view().copies_of(2).collect::<Vec<_>>(), [5]);
    assert_eq!(graph.insert(&zero), Ok(4));
    assert_eq!(graph.view().copies_of(2).collect::<Vec<_>>(), [4, 5]);
    // An original becomes a copy of another vector's, and a copy is linked.
    graph.update(2, &[0.0, 4.0, 0.0]).unwrap();
    assert_eq!(graph.view().copies_of(3).collect::<Vec<_>>(), [2]);
    assert_eq!(graph.view().copies_of(4).collect::<Vec<_>>(), [5]);
    graph.update(5, &[1.0, 1.0, 1.0]).unwrap();
    assert!(!graph.view().is_copy(5));
    assert_invariants(&graph.view());
    assert_eq!(bits(&found_live(&graph, &zero, 6)), bits(&exactly_live(&graph, &zero, 6)));
}

#[test]
fn the_sign_of_zero_makes_no_other_vector() {
    for dim in [1, 2, 3] {
        let data: Vec<Vec<f32>> = (0..64)
            .map(|index| (0..dim).map(|bit| if index >> bit & 1 == 1 { -0.0 } else { 0.0 }).collect())
            .collect();
        let (bulk, _) = built(Metric::SquaredEuclidean, PARAMS, &data, &Serial);
        assert_eq!(originals(&bulk.view()), 1);
        let grown = inserted(Metric::SquaredEuclidean, PARAMS, &data);
        assert_invariants(&grown.view());
        // Of each node, its own bits.
        for (id, vector) in data.iter().enumerate() {
            let row = grown.view().rows().row(id as NodeId);
            assert!(row.as_f32().unwrap().iter().zip(vector).all(|(a, b)| a.to_bits() == b.to_bits()));
        }
    }
}

#[test]
fn copies_do_not_depend_on_threads_and_are_what_a_copy_of_the_graph_has() {
    let different = vectors(Shape::Uniform, 8, 300, 2);
    let mut rng = Rng(4);
    let data: Vec<Vec<f32>> = (0..3000).map(|_| different[rng.below(300)].clone()).collect();
    for quantization in [None, Some(Quantization::Sq4)] {
        let params = PARAMS.quantization(quantization);
        let (expected, order) = built(Metric::Cosine, params, &data, &Serial);
        assert_eq!(originals(&expected.view()), 300);
        for threads in [2, 3, 8] {
            let (graph, other) = built(Metric::Cosine, params, &data, &Threads(threads));
            assert!(order == other && Snapshot::of(&graph.view()) == Snapshot::of(&expected.view()));
        }
        let copy = Hnsw::from_view(&expected.view(), params).unwrap();
        assert!(Snapshot::of(&copy.view()) == Snapshot::of(&expected.view()));
        let (compact, _) = copy.compact(&Serial, |_| ControlFlow::Continue(())).unwrap();
        assert_eq!(originals(&compact.view()), 300);
    }
}

#[test]
fn what_was_linked_of_a_cancelled_build_is_whole() {
    let different = vectors(Shape::Uniform, 8, 50, 2);
    let data: Vec<Vec<f32>> = (0..1000).map(|index| different[index % 50].clone()).collect();
    let mut next = data.iter();
    let fill = |vector: &mut [f32]| -> Result<(), ()> {
        vector.copy_from_slice(next.next().unwrap());
        Ok(())
    };
    let stop = |linked| if linked < 300 { ControlFlow::Continue(()) } else { ControlFlow::Break(()) };
    let (graph, order) =
        Hnsw::build_partial(Metric::SquaredEuclidean, 8, PARAMS, 1000, fill, &Serial, stop).unwrap();
    assert!(graph.count() == order.len() && graph.count() < 1000);
    assert_structure(&graph.view());
    assert_copies(&graph.view());
    assert_reachable(&graph.view());
    let view = graph.view();
    for (id, position) in order.iter().enumerate() {
        assert_eq!(view.rows().row(id as NodeId).as_f32().unwrap(), data[*position as usize]);
    }
}

#[test]
fn where_memory_for_chains_is_not_allowed_equal_vectors_are_linked() {
    let data = vectors(Shape::Uniform, 4, 1000, 1);
    let mut graph = inserted(Metric::SquaredEuclidean, PARAMS, &data);
    graph.delete(7).unwrap();
    let limit = graph.memory() + 7000;
    graph.limit_memory(limit);
    assert_eq!(graph.insert(&data[900]), Ok(7));
    assert!(graph.memory() <= limit && !graph.view().is_copy(7));
    graph.limit_memory(limit + 2000);
    graph.update(8, &data[900]).unwrap();
    assert!(graph.memory() <= limit + 2000 && graph.view().is_copy(8));
    assert_invariants(&graph.view());
    assert_eq!(
        found(&graph.view(), &data[900], 3, 1000).iter().map(|near| near.id).collect::<Vec<_>>(),
        [7, 8, 900]
    );
}
