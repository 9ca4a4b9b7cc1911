//! Views whose lengths agree and whose contents are garbage, as a damaged file gives them.

use proptest::prelude::*;
use proptest::test_runner::RngSeed;
use vex_graph::{
    Batches, CopyLinks, GraphView, Hnsw, LevelView, Metric, Neighbor, NodeId, NodeSet, Params, Rows, Scratch,
    SearchParams, TERMINATOR, ViewError, search, search_filtered, search_radius,
};

use crate::invariants::{assert_copies, assert_reachable, assert_structure};
use crate::support::{Rng, Shape, Snapshot, vectors};

const PARAMS: Params = Params::new().m(4).ef_construction(12).seed(5).keep_pruned(true);

/// The owner of a garbage view.
#[derive(Debug)]
struct Garbage {
    metric: Metric,
    dim: usize,
    m: usize,
    elements: Vec<f32>,
    entry: NodeId,
    /// Links, sorted, appended.
    levels: Vec<(Vec<u32>, usize, Vec<NodeId>)>,
    /// None, or one for each node.
    copies: Vec<CopyLinks>,
}

impl Garbage {
    fn new(seed: u64) -> Self {
        let mut rng = Rng(seed);
        let dim = 1 + rng.below(6);
        // Now and then rows that are longer than what is gathered at once.
        let m = if rng.below(8) == 0 { 4 + rng.below(509) } else { 4 + rng.below(5) };
        let most = [8, 80][rng.below(2)];
        let count = 1 + rng.below(most);
        let mut elements = vectors(Shape::Uniform, dim, count, rng.next()).concat();
        for element in &mut elements {
            if rng.below(8) == 0 {
                *element = [f32::NAN, -f32::NAN, f32::INFINITY, f32::NEG_INFINITY, 0.0][rng.below(5)];
            }
        }
        let mut levels = Vec::new();
        let mut nodes = count;
        for index in 0..1 + rng.below(4) {
            let sorted = if index == 0 { count } else { rng.below(nodes + 1) };
            let is_ordered = rng.below(2) == 0;
            let mut appended: Vec<NodeId> = (sorted..nodes).map(|_| Self::id(&mut rng, count)).collect();
            if is_ordered {
                appended.sort_unstable();
            }
            let width = if index == 0 { 2 * m } else { m };
            let links = (0..nodes * width).map(|_| Self::id(&mut rng, count)).collect();
            levels.push((links, sorted, appended));
            nodes = 1 + rng.below(nodes);
        }
        let mut copies = Vec::new();
        if rng.below(2) == 0 {
            copies = (0..count).map(|_| [Self::id(&mut rng, count), Self::id(&mut rng, count)]).collect();
            // Some that name each other, as in a chain, in circles, too.
            for _ in 0..rng.below(2 * count) {
                let [a, b] = [rng.below(count), rng.below(count)];
                (copies[a][0], copies[b][1]) = (b as NodeId, a as NodeId);
                if rng.below(4) > 0 {
                    elements.copy_within(a * dim..(a + 1) * dim, b * dim);
                }
            }
        }
        let metric = Metric::NUMERIC[rng.below(3)];
        let mut garbage = Self { metric, dim, m, elements, entry: 0, levels, copies };
        // Any entry that a view accepts.
        let ids = (0..count as NodeId).chain([count as NodeId, count as NodeId + 1, TERMINATOR - 1]);
        let accepted: Vec<NodeId> = ids
            .filter(|id| {
                garbage.entry = *id;
                garbage.try_view().is_some()
            })
            .collect();
        match accepted.is_empty() {
            true => {
                garbage.levels.truncate(1);
                garbage.entry = rng.below(count) as NodeId;
            }
            false => garbage.entry = accepted[rng.below(accepted.len())],
        }
        garbage
    }

    /// Mostly ids of nodes, many of them twice or the row's own; else terminators in the midst and
    /// ids of no node.
    fn id(rng: &mut Rng, count: usize) -> NodeId {
        match rng.below(16) {
            0 => TERMINATOR,
            1 => rng.next() as u32,
            2 => count as u32,
            _ => rng.below(count) as u32,
        }
    }

    fn count(&self) -> usize {
        self.elements.len() / self.dim
    }

    fn try_view(&self) -> Option<GraphView<'_>> {
        let count = self.count();
        let rows = Rows::new(self.metric, &self.elements, self.dim, self.dim, count).unwrap();
        let levels: Vec<LevelView<'_>> = (0..)
            .zip(&self.levels)
            .map(|(index, (links, sorted, appended))| LevelView {
                links,
                width: if index == 0 { 2 * self.m } else { self.m },
                sorted: *sorted,
                appended,
            })
            .collect();
        GraphView::new(rows, None, self.m, self.entry, &levels).ok()?.with_copies(&self.copies).ok()
    }

    fn view(&self) -> GraphView<'_> {
        self.try_view().expect("its lengths agree")
    }
}

