//! Building at once.

use std::convert::Infallible;
use std::ops::ControlFlow;

use vex_graph::{
    BuildError, Element, Elements, Executor, Hnsw, MAX_NODES, Metric, Neighbor, Params, ParamsError,
    Quantization, Scratch, SearchParams, Serial, VectorError, search,
};

use crate::invariants::{assert_invariants, assert_reachable, assert_structure};
use crate::support::{Shape, Snapshot, Threads, built, vectors};

const PARAMS: Params = Params::new().m(6).ef_construction(30).seed(11);

#[test]
fn the_number_of_workers_changes_no_byte() {
    for metric in Metric::NUMERIC {
        for shape in Shape::ALL {
            for keep_pruned in [false, true] {
                let params = PARAMS.keep_pruned(keep_pruned);
                // Past the first 64 nodes, which come one by one, into batches of more nodes than workers.
                let data = vectors(shape, 7, 900, 5);
                let (expected, order) = built(metric, params, &data, &Serial);
                assert_invariants(&expected.view());
                let expected = Snapshot::of(&expected.view());
                for workers in [1, 2, 4, 8] {
                    let (graph, same_order) = built(metric, params, &data, &Threads(workers));
                    assert_eq!(order, same_order);
                    let same = Snapshot::of(&graph.view()) == expected;
                    assert!(same, "{metric} {shape:?}, keep_pruned {keep_pruned}, {workers} workers");
                }
            }
        }
    }
}

#[test]
fn an_executor_without_workers_is_as_good_as_serial() {
    struct Idle;
    impl Executor for Idle {
        fn workers(&self) -> usize {
            0
        }
        fn join(&self, _: &mut (dyn FnMut() + Send), _: &mut (dyn FnMut() + Send)) {
            unreachable!("one worker has nobody to join");
        }
    }
    let data = vectors(Shape::Uniform, 3, 200, 1);
    for quantization in [None, Some(Quantization::Sq8)] {
        let params = PARAMS.quantization(quantization);
        let (graph, _) = built(Metric::SquaredEuclidean, params, &data, &Idle);
        let (expected, _) = built(Metric::SquaredEuclidean, params, &data, &Serial);
        assert!(Snapshot::of(&graph.view()) == Snapshot::of(&expected.view()));
    }
}

#[test]
fn order_says_which_vector_a_node_has() {
    let data = vectors(Shape::Uniform, 9, 1500, 2);
    let (graph, order) = built(Metric::InnerProduct, PARAMS, &data, &Serial);
    let view = graph.view();
    for (id, position) in order.iter().enumerate() {
        assert_eq!(view.rows().row(id as u32), Elements::from(&data[*position as usize]));
    }
    let mut positions = order;
    positions.sort_unstable();
    assert!(positions.into_iter().eq(0..1500));
}

#[test]
fn ids_are_sorted_by_level() {
    let data = vectors(Shape::Clustered, 4, 2000, 3);
    let (graph, _) = built(Metric::SquaredEuclidean, PARAMS, &data, &Serial);
    let view = graph.view();
    assert!(view.levels().len() > 3);
    assert!(view.levels().iter().all(|level| level.appended.is_empty()));
    assert_eq!(view.entry(), Some(0));
    let levels: Vec<usize> = (0..2000).map(|id| view.level(id)).collect();
    assert!(levels.is_sorted_by(|a, b| a >= b));
}

#[test]
fn no_vector_and_one_vector_make_graphs() {
    for metric in Metric::NUMERIC {
        let (mut graph, order) = built(metric, PARAMS, &[], &Threads(4));
        assert!(order.is_empty());
        assert_invariants(&graph.view());
        assert_eq!(graph.insert(&[1.0, 0.0, 0.0]), Ok(0));
        assert_eq!(graph.insert(&[0.0, 1.0, 0.0]), Ok(1));
        assert_invariants(&graph.view());

        let (graph, order) = built(metric, PARAMS, &[vec![3.0, 4.0]], &Threads(4));
        assert_eq!(order, [0]);
        assert_invariants(&graph.view());
        assert_eq!(graph.count(), 1);
    }
}

/// Builds from a source whose vector at `bad` is what `fill` makes of it.
fn build_with(
    metric: Metric,
    bad: usize,
    fill: impl Fn(&mut [f32]) -> Result<(), &'static str>,
) -> Result<(), BuildError<&'static str>> {
    let mut position = 0;
    let source = |vector: &mut [f32]| {
        position += 1;
        vector.fill(position as f32);
        if position - 1 == bad { fill(vector) } else { Ok(()) }
    };
    Hnsw::build(metric, 2, PARAMS, 100, source, &Serial, |_| ControlFlow::Continue(())).map(drop)
}

