//! The ends of the ranges.

use vex_graph::{GraphView, Hnsw, LevelView, Metric, Neighbor, Params, Rows, ViewError};
use vex_graph::{Scratch, SearchParams, TERMINATOR, search};

use crate::support::{Shape, exactly, found, inserted, vectors};

const PARAMS: Params = Params::new().m(4).ef_construction(10).seed(0);

#[test]
fn the_cosine_distance_does_not_depend_on_the_length_of_the_query() {
    let graph = inserted(Metric::Cosine, PARAMS, &[vec![1.0, 0.0], vec![1.0, 1.0], vec![-2.0, 0.0]]);
    let expected = [(0, 0.0), (1, 1.0 - 0.5f32.sqrt()), (2, 2.0)];
    for length in [1e-40, 1e-38, 1e-20, 1.0, 1e20, 1e38, f32::MAX] {
        for neighbors in
            [found(&graph.view(), &[length, 0.0], 3, 3), exactly(graph.view().rows(), &[length, 0.0], 3)]
        {
            for (neighbor, (id, distance)) in neighbors.iter().zip(expected) {
                assert_eq!(neighbor.id, id, "length {length}: {neighbors:?}");
                assert!((neighbor.distance - distance).abs() < 1e-4, "length {length}: {neighbors:?}");
            }
        }
    }
}

#[test]
fn k_ef_and_the_output_are_clamped() {
    let data = vectors(Shape::Uniform, 3, 20, 1);
    let graph = inserted(Metric::SquaredEuclidean, PARAMS, &data);
    let view = graph.view();
    let mut scratch = Scratch::new();
    for (k, ef, room, expected) in [
        (0, 0, 5, 0),
        (0, 10, 5, 0),
        (5, 0, 5, 5),
        (5, 1, 3, 3),
        (usize::MAX, usize::MAX, 30, 20),
        (30, 1, 30, 20),
        (5, 5, 0, 0),
    ] {
        let untouched = Neighbor { id: 77, distance: -1.0 };
        let mut out = vec![untouched; room];
        let stats =
            search(&view, &data[0], &SearchParams::new(k).ef_search(ef), &mut scratch, &mut out).unwrap();
        assert_eq!(stats.found, expected, "k {k}, ef {ef}, room {room}");
        assert!(out[expected..].iter().all(|neighbor| *neighbor == untouched));
    }
    let empty = Hnsw::new(Metric::Cosine, 3, PARAMS).unwrap();
    assert!(found(&empty.view(), &[1.0, 0.0, 0.0], 3, 10).is_empty());
    assert!(exactly(empty.view().rows(), &[1.0, 0.0, 0.0], 3).is_empty());
}

#[test]
fn the_widest_rows_and_vectors_work() {
    let params = Params::new().m(512).ef_construction(600).seed(1).keep_pruned(true);
    let data = vectors(Shape::Uniform, 2, 1300, 1);
    let graph = inserted(Metric::SquaredEuclidean, params, &data);
    crate::invariants::assert_invariants(&graph.view());
    assert_eq!(found(&graph.view(), &data[7], 1, 1)[0].id, 7);

    let data = vectors(Shape::Uniform, vex_graph::MAX_DIM, 6, 1);
    let graph = inserted(Metric::SquaredEuclidean, PARAMS, &data);
    assert_eq!(found(&graph.view(), &data[5], 1, 6)[0].id, 5);
}

#[test]
fn a_view_whose_lengths_do_not_agree_is_refused() {
    let elements = [0.0; 4];
    let rows = Rows::new(Metric::SquaredEuclidean, &elements, 2, 2, 2).unwrap();
    let links = [TERMINATOR; 16];
    let base = LevelView { links: &links, width: 8, sorted: 2, appended: &[] };
    let new = |m, entry, levels: &[LevelView<'_>]| GraphView::new(rows, None, m, entry, levels).map(drop);
    assert_eq!(new(4, 1, &[base]), Ok(()));

    assert_eq!(new(4, 2, &[base]), Err(ViewError::Entry { found: 2 }));
    assert_eq!(new(4, TERMINATOR, &[base]), Err(ViewError::Entry { found: TERMINATOR }));
    assert_eq!(new(4, 0, &[]), Err(ViewError::LevelCount { found: 0 }));
    assert_eq!(new(4, 0, &[base; 9]), Err(ViewError::LevelCount { found: 9 }));
    assert!(matches!(new(5, 0, &[base]), Err(ViewError::Links { level: 0, .. })));

    // The base holds every node once: a further row would be for no node.
    let longer = [TERMINATOR; 24];
    let more = LevelView { links: &longer, width: 8, sorted: 2, appended: &[5] };
    assert_eq!(new(4, 0, &[more]), Err(ViewError::Level { level: 0, found: 3 }));
    // A level is no larger than the one below it.
    let upper = LevelView { links: &[TERMINATOR; 12], width: 4, sorted: 3, appended: &[] };
    assert_eq!(new(4, 0, &[base, upper]), Err(ViewError::Level { level: 0, found: 2 }));
    // Sizes whose sums and products overflow.
    let huge = LevelView { links: &[], width: 8, sorted: usize::MAX, appended: &[1] };
    assert!(matches!(new(4, 0, &[huge]), Err(ViewError::Links { .. } | ViewError::Level { .. })));
    assert!(matches!(new(usize::MAX, 0, &[base]), Err(ViewError::Links { level: 0, .. })));
}