fn config() -> ProptestConfig {
    ProptestConfig {
        cases: 2000,
        rng_seed: RngSeed::Fixed(2),
        failure_persistence: None,
        ..ProptestConfig::default()
    }
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn a_search_of_garbage_ends_within_its_budget_and_returns_nodes(seed: u64) {
        let garbage = Garbage::new(seed);
        let view = garbage.view();
        let mut rng = Rng(seed);
        let mut scratch = Scratch::new();
        for max_distance_evals in [0, 1, 2, 7, 30, usize::MAX] {
            let query: Vec<f32> = (0..garbage.dim).map(|_| rng.signed() + 1.5).collect();
            let k = rng.below(view.count() + 3);
            let params = SearchParams::new(k).ef_search(rng.below(100)).max_distance_evals(max_distance_evals).rerank(2.0);
            let mut out = vec![Neighbor::default(); k];
            let stats = search(&view, &query, &params, &mut scratch, &mut out).unwrap();

            // The entry point is looked at in any case; a row that was begun is finished.
            let most = max_distance_evals.max(1).saturating_add(2 * view.m() - 1);
            prop_assert!(stats.distances <= most, "{} distances of {most}", stats.distances);
            prop_assert!(stats.found <= k.min(view.count()));
            prop_assert!(stats.found > 0 || k == 0);
            let found = &out[..stats.found];
            for (position, neighbor) in found.iter().enumerate() {
                prop_assert!((neighbor.id as usize) < view.count());
                prop_assert!(found[..position].iter().all(|other| other.id != neighbor.id));
            }
            let distances = found.iter().map(|neighbor| neighbor.distance);
            prop_assert!(distances.is_sorted_by(|a, b| b.is_nan() || a <= b));
        }
    }

    #[test]
    fn filtered_searches_of_garbage_return_all_they_can(seed: u64) {
        let garbage = Garbage::new(seed);
        let mut rng = Rng(seed);
        let mut words = || (0..NodeSet::words_for(garbage.count())).map(|_| rng.next() & rng.next()).collect::<Vec<u64>>();
        let (matching, deleted) = (words(), words());
        let (matching, deleted) = (NodeSet::new(&matching), NodeSet::new(&deleted));
        let view = garbage.view().with_tombstones(deleted);
        let live: Vec<NodeId> = (0..view.count() as NodeId).filter(|id| !deleted.contains(*id)).collect();
        let matches = live.iter().filter(|id| matching.contains(**id)).count();
        let query: Vec<f32> = (0..garbage.dim).map(|_| rng.signed() + 1.5).collect();
        let mut scratch = Scratch::new();
        let is_answer = |found: &[Neighbor]| {
            let ids: std::collections::BTreeSet<NodeId> = found.iter().map(|neighbor| neighbor.id).collect();
            ids.len() == found.len() && ids.iter().all(|id| live.binary_search(id).is_ok())
        };
        for _ in 0..4 {
            let k = rng.below(view.count() + 3);
            let params = SearchParams::new(k).ef_search(rng.below(4));
            let mut out = vec![Neighbor::default(); k];
            let found = search(&view, &query, &params, &mut scratch, &mut out).unwrap().found;
            prop_assert!(found == k.min(live.len()) && is_answer(&out[..found]));
            let found = search_filtered(&view, &query, &params, &matching, &mut scratch, &mut out).unwrap().found;
            prop_assert!(found == k.min(matches) && is_answer(&out[..found]));
            prop_assert!(out[..found].iter().all(|neighbor| matching.contains(neighbor.id)));
            let radius = [f32::NAN, 0.0, 1.0, f32::INFINITY][rng.below(4)];
            let found = search_radius(&view, &query, radius, &params, &mut scratch, &mut out).unwrap().found;
            prop_assert!(is_answer(&out[..found]));
            prop_assert!(out[..found].iter().all(|neighbor| neighbor.distance <= radius));
            let mut batches = Batches::new(&view, &query, &params, &mut scratch).unwrap();
            let mut all = vec![Neighbor::default(); view.count() + 1];
            let first = batches.next_batch(&mut all[..view.count() / 3]);
            let rest = batches.next_batch(&mut all[first..]);
            // A node in a circle of copies has no original through which it could be found.
            let returned = first + rest;
            prop_assert!(returned == live.len() || returned < live.len() && !view.copies().is_empty());
            prop_assert!(is_answer(&all[..returned]));
        }
    }

    #[test]
    fn a_copy_of_garbage_is_well_formed_and_grows(seed: u64) {
        let garbage = Garbage::new(seed);
        let mut graph = Hnsw::from_view(&garbage.view(), PARAMS).unwrap();
        assert_structure(&graph.view());
        // Nodes that no link led to are linked again.
        assert_reachable(&graph.view());
        prop_assert_eq!(graph.view().unreachable(), Ok(0));
        let again = Hnsw::from_view(&graph.view(), PARAMS).unwrap();
        prop_assert!(Snapshot::of(&again.view()) == Snapshot::of(&graph.view()));
        assert_copies(&graph.view());
        let mut rng = Rng(seed);
        for vector in vectors([Shape::Clustered, Shape::Duplicates][rng.below(2)], garbage.dim, 40, seed) {
            let id = rng.below(graph.count()) as NodeId;
            match rng.below(4) {
                0 => drop(graph.delete(id)),
                1 => drop(graph.update(id, &vector)),
                _ => drop(graph.insert(&vector).unwrap()),
            }
            assert_structure(&graph.view());
            assert_copies(&graph.view());
            assert_reachable(&graph.view());
        }
    }
}

