//! Hostile graphs of every width are searched, copied and grown. With any parameters and contents
//! there is no panic, and the answers are as the documentation promises for any view.
#![no_main]

use std::cell::RefCell;
use std::collections::HashSet;
use std::ops::ControlFlow;

use libfuzzer_sys::fuzz_target;
use support::{Random, Vector};
use vex_fuzz::Script;
use vex_fuzz::hostile::{Hostile, query};
use vex_graph::{
    Batches, BuildError, Candidate, Filter, GraphView, Hnsw, Metric, Neighbor, NodeId, NodeSet, Params,
    ScratchMut, SearchError, SearchParams, Serial, exact, search_filtered_in, search_in, search_radius_in,
};

/// The bytes of an input that are used.
const BYTES: usize = 256;

/// About how many links a run may read, so that most runs take microseconds.
const WORK: usize = 1 << 15;

/// The limit of one run in some hundred.
const LONG_WORK: usize = 16 * WORK;

thread_local! {
    static MEMORY: RefCell<Memory> = RefCell::default();
}

fuzz_target!(|input: &[u8]| {
    let mut script = Script(&input[..input.len().min(BYTES)]);
    let hostile = Hostile::new(&mut script);
    let work = if script.byte() == 255 { LONG_WORK } else { WORK };
    let mut run = Run { random: Random(script.word() as u64), work };
    MEMORY.with_borrow_mut(|memory| {
        let view = hostile.view();
        for _ in 0..1 + script.below(4) {
            match script.below(8) {
                0..=1 => run.search(&view, &mut script, memory),
                2..=4 => run.search_filtered(&view, &mut script, memory),
                5 => run.search_radius(&view, &mut script, memory),
                6 => run.search_batches(&view, &mut script, memory),
                _ => run.grow(&view, &mut script, memory),
            }
        }
    });
});

/// The memory of searches. Each gets slices of the shortest allowed length, so that a write beyond
/// them is noticed.
#[derive(Default)]
struct Memory {
    visited: Vec<u64>,
    candidates: Vec<Candidate>,
    code: Vec<i8>,
    rotated: Vec<f32>,
    out: Vec<Neighbor>,
}

impl Memory {
    /// Memory for a search of `view` with this many candidates, and room for its results.
    fn lend(
        &mut self,
        view: &GraphView<'_>,
        candidates: usize,
        out: usize,
    ) -> (ScratchMut<'_>, &mut [Neighbor]) {
        let (visited, code) = (ScratchMut::visited_words(view.count()), ScratchMut::code_len(view));
        let scratch = ScratchMut {
            visited: first(&mut self.visited, visited, 0),
            candidates: first(&mut self.candidates, candidates, Candidate::EMPTY),
            code: first(&mut self.code, code, 0),
            rotated: first(&mut self.rotated, code, 0.0),
        };
        (scratch, first(&mut self.out, out, Neighbor::default()))
    }
}

fn first<T: Copy>(memory: &mut Vec<T>, len: usize, fill: T) -> &mut [T] {
    if memory.len() < len {
        memory.resize(len, fill);
    }
    &mut memory[..len]
}

/// One type for every kind of filter, so that searches are compiled once.
enum Accepts<'w> {
    All,
    Nodes(NodeSet<'w>),
    Spread { seed: u64, share: u8 },
    Below(NodeId),
}

impl Filter for Accepts<'_> {
    fn accepts(&self, id: NodeId) -> bool {
        match self {
            Self::All => true,
            Self::Nodes(nodes) => nodes.accepts(id),
            Self::Spread { seed, share } => (u64::from(id).wrapping_mul(*seed) >> 32) as u8 <= *share,
            Self::Below(end) => id < *end,
        }
    }

    fn matches(&self, count: usize) -> Option<usize> {
        if let Self::Nodes(nodes) = self { nodes.matches(count) } else { None }
    }

    fn word(&self, index: usize, count: usize) -> u64 {
        if let Self::Nodes(nodes) = self {
            return nodes.word(index, count);
        }
        let start = index * 64;
        let ids = start..count.min(start + 64);
        ids.fold(0, |word, id| word | u64::from(self.accepts(id as NodeId)) << (id - start))
    }
}

struct Run {
    random: Random,
    /// The links that may still be read.
    work: usize,
}

impl Run {
    /// Whether this much work is still allowed. If so, it counts as done.
    fn allows(&mut self, work: usize) -> bool {
        let rest = self.work.checked_sub(work);
        self.work = rest.unwrap_or(self.work);
        rest.is_some()
    }

