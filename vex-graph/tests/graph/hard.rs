//! Sets on which codes mislead: whatever the codes, a graph must find what it finds without them.

use std::collections::{BTreeMap, BTreeSet};

use vex_graph::{
    Batches, Element, GraphView, Hnsw, Metric, Neighbor, NodeSet, Scratch, SearchEnd, SearchParams, search,
    search_filtered, search_radius,
};

use crate::hard_sets::{
    CODES, QUERIES, SETS, Set, around, minority, near_copies, normal, outlier, params, scales, sparse, tight,
    two_groups, wild_element,
};
use crate::support::{Rng, Threads, built, exactly, found};

const COUNT: usize = 3_000;

/// The share of answers at distances that the ten nearest have, so that of vectors that are equally
/// far one is as good as another.
fn recall(view: &GraphView<'_>, queries: &[Vec<f32>], ef: usize) -> f64 {
    let of = |query: &Vec<f32>| {
        let limit = exactly(view.rows(), query, 10)[9].distance * 1.00001;
        found(view, query, 10, ef).iter().filter(|neighbor| neighbor.distance <= limit).count()
    };
    queries.iter().map(of).sum::<usize>() as f64 / (10 * queries.len()) as f64
}

#[test]
fn codes_find_on_hard_sets_what_vectors_find() {
    for make in SETS {
        // From 256 elements on, a build finds candidates by 4-bit codes.
        for dim in [64, 256] {
            let Set { name, metric, base, queries } = make(COUNT, dim);
            let (plain, _) = built(metric, params(None), &base, &Threads(2));
            let expected = recall(&plain.view(), &queries, 64);
            for quantization in CODES {
                let (graph, _) = built(metric, params(quantization), &base, &Threads(2));
                let by_codes = recall(&graph.view(), &queries, 64);
                let by_vectors = recall(&graph.view().without_codes().unwrap(), &queries, 64);
                println!(
                    "{name}, {dim}, {quantization:?}: {by_codes:.3}, its links {by_vectors:.3}, none {expected:.3}"
                );
                assert!(
                    by_codes >= expected - 0.02,
                    "{name}, {dim}, {quantization:?}: {by_codes} of {expected}"
                );
                // Links that codes selected must be as good, too.
                assert!(
                    by_vectors >= expected - 0.02,
                    "{name}, {dim}, {quantization:?}: {by_vectors} of {expected}"
                );
            }
        }
    }
}

/// The early end must not trust codes where they are too coarse. By vectors, it must not end before
/// a search has left the wrong cluster.
#[test]
fn an_early_end_loses_no_neighbors_of_hard_sets() {
    let with_slack = |view: &GraphView<'_>, queries: &[Vec<f32>]| {
        let (mut scratch, mut out) = (Scratch::new(), [Neighbor::default(); 10]);
        let params = SearchParams::new(10).ef_search(64).slack(0.2);
        let of = |query: &Vec<f32>| {
            let found = search(view, query, &params, &mut scratch, &mut out).unwrap().found;
            let limit = exactly(view.rows(), query, 10)[9].distance * 1.00001;
            out[..found].iter().filter(|neighbor| neighbor.distance <= limit).count()
        };
        queries.iter().map(of).sum::<usize>() as f64 / (10 * queries.len()) as f64
    };
    // With a deleted node, the search is that of a filter.
    let deleted = [1u64];
    for make in [outlier, wild_element, minority, near_copies, two_groups, tight] {
        for dim in [64, 256] {
            let Set { name, metric, base, queries } = make(COUNT, dim);
            for quantization in [None, CODES[0], CODES[1], CODES[2]] {
                let (graph, _) = built(metric, params(quantization), &base, &Threads(2));
                let expected = recall(&graph.view(), &queries, 64);
                let view = graph.view();
                for view in [view, view.with_tombstones(NodeSet::new(&deleted))] {
                    let found = with_slack(&view, &queries);
                    assert!(
                        found >= expected - 0.02,
                        "{name}, {dim}, {quantization:?}: {found} of {expected}"
                    );
                }
            }
        }
    }
}

