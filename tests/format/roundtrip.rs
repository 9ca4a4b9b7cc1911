//! A file opens as the graph that was written.

use std::cmp::Reverse;
use std::convert::Infallible;

use proptest::prelude::*;
use support::{Graph, Random, poke, write};
use vex_format::{Image, Meta, Tag, WriteError, Writer};
use vex_graph::{
    Elements, GraphView, Hnsw, LevelView, Metric, Neighbor, NodeId, Params, ParamsError, Rows, Scratch,
    SearchParams, TERMINATOR, search,
};

/// The levels of 12 nodes, the highest first.
const SORTED: [usize; 12] = [3, 2, 2, 1, 1, 1, 0, 0, 0, 0, 0, 0];

/// Asserts that the file of `graph` holds its nodes in the order `old`, with everything that
/// belongs to them.
fn assert_written(graph: &Graph, old: &[NodeId]) {
    let view = graph.view();
    let keys = graph.keys();
    let file = write(&view, &keys);
    let image = Image::open(&file).unwrap();
    assert_eq!(image.verify(), Ok(()));

    let new = |id: NodeId| old.iter().position(|old| *old == id).unwrap() as NodeId;
    let read = image.graph();
    assert_eq!(read.metric(), view.metric());
    assert_eq!((read.dim(), read.count(), read.m()), (view.dim(), view.count(), view.m()));
    assert_eq!(read.levels().len(), view.levels().len());
    assert_eq!(read.entry(), view.entry().map(new));
    for (id, old) in old.iter().enumerate() {
        assert_eq!(image.keys()[id], keys[*old as usize]);
        assert_eq!(read.rows().row(id as NodeId), view.rows().row(*old));
        assert_eq!(read.level(id as NodeId), view.level(*old));
        for level in 0..view.levels().len() {
            let links: Vec<_> = view.links(*old, level).iter().map(|id| new(*id)).collect();
            assert_eq!(read.links(id as NodeId, level), links);
        }
    }
    assert!(read.levels().iter().all(|level| level.appended.is_empty()));
    poke(&read);
}

/// The order that the format asks for.
fn by_level(graph: &Graph) -> Vec<NodeId> {
    let mut old: Vec<_> = (0..graph.level_of.len() as NodeId).collect();
    old.sort_by_key(|id| Reverse(graph.level_of[*id as usize]));
    old
}

#[test]
fn sorted_graphs_keep_their_ids() {
    for metric in Metric::NUMERIC {
        for dim in [1, 15, 16, 17, 100] {
            let graph = Graph::ring(metric, dim, 4, &SORTED, SORTED.len(), 1);
            assert_written(&graph, &(0..12).collect::<Vec<_>>());
        }
    }
}

#[test]
fn appended_nodes_are_sorted_by_level() {
    let graph = Graph::ring(Metric::SquaredEuclidean, 3, 4, &[1, 0, 0, 2, 0, 1, 2], 3, 1);
    let old = [3, 6, 0, 5, 1, 2, 4];
    assert_eq!(by_level(&graph), old);
    assert_written(&graph, &old);
}

#[test]
fn one_node_is_written() {
    assert_written(&Graph::ring(Metric::Cosine, 3, 4, &[0], 1, 1), &[0]);
    assert_written(&Graph::ring(Metric::Cosine, 3, 4, &[7], 0, 1), &[0]);
}

#[test]
fn empty_graphs_have_one_encoding() {
    let graph = Graph::ring(Metric::InnerProduct, 3, 4, &[], 0, 1);
    assert_written(&graph, &[]);
    let rows = Rows::new(Metric::InnerProduct, &[0.0; 0], 3, 3, 0).unwrap();
    let level = |width| LevelView { width, ..LevelView::default() };
    let levels = GraphView::new(rows, None, 4, TERMINATOR, &[level(8), level(4), level(4)]).unwrap();
    assert_eq!(*write(&levels, &[]), *write(&graph.view(), &[]));
}

#[test]
fn built_graphs_find_the_same_after_a_round_trip() {
    let mut random = Random(3);
    let mut graph = Hnsw::new(Metric::Cosine, 24, Params::new().m(4)).unwrap();
    for _ in 0..500 {
        let vector: Vec<_> = (0..24).map(|_| random.element()).collect();
        graph.insert(&vector).unwrap();
    }
    let keys: Vec<_> = (0..500).collect();
    let file = write(&graph.view(), &keys);
    let image = Image::open(&file).unwrap();
    assert_eq!(image.verify(), Ok(()));
    let params = SearchParams::new(10).ef_search(50);
    let mut scratch = Scratch::new();
    let mut keys_of = |view: &GraphView<'_>, keys: &[u64], query: &[f32]| -> Vec<(u64, u32)> {
        let mut found = [Neighbor::default(); 10];
        search(view, query, &params, &mut scratch, &mut found).unwrap();
        found.iter().map(|neighbor| (keys[neighbor.id as usize], neighbor.distance.to_bits())).collect()
    };
    for _ in 0..50 {
        let query: Vec<_> = (0..24).map(|_| random.element()).collect();
        assert_eq!(keys_of(&image.graph(), image.keys(), &query), keys_of(&graph.view(), &keys, &query));
    }
}

