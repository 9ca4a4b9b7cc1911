//! The bound that searches of several indexes share: what it saves, and what it must not lose.

use vex_graph::{Batches, GraphView, Metric, Neighbor, NodeSet, Params, Quantization, Scratch};
use vex_graph::{SearchEnd, SearchParams, SearchStats, search, search_filtered, search_radius};

use crate::support::{Rng, Shape, Threads, bits, built, exactly, vectors};

const CODES: [Option<Quantization>; 4] =
    [None, Some(Quantization::Sq8), Some(Quantization::Sq4), Some(Quantization::Sq2x2)];

/// Vectors of 12 intrinsic dimensions among 256, around a place.
fn embeddings(rng: &mut Rng, axes: &[Vec<f32>], count: usize, place: f32) -> Vec<Vec<f32>> {
    let vector = |_| {
        let mut vector: Vec<f32> = (0..256).map(|_| 0.2 * rng.normal() + place).collect();
        for axis in axes {
            let weight = rng.normal();
            vector.iter_mut().zip(axis).for_each(|(element, axis)| *element += weight * axis);
        }
        vector
    };
    (0..count).map(vector).collect()
}

fn searched(view: &GraphView<'_>, query: &[f32], params: &SearchParams) -> (Vec<Neighbor>, SearchStats) {
    let mut out = vec![Neighbor::default(); params.k];
    let stats = search(view, query, params, &mut Scratch::new(), &mut out).unwrap();
    out.truncate(stats.found);
    (out, stats)
}

#[test]
fn later_indexes_take_less_work_and_neighbors_within_the_bound_are_found() {
    let mut rng = Rng(41);
    let axes: Vec<Vec<f32>> = (0..12).map(|_| (0..256).map(|_| rng.normal()).collect()).collect();
    // The other index has rows of the same kind, or rows far from all queries.
    for (place, most_percent) in [(0.0, 90), (9.0, 60)] {
        let queries = embeddings(&mut rng, &axes, 40, 0.0);
        let first = embeddings(&mut rng, &axes, 4_000, 0.0);
        let other = embeddings(&mut rng, &axes, 4_000, place);
        for (metric, quantization) in CODES
            .map(|codes| (Metric::SquaredEuclidean, codes))
            .into_iter()
            .chain([(Metric::InnerProduct, None), (Metric::Cosine, Some(Quantization::Sq8))])
        {
            let params = Params::new().ef_construction(100).quantization(quantization);
            let [first, other] = [&first, &other].map(|rows| built(metric, params, rows, &Threads(2)).0);
            // One deleted node: such searches use the beam of filtered searches.
            let deleted = [1u64];
            for view in [other.view(), other.view().with_tombstones(NodeSet::new(&deleted))] {
                let (mut work, mut right) = ([0, 0], [0, 0]);
                for query in &queries {
                    let bound = exactly(first.view().rows(), query, 10)[9].distance;
                    for (index, bound_of_search) in [f32::INFINITY, bound].into_iter().enumerate() {
                        let params = SearchParams::new(10).ef_search(160).bound(bound_of_search);
                        let (found, stats) = searched(&view, query, &params);
                        assert_eq!(found.len(), 10);
                        work[index] += stats.distances;
                        right[index] += found.iter().filter(|found| found.distance <= bound).count();
                    }
                }
                let what = format!("{metric}, {quantization:?}, {place}");
                println!("{what}: distances {work:?}, within the bound {right:?}");
                assert!(right[1] + 4 >= right[0], "{what}: {right:?}");
                // By inner product, rows that are far from the queries may be the nearest.
                if metric != Metric::InnerProduct {
                    assert!(work[1] * 100 <= work[0] * most_percent, "{what}: {work:?}");
                }
            }
        }
    }
}

#[test]
fn a_bound_that_everything_is_within_changes_nothing() {
    for quantization in CODES {
        let params = |bound| SearchParams::new(5).bound(bound);
        for metric in [Metric::SquaredEuclidean, Metric::Cosine, Metric::InnerProduct] {
            let data = vectors(Shape::Uniform, 16, 600, 42);
            let build = Params::new().ef_construction(60).quantization(quantization);
            let (graph, _) = built(metric, build, &data, &Threads(1));
            let view = graph.view();
            for query in vectors(Shape::Uniform, 16, 10, 43) {
                let plain = searched(&view, &query, &params(f32::INFINITY));
                for bound in [1e30, f32::NAN] {
                    let found = searched(&view, &query, &params(bound));
                    assert_eq!((bits(&found.0), found.1), (bits(&plain.0), plain.1), "{metric}, {bound}");
                }
                // Nothing is within this bound: searches that ignore it do not change.
                let none = f32::NEG_INFINITY;
                let (all, stats) = searched(&view, &query, &params(none).ef_search(600));
                assert_ne!(stats.end, SearchEnd::Slack);
                if quantization.is_none() {
                    assert_eq!(bits(&all), bits(&exactly(view.rows(), &query, 5)), "{metric}");
                }
                let mut scratch = Scratch::new();
                let [one, other] = [f32::INFINITY, none].map(|bound| {
                    let mut out = [Neighbor::default(); 20];
                    let mut batches = Batches::new(&view, &query, &params(bound), &mut scratch).unwrap();
                    batches.next_batch(&mut out);
                    (bits(&out), batches.stats())
                });
                assert_eq!(one, other, "pages, {metric}");
                let radius = exactly(view.rows(), &query, 30)[29].distance;
                let [one, other] = [f32::INFINITY, none].map(|bound| {
                    let mut out = [Neighbor::default(); 50];
                    let params = params(bound);
                    let stats =
                        search_radius(&view, &query, radius, &params, &mut scratch, &mut out).unwrap();
                    (bits(&out[..stats.found]), stats)
                });
                assert_eq!(one, other, "within a radius, {metric}");
            }
        }
    }
}

#[test]
fn whatever_the_bound_all_neighbors_asked_for_are_returned() {
    let data = vectors(Shape::Uniform, 8, 3_000, 44);
    for quantization in CODES {
        let params = Params::new().ef_construction(60).quantization(quantization);
        let (graph, _) = built(Metric::SquaredEuclidean, params, &data, &Threads(2));
        let (view, mut scratch) = (graph.view(), Scratch::new());
        for (query, bound) in
            vectors(Shape::Uniform, 8, 10, 45).iter().zip([0.0, -1.0, 1e-3, 0.1, f32::NEG_INFINITY].repeat(2))
        {
            for (k, ef) in [(1, 1), (1, 64), (10, 64), (64, 64), (100, 300)] {
                let params = SearchParams::new(k).ef_search(ef).bound(bound);
                assert_eq!(searched(&view, query, &params).0.len(), k, "bound {bound}");
                // A tenth of the nodes, a range, and next to none.
                let filters: [&dyn Fn(u32) -> bool; 3] =
                    [&|id| id % 10 == 3, &|id| id < 1_500, &|id| id == 7];
                for (filter, matches) in filters.into_iter().zip([300, 1_500, 1]) {
                    let mut out = vec![Neighbor::default(); k];
                    let stats =
                        search_filtered(&view, query, &params, &filter, &mut scratch, &mut out).unwrap();
                    assert_eq!(stats.found, k.min(matches), "bound {bound}, {quantization:?}");
                    assert!(out[..stats.found].iter().all(|neighbor| filter(neighbor.id)));
                }
            }
        }
    }
}