    /// Any parameters, and the number of neighbors for which there is room.
    fn params(&mut self, view: &GraphView<'_>, script: &mut Script<'_>) -> (SearchParams, usize) {
        let count = view.count();
        let mut number = || match script.byte() {
            byte @ ..64 => usize::from(byte) % 16,
            byte @ ..160 => usize::from(byte),
            byte @ ..200 => count * usize::from(byte) / 160,
            byte @ ..250 => (count + 8).saturating_sub(usize::from(byte) % 16),
            ..253 => 2 * count + 5000,
            _ => usize::MAX,
        };
        let (mut k, mut ef) = (number(), number());
        let width = 2 * view.m();
        if !self.allows(k.max(ef).min(count) * width) {
            let most = 2 + self.work / width / 2;
            (k, ef) = (k.min(most), ef.min(most));
            self.allows(most * width);
        }
        let max_distance_evals = match script.byte() {
            byte @ ..32 => usize::from(byte),
            byte @ ..64 => usize::from(byte) * count / 48,
            _ => usize::MAX,
        };
        let reranks = [SearchParams::RERANK, f32::INFINITY, 0.0, 4.0, 1.0, f32::NAN, -1.0, 0.3];
        let rerank = reranks[match script.byte() {
            byte @ 128.. => usize::from(byte) % 8,
            byte => usize::from(byte) % 2,
        }];
        let room = k.min(count + 3) / if script.byte() < 240 { 1 } else { 2 };
        // Half of all searches have no early end.
        let slacks = [0.0, 0.2, 1.0, 1e30, -1.0, f32::NAN, f32::NEG_INFINITY];
        let slack = slacks.get(usize::from(script.byte() % 14)).copied().unwrap_or(f32::INFINITY);
        let params = SearchParams::new(k).ef_search(ef).max_distance_evals(max_distance_evals);
        (params.rerank(rerank).slack(slack), room)
    }

    fn search(&mut self, view: &GraphView<'_>, script: &mut Script<'_>, memory: &mut Memory) {
        let (params, room) = self.params(view, script);
        let query = query(view, script, &mut self.random);
        let candidates = match view.tombstones().words().is_empty() {
            true => ScratchMut::candidates(&params, view.count()),
            false => ScratchMut::filtered_candidates(&params, view.count()),
        };
        let (scratch, out) = memory.lend(view, candidates, room);
        let result = search_in(view, query.elements(), &params, scratch, out);
        let Some(stats) = answered(result, view, &query) else { return };
        let live = live(view, &Accepts::All);
        check(view, &params, &out[..stats.found], &Accepts::All);
        assert!(stats.found <= room.min(live));
        // If nothing is deleted, links that lead nowhere end the search of a view.
        if params.max_distance_evals == usize::MAX && !view.tombstones().words().is_empty() {
            assert_eq!(stats.found, room.min(live), "{params:?}");
        }
        let most = params.max_distance_evals.max(1).saturating_add(2 * view.m());
        assert!(stats.distances <= most, "{} distances of {most}", stats.distances);
    }

    fn search_filtered(&mut self, view: &GraphView<'_>, script: &mut Script<'_>, memory: &mut Memory) {
        let (params, room) = self.params(view, script);
        let query = query(view, script, &mut self.random);
        let (kind, share) = (script.byte(), script.byte());
        let words: Vec<u64> = match kind % 4 {
            0 => (0..NodeSet::words_for(view.count()) + 1).map(|_| self.random.next_u64()).collect(),
            1 => (0..NodeSet::words_for(view.count()) / 2).map(|_| self.random.next_u64()).collect(),
            _ => Vec::new(),
        };
        // A share of the nodes, spread evenly or next to each other.
        let seed = self.random.next_u64() | 1;
        let filter = match kind % 4 {
            0..=1 => &Accepts::Nodes(NodeSet::new(&words)),
            2 => &Accepts::Spread { seed, share },
            _ => &Accepts::Below((usize::from(share) * view.count() / 256) as NodeId),
        };
        let candidates = ScratchMut::filtered_candidates(&params, view.count());
        let (scratch, out) = memory.lend(view, candidates, room);
        let result = search_filtered_in(view, query.elements(), &params, filter, scratch, out);
        let Some(stats) = answered(result, view, &query) else { return };
        let matches = live(view, filter);
        check(view, &params, &out[..stats.found], filter);
        assert!(stats.found <= room.min(matches));
        if params.max_distance_evals == usize::MAX {
            assert_eq!(stats.found, room.min(matches), "{params:?}");
        }
    }

