//! Damage of every kind is found, and no file, however forged, makes a reader panic or run on.

use support::{Graph, Random, coded, poke, seal, write, write_with};
use vex_format::{AlignedBytes, Image, Store};
use vex_graph::{Metric, NodeSet, Quantization};

fn files() -> Vec<Vec<u8>> {
    let graphs = [
        Graph::ring(Metric::SquaredEuclidean, 3, 4, &[2, 1, 1, 0, 0, 0, 0], 7, 1),
        Graph::ring(Metric::Cosine, 17, 5, &[0; 4], 4, 2),
        Graph::ring(Metric::InnerProduct, 3, 4, &[], 0, 3),
    ];
    let mut files: Vec<_> = graphs.iter().map(|graph| write(&graph.view(), &graph.keys()).to_vec()).collect();
    for (quantization, store) in
        Quantization::ALL.into_iter().flat_map(|kind| [Store::F32, Store::None].map(|store| (kind, store)))
    {
        let graph = coded(Metric::InnerProduct, quantization, 3, 6, 4);
        let view = graph.view().with_tombstones(NodeSet::new(&[0b1_0010]));
        files.push(write_with(&view, &[1, 2, 3, 4, 5, 6], store).to_vec());
    }
    files
}

/// Opens, uses and verifies; says whether nothing was found.
fn accepted(bytes: &[u8]) -> bool {
    Image::open(bytes).is_ok_and(|image| {
        poke(&image.graph());
        let _ = image.keys().iter().max();
        image.verify().is_ok()
    })
}

#[test]
fn truncation_at_every_byte_is_rejected() {
    for file in files() {
        let bytes = AlignedBytes::copy_of(&file).unwrap();
        assert!(accepted(&bytes));
        for len in 0..bytes.len() {
            assert!(Image::open(&bytes[..len]).is_err(), "{len} of {} bytes", bytes.len());
        }
    }
}

#[test]
fn a_flip_of_every_bit_is_rejected() {
    for file in files() {
        let mut bytes = AlignedBytes::copy_of(&file).unwrap();
        for bit in 0..8 * bytes.len() {
            bytes[bit / 8] ^= 1 << (bit % 8);
            assert!(!accepted(&bytes), "bit {bit}");
            bytes[bit / 8] ^= 1 << (bit % 8);
        }
        assert!(accepted(&bytes));
    }
}

#[test]
fn every_value_of_every_byte_of_header_and_table_is_survived() {
    for file in files() {
        let mut bytes = AlignedBytes::copy_of(&file).unwrap();
        for at in 0..128 + 6 * 32 {
            for value in 0..=255 {
                bytes[at] = value;
                seal(&mut bytes);
                accepted(&bytes);
                bytes.copy_from_slice(&file);
            }
        }
    }
}

#[test]
fn forged_files_are_survived() {
    let mut random = Random(7);
    for file in files() {
        let mut bytes = AlignedBytes::copy_of(&file).unwrap();
        let mut opened = 0;
        for _ in 0..20_000 {
            for _ in 0..1 + random.below(4) {
                let width = [1, 1, 4, 8][random.below(4)];
                let at = random.below(bytes.len() - width);
                let value = match random.below(4) {
                    0 => u64::MAX,
                    1 => random.below(64) as u64,
                    2 => 1 << random.below(64),
                    _ => random.next_u64(),
                };
                bytes[at..at + width].copy_from_slice(&value.to_le_bytes()[..width]);
            }
            if random.below(8) > 0 {
                seal(&mut bytes);
            }
            opened += usize::from(Image::open(&bytes).is_ok());
            accepted(&bytes);
            bytes.copy_from_slice(&file);
        }
        // Else the forgeries would not get far enough to test anything.
        assert!(opened > 1000, "{opened} forgeries opened");
    }
}
