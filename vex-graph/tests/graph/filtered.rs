//! Searches of which some nodes are no answer, against brute force.

use proptest::prelude::*;
use proptest::test_runner::RngSeed;
use vex_graph::{
    Batches, Element, GraphView, Hnsw, Metric, Neighbor, NodeId, NodeSet, Params, Quantization, Rows,
    Scratch, SearchParams, Serial, search, search_filtered, search_radius,
};

use crate::support::{Rng, Shape, assert_sorted, bits, built, exactly, inserted, vectors};

#[derive(Clone, Copy, Debug)]
struct Setup {
    metric: Metric,
    shape: Shape,
    dim: usize,
    count: usize,
    quantization: Option<Quantization>,
    is_built: bool,
    /// Of 256 nodes, how many match, and how many are deleted.
    shares: [usize; 2],
    k: usize,
    ef: usize,
    seed: u64,
}

fn setups() -> impl Strategy<Value = Setup> {
    let share = || prop_oneof![Just(0usize), Just(256), 0usize..=256, 0usize..8];
    let quantization = prop_oneof![3 => Just(None), 1 => Just(Some(Quantization::Sq8)), 1 => Just(Some(Quantization::Sq4)), 1 => Just(Some(Quantization::Sq2x2))];
    (
        (
            proptest::sample::select(&Metric::NUMERIC[..]),
            proptest::sample::select(&Shape::ALL[..]),
            1usize..=12,
            prop_oneof![0usize..20, 20usize..700],
            quantization,
            any::<bool>(),
        ),
        ([share(), share()], prop_oneof![0usize..6, 0usize..100], prop_oneof![0usize..6, 0usize..900]),
        any::<u64>(),
    )
        .prop_map(|((metric, shape, dim, count, quantization, is_built), (shares, k, ef), seed)| {
            // Codes of infinite elements rank nothing, which is not what this is about.
            let shape =
                if quantization.is_some() && matches!(shape, Shape::Extreme) { Shape::Grid } else { shape };
            Setup { metric, shape, dim, count, quantization, is_built, shares, k, ef, seed }
        })
}

/// A graph, a filter and tombstones.
struct Case {
    graph: Hnsw,
    query: Vec<f32>,
    matching: Vec<u64>,
    deleted: Vec<u64>,
}

impl Case {
    fn new(setup: &Setup) -> Self {
        let Setup { metric, shape, dim, count, quantization, shares, seed, .. } = *setup;
        let mut data = vectors(shape, dim, count + 1, seed);
        let query = data.pop().unwrap();
        let params =
            Params::new().m(4 + seed as usize % 3).ef_construction(20).seed(seed).quantization(quantization);
        let graph = match setup.is_built && count > 0 {
            true => built(metric, params, &data, &Serial).0,
            false if count == 0 => Hnsw::new(metric, dim, params).unwrap(),
            false => inserted(metric, params, &data),
        };
        let mut rng = Rng(seed ^ 7);
        let [matching, deleted] = shares.map(|share| {
            let mut words = vec![0u64; NodeSet::words_for(count)];
            (0..count).filter(|_| rng.below(256) < share).for_each(|id| words[id / 64] |= 1 << (id % 64));
            words
        });
        Self { graph, query, matching, deleted }
    }

    fn view(&self) -> GraphView<'_> {
        self.graph.view().with_tombstones(NodeSet::new(&self.deleted))
    }

    fn matching(&self) -> NodeSet<'_> {
        NodeSet::new(&self.matching)
    }

    fn is_live(&self, id: NodeId) -> bool {
        !NodeSet::new(&self.deleted).contains(id)
    }

    /// All that `accepts`, exactly, nearest first.
    fn expected(&self, accepts: impl Fn(NodeId) -> bool) -> Vec<Neighbor> {
        let view = self.graph.view();
        let mut all = exactly(view.rows(), &self.query, view.count());
        all.retain(|neighbor| accepts(neighbor.id));
        all
    }
}

fn config(cases: u32) -> ProptestConfig {
    ProptestConfig {
        cases,
        rng_seed: RngSeed::Fixed(4),
        failure_persistence: None,
        ..ProptestConfig::default()
    }
}