    fn search_radius(&mut self, view: &GraphView<'_>, script: &mut Script<'_>, memory: &mut Memory) {
        let (params, room) = self.params(view, script);
        let query = query(view, script, &mut self.random);
        let radius = match script.byte() {
            byte @ ..240 => f32::from(byte) / 32.0 * (view.dim() as f32) / 8.0,
            byte => [f32::NAN, f32::INFINITY, 0.0, -0.0, -1.0, f32::MAX][usize::from(byte) % 6],
        };
        // The length of `out` replaces `k`.
        let wide = params.k(room);
        let (scratch, out) = memory.lend(view, ScratchMut::filtered_candidates(&wide, view.count()), room);
        let result = search_radius_in(view, query.elements(), radius, &params, scratch, out);
        let Some(stats) = answered(result, view, &query) else { return };
        check(view, &wide, &out[..stats.found], &Accepts::All);
        assert!(out[..stats.found].iter().all(|neighbor| neighbor.distance <= radius));
    }

    fn search_batches(&mut self, view: &GraphView<'_>, script: &mut Script<'_>, memory: &mut Memory) {
        let (params, _) = self.params(view, script);
        let query = query(view, script, &mut self.random);
        let candidates = ScratchMut::batches_candidates(&params, view.count());
        let (scratch, out) = memory.lend(view, candidates, view.count() + 1);
        let batches = Batches::new_in(view, query.elements(), &params, scratch);
        let Some(mut batches) = answered(batches, view, &query) else { return };
        let mut found = 0;
        for _ in 0..1 + script.below(3) {
            let len = script.below(64).min(out.len() - found);
            let batch = &mut out[found..][..len];
            let taken = batches.next_batch(batch);
            // Every `k` hits of a batch are sorted.
            batch[..taken].chunks(params.k.max(1)).for_each(assert_sorted);
            found += taken;
        }
        // All the rest, in a few large batches.
        if params.k.saturating_mul(64) > view.count() && self.allows(view.count() * (2 * view.m() + 64)) {
            found += batches.next_batch(&mut out[found..]);
            if params.max_distance_evals == usize::MAX {
                assert_eq!(found, live(view, &Accepts::All));
            }
        }
        assert_nodes(view, &out[..found], &Accepts::All);
        assert_eq!(batches.stats().found, found);
    }

    /// Copies the view into a graph that can grow.
    fn grow(&mut self, view: &GraphView<'_>, script: &mut Script<'_>, memory: &mut Memory) {
        let width = 2 * view.m();
        // The copy searches for each link among those before it in the row.
        if !self.allows(view.count().saturating_mul(width * (1 + width / 32) + view.dim() / 8)) {
            return;
        }
        let ef_construction = match script.byte() {
            byte @ ..128 => 1 + usize::from(byte) % 32,
            byte => 1 + usize::from(byte - 128) * 2000 / 128,
        };
        let (seed, keep_pruned) = (self.random.next_u64(), script.byte() % 2 == 0);
        let params = Params::new().ef_construction(ef_construction).seed(seed).keep_pruned(keep_pruned);
        let copy = Hnsw::from_view(view, params);
        if !view.rows().are_stored() {
            assert_eq!(copy.err(), Some(BuildError::VectorsNotStored));
            return;
        }
        let mut graph = copy.expect("good parameters, and memory");
        for _ in 0..1 + script.below(6) {
            let count = graph.count();
            // An insert compares its candidates with each link that it selects.
            let insert =
                |count: usize| (count.min(ef_construction) + 1) * graph.params().m * (2 + view.dim() / 64);
            let (one, all) = (insert(count), insert(count) * count);
            match script.below(8) {
                // Enough to fill a row, if the graph began empty.
                0 if count == 0 => {
                    let most =
                        (0..=2 * width).rev().find(|most| most * insert(*most) < self.work).unwrap_or(0);
                    self.allows(most * insert(most));
                    (0..most).for_each(|_| self.insert(&mut graph, &mut Script(&[64])));
                }
                0..=3 if self.allows(one) => self.insert(&mut graph, script),
                4 => {
                    let id = self.random.below(count + 1) as NodeId;
                    let is_live = graph.is_live(id);
                    assert_eq!(graph.delete(id).is_ok(), is_live);
                }
                5 if self.allows(2 * one) => {
                    let id = self.random.below(count + 1) as NodeId;
                    let vector = query(&graph.view(), script, &mut self.random);
                    let must_take = graph.is_live(id) && is_good(&graph.view(), &vector);
                    assert!(graph.update(id, vector.elements()).is_ok() || !must_take);
                }
                7 if self.allows(all) => {
                    let compacted = graph.compact(&Serial, |_| ControlFlow::Continue(()));
                    let live = graph.live_count();
                    graph = compacted.expect("memory").0;
                    assert_eq!(graph.count(), live);
                    self.search_exactly(&graph.view(), script, memory);
                }
                _ => self.search(&graph.view(), script, memory),
            }
        }
        self.search(&graph.view(), script, memory);
    }

