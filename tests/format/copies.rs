//! A file has a section of copies if and only if there is a copy. Its contents are those of the
//! graph.

use support::{seal, write};
use vex_format::{AlignedBytes, Image, Tag, VerifyError};
use vex_graph::{
    GraphView, Hnsw, Metric, Neighbor, NodeId, Params, Scratch, SearchParams, TERMINATOR, search,
};

const PARAMS: Params = Params::new().m(4).ef_construction(40).seed(5);

/// `count` nodes of `kinds` vectors, inserted one by one.
fn graph(count: usize, kinds: usize) -> Hnsw {
    let mut graph = Hnsw::new(Metric::SquaredEuclidean, 2, PARAMS).unwrap();
    for index in 0..count {
        let kind = index * 7919 % kinds;
        graph.insert(&[(kind % 10) as f32, (kind / 10) as f32]).unwrap();
    }
    graph
}

fn keys(graph: &Hnsw) -> Vec<u64> {
    (0..graph.count() as u64).map(|id| 1000 + 3 * id).collect()
}

/// The offset of the links of copies in a file.
fn section(file: &[u8]) -> Option<usize> {
    let image = Image::open(file).unwrap();
    image.sections().find(|section| section.tag == Tag::COPIES).map(|section| section.offset as usize)
}

/// Keys and distances of the nearest vectors. Equal distances are sorted by key.
fn answer(view: &GraphView<'_>, keys: &[u64], query: &[f32], k: usize) -> Vec<(u32, u64)> {
    let mut out = vec![Neighbor::default(); k];
    let stats =
        search(view, query, &SearchParams::new(k).ef_search(64), &mut Scratch::new(), &mut out).unwrap();
    let found = out[..stats.found].iter();
    let mut found: Vec<_> = found.map(|near| (near.distance.to_bits(), keys[near.id as usize])).collect();
    found.sort_unstable();
    found
}

#[test]
fn what_is_saved_and_opened_has_the_same_copies_and_answers() {
    let mut grown = graph(900, 70);
    (0..900).step_by(11).for_each(|id| grown.delete(id).unwrap());
    for id in (3..900).step_by(90) {
        let is_live = grown.is_live(id);
        assert_eq!(grown.update(id, &[3.0, 4.0]).is_ok(), is_live);
    }
    let keys = keys(&grown);
    let file = write(&grown.view(), &keys);
    let image = Image::open(&file).unwrap();
    assert_eq!(image.verify(), Ok(()));
    assert!(image.header().has_copies());
    let chains = |view: &GraphView<'_>, keys: &[u64]| {
        let key = |id: NodeId| keys[id as usize];
        let mut chains: Vec<Vec<u64>> = (0..view.count() as NodeId)
            .map(|id| {
                let mut copies: Vec<u64> = view.copies_of(id).map(key).collect();
                copies.sort_unstable();
                [vec![key(id)], copies].concat()
            })
            .filter(|chain| chain.len() > 1)
            .collect();
        chains.sort_unstable();
        chains
    };
    assert_eq!(chains(&image.graph(), image.keys()), chains(&grown.view(), &keys));
    let opened = Hnsw::from_view(&image.graph(), PARAMS).unwrap();
    assert_eq!(chains(&opened.view(), image.keys()), chains(&grown.view(), &keys));
    assert!(*write(&opened.view(), image.keys()) == *file, "the same graph is the same bytes");
    for kind in 0..80 {
        let query = [(kind % 10) as f32 + 0.1, (kind / 10) as f32 - 0.2];
        // All copies of the nearest vector are asked for, so that no tie is cut.
        let nearest = answer(&grown.view(), &keys, &query, 200);
        let k = nearest.iter().filter(|(distance, _)| *distance == nearest[0].0).count();
        let expected = answer(&grown.view(), &keys, &query, k);
        assert_eq!(expected, nearest[..k]);
        assert_eq!(answer(&image.graph(), image.keys(), &query, k), expected);
        assert_eq!(answer(&opened.view(), image.keys(), &query, k), expected);
    }
}

#[test]
fn a_graph_without_copies_has_no_section() {
    let mut graph = graph(60, 60);
    let keys = keys(&graph);
    let plain = write(&graph.view(), &keys);
    assert!(section(&plain).is_none() && !Image::open(&plain).unwrap().header().has_copies());
    // A vector becomes a copy, and then another vector again.
    graph.update(50, &[0.0, 0.0]).unwrap();
    assert!(section(&write(&graph.view(), &keys)).is_some());
    graph.update(50, &[70.0, 0.0]).unwrap();
    let file = write(&graph.view(), &keys);
    assert_eq!((section(&file), Image::open(&file).unwrap().verify()), (None, Ok(())));
    // These links make no chain.
    let view = graph.view();
    let none = vec![[TERMINATOR; 2]; 60];
    assert!(section(&write(&view.with_copies(&none).unwrap(), &keys)).is_none());
    assert!(view.with_copies(&none[1..]).is_err());
}

