//! An allocation that fails is an error that leaves no trace, whichever allocation it is.

use std::convert::Infallible;
use std::ops::ControlFlow;

use vex_graph::{
    BuildError, DeleteError, Hnsw, InsertError, Metric, OutOfMemory, Params, Quantization, Serial,
    UpdateError,
};

use crate::allocator::failing_at;
use crate::support::{Shape, Snapshot, built, inserted, vectors};

const PARAMS: Params = Params::new().m(4).ef_construction(20).seed(9);

/// Lets the first, then the second, and so on, allocation of an insert into `graph` fail, until it
/// succeeds. Returns how many failed.
fn insert_against_failures(graph: &mut Hnsw, vector: &[f32]) -> u64 {
    let before = Snapshot::of(&graph.view());
    for n in 0.. {
        match failing_at(n, || graph.insert(vector)) {
            Ok(id) => {
                assert_eq!(id as usize, graph.count() - 1);
                return n;
            }
            Err(InsertError::OutOfMemory(OutOfMemory { bytes })) => assert!(bytes > 0),
            Err(error) => panic!("{error}"),
        }
        assert!(Snapshot::of(&graph.view()) == before, "failure {n} left a trace");
    }
    unreachable!()
}

#[test]
fn every_allocation_of_an_insert_can_fail() {
    for (metric, shape) in [(Metric::SquaredEuclidean, Shape::Uniform), (Metric::Cosine, Shape::Duplicates)] {
        let data = vectors(shape, 6, 400, 1);
        let mut expected = Hnsw::new(metric, 6, PARAMS).unwrap();
        let mut against_failures = Hnsw::new(metric, 6, PARAMS).unwrap();
        let (mut failures, mut new_levels) = (0, 0);
        for vector in &data {
            let levels = expected.view().levels().len();
            expected.insert(vector).unwrap();
            failures += insert_against_failures(&mut against_failures, vector);
            assert!(Snapshot::of(&against_failures.view()) == Snapshot::of(&expected.view()));
            new_levels += usize::from(expected.view().levels().len() > levels);
        }
        assert!(failures > 50 && new_levels >= 2, "{failures} failures, {new_levels} new levels");
    }
}

/// A copy has no room to spare and an empty workspace: every insert into it allocates whatever an
/// insert can.
#[test]
fn every_allocation_of_an_insert_into_a_copy_can_fail() {
    let data = vectors(Shape::Clustered, 6, 120, 1);
    let mut original = Hnsw::new(Metric::InnerProduct, 6, PARAMS).unwrap();
    for vector in &data {
        let copy = || Hnsw::from_view(&original.view(), PARAMS).unwrap();
        let mut expected = copy();
        expected.insert(vector).unwrap();
        let expected = Snapshot::of(&expected.view());

        let mut against_failures = copy();
        assert!(insert_against_failures(&mut against_failures, vector) > 3);
        assert!(Snapshot::of(&against_failures.view()) == expected);

        // One failure, and then a retry with all the memory in the world.
        let mut n = 0;
        loop {
            let mut once = copy();
            let failed = failing_at(n, || once.insert(vector)).is_err();
            if failed {
                once.insert(vector).unwrap();
            }
            assert!(Snapshot::of(&once.view()) == expected);
            if !failed {
                break;
            }
            n += 1;
        }
        original.insert(vector).unwrap();
    }
}

fn build(
    metric: Metric,
    params: Params,
    data: &[Vec<f32>],
) -> Result<(Hnsw, Vec<u32>), BuildError<Infallible>> {
    let mut next = data.iter();
    let fill = |vector: &mut [f32]| {
        vector.copy_from_slice(next.next().unwrap());
        Ok(())
    };
    Hnsw::build(metric, data[0].len(), params, data.len(), fill, &Serial, |_| ControlFlow::Continue(()))
}

#[test]
fn every_allocation_of_a_build_can_fail() {
    let data = vectors(Shape::Uniform, 6, 400, 1);
    let (expected, expected_order) = built(Metric::SquaredEuclidean, PARAMS, &data, &Serial);
    for n in 0.. {
        match failing_at(n, || build(Metric::SquaredEuclidean, PARAMS, &data)) {
            Ok((graph, order)) => {
                assert!(n > 10, "only {n} allocations");
                assert!(Snapshot::of(&graph.view()) == Snapshot::of(&expected.view()));
                assert_eq!(order, expected_order);
                return;
            }
            Err(BuildError::OutOfMemory(OutOfMemory { bytes })) => assert!(bytes > 0),
            Err(error) => panic!("{error}"),
        }
    }
}