#[test]
fn metadata_and_sections_read_back() {
    let graph = Graph::ring(Metric::InnerProduct, 5, 6, &SORTED, SORTED.len(), 1);
    let file = write(&graph.view(), &graph.keys());
    let image = Image::open(&file).unwrap();
    let header = image.header();
    assert_eq!((header.major, header.minor, header.is_read_only()), (1, 0, false));
    assert_eq!((&header.segment_id, header.sequence), (b"a test's segment", 9));
    assert_eq!(header.level_count, [12, 6, 3, 1, 0, 0, 0, 0]);
    assert_eq!(*image.params(), Params::new().m(6).ef_construction(120).seed(42).keep_pruned(true));
    let sections: Vec<_> = image.sections().map(|section| (section.tag, section.length)).collect();
    let expected = [
        (Tag::VECTORS, 12 * 64),
        (Tag::KEYS, 12 * 8),
        (Tag::links(0), 12 * 48),
        (Tag::links(1), 6 * 24),
        (Tag::links(2), 3 * 24),
        (Tag::links(3), 24),
        (Tag::META, 32),
    ];
    assert_eq!(sections, expected);
}

#[test]
fn padding_of_the_view_is_not_written() {
    let elements = [1.0, 2.0, f32::NAN, 3.0, 4.0, f32::NAN];
    let rows = Rows::new(Metric::SquaredEuclidean, &elements, 2, 3, 2).unwrap();
    let base = LevelView { links: &[TERMINATOR; 16], width: 8, sorted: 2, appended: &[] };
    let file = write(&GraphView::new(rows, None, 4, 0, &[base]).unwrap(), &[1, 2]);
    let image = Image::open(&file).unwrap();
    assert_eq!(image.verify(), Ok(()));
    assert_eq!(image.graph().rows().row(1), Elements::F32(&[3.0, 4.0]));
}

#[test]
fn rows_end_at_the_first_link_that_leads_nowhere() {
    let mut graph = Graph::ring(Metric::SquaredEuclidean, 3, 4, &SORTED, SORTED.len(), 1);
    let clean = write(&graph.view(), &graph.keys());
    graph.links_mut(0)[4..8].copy_from_slice(&[12, 5, TERMINATOR, 6]);
    // Node 4 exists, but not on level 2.
    graph.links_mut(2)[1..3].copy_from_slice(&[4, 1]);
    assert_eq!(*write(&graph.view(), &graph.keys()), *clean);
}

#[test]
fn arguments_that_do_not_fit_are_refused() {
    let graph = Graph::ring(Metric::SquaredEuclidean, 3, 4, &SORTED, SORTED.len(), 1);
    let refusal =
        |keys: &[u64], params: Params| Writer::new(&graph.view(), keys, &Meta::new(params)).unwrap_err();
    let params = Params::new().m(4);
    assert_eq!(refusal(&[0; 11], params), WriteError::Keys { expected: 12, found: 11 });
    assert_eq!(refusal(&[0; 12], params.m(5)), WriteError::M { expected: 4, found: 5 });
    let expected = WriteError::Params(ParamsError::EfConstruction { found: 0 });
    assert_eq!(refusal(&[0; 12], params.ef_construction(0)), expected);
}

#[test]
fn a_failing_sink_is_not_called_again() {
    let graph = Graph::ring(Metric::SquaredEuclidean, 100, 4, &[0; 300], 300, 1);
    let meta = Meta::new(Params::new().m(4));
    let (view, keys) = (graph.view(), graph.keys());
    let writer = Writer::new(&view, &keys, &meta).unwrap();
    let mut calls = 0;
    let result = writer.write_to(&mut |_: &[u8]| {
        calls += 1;
        if calls == 3 { Err("full") } else { Ok(()) }
    });
    assert_eq!((result, calls), (Err("full"), 3));
    let mut largest = 0;
    let Ok(()) = writer.write_to(&mut |chunk: &[u8]| {
        largest = largest.max(chunk.len());
        Ok::<(), Infallible>(())
    });
    assert!(largest <= 8192, "{largest} bytes at once");
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_graph_reads_back(
        mut levels in prop::collection::vec(0_usize..8, 0..60),
        metric in prop::sample::select(&Metric::NUMERIC[..]),
        dim in 1_usize..40,
        m in 4_usize..9,
        part in 0.0..=1.0,
        seed: u64,
    ) {
        let sorted = (levels.len() as f64 * part) as usize;
        levels[..sorted].sort_by_key(|level| Reverse(*level));
        let graph = Graph::ring(metric, dim, m, &levels, sorted, seed);
        assert_written(&graph, &by_level(&graph));
    }
}
