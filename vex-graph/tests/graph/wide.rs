//! Rows of links of every width: buffers that hold links must fit the widest row, however many of
//! its nodes are new.

use vex_graph::{
    GraphView, LevelView, Metric, Neighbor, NodeSet, Params, Quantization, Rows, Scratch, SearchParams,
    search, search_filtered, search_radius,
};

use crate::invariants::assert_invariants;
use crate::support::{Rng, Shape, Threads, built, exactly, found, vectors};

/// Widths on both sides of the pieces in which links are gathered, and the smallest and largest
/// that there are.
const M: [usize; 16] = [4, 5, 16, 31, 32, 33, 48, 63, 64, 65, 95, 96, 97, 128, 256, 512];

#[test]
fn graphs_of_every_width_are_built_and_searched() {
    for (seed, m) in (1..).zip(M) {
        for (dim, quantization) in [(2, None), (64, None), (64, Some(Quantization::Sq8))] {
            let data = vectors(Shape::Uniform, dim, 1_500, seed);
            let params = Params::new().m(m).ef_construction(60).seed(seed).quantization(quantization);
            let (graph, _) = built(Metric::SquaredEuclidean, params, &data, &Threads(1));
            let view = graph.view();
            assert_invariants(&view);
            for query in vectors(Shape::Uniform, dim, 5, seed + 100) {
                let truth = exactly(view.rows(), &query, 5);
                let found = found(&view, &query, 5, 300);
                let near = found.iter().filter(|near| near.distance <= truth[4].distance * 1.00001).count();
                assert!(near >= 4, "m {m}, {dim} dimensions, {quantization:?}: {near} of 5");
            }
        }
    }
}

/// Every row leads to as many new nodes as it is wide: more than a built graph ever has.
#[test]
fn rows_full_of_new_nodes_are_searched() {
    const COUNT: usize = 2_100;
    let mut rng = Rng(3);
    let elements: Vec<f32> = (0..COUNT).map(|_| rng.signed()).collect();
    let rows = Rows::new(Metric::SquaredEuclidean, &elements, 1, 1, COUNT).unwrap();
    for m in M {
        for offset in 0..4 {
            // Rows that share no node as far as they can, and are short by the offset.
            let next = |node: usize, position: usize| ((1 + node * 2 * m + position) % COUNT) as u32;
            let row =
                |node| (0..2 * m).map(move |at| if at < 2 * m - offset { next(node, at) } else { u32::MAX });
            let links: Vec<u32> = (0..COUNT).flat_map(row).collect();
            let base = LevelView { links: &links, width: 2 * m, sorted: COUNT, appended: &[] };
            let view = GraphView::new(rows, None, m, 0, &[base]).unwrap();
            let all = |found: usize, out: &[Neighbor]| {
                let ids: std::collections::BTreeSet<u32> = out[..found].iter().map(|near| near.id).collect();
                assert!(ids.len() == found && ids.iter().all(|id| (*id as usize) < COUNT), "m {m}");
            };
            let mut scratch = Scratch::new();
            for ef in [1, 300, COUNT] {
                let params = SearchParams::new(ef).ef_search(ef);
                let mut out = vec![Neighbor::default(); ef];
                let stats = search(&view, &[0.3], &params, &mut scratch, &mut out).unwrap();
                all(stats.found, &out);
                let params = SearchParams::new(3).ef_search(ef);
                let third = |id: u32| id.is_multiple_of(3);
                let stats = search_filtered(&view, &[0.3], &params, &third, &mut scratch, &mut out).unwrap();
                all(stats.found, &out);
                let stats = search_radius(&view, &[0.3], 0.1, &params, &mut scratch, &mut out).unwrap();
                all(stats.found, &out);
                let deleted = [1 << 7];
                let view = view.with_tombstones(NodeSet::new(&deleted));
                let stats = search(&view, &[0.3], &params, &mut scratch, &mut out).unwrap();
                all(stats.found, &out);
            }
        }
    }
}