/// In 128 dimensions codes help to build a graph that keeps none, in 256 there are two kinds of
/// them.
#[test]
fn every_allocation_of_a_build_with_codes_can_fail() {
    let kinds = [Some(Quantization::Sq8), Some(Quantization::Sq4), Some(Quantization::Sq2x2)];
    for (dim, quantization) in
        [6, 256].into_iter().flat_map(|dim| kinds.map(|kind| (dim, kind))).chain([(128, None)])
    {
        let data = vectors(Shape::Uniform, dim, 100, 1);
        let params = PARAMS.quantization(quantization);
        let (expected, _) = built(Metric::Cosine, params, &data, &Serial);
        for n in 0.. {
            match failing_at(n, || build(Metric::Cosine, params, &data)) {
                Ok((graph, _)) => {
                    assert!(n > 20, "only {n} allocations");
                    assert!(Snapshot::of(&graph.view()) == Snapshot::of(&expected.view()));
                    break;
                }
                Err(BuildError::OutOfMemory(OutOfMemory { bytes })) => assert!(bytes > 0),
                Err(error) => panic!("{error}"),
            }
        }
    }
}

#[test]
fn every_allocation_of_a_delete_can_fail() {
    let mut graph = inserted(Metric::Cosine, PARAMS, &vectors(Shape::Uniform, 6, 400, 1));
    for id in [0, 399, 200] {
        let mut failures = 0;
        while let Err(error) = failing_at(failures, || graph.delete(id)) {
            assert!(matches!(error, DeleteError::OutOfMemory(OutOfMemory { bytes: 1.. })));
            assert!(graph.is_live(id));
            failures += 1;
        }
        assert!(failures > 0 || id == 200, "room for one more costs nothing");
        assert!(!graph.is_live(id));
    }
}

/// Into a copy, which has no room to spare and an empty workspace; the entry point is among the
/// nodes.
#[test]
fn every_allocation_of_an_update_and_of_a_reuse_can_fail() {
    let data = vectors(Shape::Clustered, 6, 240, 1);
    for quantization in [None, Some(Quantization::Sq8), Some(Quantization::Sq4), Some(Quantization::Sq2x2)] {
        let params = PARAMS.quantization(quantization);
        let (mut original, _) = built(Metric::InnerProduct, params, &data[..120], &Serial);
        for (id, vector) in data[120..].iter().enumerate().step_by(7) {
            let id = id as u32;
            original.delete(id).unwrap();
            let copy = || Hnsw::from_view(&original.view(), params).unwrap();
            let mut expected = copy();
            expected.insert(vector).unwrap();
            let expected = Snapshot::of(&expected.view());

            // A fresh copy each time fails further and further on; then a retry with all the memory in the
            // world.
            let before = Snapshot::of(&original.view());
            let mut n = 0;
            loop {
                let mut once = copy();
                match failing_at(n, || once.insert(vector)) {
                    Ok(reused) => {
                        assert_eq!(reused, id);
                        break;
                    }
                    Err(InsertError::OutOfMemory(OutOfMemory { bytes })) => assert!(bytes > 0),
                    Err(error) => panic!("{error}"),
                }
                assert!(Snapshot::of(&once.view()) == before, "failure {n} left a trace");
                assert!(!once.is_live(id));
                once.insert(vector).unwrap();
                assert!(Snapshot::of(&once.view()) == expected);
                n += 1;
            }
            assert!(n > 12, "only {n} allocations");
            original.insert(vector).unwrap();

            let mut updated = Hnsw::from_view(&original.view(), params).unwrap();
            let before = Snapshot::of(&updated.view());
            for n in 0.. {
                match failing_at(n, || updated.update(id, &data[0])) {
                    Ok(()) => break,
                    Err(UpdateError::Insert(InsertError::OutOfMemory(_))) => (),
                    Err(error) => panic!("{error}"),
                }
                assert!(Snapshot::of(&updated.view()) == before, "failure {n} left a trace");
            }
        }
    }
}

#[test]
fn every_allocation_of_a_copy_can_fail() {
    let data = vectors(Shape::Uniform, 6, 400, 1);
    let original = inserted(Metric::Cosine, PARAMS, &data);
    assert!(original.view().levels().len() > 3);
    for n in 0.. {
        match failing_at(n, || Hnsw::from_view(&original.view(), PARAMS)) {
            Ok(copy) => {
                assert!(n > 8, "only {n} allocations");
                assert!(Snapshot::of(&copy.view()) == Snapshot::of(&original.view()));
                return;
            }
            Err(BuildError::OutOfMemory(OutOfMemory { bytes })) => assert!(bytes > 0),
            Err(error) => panic!("{error}"),
        }
    }
}

