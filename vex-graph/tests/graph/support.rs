//! Seeded data, graphs made of it, and copies of all that a view shows.

// Two test binaries share this file, and neither needs all of it.
#![allow(dead_code)]

use std::convert::Infallible;
use std::ops::ControlFlow;

use vex_graph::{
    Codes, CopyLinks, Element, Elements, Executor, GraphView, Hnsw, MAX_NORM, Metric, Neighbor, NodeId,
    Params, Quantization, Rows, Scratch, SearchParams, Serial, exact, search,
};

/// SplitMix64, so that the data is the same on every platform and with every version of any crate.
pub(crate) struct Rng(pub(crate) u64);

impl Rng {
    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    pub(crate) fn below(&mut self, end: usize) -> usize {
        (self.next() % end as u64) as usize
    }

    /// Uniform in [−1, 1).
    pub(crate) fn signed(&mut self) -> f32 {
        (self.next() >> 40) as f32 / (1 << 23) as f32 - 1.0
    }

    /// Nearly normal, with standard deviation 1.
    pub(crate) fn normal(&mut self) -> f32 {
        (0..12).map(|_| self.signed()).sum::<f32>() / 2.0
    }
}

/// How vectors lie.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Shape {
    Uniform,
    /// Around a few centres.
    Clustered,
    /// Few different vectors, each many times.
    Duplicates,
    /// Each a step farther than the one before.
    Sorted,
    /// Small integers: many different vectors at equal distances.
    Grid,
    /// The ends of what is accepted: up to the longest vectors, and down to denormals.
    Extreme,
}

impl Shape {
    pub(crate) const ALL: [Self; 6] =
        [Self::Uniform, Self::Clustered, Self::Duplicates, Self::Sorted, Self::Grid, Self::Extreme];
}

/// `count` vectors, none of them zero.
pub(crate) fn vectors(shape: Shape, dim: usize, count: usize, seed: u64) -> Vec<Vec<f32>> {
    let mut rng = Rng(seed);
    let centres: Vec<f32> = (0..5 * dim).map(|_| 4.0 * rng.signed()).collect();
    let mut vector = |index: usize| -> Vec<f32> {
        let centre = &centres[dim * rng.below(5)..][..dim];
        let element = |j: usize| match shape {
            Shape::Uniform => rng.signed(),
            Shape::Clustered => centre[j] + rng.signed() / 10.0,
            Shape::Duplicates => centre[j],
            Shape::Sorted => (index + j) as f32 / 8.0,
            Shape::Grid => (rng.below(5) as f32) - 2.0,
            Shape::Extreme => match rng.below(4) {
                0 => rng.signed() * (MAX_NORM / (dim as f64).sqrt()) as f32,
                1 => rng.signed() * 1e-44,
                2 => f32::MIN_POSITIVE,
                _ => rng.signed(),
            },
        };
        let mut vector: Vec<f32> = (0..dim).map(element).collect();
        if vector.iter().all(|element| *element == 0.0) {
            vector[0] = 1.0;
        }
        vector
    };
    (0..count).map(&mut vector).collect()
}

/// Everything that a view shows, floats as bits.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Snapshot {
    metric: Metric,
    shape: [usize; 4],
    entry: Option<NodeId>,
    elements: (Element, Vec<u64>),
    levels: Vec<(usize, usize, Vec<NodeId>, Vec<u32>)>,
    tombstones: Vec<NodeId>,
    copies: Vec<CopyLinks>,
    quantization: Option<Quantization>,
    codes: Vec<u8>,
    terms: Vec<u32>,
    mean: Vec<u32>,
}

impl Snapshot {
    pub(crate) fn of(view: &GraphView<'_>) -> Self {
        let rows = view.rows();
        let levels = view.levels().iter();
        Self {
            metric: view.metric(),
            shape: [view.m(), rows.dim(), rows.stride(), rows.count()],
            entry: view.entry(),
            elements: scalar_bits(rows.elements()),
            levels: levels
                .map(|level| (level.width, level.sorted, level.appended.to_vec(), level.links.to_vec()))
                .collect(),
            tombstones: view.tombstones().iter().collect(),
            copies: view.copies().to_vec(),
            quantization: view.codes().map(Codes::quantization),
            codes: view.codes().map_or(Vec::new(), |codes| codes.planes().concat()),
            terms: view.codes().map_or(Vec::new(), |codes| float_bits(codes.terms().as_flattened())),
            mean: view.codes().map_or(Vec::new(), |codes| float_bits(codes.mean())),
        }
    }
}

