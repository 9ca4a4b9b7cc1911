//! Random sequences of operations.

use std::ops::ControlFlow;

use proptest::prelude::*;
use proptest::test_runner::RngSeed;
use vex_graph::{
    DeleteError, Hnsw, InsertError, Metric, Neighbor, Params, Quantization, Serial, UpdateError, VectorError,
};

use crate::invariants::assert_invariants;
use crate::support::{Rng, Shape, Snapshot, assert_sorted, bits, built, exactly_live, found_live, vectors};

#[derive(Clone, Copy, Debug)]
enum Operation {
    Insert {
        count: usize,
    },
    /// Of random nodes; those that are deleted already must be refused.
    Delete {
        count: usize,
    },
    /// Gives random nodes new vectors.
    Update {
        count: usize,
    },
    /// For the vector of a node, or for one that no node has.
    Query {
        k: usize,
        of_node: bool,
    },
    /// Replaces the graph by a copy of its view.
    Copy,
    /// Replaces the graph by one of its live nodes.
    Compact,
    /// An insert that must fail, as must the search.
    Refuse(Refused),
}

#[derive(Clone, Copy, Debug)]
enum Refused {
    Dimension,
    Nan,
    Infinity,
    /// Under metrics that accept zeros, nothing.
    Zero,
}

#[derive(Clone, Copy, Debug)]
struct Setup {
    metric: Metric,
    shape: Shape,
    dim: usize,
    params: Params,
    /// Nodes that are built at once, before the operations.
    built: usize,
    /// Of the data.
    seed: u64,
}

fn setups() -> impl Strategy<Value = Setup> {
    let quantization = proptest::sample::select(vec![
        None,
        Some(Quantization::Sq8),
        Some(Quantization::Sq4),
        Some(Quantization::Sq2x2),
    ]);
    let params = (
        prop_oneof![4 => 4usize..=8, 1 => 9usize..=512],
        1usize..=40,
        any::<u64>(),
        any::<bool>(),
        quantization,
    )
        .prop_map(|(m, ef_construction, seed, keep_pruned, quantization)| {
            Params::new()
                .m(m)
                .ef_construction(ef_construction)
                .seed(seed)
                .keep_pruned(keep_pruned)
                .quantization(quantization)
        });
    let metric = proptest::sample::select(&Metric::NUMERIC[..]);
    let shape = proptest::sample::select(&Shape::ALL[..]);
    let built = prop_oneof![Just(0usize), 1usize..=80];
    (metric, shape, 1usize..=20, params, built, any::<u64>()).prop_map(
        |(metric, shape, dim, params, built, seed)| Setup { metric, shape, dim, params, built, seed },
    )
}

fn operations() -> impl Strategy<Value = Vec<Operation>> {
    let refused = [Refused::Dimension, Refused::Nan, Refused::Infinity, Refused::Zero];
    let operation = prop_oneof![
        5 => (1usize..=12).prop_map(|count| Operation::Insert { count }),
        4 => (1usize..=30).prop_map(|count| Operation::Delete { count }),
        3 => (1usize..=12).prop_map(|count| Operation::Update { count }),
        3 => (0usize..=200, any::<bool>()).prop_map(|(k, of_node)| Operation::Query { k, of_node }),
        1 => Just(Operation::Copy),
        1 => Just(Operation::Compact),
        1 => proptest::sample::select(refused.to_vec()).prop_map(Operation::Refuse),
    ];
    prop::collection::vec(operation, 1..=24)
}

/// `VEX_CASES` asks for more than the usual number.
fn cases() -> u32 {
    std::env::var("VEX_CASES").ok().and_then(|cases| cases.parse().ok()).unwrap_or(2500)
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: cases(),
        rng_seed: RngSeed::Fixed(1),
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    #[test]
    fn every_sequence_of_operations_keeps_the_invariants(setup in setups(), operations in operations()) {
        let Setup { metric, shape, dim, params, seed, .. } = setup;
        let mut data = vectors(shape, dim, 700, seed);
        let extra = data.split_off(698);
        let mut graph = match setup.built {
            0 => Hnsw::new(metric, dim, params).unwrap(),
            count => built(metric, params, &data[..count], &Serial).0,
        };
        let mut model = Model::of(&graph);
        model.check(&graph);
        let mut rng = Rng(seed);
        let mut next = data.iter().cycle().skip(setup.built);
        for operation in operations {
            match operation {
                Operation::Insert { count } => {
                    for vector in next.by_ref().take(count) {
                        let expected = model.rows.iter().position(Option::is_none).unwrap_or(model.rows.len());
                        prop_assert_eq!(graph.insert(vector), Ok(expected as u32));
                        model.rows.resize(model.rows.len().max(expected + 1), None);
                        model.rows[expected] = Some(row_bits(&graph, expected as u32));
                    }
                }
                Operation::Delete { count } => {
                    for _ in 0..count {
                        // One beyond the last node, too.
                        let id = rng.below(graph.count() + 1) as u32;
                        let node = model.rows.get_mut(id as usize).and_then(Option::take);
                        let expected = node.map(drop).ok_or(DeleteError::NotFound { id });
                        prop_assert_eq!(graph.delete(id), expected);
                    }
                }
                Operation::Update { count } => {
                    for vector in next.by_ref().take(count) {
                        let id = rng.below(graph.count() + 1) as u32;
                        let is_live = model.rows.get(id as usize).is_some_and(Option::is_some);
                        let expected = is_live.then_some(()).ok_or(UpdateError::NotFound { id });
                        prop_assert_eq!(graph.update(id, vector), expected);
                        if is_live {
                            model.rows[id as usize] = Some(row_bits(&graph, id));
                        }
                    }
                }
                Operation::Query { k, of_node } => {
                    let query = if of_node { &data[rng.below(setup.built + 1)] } else { &extra[0] };
                    assert_search_is_exact(&graph, query, k);
                }
                Operation::Copy => {
                    let copy = Hnsw::from_view(&graph.view(), params).unwrap();
                    prop_assert!(Snapshot::of(&copy.view()) == Snapshot::of(&graph.view()));
                    graph = copy;
                }
                Operation::Compact => {
                    let (compact, order) = graph.compact(&Serial, |_| ControlFlow::Continue(())).unwrap();
                    model.rows = order.iter().map(|old| model.rows[*old as usize].take()).collect();
                    prop_assert!(model.rows.iter().all(Option::is_some), "a node that was not live, or twice");
                    prop_assert_eq!(order.len(), graph.live_count());
                    graph = compact;
                }
                Operation::Refuse(refused) => assert_refused(&mut graph, refused, &data[0]),
            }
            model.check(&graph);
        }
        assert_search_is_exact(&graph, &extra[1], graph.count() + 1);
    }
}