#[test]
fn an_empty_graph_needs_no_memory() {
    // The instruction set is detected once per process, which may allocate.
    let _ = Hnsw::new(Metric::Cosine, 3, PARAMS).unwrap().view();
    let mut graph = failing_at(0, || {
        let graph = Hnsw::new(Metric::Cosine, 3, PARAMS).unwrap();
        assert_eq!(graph.view().count(), 0);
        graph
    });
    assert_eq!(graph.insert(&[1.0, 2.0, 3.0]), Ok(0));
}

/// Among few different vectors: originals leave their copies, nodes become copies and stop being
/// ones, deleted ones come back.
#[test]
fn every_allocation_of_an_update_among_copies_can_fail() {
    let different = vectors(Shape::Uniform, 6, 8, 1);
    let data: Vec<Vec<f32>> = (0..120).map(|index| different[index % 7].clone()).collect();
    for metric in [Metric::SquaredEuclidean, Metric::InnerProduct] {
        let (mut original, _) = built(metric, PARAMS, &data, &Serial);
        let view = original.view();
        let head =
            (0..120).find(|id| view.copies_of(*id).next().is_some() && Some(*id) != view.entry()).unwrap();
        let copies: Vec<u32> = view.copies_of(head).take(3).collect();
        let other = (0..120).find(|id| view.copies_of(*id).next().is_some() && *id != head).unwrap();
        let other = view.rows().row(other).as_f32().unwrap().to_vec();
        original.update(copies[2], &different[7]).unwrap();
        original.delete(copies[0]).unwrap();
        let mut failures = 0;
        for (id, vector) in [
            (head, &different[7]),
            (head, &other),
            (copies[1], &other),
            (copies[1], &vec![3.0; 6]),
            (copies[2], &other),
            // The slot of the deleted copy.
            (copies[0], &other),
            (copies[0], &vec![3.0; 6]),
        ] {
            let copy = || Hnsw::from_view(&original.view(), PARAMS).unwrap();
            let change = |graph: &mut Hnsw| match id == copies[0] {
                true => graph.insert(vector).map(|reused| assert_eq!(reused, id)),
                false => graph.update(id, vector).map_err(|error| match error {
                    UpdateError::Insert(error) => error,
                    error => panic!("{error}"),
                }),
            };
            let mut expected = copy();
            change(&mut expected).unwrap();
            let (before, expected) = (Snapshot::of(&original.view()), Snapshot::of(&expected.view()));
            for n in 0.. {
                let mut once = copy();
                match failing_at(n, || change(&mut once)) {
                    Ok(()) => break,
                    Err(InsertError::OutOfMemory(OutOfMemory { bytes })) => assert!(bytes > 0),
                    Err(error) => panic!("{error}"),
                }
                failures += 1;
                assert!(Snapshot::of(&once.view()) == before, "failure {n} left a trace");
                change(&mut once).unwrap();
                assert!(Snapshot::of(&once.view()) == expected);
            }
        }
        assert!(failures > 70, "only {failures} allocations");
    }
}

#[test]
fn every_allocation_of_a_build_of_copies_can_fail() {
    let different = vectors(Shape::Uniform, 6, 9, 1);
    let data: Vec<Vec<f32>> = (0..200).map(|index| different[index % 9].clone()).collect();
    let (expected, _) = built(Metric::SquaredEuclidean, PARAMS, &data, &Serial);
    assert!(!expected.view().copies().is_empty());
    for n in 0.. {
        match failing_at(n, || build(Metric::SquaredEuclidean, PARAMS, &data)) {
            Ok((graph, _)) => {
                assert!(n > 12, "only {n} allocations");
                assert!(Snapshot::of(&graph.view()) == Snapshot::of(&expected.view()));
                break;
            }
            Err(BuildError::OutOfMemory(OutOfMemory { bytes })) => assert!(bytes > 0),
            Err(error) => panic!("{error}"),
        }
    }
    let view = expected.view();
    for n in 0.. {
        match failing_at(n, || Hnsw::from_view(&view, PARAMS)) {
            Ok(copy) => return assert!(Snapshot::of(&copy.view()) == Snapshot::of(&view)),
            Err(BuildError::OutOfMemory(OutOfMemory { bytes })) => assert!(bytes > 0),
            Err(error) => panic!("{error}"),
        }
    }
}