#[test]
fn a_budget_counts_every_level() {
    let data = vectors(Shape::Uniform, 4, 3000, 1);
    let graph = crate::support::inserted(Metric::SquaredEuclidean, PARAMS, &data);
    let view = graph.view();
    assert!(view.levels().len() > 4);
    let mut scratch = Scratch::new();
    for max_distance_evals in 0..200 {
        let params = SearchParams::new(3).ef_search(20).max_distance_evals(max_distance_evals);
        let mut out = [Neighbor::default(); 3];
        let stats = search(&view, &data[9], &params, &mut scratch, &mut out).unwrap();
        assert!(
            stats.distances < max_distance_evals.max(1) + 2 * view.m(),
            "{max_distance_evals}: {stats:?}"
        );
        assert!(stats.found > 0);
    }
}

#[test]
fn levels_of_an_empty_view_are_dropped() {
    let rows = Rows::new(Metric::SquaredEuclidean, &[0.0; 0], 2, 2, 0).unwrap();
    let level = |width| LevelView { width, ..LevelView::default() };
    let view = GraphView::new(rows, None, 4, TERMINATOR, &[level(8), level(4), level(4)]).unwrap();
    let mut graph = Hnsw::from_view(&view, PARAMS).unwrap();
    for id in 0..30 {
        assert_eq!(graph.insert(&[1.0, id as f32]), Ok(id));
        crate::invariants::assert_invariants(&graph.view());
    }
}

#[test]
fn an_entry_that_is_no_node_is_refused_on_whatever_level_it_is() {
    let rows = Rows::new(Metric::SquaredEuclidean, &[0.0; 6], 2, 2, 3).unwrap();
    let base = LevelView { links: &[TERMINATOR; 24], width: 8, sorted: 3, appended: &[] };
    for entry in [3, 4, TERMINATOR - 1, TERMINATOR] {
        let top = LevelView { links: &[TERMINATOR; 8], width: 4, sorted: 1, appended: &[entry] };
        assert!(GraphView::new(rows, None, 4, 0, &[base, top]).is_ok());
        let view = GraphView::new(rows, None, 4, entry, &[base, top]);
        assert_eq!(view.err(), Some(ViewError::Entry { found: entry }));
    }
}

/// Where links lead to a few nodes alone, a beam search ends too early.
#[test]
fn a_search_that_is_cut_off_falls_back_to_a_scan() {
    const COUNT: usize = 2000;
    let elements = vectors(Shape::Uniform, 4, COUNT, 6).concat();
    let rows = Rows::new(Metric::SquaredEuclidean, &elements, 4, 4, COUNT).unwrap();
    for linked in [0, 1, 30] {
        // A chain, after which nothing follows.
        let mut links = vec![TERMINATOR; COUNT * 8];
        (0..linked).for_each(|id| links[id * 8] = id as u32 + 1);
        let base = LevelView { links: &links, width: 8, sorted: COUNT, appended: &[] };
        let view = GraphView::new(rows, None, 4, 0, &[base]).unwrap();
        for share in [60, 128, 240] {
            let mut rng = Rng(share);
            let mut words = [0u64; NodeSet::words_for(COUNT)];
            let chosen = (0..COUNT).filter(|_| rng.next() % 256 < share);
            chosen.for_each(|id| words[id / 64] |= 1 << (id % 64));
            let matching = NodeSet::new(&words);
            let deleted = words.map(|word| !word);
            let query = [0.1; 4];
            let mut exact = crate::support::exactly(&rows, &query, COUNT);
            exact.retain(|neighbor| matching.contains(neighbor.id));
            for (k, ef) in [(1, 1), (1, 3), (5, 5)] {
                let (params, mut scratch) = (SearchParams::new(k).ef_search(ef), Scratch::new());
                let mut out = [Neighbor::default(); 5];
                let check = |result: Result<vex_graph::SearchStats, _>, out: &[Neighbor; 5]| {
                    assert_eq!(result.unwrap().found, k, "{linked} linked, {share} of 256");
                    assert!(out[..k].iter().all(|neighbor| matching.contains(neighbor.id)));
                    if linked < 2 && k > 2 {
                        assert_eq!(out[..k], exact[..k]);
                    }
                };
                let result = search_filtered(&view, &query, &params, &matching, &mut scratch, &mut out);
                check(result, &out);
                let view = view.with_tombstones(NodeSet::new(&deleted));
                check(search(&view, &query, &params, &mut scratch, &mut out), &out);
            }
        }
    }
}