fn scalar_bits(elements: Elements<'_>) -> (Element, Vec<u64>) {
    let bits = match elements {
        Elements::F32(scalars) => scalars.iter().map(|scalar| scalar.to_bits().into()).collect(),
        Elements::F16(scalars) => scalars.iter().map(|scalar| scalar.to_bits().into()).collect(),
        Elements::I8(scalars) => scalars.iter().map(|scalar| *scalar as u64).collect(),
        Elements::U8(scalars) => scalars.iter().map(|scalar| u64::from(*scalar)).collect(),
        Elements::Bits(words) => words.to_vec(),
    };
    (elements.element(), bits)
}

fn float_bits(floats: &[f32]) -> Vec<u32> {
    floats.iter().map(|float| float.to_bits()).collect()
}

/// As many threads as there are tasks; none where `VEX_TASKS_IN_TURN` is set, as for an emulator
/// that never gives back what they took.
pub(crate) struct Threads(pub(crate) usize);

impl Executor for Threads {
    fn workers(&self) -> usize {
        self.0
    }

    fn join(&self, left: &mut (dyn FnMut() + Send), right: &mut (dyn FnMut() + Send)) {
        if std::env::var_os("VEX_TASKS_IN_TURN").is_some() {
            return Serial.join(left, right);
        }
        std::thread::scope(|scope| {
            scope.spawn(left);
            right();
        });
    }
}

pub(crate) fn built(
    metric: Metric,
    params: Params,
    vectors: &[Vec<f32>],
    executor: &dyn Executor,
) -> (Hnsw, Vec<u32>) {
    let mut next = vectors.iter();
    let fill = |vector: &mut [f32]| -> Result<(), Infallible> {
        vector.copy_from_slice(next.next().expect("no more vectors are asked for than there are"));
        Ok(())
    };
    let dim = vectors.first().map_or(3, Vec::len);
    Hnsw::build(metric, dim, params, vectors.len(), fill, executor, |_| ControlFlow::Continue(())).unwrap()
}

pub(crate) fn inserted(metric: Metric, params: Params, vectors: &[Vec<f32>]) -> Hnsw {
    let mut graph = Hnsw::new(metric, vectors.first().map_or(3, Vec::len), params).unwrap();
    for (id, vector) in vectors.iter().enumerate() {
        assert_eq!(graph.insert(vector), Ok(id as NodeId));
    }
    graph
}

/// The `k` neighbors that a search with `ef` candidates finds.
pub(crate) fn found(view: &GraphView<'_>, query: &[f32], k: usize, ef: usize) -> Vec<Neighbor> {
    let mut out = vec![Neighbor::default(); k];
    let params = SearchParams::new(k).ef_search(ef);
    let stats = search(view, query, &params, &mut Scratch::new(), &mut out).unwrap();
    out.truncate(stats.found);
    out
}

/// The `k` nearest of the nodes that are not deleted, by a search that sees every node and reranks
/// it.
pub(crate) fn found_live(graph: &Hnsw, query: &[f32], k: usize) -> Vec<Neighbor> {
    let view = graph.view();
    let mut out = vec![Neighbor::default(); k];
    let params = SearchParams::new(k).ef_search(view.count()).rerank(f32::INFINITY);
    let stats = search(&view, query, &params, &mut Scratch::new(), &mut out).unwrap();
    out.truncate(stats.found);
    assert_eq!(out.len(), k.min(graph.live_count()));
    assert!(out.iter().all(|neighbor| graph.is_live(neighbor.id)));
    out
}

/// The exact `k` nearest of the nodes that are not deleted.
pub(crate) fn exactly_live(graph: &Hnsw, query: &[f32], k: usize) -> Vec<Neighbor> {
    let view = graph.view();
    let mut all = exactly(view.rows(), query, view.count());
    all.retain(|neighbor| graph.is_live(neighbor.id));
    all.truncate(k);
    all
}

pub(crate) fn exactly<'q>(rows: &Rows<'_>, query: impl Into<Elements<'q>>, k: usize) -> Vec<Neighbor> {
    let mut out = vec![Neighbor::default(); k];
    let found = exact(rows, query, &mut out).unwrap();
    out.truncate(found);
    out
}

/// Neighbors as bits, which compare equal where they are NaN, too.
pub(crate) fn bits(neighbors: &[Neighbor]) -> Vec<(NodeId, u32)> {
    neighbors.iter().map(|neighbor| (neighbor.id, neighbor.distance.to_bits())).collect()
}

/// Nearest first. Where distances are not rounded after the comparison, equal ones are ordered by
/// id.
#[track_caller]
pub(crate) fn assert_sorted(metric: Metric, neighbors: &[Neighbor]) {
    for pair in neighbors.windows(2) {
        let by_distance = pair[0].distance.total_cmp(&pair[1].distance);
        let is_sorted = match metric {
            Metric::Cosine => by_distance.is_le(),
            _ => by_distance.then(pair[0].id.cmp(&pair[1].id)).is_lt(),
        };
        assert!(is_sorted, "{pair:?}");
    }
}
