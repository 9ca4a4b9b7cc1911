//! Nodes that leave, and vectors that take their places.

use std::ops::ControlFlow;

use vex_graph::{
    BuildError, Codes, DeleteError, Element, GraphView, Hnsw, InsertError, Metric, Params, Quantization,
    Rows, Serial, UpdateError, VectorError,
};

use crate::invariants::assert_invariants;
use crate::support::{
    Rng, Shape, Snapshot, Threads, bits, built, exactly_live, found_live, inserted, vectors,
};

const PARAMS: Params = Params::new().m(5).ef_construction(30).seed(3);

fn compact(graph: &Hnsw) -> (Hnsw, Vec<u32>) {
    graph.compact(&Serial, |_| ControlFlow::Continue(())).unwrap()
}

#[test]
fn the_lowest_slot_is_taken_first_and_keeps_its_level() {
    let data = vectors(Shape::Clustered, 6, 400, 1);
    let mut graph = inserted(Metric::SquaredEuclidean, PARAMS, &data[..300]);
    let levels: Vec<usize> = (0..300).map(|id| graph.view().level(id)).collect();
    for id in [250, 3, 77, 12] {
        graph.delete(id).unwrap();
    }
    assert_eq!((graph.count(), graph.live_count()), (300, 296));
    for (vector, id) in data[300..].iter().zip([3, 12, 77, 250, 300]) {
        assert_eq!(graph.insert(vector), Ok(id));
        assert_invariants(&graph.view());
    }
    assert!((0..300).all(|id| graph.view().level(id) == levels[id as usize]));
    assert_eq!((graph.count(), graph.live_count()), (301, 301));
}

#[test]
fn what_is_deleted_is_not_there() {
    let mut graph = inserted(Metric::Cosine, PARAMS, &vectors(Shape::Uniform, 4, 20, 1));
    graph.delete(7).unwrap();
    let before = Snapshot::of(&graph.view());
    for id in [7, 20, u32::MAX] {
        assert!(!graph.is_live(id));
        assert_eq!(graph.delete(id), Err(DeleteError::NotFound { id }));
        assert_eq!(graph.update(id, &[1.0; 4]), Err(UpdateError::NotFound { id }));
    }
    let zero = InsertError::Vector(VectorError::ZeroVector);
    assert_eq!(graph.insert(&[0.0; 4]), Err(zero));
    assert_eq!(graph.update(3, &[0.0; 4]), Err(UpdateError::Insert(zero)));
    assert!(Snapshot::of(&graph.view()) == before);
}

#[test]
fn every_node_can_go_and_come_back_the_entry_point_too() {
    for (metric, shape) in [(Metric::SquaredEuclidean, Shape::Uniform), (Metric::Cosine, Shape::Duplicates)] {
        let data = vectors(shape, 6, 500, 1);
        let (mut graph, _) = built(metric, PARAMS, &data[..250], &Serial);
        let entry = graph.view().entry().unwrap();
        for vector in data[..20].iter() {
            graph.update(entry, vector).unwrap();
            assert_eq!(graph.view().entry(), Some(entry));
            assert_invariants(&graph.view());
        }
        (0..250).for_each(|id| graph.delete(id).unwrap());
        assert_eq!((graph.count(), graph.live_count()), (250, 0));
        assert!(found_live(&graph, &data[0], 10).is_empty());
        for (id, vector) in data[250..].iter().enumerate() {
            assert_eq!(graph.insert(vector), Ok(id as u32));
            assert_invariants(&graph.view());
        }
        assert_eq!(bits(&found_live(&graph, &data[0], 300)), bits(&exactly_live(&graph, &data[0], 300)));
    }
}

#[test]
fn a_graph_of_one_node_is_reused() {
    let mut graph = inserted(Metric::SquaredEuclidean, PARAMS, &[vec![1.0, 2.0]]);
    graph.update(0, &[3.0, 4.0]).unwrap();
    graph.delete(0).unwrap();
    assert_eq!(graph.insert(&[5.0, 6.0]), Ok(0));
    assert_invariants(&graph.view());
    assert_eq!(found_live(&graph, &[5.0, 6.0], 2).len(), 1);
}

#[test]
fn the_code_of_a_slot_is_that_of_its_new_vector() {
    for quantization in Quantization::ALL {
        for metric in Metric::NUMERIC {
            let params = PARAMS.quantization(Some(quantization));
            let data = vectors(Shape::Uniform, 20, 102, 4);
            // Between powers of two the mean of the codes stays where it is.
            let mut graph = inserted(metric, params, &data[..100]);
            graph.update(17, &data[100]).unwrap();
            graph.delete(5).unwrap();
            assert_eq!(graph.insert(&data[101]), Ok(5));
            assert_eq!(graph.insert(&data[100]), Ok(100));
            assert_eq!(graph.insert(&data[101]), Ok(101));
            let view = graph.view();
            let codes = view.codes().unwrap();
            for (old, new) in [(17, 100), (5, 101)] {
                assert_eq!(codes.row(old), codes.row(new), "{quantization} {metric}");
                assert_eq!(codes.terms()[old as usize], codes.terms()[new as usize]);
            }
        }
    }
}

#[test]
fn compacting_keeps_what_is_live_and_does_not_depend_on_workers() {
    for quantization in [None, Some(Quantization::Sq8), Some(Quantization::Sq4), Some(Quantization::Sq2x2)] {
        let params = PARAMS.quantization(quantization);
        let data = vectors(Shape::Clustered, 7, 900, 5);
        let mut graph = inserted(Metric::Cosine, params, &data);
        let mut rng = Rng(6);
        for _ in 0..500 {
            let _ = graph.delete(rng.below(900) as u32);
        }
        let (compacted, order) = compact(&graph);
        assert_invariants(&compacted.view());
        assert_eq!((compacted.count(), compacted.live_count()), (graph.live_count(), graph.live_count()));
        for (new, old) in order.iter().enumerate() {
            assert!(graph.is_live(*old));
            assert_eq!(compacted.view().rows().row(new as u32), graph.view().rows().row(*old));
        }
        let expected = Snapshot::of(&compacted.view());
        for workers in [2, 4] {
            let (same, same_order) = graph.compact(&Threads(workers), |_| ControlFlow::Continue(())).unwrap();
            assert!(Snapshot::of(&same.view()) == expected && same_order == order);
        }
    }
}

#[test]
fn compacting_nothing_and_breaking_off() {
    let mut graph = inserted(Metric::Cosine, PARAMS, &vectors(Shape::Uniform, 4, 200, 1));
    let stopped = graph.compact(&Serial, |_| ControlFlow::Break(())).unwrap_err();
    assert!(matches!(stopped, BuildError::Cancelled { linked: 1 }));
    (0..200).for_each(|id| graph.delete(id).unwrap());
    let (mut empty, order) = compact(&graph);
    assert!(empty.count() == 0 && order.is_empty());
    assert_eq!(empty.insert(&[1.0; 4]), Ok(0));
}

#[test]
fn a_view_of_codes_alone_cannot_grow() {
    let params = PARAMS.quantization(Some(Quantization::Sq8));
    let (graph, _) = built(Metric::Cosine, params, &vectors(Shape::Uniform, 4, 50, 1), &Serial);
    let view = graph.view();
    let codes: Codes<'_> = *view.codes().unwrap();
    let rows = Rows::absent(Element::F32, Metric::Cosine, 4, 50).unwrap();
    let view = GraphView::new(rows, Some(codes), view.m(), view.entry().unwrap(), view.levels()).unwrap();
    assert_eq!(Hnsw::from_view(&view, params).unwrap_err(), BuildError::VectorsNotStored);
}
