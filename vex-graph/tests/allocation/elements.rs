//! The same promises for vectors of every type of element.

use std::convert::Infallible;
use std::ops::ControlFlow;

use vex_graph::{
    Element, Elements, Hnsw, InsertError, MemoryPlan, Metric, Neighbor, Params, Scalar, Scratch,
    SearchParams, Serial, UpdateError, search,
};

use crate::allocator::{counting, failing_at, holding};
use crate::support::{Rng, Snapshot};
use crate::vector::Vector;

fn pairs() -> impl Iterator<Item = (Element, Metric)> {
    Element::ALL
        .into_iter()
        .flat_map(|element| element.metrics().iter().map(move |metric| (element, *metric)))
}

fn params(element: Element) -> Params {
    Params::new().m(4).ef_construction(20).seed(9).element(element)
}

fn vectors(element: Element, dim: usize, count: usize) -> Vec<Vector> {
    let mut rng = Rng(4);
    (0..count).map(|_| Vector::small(element, dim, &mut rng)).collect()
}

/// Plan and truth of a build: what is left, and the peak.
fn plan_and_truth<S: Scalar>(element: Element, metric: Metric, dim: usize, one: S) -> [(usize, usize); 2] {
    const COUNT: usize = 700;
    let plan = MemoryPlan::of(&params(element), metric, dim, COUNT).unwrap();
    let ((graph, order), left, peak) = holding(|| {
        let fill = |to: &mut [S]| {
            to[0] = one;
            Ok::<(), Infallible>(())
        };
        let go_on = |_| ControlFlow::Continue(());
        Hnsw::build(metric, dim, params(element), COUNT, fill, &Serial, go_on).unwrap()
    });
    assert_eq!((graph.count(), order.len()), (COUNT, COUNT));
    // All vectors are equal, and the chains of copies take 8 bytes a node.
    [(plan.graph() + plan.order + 8 * COUNT, left), (plan.peak(1), peak)]
}

#[test]
fn a_plan_is_right_to_the_byte_for_every_element() {
    for (element, metric) in pairs() {
        for dim in [1, 20, 64, 130] {
            let [(planned, left), (bound, peak)] = match element {
                Element::F32 | Element::F16 => plan_and_truth(element, metric, dim, 1.0f32),
                Element::I8 => plan_and_truth(element, metric, dim, 1i8),
                Element::U8 => plan_and_truth(element, metric, dim, 1u8),
                Element::Bits => plan_and_truth(element, metric, dim, 1u64),
            };
            assert_eq!(left, planned, "{element}, {metric}, {dim}");
            assert!(peak <= bound, "{element}, {metric}, {dim}: {peak} bytes, at most {bound} planned");
        }
    }
}

#[test]
fn every_allocation_of_an_insert_and_an_update_can_fail() {
    for (element, metric) in pairs() {
        let data = vectors(element, 20, 90);
        let mut original = Hnsw::new(metric, 20, params(element)).unwrap();
        let mut failures = 0;
        for (id, vector) in data.iter().enumerate() {
            let before = Snapshot::of(&original.view());
            // A copy has no room to spare, and an empty workspace.
            let copy = || Hnsw::from_view(&original.view(), params(element)).unwrap();
            for n in 0.. {
                let mut graph = copy();
                match failing_at(n, || graph.insert(vector.elements())) {
                    Err(InsertError::OutOfMemory(_)) => failures += 1,
                    result => {
                        assert_eq!(result, Ok(id as u32));
                        break;
                    }
                }
                assert!(
                    Snapshot::of(&graph.view()) == before,
                    "{element}, {metric}: failure {n} left a trace"
                );
            }
            for n in (0..).take_while(|_| id > 0 && id % 10 == 0) {
                let mut graph = copy();
                match failing_at(n, || graph.update(id as u32 / 2, vector.elements())) {
                    Err(UpdateError::Insert(InsertError::OutOfMemory(_))) => failures += 1,
                    result => {
                        assert_eq!(result, Ok(()));
                        break;
                    }
                }
                assert!(
                    Snapshot::of(&graph.view()) == before,
                    "{element}, {metric}: failure {n} left a trace"
                );
            }
            original.insert(vector.elements()).unwrap();
        }
        assert!(failures > 400, "{element}, {metric}: {failures} failures");
    }
}

#[test]
fn a_search_with_warm_scratch_allocates_nothing_for_any_element() {
    for (element, metric) in pairs() {
        let data = vectors(element, 70, 300);
        let mut graph = Hnsw::new(metric, 70, params(element)).unwrap();
        for vector in &data {
            graph.insert(vector.elements()).unwrap();
        }
        let (view, params, mut scratch) = (graph.view(), SearchParams::new(5).ef_search(40), Scratch::new());
        let mut out = [Neighbor::default(); 5];
        let mut run = |query: Elements<'_>| search(&view, query, &params, &mut scratch, &mut out).unwrap();
        run(data[0].elements());
        let (_, allocations) = counting(|| run(data[1].elements()));
        assert_eq!(allocations, 0, "{element}, {metric}");
    }
}
