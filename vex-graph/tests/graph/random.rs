//! Random sequences of operations.

use proptest::prelude::*;
use proptest::test_runner::RngSeed;
use vex_graph::{Hnsw, InsertError, Metric, Neighbor, Params, Serial, VectorError};

use crate::invariants::assert_invariants;
use crate::support::{Rng, Shape, Snapshot, assert_sorted, bits, built, exactly, found, vectors};

#[derive(Clone, Copy, Debug)]
enum Operation {
    Insert {
        count: usize,
    },
    /// For the vector of a node, or for one that no node has.
    Query {
        k: usize,
        of_node: bool,
    },
    /// Replaces the graph by a copy of its view.
    Copy,
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
    let params = (4usize..=8, 1usize..=40, any::<u64>(), any::<bool>()).prop_map(
        |(m, ef_construction, seed, keep_pruned)| Params {
            m,
            ef_construction,
            seed,
            keep_pruned,
            quantization: None,
        },
    );
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
        3 => (0usize..=200, any::<bool>()).prop_map(|(k, of_node)| Operation::Query { k, of_node }),
        1 => Just(Operation::Copy),
        1 => proptest::sample::select(refused.to_vec()).prop_map(Operation::Refuse),
    ];
    prop::collection::vec(operation, 1..=24)
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 1500,
        rng_seed: RngSeed::Fixed(1),
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    #[test]
    fn every_sequence_of_operations_keeps_the_invariants(setup in setups(), operations in operations()) {
        let Setup { metric, shape, dim, params, seed, .. } = setup;
        let data = vectors(shape, dim, 400, seed);
        let mut graph = match setup.built {
            0 => Hnsw::new(metric, dim, params).unwrap(),
            count => built(metric, params, &data[..count], &Serial).0,
        };
        assert_invariants(&graph.view());
        let mut rng = Rng(seed);
        for operation in operations {
            match operation {
                Operation::Insert { count } => {
                    let start = graph.count();
                    for vector in data[start..].iter().take(count) {
                        prop_assert_eq!(graph.insert(vector), Ok(graph.count() as u32 - 1));
                    }
                }
                Operation::Query { k, of_node } => {
                    let query = if of_node { &data[rng.below(graph.count() + 1)] } else { &data[399] };
                    assert_search_is_exact(&graph, query, k);
                }
                Operation::Copy => {
                    let copy = Hnsw::from_view(&graph.view(), params).unwrap();
                    prop_assert!(Snapshot::of(&copy.view()) == Snapshot::of(&graph.view()));
                    graph = copy;
                }
                Operation::Refuse(refused) => assert_refused(&mut graph, refused, &data[0]),
            }
            assert_invariants(&graph.view());
        }
        assert_search_is_exact(&graph, &data[398], graph.count() + 1);
    }
}

/// A pool as large as the graph sees every node, so that the answer is exact to the last bit.
fn assert_search_is_exact(graph: &Hnsw, query: &[f32], k: usize) {
    let view = graph.view();
    let found = found(&view, query, k, view.count());
    assert_eq!(found.len(), k.min(view.count()));
    assert_sorted(view.metric(), &found);
    let expected = exactly(view.rows(), query, k);
    assert_eq!(bits(&found), bits(&expected));

    // Under cosine the reference would round in other places: there the order is all that is compared, above.
    if view.metric() != Metric::Cosine {
        let kernel = vex_kernels::Distance::<f32>::new(view.metric());
        let mut reference: Vec<Neighbor> = (0..view.count() as u32)
            .map(|id| Neighbor { id, distance: kernel.distance(query, view.rows().row(id)) })
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
    let params = vex_graph::SearchParams::new(1, 1);
    let result = vex_graph::search(&graph.view(), &vector, &params, &mut vex_graph::Scratch::new(), &mut out);
    assert_eq!(result, Err(vex_graph::SearchError::Query(expected)));
}