/// As many as there can be, each once, each a right answer at its right distance; all of them, if
/// `is_exact`.
#[track_caller]
fn assert_answer(setup: &Setup, found: &[Neighbor], expected: &[Neighbor], is_exact: bool) {
    assert_eq!(found.len(), setup.k.min(expected.len()));
    assert_sorted(setup.metric, found);
    if is_exact {
        return assert_eq!(bits(found), bits(&expected[..found.len()]));
    }
    let mut right = bits(expected);
    right.sort_unstable();
    for (position, neighbor) in found.iter().enumerate() {
        assert!(found[..position].iter().all(|other| other.id != neighbor.id), "twice: {neighbor:?}");
        assert!(right.binary_search(&(neighbor.id, neighbor.distance.to_bits())).is_ok(), "{neighbor:?}");
    }
}

proptest! {
    #![proptest_config(config(1500))]

    #[test]
    fn a_filtered_search_returns_all_it_can_and_nothing_else(setup in setups()) {
        let case = Case::new(&setup);
        let view = case.view();
        let params = SearchParams::new(setup.k).ef_search(setup.ef).rerank(4.0);
        let (mut scratch, mut out) = (Scratch::new(), vec![Neighbor::default(); setup.k]);
        let is_exact = setup.quantization.is_none() && setup.ef >= setup.count;

        let live = case.expected(|id| case.is_live(id));
        let stats = search(&view, &case.query, &params, &mut scratch, &mut out).unwrap();
        assert_answer(&setup, &out[..stats.found], &live, is_exact);

        let set = case.matching();
        let expected = case.expected(|id| case.is_live(id) && set.contains(id));
        let stats = search_filtered(&view, &case.query, &params, &set, &mut scratch, &mut out).unwrap();
        assert_answer(&setup, &out[..stats.found], &expected, is_exact);
        let predicate = |id: NodeId| {
            assert!((id as usize) < setup.count, "asked for a node that is not there");
            set.contains(id)
        };
        let stats = search_filtered(&view, &case.query, &params, &predicate, &mut scratch, &mut out).unwrap();
        assert_answer(&setup, &out[..stats.found], &expected, is_exact);

        // Without vectors, distances are estimates from the codes.
        if view.codes().is_some() {
            let rows = Rows::absent(Element::F32, setup.metric, setup.dim, setup.count).unwrap();
            let entry = view.entry().unwrap_or(vex_graph::TERMINATOR);
            let coded = GraphView::new(rows, view.codes().copied(), view.m(), entry, view.levels()).unwrap();
            let coded = coded.with_tombstones(view.tombstones());
            let stats = search_filtered(&coded, &case.query, &params, &set, &mut scratch, &mut out).unwrap();
            prop_assert_eq!(stats.found, setup.k.min(expected.len()));
            prop_assert!(out[..stats.found].iter().all(|neighbor| expected.iter().any(|other| other.id == neighbor.id)));
        }
    }

    #[test]
    fn a_budget_ends_every_search_and_what_it_returns_is_right(setup in setups(), budget in 0usize..300) {
        let case = Case::new(&setup);
        let view = case.view();
        let params = SearchParams::new(setup.k).ef_search(setup.ef).max_distance_evals(budget);
        let (mut scratch, mut out) = (Scratch::new(), vec![Neighbor::default(); setup.k]);
        let set = case.matching();
        let stats = search_filtered(&view, &case.query, &params, &set, &mut scratch, &mut out).unwrap();
        prop_assert!(stats.distances <= budget.max(1) + 2 * view.m());
        let found = &out[..stats.found];
        prop_assert!(found.iter().all(|neighbor| set.contains(neighbor.id) && case.is_live(neighbor.id)));
        assert_sorted(setup.metric, found);
    }

    #[test]
    fn a_radius_holds_what_it_returns(setup in setups(), share in 0.0f32..1.0) {
        let case = Case::new(&setup);
        let view = case.view();
        let live = case.expected(|id| case.is_live(id));
        let farthest = (share * live.len() as f32) as usize;
        let radius = live.get(farthest).map_or(1.0, |neighbor| neighbor.distance);
        let params = SearchParams::new(0).ef_search(setup.ef);
        let (mut scratch, mut out) = (Scratch::new(), vec![Neighbor::default(); setup.k]);
        let stats = search_radius(&view, &case.query, radius, &params, &mut scratch, &mut out).unwrap();
        let found = &out[..stats.found];
        let within = live.partition_point(|neighbor| neighbor.distance <= radius);
        prop_assert!(found.len() <= within);
        let is_exact = setup.quantization.is_none() && setup.ef >= setup.count;
        let expected = if is_exact { setup.k.min(within) } else { found.len() };
        assert_answer(&Setup { k: expected, ..setup }, found, &live[..within], is_exact);
    }

    #[test]
    fn batches_return_every_live_node_once(setup in setups(), lengths in prop::collection::vec(0usize..40, 1..6)) {
        let case = Case::new(&setup);
        let view = case.view();
        let params = SearchParams::new(setup.k).ef_search(setup.ef);
        let mut scratch = Scratch::new();
        let mut batches = Batches::new(&view, &case.query, &params, &mut scratch).unwrap();
        let live = case.expected(|id| case.is_live(id));
        let mut all = Vec::new();
        for length in lengths.iter().cycle().take(live.len() + lengths.len()).map(|length| length + 1) {
            let mut out = vec![Neighbor::default(); length];
            let found = batches.next_batch(&mut out);
            prop_assert_eq!(found, length.min(live.len() - all.len()));
            out[..found].chunks(setup.k.max(1)).for_each(|batch| assert_sorted(setup.metric, batch));
            all.extend_from_slice(&out[..found]);
        }
        prop_assert_eq!(batches.stats().found, live.len());
        if setup.quantization.is_none() && setup.ef >= setup.count {
            // From batch to batch, equal vectors come one after the other and not by their ids.
            let distances = |all: &[Neighbor]| bits(all).into_iter().map(|(_, distance)| distance).collect::<Vec<_>>();
            prop_assert_eq!(distances(&all), distances(&live));
            if view.copies().is_empty() {
                prop_assert_eq!(bits(&all), bits(&live));
            }
        }
        let sorted = |neighbors: &[Neighbor]| {
            let mut bits = bits(neighbors);
            bits.sort_unstable();
            bits
        };
        prop_assert_eq!(sorted(&all), sorted(&live));
    }
}