/// The file of nine nodes with three vectors. The links of one node are replaced.
fn forged(node: NodeId, links: [NodeId; 2]) -> (AlignedBytes, Hnsw) {
    let mut graph = graph(9, 3);
    let parked = graph.view().copies_of(0).next().unwrap();
    graph.delete(parked).unwrap();
    let mut file = write(&graph.view(), &keys(&graph));
    let at = section(&file).unwrap() + 8 * node as usize;
    file[at..at + 4].copy_from_slice(&links[0].to_le_bytes());
    file[at + 4..at + 8].copy_from_slice(&links[1].to_le_bytes());
    seal(&mut file);
    (file, graph)
}

#[test]
fn every_fault_of_a_chain_is_found_and_none_is_dangerous() {
    const T: NodeId = TERMINATOR;
    let (_, graph) = forged(0, [T, T]);
    let honest = write(&graph.view(), &keys(&graph));
    let image = Image::open(&honest).unwrap();
    assert_eq!(image.verify(), Ok(()));
    let copies = image.graph().copies().to_vec();
    let mut faults = 0;
    for node in 0..9 {
        for next in (0..11).chain([T, 1 << 31]) {
            for previous in (0..11).chain([T, 1 << 31]) {
                let links = [next, previous];
                let (file, _) = forged(node, links);
                let image = Image::open(&file).unwrap();
                let honest = copies[node as usize];
                // A deleted copy may also be a deleted node without a chain.
                let is_sound = honest == links || honest == [node; 2] && links == [T; 2];
                let fault = image.verify();
                assert_eq!(fault.is_ok(), is_sound, "{node}: {links:?}, {fault:?}");
                faults += usize::from(fault.is_err());
                let mut out = [Neighbor::default(); 9];
                let (params, mut scratch) = (SearchParams::new(9).ef_search(9), Scratch::new());
                let stats = search(&image.graph(), &[1.0, 0.0], &params, &mut scratch, &mut out).unwrap();
                let mut ids: Vec<_> = out[..stats.found].iter().map(|near| near.id).collect();
                ids.sort_unstable();
                assert!(ids.is_sorted_by(|a, b| a < b), "a node twice: {ids:?}");
                let mut copy = Hnsw::from_view(&image.graph(), PARAMS).unwrap();
                copy.insert(&[1.0, 0.0]).unwrap();
            }
        }
    }
    assert_eq!(faults, 9 * 13 * 13 - 10);
}

#[test]
fn a_copy_that_is_linked_or_has_another_vector_is_found() {
    let graph = graph(9, 3);
    let file = write(&graph.view(), &keys(&graph));
    let image = Image::open(&file).unwrap();
    let view = image.graph();
    let copy = (0..9).find(|id| view.is_copy(*id)).unwrap();
    let offset = |tag| image.sections().find(|section| section.tag == tag).unwrap().offset as usize;
    let previous = view.copies()[copy as usize][1];

    let mut forged = AlignedBytes::copy_of(&file).unwrap();
    let at = offset(Tag::links(0)) + copy as usize * 8 * 4;
    forged[at..at + 4].copy_from_slice(&view.entry().unwrap().to_le_bytes());
    seal(&mut forged);
    assert_eq!(Image::open(&forged).unwrap().verify(), Err(VerifyError::LinkedCopy { node: copy }));

    let mut forged = AlignedBytes::copy_of(&file).unwrap();
    let at = offset(Tag::VECTORS) + copy as usize * 64;
    forged[at..at + 4].copy_from_slice(&0.5_f32.to_le_bytes());
    seal(&mut forged);
    let error = VerifyError::UnequalCopy { node: copy, previous };
    assert_eq!(Image::open(&forged).unwrap().verify(), Err(error));

    // There is no copy at all.
    let mut forged = AlignedBytes::copy_of(&file).unwrap();
    let at = offset(Tag::COPIES);
    forged[at..at + 9 * 8].fill(0xFF);
    seal(&mut forged);
    assert_eq!(Image::open(&forged).unwrap().verify(), Err(VerifyError::NoCopies));
}
