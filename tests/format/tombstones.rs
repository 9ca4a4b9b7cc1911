//! A file has a section of deleted nodes if and only if one is deleted.

use support::{Graph, seal, write};
use vex_format::{AlignedBytes, Image, Tag, VerifyError};
use vex_graph::{Hnsw, Metric, NodeSet, Params};

/// The offset of the deleted nodes in a file.
fn section(file: &[u8]) -> Option<usize> {
    let image = Image::open(file).unwrap();
    image.sections().find(|section| section.tag == Tag::TOMBSTONES).map(|section| section.offset as usize)
}

fn ring(levels: &[usize]) -> Graph {
    Graph::ring(Metric::SquaredEuclidean, 3, 4, levels, levels.len(), 1)
}

#[test]
fn a_section_without_a_deleted_node_is_found() {
    let graph = ring(&[0; 70]);
    let view = graph.view().with_tombstones(NodeSet::new(&[0, 1 << 5]));
    let mut file = write(&view, &graph.keys());
    assert_eq!(Image::open(&file).unwrap().verify(), Ok(()));
    let at = section(&file).unwrap();
    file[at + 8] = 0;
    seal(&mut file);
    let image = Image::open(&file).unwrap();
    assert_eq!(image.verify(), Err(VerifyError::NoTombstones));
    // A fault in an earlier section is reported first.
    let links = image.sections().find(|section| section.tag == Tag::links(0)).unwrap().offset as usize;
    file[links..links + 4].fill(0);
    seal(&mut file);
    let image = Image::open(&file).unwrap();
    assert_eq!(image.verify(), Err(VerifyError::SelfLink { level: 0, node: 0 }));
}

#[test]
fn an_empty_index_with_a_section_is_found() {
    let file = write(&ring(&[]).view(), &[]);
    let (header, rows, meta) = (&file[..128], &file[128..256], &file[256..288]);
    let mut row = [0; 32];
    row[..4].copy_from_slice(b"TOMB");
    row[24] = 8;
    // One more row moves everything after the table to the next multiple of 64.
    let mut forged = AlignedBytes::zeroed(400).unwrap();
    forged[..128].copy_from_slice(header);
    forged[128..288].copy_from_slice(&[&rows[..96], &row, &rows[96..]].concat());
    forged[128..288].chunks_mut(32).for_each(|row| row[8..16].copy_from_slice(&320_u64.to_le_bytes()));
    forged[320..352].copy_from_slice(meta);
    (forged[24], forged[30]) = (2, 5);
    forged[32..40].copy_from_slice(&400_u64.to_le_bytes());
    seal(&mut forged);
    assert_eq!(Image::open(&forged).unwrap().verify(), Err(VerifyError::NoTombstones));
}

#[test]
fn a_writer_leaves_the_section_out() {
    let graph = ring(&[0; 7]);
    let plain = write(&graph.view(), &graph.keys());
    // Some words are for nodes that do not exist.
    for words in [&[0][..], &[0, 0], &[1 << 7], &[0, 1]] {
        let file = write(&graph.view().with_tombstones(NodeSet::new(words)), &graph.keys());
        assert!(*file == *plain, "{words:?}");
    }
    let file = write(&ring(&[]).view().with_tombstones(NodeSet::new(&[1])), &[]);
    assert_eq!((section(&file), Image::open(&file).unwrap().verify()), (None, Ok(())));
}

#[test]
fn a_slot_that_is_taken_again_leaves_no_section() {
    let params = Params::new().m(4).ef_construction(20);
    let mut graph = Hnsw::new(Metric::SquaredEuclidean, 2, params).unwrap();
    for x in 0..5 {
        graph.insert(&[x as f32, 1.0]).unwrap();
    }
    let keys = [0, 1, 2, 3, 4];
    graph.delete(3).unwrap();
    let file = write(&graph.view(), &keys);
    assert!(section(&file).is_some());
    // The copy of the graph keeps the free slot, too.
    let mut copy = Hnsw::from_view(&Image::open(&file).unwrap().graph(), params).unwrap();
    for graph in [&mut graph, &mut copy] {
        graph.insert(&[9.0, 1.0]).unwrap();
        let file = write(&graph.view(), &keys);
        assert_eq!((section(&file), Image::open(&file).unwrap().verify()), (None, Ok(())));
    }
}