/// Recall in a graph that is large enough for every row of the planner's table.
#[test]
fn filters_of_any_share_find_the_nearest_matches() {
    let data = vectors(Shape::Clustered, 8, 20_000, 3);
    let params = Params::new().m(8).ef_construction(60).seed(1);
    let (graph, _) = built(Metric::SquaredEuclidean, params, &data, &Serial);
    let view = graph.view();
    let (mut scratch, mut out) = (Scratch::new(), [Neighbor::default(); 10]);
    for share in [1, 30, 100, 150, 300, 500, 900, 1000] {
        let (mut right, mut of) = (0, 0);
        for (index, query) in vectors(Shape::Clustered, 8, 60, 3).iter().enumerate() {
            let mut rng = Rng(index as u64);
            let mut words = vec![0u64; NodeSet::words_for(view.count())];
            let chosen = (0..view.count()).filter(|_| rng.below(1000) < share);
            chosen.for_each(|id| words[id / 64] |= 1 << (id % 64));
            let set = NodeSet::new(&words);
            let mut expected = exactly(view.rows(), query, view.count());
            expected.retain(|neighbor| set.contains(neighbor.id));
            let stats = search_filtered(
                &view,
                query,
                &SearchParams::new(10).ef_search(40),
                &set,
                &mut scratch,
                &mut out,
            )
            .unwrap();
            assert_eq!(stats.found, expected.len().min(10));
            of += stats.found;
            let nearest = &expected[..stats.found];
            right += out[..stats.found].iter().filter(|a| nearest.iter().any(|b| a.id == b.id)).count();
        }
        assert!(right * 100 >= of * 95, "share {share}: {right} of {of}");
    }
}

/// Far more nodes lie within the radius than `ef_search` keeps.
#[test]
fn a_radius_is_followed_beyond_the_list() {
    for quantization in [None, Some(Quantization::Sq8)] {
        let data = vectors(Shape::Uniform, 6, 3000, 3);
        let params = Params::new().m(8).ef_construction(60).seed(1).quantization(quantization);
        let (graph, _) = built(Metric::SquaredEuclidean, params, &data, &Serial);
        let view = graph.view();
        let (mut scratch, mut out) = (Scratch::new(), [Neighbor::default(); 500]);
        for query in vectors(Shape::Uniform, 6, 20, 9) {
            let exact = exactly(view.rows(), &query, 400);
            let radius = exact[299].distance;
            let params = SearchParams::new(0).ef_search(5);
            let stats = search_radius(&view, &query, radius, &params, &mut scratch, &mut out).unwrap();
            assert!((290..=300).contains(&stats.found), "{} of 300", stats.found);
            let stats = search_radius(&view, &query, radius, &params, &mut scratch, &mut out[..40]).unwrap();
            assert_eq!(stats.found, 40);
            let right = out[..40].iter().filter(|a| exact[..40].iter().any(|b| a.id == b.id)).count();
            assert!(right >= 38, "{right} of 40");
        }
    }
}
