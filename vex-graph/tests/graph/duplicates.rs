//! Many copies of one vector: all at distance zero from each other, they must not keep a search
//! from anything else.

use vex_graph::{GraphView, Hnsw, Metric, Params, Serial};

use crate::invariants::assert_invariants;
use crate::support::{Rng, Shape, built, found, inserted, vectors};

fn each_way(data: &[Vec<f32>], check: impl Fn(&GraphView<'_>)) {
    for metric in [Metric::SquaredEuclidean, Metric::Cosine] {
        for keep_pruned in [false, true] {
            let params = Params::new().m(8).ef_construction(60).seed(1).keep_pruned(keep_pruned);
            check(&inserted(metric, params, data).view());
            let (graph, _) = built(metric, params, data, &Serial);
            check(&graph.view());
            let mut graph = Hnsw::from_view(&graph.view(), params).unwrap();
            for vector in &data[..100] {
                graph.insert(vector).unwrap();
            }
            check(&graph.view());
        }
    }
}

/// Under cosine a vector and its copy are one rounding apart.
const ZERO: f32 = 2e-7;

#[track_caller]
fn assert_ten_copies_are_found(view: &GraphView<'_>, vector: &[f32], ef: usize) {
    let found = found(view, vector, 10, ef);
    assert_eq!(found.len(), 10);
    assert!(found.iter().all(|neighbor| neighbor.distance <= ZERO), "{found:?}");
}

#[test]
fn copies_of_one_vector_are_all_reachable() {
    each_way(&vec![vec![0.5, -1.0, 2.0]; 2000], |view| {
        assert_invariants(view);
        assert_ten_copies_are_found(view, &[0.5, -1.0, 2.0], 10);
    });
}

#[test]
fn two_thousand_copies_hide_no_other_vector() {
    let others = vectors(Shape::Uniform, 6, 200, 4);
    let mut data = vec![vec![0.1; 6]; 2000];
    // Spread among the copies, so that some come before a sink could form and some after.
    let mut rng = Rng(8);
    for vector in &others {
        data.insert(rng.below(data.len()), vector.clone());
    }
    each_way(&data, |view| {
        assert_invariants(view);
        assert_ten_copies_are_found(view, &[0.1; 6], 10);
        let lost = others.iter().filter(|vector| found(view, vector, 1, 64)[0].distance > ZERO).count();
        assert!(lost <= 2, "{lost} of {} vectors are lost among the copies", others.len());
    });
}

#[test]
fn fifty_vectors_of_forty_copies_are_all_found() {
    let distinct = vectors(Shape::Uniform, 5, 50, 6);
    let data: Vec<Vec<f32>> = (0..2000).map(|index| distinct[index % 50].clone()).collect();
    each_way(&data, |view| {
        assert_invariants(view);
        for vector in &distinct {
            assert_ten_copies_are_found(view, vector, 64);
        }
    });
}