/// What must be in the slots of a graph.
struct Model {
    /// The bits of a node's row; `None` if it is deleted.
    rows: Vec<Option<Vec<u32>>>,
}

impl Model {
    fn of(graph: &Hnsw) -> Self {
        Self { rows: (0..graph.count() as u32).map(|id| Some(row_bits(graph, id))).collect() }
    }

    #[track_caller]
    fn check(&self, graph: &Hnsw) {
        assert_invariants(&graph.view());
        assert_eq!(graph.count(), self.rows.len());
        assert_eq!(graph.live_count(), self.rows.iter().flatten().count());
        let tombstones = graph.view().tombstones();
        for (id, row) in self.rows.iter().enumerate() {
            let id = id as u32;
            assert_eq!((graph.is_live(id), tombstones.contains(id)), (row.is_some(), row.is_none()));
            assert!(row.as_ref().is_none_or(|row| *row == row_bits(graph, id)), "the vector of {id}");
        }
    }
}

fn row_bits(graph: &Hnsw, id: u32) -> Vec<u32> {
    graph.view().rows().row(id).as_f32().unwrap().iter().map(|element| element.to_bits()).collect()
}

/// A candidate list as long as the graph holds every node, so the answer is exact to the last bit.
fn assert_search_is_exact(graph: &Hnsw, query: &[f32], k: usize) {
    let view = graph.view();
    let found = found_live(graph, query, k);
    assert_eq!(found.len(), k.min(graph.live_count()));
    assert_sorted(view.metric(), &found);
    let expected = exactly_live(graph, query, k);
    assert_eq!(bits(&found), bits(&expected));

    // Under cosine the reference would round in other places: there the order is all that is compared,
    // above.
    if view.metric() != Metric::Cosine {
        let kernel = vex_kernels::Distance::<f32>::new(view.metric());
        let mut reference: Vec<Neighbor> = (0..view.count() as u32)
            .filter(|id| graph.is_live(*id))
            .map(|id| Neighbor {
                id,
                distance: kernel.distance(query, view.rows().row(id).as_f32().unwrap()),
            })
            .collect();
        // Stable, and NaN of either sign is last.
        reference.sort_by(|a, b| {
            a.distance.is_nan().cmp(&b.distance.is_nan()).then_with(|| match a.distance.is_nan() {
                true => a.id.cmp(&b.id),
                false => a.distance.total_cmp(&b.distance),
            })
        });
        reference.truncate(k);
        let same = |(a, b): (&Neighbor, &Neighbor)| {
            a.id == b.id
                && (a.distance.to_bits() == b.distance.to_bits()
                    || a.distance.is_nan() && b.distance.is_nan())
        };
        assert!(found.iter().zip(&reference).all(same), "{found:?}\n{reference:?}");
    }
}

fn assert_refused(graph: &mut Hnsw, refused: Refused, good: &[f32]) {
    let before = Snapshot::of(&graph.view());
    let mut vector = good.to_vec();
    let last = vector.len() - 1;
    let expected = match refused {
        Refused::Dimension => {
            vector.push(1.0);
            VectorError::Dimension { expected: good.len(), found: vector.len() }
        }
        Refused::Nan => {
            vector[last] = f32::NAN;
            VectorError::NotFinite { position: last }
        }
        Refused::Infinity => {
            vector[last] = f32::NEG_INFINITY;
            VectorError::NotFinite { position: last }
        }
        Refused::Zero if graph.view().metric() == Metric::Cosine => {
            vector.fill(-0.0);
            VectorError::ZeroVector
        }
        Refused::Zero => return,
    };
    assert_eq!(graph.insert(&vector), Err(InsertError::Vector(expected)));
    assert!(Snapshot::of(&graph.view()) == before, "a failed insert left a trace");
    let mut out = [Neighbor::default()];
    let params = vex_graph::SearchParams::new(1).ef_search(1);
    let result = vex_graph::search(&graph.view(), &vector, &params, &mut vex_graph::Scratch::new(), &mut out);
    assert_eq!(result, Err(vex_graph::SearchError::Query(expected)));
}