    fn insert(&mut self, graph: &mut Hnsw, script: &mut Script<'_>) {
        let vector = query(&graph.view(), script, &mut self.random);
        let (live, is_good) = (graph.live_count(), is_good(&graph.view(), &vector));
        match graph.insert(vector.elements()) {
            Ok(_) => assert_eq!(graph.live_count(), live + 1),
            Err(error) => assert!(!is_good && graph.live_count() == live, "{error}"),
        }
    }

    /// In a graph that was built, every node can be reached, whatever the vectors are.
    fn search_exactly(&mut self, view: &GraphView<'_>, script: &mut Script<'_>, memory: &mut Memory) {
        let Some(view) = view.without_codes() else { return };
        let count = view.count();
        if !self.allows(count * (2 * view.m() + view.dim() / 8)) {
            return;
        }
        let query = query(&view, script, &mut self.random);
        let params = SearchParams::new(count.min(20)).ef_search(count);
        let (scratch, out) = memory.lend(&view, ScratchMut::candidates(&params, count), params.k);
        let result = search_in(&view, query.elements(), &params, scratch, out);
        let Some(stats) = answered(result, &view, &query) else { return };
        let mut expected = [Neighbor::default(); 20];
        let found = exact(view.rows(), query.elements(), &mut expected[..params.k]).expect("a good query");
        assert_eq!(stats.found, found);
        for (found, expected) in out.iter().zip(&expected[..found]) {
            assert_eq!((found.id, found.distance.to_bits()), (expected.id, expected.distance.to_bits()));
        }
    }
}

/// The answer. Only a query that cannot be searched for may be refused.
fn answered<T>(result: Result<T, SearchError>, view: &GraphView<'_>, query: &Vector) -> Option<T> {
    match result {
        Ok(answer) => Some(answer),
        Err(SearchError::Query(error)) => {
            assert!(!is_good(view, query), "{error}");
            None
        }
        Err(error) => panic!("{error}"),
    }
}

/// Whether a vector must be accepted: its length is right, and its values are common ones.
fn is_good(view: &GraphView<'_>, vector: &Vector) -> bool {
    let dim = view.dim();
    let len = vector.elements().len() == view.element().scalars(dim);
    let is_cosine = view.metric() == Metric::Cosine;
    let values = match vector {
        Vector::F32(vector) => {
            // Floats of common sizes, all within the range of f16.
            let is_common = |element: &f32| *element == 0.0 || (1e-4..=1e4).contains(&element.abs());
            vector.iter().all(is_common) && (!is_cosine || vector.iter().any(|element| *element != 0.0))
        }
        Vector::F16(vector) => !is_cosine || vector.iter().any(|element| element.to_f32() != 0.0),
        Vector::I8(vector) => !is_cosine || vector.iter().any(|element| *element != 0),
        Vector::U8(vector) => !is_cosine || vector.iter().any(|element| *element != 0),
        Vector::Bits(words) => dim % 64 == 0 || words.last().is_some_and(|last| last >> (dim % 64) == 0),
    };
    len && values
}

/// The number of nodes that a search may return.
fn live(view: &GraphView<'_>, filter: &Accepts<'_>) -> usize {
    let deleted = view.tombstones();
    (0..view.count() as NodeId).filter(|id| filter.accepts(*id) && !deleted.contains(*id)).count()
}

fn check(view: &GraphView<'_>, params: &SearchParams, found: &[Neighbor], filter: &Accepts<'_>) {
    assert!(found.len() <= params.k, "{} of {params:?}", found.len());
    assert_sorted(found);
    assert_nodes(view, found, filter);
}

/// Asserts that the nearest come first. A NaN is the farthest.
fn assert_sorted(found: &[Neighbor]) {
    let distances = found.iter().map(|neighbor| neighbor.distance);
    assert!(distances.is_sorted_by(|a, b| b.is_nan() || a <= b), "{found:?}");
}

/// Asserts that all nodes may be returned, and that none comes twice.
fn assert_nodes(view: &GraphView<'_>, found: &[Neighbor], filter: &Accepts<'_>) {
    for neighbor in found {
        assert!((neighbor.id as usize) < view.count(), "{neighbor:?}");
        assert!(filter.accepts(neighbor.id) && !view.tombstones().contains(neighbor.id), "{neighbor:?}");
    }
    if found.len() < 20 {
        let mut others = found.iter();
        while let Some(neighbor) = others.next() {
            assert!(others.as_slice().iter().all(|other| other.id != neighbor.id), "{neighbor:?} twice");
        }
    } else {
        let ids: HashSet<NodeId> = found.iter().map(|neighbor| neighbor.id).collect();
        assert_eq!(ids.len(), found.len());
    }
}