/// Where the list has room for more than a cluster, the search ends at its border. Codes must not end
/// a search so early that they leave the answer in doubt, and it is repeated by vectors.
#[test]
fn an_early_end_saves_work_in_clusters() {
    for dim in [64, 256] {
        for scale in [0.003, 0.02, 0.15] {
            let mut rng = Rng(16);
            let centres: Vec<_> = (0..50).map(|_| normal(&mut rng, dim, 1.0)).collect();
            let base: Vec<_> = (0..COUNT).map(|at| around(&mut rng, &centres[at % 50], scale)).collect();
            let queries: Vec<_> = (0..QUERIES).map(|at| around(&mut rng, &centres[at], scale)).collect();
            for quantization in CODES {
                let (graph, _) = built(Metric::SquaredEuclidean, params(quantization), &base, &Threads(2));
                let view = graph.view();
                let (mut scratch, mut out) = (Scratch::new(), [Neighbor::default(); 10]);
                let mut work = |slack| {
                    let params = SearchParams::new(10).ef_search(100).slack(slack);
                    let mut one = |query| search(&view, query, &params, &mut scratch, &mut out).unwrap();
                    queries.iter().map(|query| one(query).distances).sum::<usize>()
                };
                let [whole, early] = [f32::INFINITY, 0.2].map(&mut work);
                assert!(early * 10 <= whole * 8, "{dim}, {scale}, {quantization:?}: {early} of {whole}");
            }
        }
    }
}

/// Clusters with few members. The first members of a cluster have their other neighbors outside of
/// it, so their codes must be doubted before the cluster is large.
#[test]
fn small_tight_clusters_are_linked_by_vectors() {
    let mut rng = Rng(13);
    for (metric, dim) in
        [(Metric::SquaredEuclidean, 64), (Metric::Cosine, 64), (Metric::SquaredEuclidean, 256)]
    {
        let centres: Vec<_> = (0..100).map(|_| normal(&mut rng, dim, 1.0)).collect();
        let base: Vec<_> = (0..1_500).map(|at| around(&mut rng, &centres[at % 100], 1e-3)).collect();
        // The links of each vector on the base, by the places of vectors in the set.
        let links = |quantization| {
            let (graph, places) = built(metric, params(quantization), &base, &Threads(2));
            let row = |id| graph.view().links(id, 0).iter().map(|id| places[*id as usize]).collect();
            let rows = (0..).zip(&places).map(|(id, place)| (*place, row(id)));
            rows.collect::<BTreeMap<u32, BTreeSet<u32>>>()
        };
        let plain = links(None);
        for quantization in CODES {
            let coded = links(quantization);
            let same = plain.iter().filter(|(place, row)| coded[place] == **row).count();
            println!("{metric}, {dim}, {quantization:?}: {same} of {} rows", plain.len());
            // Rows of first members were selected before their clusters had a second one.
            assert!(same >= plain.len() * 8 / 10, "{metric}, {dim}, {quantization:?}: {same} rows");
        }
    }
}

/// A search that entered the wrong cluster must find a way out.
#[test]
fn links_lead_out_of_tight_clusters() {
    for metric in [Metric::SquaredEuclidean, Metric::Cosine] {
        let Set { base, .. } = tight(COUNT, 64);
        let (graph, places) = built(metric, params(None), &base, &Threads(2));
        let view = graph.view();
        let cluster = |id: u32| places[id as usize] % 50;
        let ids = 0..view.count() as u32;
        let out =
            ids.flat_map(|id| view.links(id, 0).iter().filter(move |link| cluster(**link) != cluster(id)));
        let out = out.count() as f64 / view.count() as f64;
        println!("{metric}: {out:.2} links out of a node's cluster");
        assert!(out >= 2.5, "{metric}: {out}");
    }
}

