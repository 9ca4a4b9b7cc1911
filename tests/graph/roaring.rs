//! Bitmaps of the crate roaring as filters, compared with sets of nodes.
#![allow(missing_docs)]

use proptest::prelude::*;
use roaring::RoaringBitmap;
use vex_graph::{
    Filter, Hnsw, Metric, Neighbor, NodeId, NodeSet, Params, Scratch, SearchParams, search_filtered,
};

const COUNT: usize = 3_000;

fn graph() -> Hnsw {
    let mut graph = Hnsw::new(Metric::SquaredEuclidean, 2, Params::default()).unwrap();
    for i in 0..COUNT {
        let turn = i as f32 * 2.4;
        graph.insert(&[turn.cos() * (i as f32).sqrt(), turn.sin() * (i as f32).sqrt()]).unwrap();
    }
    graph
}

#[test]
fn a_bitmap_finds_what_a_set_finds() {
    let graph = graph();
    let view = graph.view();
    let params = SearchParams::new(7).ef_search(20);
    let mut runner = proptest::test_runner::TestRunner::deterministic();
    let cases = (1..=COUNT as NodeId, any::<u32>(), -50.0f32..50.0, -50.0f32..50.0);
    let tested = runner.run(&cases, |(step, start, x, y)| {
        // Ids that no node has are ignored.
        let ids = || (start % step..2 * COUNT as NodeId).step_by(step as usize);
        let bitmap: RoaringBitmap = ids().collect();
        let mut words = vec![0; NodeSet::words_for(2 * COUNT)];
        ids().for_each(|id| words[id as usize / 64] |= 1 << (id % 64));
        let set = NodeSet::new(&words);
        prop_assert_eq!(
            Filter::matches(&bitmap, COUNT),
            Some(ids().filter(|id| (*id as usize) < COUNT).count())
        );
        let mut scratch = Scratch::new();
        let mut found = [[Neighbor::default(); 7]; 2];
        let [by_bitmap, by_set] = &mut found;
        let bitmap_stats =
            search_filtered(&view, &[x, y], &params, &bitmap, &mut scratch, by_bitmap).unwrap();
        let set_stats = search_filtered(&view, &[x, y], &params, &set, &mut scratch, by_set).unwrap();
        prop_assert_eq!(bitmap_stats, set_stats);
        prop_assert_eq!(by_bitmap, by_set);
        Ok(())
    });
    tested.unwrap();
}