#[test]
fn a_bad_vector_and_a_failing_source_are_reported_with_their_position() {
    for bad in [0, 1, 57, 99] {
        let result = build_with(Metric::Cosine, bad, |_| Err("disk"));
        assert_eq!(result, Err(BuildError::Source { position: bad, error: "disk" }));

        let error = VectorError::NotFinite { position: 1 };
        for element in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
            let set = |vector: &mut [f32]| {
                vector[1] = element;
                Ok(())
            };
            let result = build_with(Metric::SquaredEuclidean, bad, set);
            assert_eq!(result, Err(BuildError::Vector { position: bad, error }));
        }

        let zero = |vector: &mut [f32]| {
            vector.fill(0.0);
            Ok(())
        };
        let error = VectorError::ZeroVector;
        assert_eq!(build_with(Metric::Cosine, bad, zero), Err(BuildError::Vector { position: bad, error }));
        assert_eq!(build_with(Metric::InnerProduct, bad, zero), Ok(()));
    }
}

#[test]
fn progress_rises_to_the_count_and_can_break_off() {
    let build = |stop_at: usize, is_kept: bool| {
        let mut seen = Vec::new();
        let fill = |vector: &mut [f32]| -> Result<(), Infallible> {
            vector.fill(1.0);
            Ok(())
        };
        let progress = |linked| {
            seen.push(linked);
            if linked >= stop_at { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        };
        let result = if is_kept {
            Hnsw::build_partial(Metric::Cosine, 2, PARAMS, 300, fill, &Serial, progress)
        } else {
            Hnsw::build(Metric::Cosine, 2, PARAMS, 300, fill, &Serial, progress)
        };
        (result.map(|(graph, order)| [graph.count(), order.len()]), seen)
    };
    let (result, seen) = build(usize::MAX, false);
    assert_eq!((result, seen.last()), (Ok([300; 2]), Some(&300)));
    assert!(seen.is_sorted_by(|a, b| a < b));
    // To cancel when all nodes are linked is to cancel.
    for stop_at in [1, 100, 300] {
        let (result, seen) = build(stop_at, true);
        let linked = *seen.last().unwrap();
        assert!((stop_at..=2 * stop_at).contains(&linked));
        assert_eq!(result, Ok([linked; 2]));
        assert_eq!(build(stop_at, false), (Err(BuildError::Cancelled { linked }), seen));
    }
}

#[test]
fn a_partial_build_is_a_graph_of_what_was_linked() {
    let vectors = vectors(Shape::Uniform, 8, 1_000, 3);
    for quantization in [None, Some(Quantization::Sq8), Some(Quantization::Sq4), Some(Quantization::Sq2x2)] {
        let params = PARAMS.quantization(quantization);
        for stop_at in [1, 2, 30, 500, 999] {
            let mut rows = vectors.iter();
            let fill = |to: &mut [f32]| {
                to.copy_from_slice(rows.next().unwrap());
                Ok::<(), Infallible>(())
            };
            let progress =
                |linked| if linked >= stop_at { ControlFlow::Break(()) } else { ControlFlow::Continue(()) };
            let (mut graph, order) =
                Hnsw::build_partial(Metric::SquaredEuclidean, 8, params, 1_000, fill, &Threads(2), progress)
                    .unwrap();
            assert!((stop_at..=1_000).contains(&graph.count()) && graph.count() <= 2 * stop_at);
            // Except for the share of each level, since the highest come first.
            assert_structure(&graph.view());
            assert_reachable(&graph.view());
            // What was left out can follow.
            let mut positions: Vec<usize> = order.iter().map(|position| *position as usize).collect();
            for (position, vector) in vectors.iter().enumerate() {
                if !order.contains(&(position as u32)) {
                    graph.insert(vector).unwrap();
                    positions.push(position);
                }
            }
            assert_structure(&graph.view());
            assert_reachable(&graph.view());
            let every = SearchParams::new(1).ef_search(1_000).rerank(f32::INFINITY);
            let mut found = [Neighbor::default()];
            for (id, position) in (0..).zip(&positions) {
                search(&graph.view(), &vectors[*position], &every, &mut Scratch::new(), &mut found).unwrap();
                assert_eq!(found[0], Neighbor { id, distance: 0.0 });
            }
        }
    }
}

#[test]
fn parameters_out_of_range_are_refused_before_the_source_is_asked() {
    let build = |params, dim, count| {
        let fill = |_: &mut [f32]| -> Result<(), Infallible> { panic!("asked") };
        Hnsw::build(Metric::Cosine, dim, params, count, fill, &Serial, |_| ControlFlow::Continue(()))
            .map(drop)
            .unwrap_err()
    };
    assert_eq!(build(PARAMS.m(3), 2, 1), ParamsError::M { found: 3 }.into());
    assert_eq!(build(PARAMS.m(513), 2, 1), ParamsError::M { found: 513 }.into());
    let params = PARAMS.ef_construction(0);
    assert_eq!(build(params, 2, 1), ParamsError::EfConstruction { found: 0 }.into());
    assert_eq!(build(PARAMS, 0, 1), ParamsError::Dim { found: 0 }.into());
    assert_eq!(build(PARAMS, 65_537, 1), ParamsError::Dim { found: 65_537 }.into());
    assert_eq!(build(PARAMS, 2, MAX_NODES + 1), BuildError::Full { capacity: MAX_NODES });
}

#[test]
fn metric_that_f32_does_not_know_is_refused() {
    for metric in Metric::BITS {
        let error = Hnsw::new(metric, 2, PARAMS).map(drop).unwrap_err();
        assert_eq!(error, ParamsError::Metric { element: Element::F32, found: metric });
    }
}