/// Where a few nodes are between all others, neighbor selection drops almost every candidate. Rows
/// are filled up then, so that a search has more than one path.
#[test]
fn rows_stay_wide_where_the_selection_drops_almost_all() {
    for make in [near_copies, scales, sparse] {
        let Set { name, metric, base, queries } = make(COUNT, 64);
        let (graph, _) = built(metric, params(None), &base, &Threads(2));
        let view = graph.view();
        let recall = recall(&view, &queries, 64);
        let short = (0..view.count() as u32).filter(|id| view.links(*id, 0).len() < 12).count();
        println!("{name}: {recall:.3}, {short} short rows");
        assert!(recall >= 0.9, "{name}: {recall}");
        assert_eq!(short, 0, "{name}");
    }
}

/// Codes keep the center around which they were made. Vectors that come later lie elsewhere.
#[test]
fn codes_find_vectors_that_drifted_away() {
    let mut rng = Rng(8);
    let dim = 64;
    let base: Vec<_> = (0..COUNT).map(|_| normal(&mut rng, dim, 1.0)).collect();
    let far = vec![20.0; dim];
    let later: Vec<_> = (0..1_000).map(|_| around(&mut rng, &far, 1.0)).collect();
    let queries: Vec<_> = (0..QUERIES).map(|_| around(&mut rng, &far, 1.0)).collect();
    let grown = |quantization| {
        let (mut graph, _) = built(Metric::SquaredEuclidean, params(quantization), &base, &Threads(2));
        for vector in &later {
            graph.insert(vector).unwrap();
        }
        graph
    };
    let compacted =
        |graph: &Hnsw| graph.compact(&Threads(2), |_| std::ops::ControlFlow::Continue(())).unwrap().0;
    let plain = grown(None);
    let expected = [recall(&plain.view(), &queries, 64), recall(&compacted(&plain).view(), &queries, 64)];
    for quantization in CODES {
        let graph = grown(quantization);
        let found = [recall(&graph.view(), &queries, 64), recall(&compacted(&graph).view(), &queries, 64)];
        for (found, expected) in found.into_iter().zip(expected) {
            assert!(found >= expected - 0.02, "{quantization:?}: {found} of {expected}");
        }
    }
}

/// Every kind of search compares vectors where codes leave it in doubt.
#[test]
fn searches_of_every_kind_are_right_in_a_tight_cluster() {
    let Set { metric, base, queries, .. } = minority(COUNT, 64);
    for quantization in CODES {
        let (graph, _) = built(metric, params(quantization), &base, &Threads(2));
        let view = graph.view();
        let mut scratch = Scratch::new();
        for query in &queries[..10] {
            let near = exactly(view.rows(), query, 60);
            let params = SearchParams::new(10).ef_search(64);
            let mut out = [Neighbor::default(); 10];
            let stats = search(&view, query, &params, &mut scratch, &mut out).unwrap();
            assert!(stats.by_vectors, "{quantization:?}");

            let odd = |id: u32| id % 2 == 1;
            let expected: Vec<_> = near.iter().filter(|neighbor| odd(neighbor.id)).collect();
            let found = search_filtered(&view, query, &params, &odd, &mut scratch, &mut out).unwrap().found;
            let right = out[..found].iter().filter(|found| found.distance <= expected[9].distance).count();
            assert!(right >= 9, "{quantization:?}: {right} of 10 odd ones");

            let radius = near[19].distance;
            let mut out = [Neighbor::default(); 200];
            let found = search_radius(&view, query, radius, &params, &mut scratch, &mut out).unwrap().found;
            assert!((19..=20).contains(&found), "{quantization:?}: {found} of 20 within the radius");

            let mut batches = Batches::new(&view, query, &params, &mut scratch).unwrap();
            let mut page = [Neighbor::default(); 10];
            let mut right = 0;
            for limit in [near[9].distance, near[19].distance] {
                assert_eq!(batches.next_batch(&mut page), 10);
                right += page.iter().filter(|found| found.distance <= limit).count();
            }
            assert!(right >= 19, "{quantization:?}: {right} of 20 on two pages");
        }
    }
}

