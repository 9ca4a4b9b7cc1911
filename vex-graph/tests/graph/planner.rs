//! What the planner of filtered searches chooses, on clustered data: as much as it must find, with no
//! more distances than it may compute.

use vex_graph::{
    GraphView, Hnsw, Metric, Neighbor, NodeSet, Params, Scratch, SearchParams, Serial, search_filtered,
};

use crate::support::{Rng, built, exactly};

const COUNT: usize = 24_000;
const DIM: usize = 16;
const CLUSTERS: usize = 64;

/// Clusters that overlap, so that links lead from one to the others.
struct Clusters {
    graph: Hnsw,
    queries: Vec<Vec<f32>>,
}

impl Clusters {
    fn new(seed: u64) -> Self {
        let mut rng = Rng(seed);
        let centres: Vec<f32> = (0..CLUSTERS * DIM).map(|_| rng.signed()).collect();
        let mut vector = || -> Vec<f32> {
            let centre = &centres[DIM * rng.below(CLUSTERS)..][..DIM];
            centre.iter().map(|element| element + 0.6 * rng.signed()).collect()
        };
        let data: Vec<_> = (0..COUNT).map(|_| vector()).collect();
        let queries = (0..40).map(|_| vector()).collect();
        let params = Params::new().m(8).ef_construction(60).seed(seed);
        Self { graph: built(Metric::SquaredEuclidean, params, &data, &Serial).0, queries }
    }
}

/// The share of the nearest matches that searches find, and the distances that they compute on
/// average. `matches` gets the number of the query, and all nodes, nearest first.
fn searched(clusters: &Clusters, mut matches: impl FnMut(usize, &[Neighbor]) -> Vec<u64>) -> (f64, usize) {
    let view: GraphView<'_> = clusters.graph.view();
    let params = SearchParams::new(5).ef_search(32);
    let (mut scratch, mut out) = (Scratch::new(), [Neighbor::default(); 5]);
    let (mut right, mut distances) = (0, 0);
    for (index, query) in clusters.queries.iter().enumerate() {
        let mut nearest = exactly(view.rows(), query, COUNT);
        let words = matches(index, &nearest);
        let set = NodeSet::new(&words);
        nearest.retain(|neighbor| set.contains(neighbor.id));
        let stats = search_filtered(&view, query, &params, &set, &mut scratch, &mut out).unwrap();
        assert_eq!(stats.found, 5);
        right += out.iter().filter(|hit| nearest[..5].iter().any(|other| other.id == hit.id)).count();
        distances += stats.distances;
    }
    let searches = clusters.queries.len();
    (right as f64 / (5 * searches) as f64, distances / searches)
}

fn words(nodes: impl Iterator<Item = usize>) -> Vec<u64> {
    let mut words = vec![0; NodeSet::words_for(COUNT)];
    nodes.for_each(|id| words[id / 64] |= 1 << (id % 64));
    words
}

fn random(share: usize) -> impl Fn(usize, &[Neighbor]) -> Vec<u64> {
    move |index, _| {
        let mut rng = Rng(index as u64);
        words((0..COUNT).filter(|_| rng.below(100) < share))
    }
}

/// The nodes that are farther than all others.
fn far(share: usize) -> impl Fn(usize, &[Neighbor]) -> Vec<u64> {
    move |_, nearest| words(nearest[COUNT - COUNT * share / 100..].iter().map(|node| node.id as usize))
}

/// Partial expansion computes fewer distances than whole expansion, which takes 2,410 and 1,670.
#[test]
fn sparse_matches_are_found_with_few_distances() {
    let mut sums = [0; 2];
    for seed in 0..3 {
        let clusters = Clusters::new(seed);
        for (share, sum) in [10, 15].into_iter().zip(&mut sums) {
            let (recall, distances) = searched(&clusters, random(share));
            assert!(recall >= 0.98, "seed {seed}, {share}%: recall {recall}");
            *sum += distances;
        }
        // Half of the nodes lie before the nearest match. A search that ends among them is wrong.
        let (recall, distances) = searched(&clusters, far(50));
        assert!(recall >= 0.98, "seed {seed}, far: recall {recall}");
        assert!(distances <= COUNT / 2 * 3 / 2 + 100, "seed {seed}, far: {distances} distances");
    }
    assert!(sums[0] <= 2_200 && sums[1] <= 1_450, "{sums:?} distances");
}