/// Where codes are accurate, they answer. A graph that always compared vectors would pass the tests
/// above.
#[test]
fn codes_answer_where_they_are_good() {
    let mut rng = Rng(9);
    let axes: Vec<_> = (0..24).map(|_| normal(&mut rng, 256, 1.0)).collect();
    let vector = |rng: &mut Rng| {
        let mut vector = normal(rng, 256, 0.2);
        for axis in &axes {
            let weight = rng.normal();
            vector.iter_mut().zip(axis).for_each(|(element, axis)| *element += weight * axis);
        }
        vector
    };
    let base: Vec<_> = (0..COUNT).map(|_| vector(&mut rng)).collect();
    for (quantization, element) in
        CODES.into_iter().flat_map(|codes| [(codes, Element::F32), (codes, Element::F16)])
    {
        let params = params(quantization).element(element);
        let (graph, _) = built(Metric::Cosine, params, &base, &Threads(2));
        let (view, mut scratch) = (graph.view(), Scratch::new());
        let mut out = [vex_graph::Neighbor::default(); 10];
        let (mut in_doubt, mut scans_in_doubt) = (0, 0);
        for _ in 0..100 {
            let query = vector(&mut rng);
            let stats =
                search(&view, &query, &SearchParams::new(10).ef_search(64), &mut scratch, &mut out).unwrap();
            in_doubt += usize::from(stats.by_vectors);
            // Few match, so they are scanned, though the list of a search would be short.
            let (params, few) = (SearchParams::new(10).ef_search(10), |id| id % 16 == 3);
            let stats = search_filtered(&view, &query, &params, &few, &mut scratch, &mut out).unwrap();
            assert_eq!(stats.end, SearchEnd::Scan);
            scans_in_doubt += usize::from(stats.by_vectors);
        }
        assert!(in_doubt <= 2, "{quantization:?}, {element}: {in_doubt} of 100");
        assert!(scans_in_doubt <= 2, "{quantization:?}, {element}: {scans_in_doubt} scans of 100");
    }
}

/// Batches continue where the last ended. That holds, too, if codes leave the query in doubt after
/// the first nodes were returned.
#[test]
fn a_batch_longer_than_k_returns_no_node_twice() {
    let mut rng = Rng(12);
    let at = |rng: &mut Rng, distance: f32| {
        let vector = normal(rng, 16, 1.0);
        let length = vector.iter().map(|element| element * element).sum::<f32>().sqrt();
        vector.iter().map(|element| element * distance / length).collect::<Vec<f32>>()
    };
    let distances = [0.1, 0.2].into_iter().chain([10.0; 300]).chain([100.0; 300]);
    let base: Vec<_> = distances.map(|distance| at(&mut rng, distance)).collect();
    for quantization in CODES {
        let (graph, _) = built(Metric::SquaredEuclidean, params(quantization), &base, &Threads(2));
        let (view, mut scratch) = (graph.view(), Scratch::new());
        let params = SearchParams::new(2).ef_search(10);
        let mut batches = Batches::new(&view, &[0.0; 16], &params, &mut scratch).unwrap();
        let mut out = vec![Neighbor::default(); base.len()];
        let first = batches.next_batch(&mut out[..40]);
        assert_eq!(first, 40);
        let all = first + batches.next_batch(&mut out[first..]);
        assert_eq!(all, base.len(), "{quantization:?}");
        let mut ids: Vec<_> = out.iter().map(|neighbor| neighbor.id).collect();
        ids.sort_unstable();
        assert!(ids.is_sorted_by(|a, b| a < b), "{quantization:?}: a node twice");
    }
}
