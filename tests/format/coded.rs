//! Files with codes and tombstones.

use support::{coded, poke, seal, write, write_with};
use vex_format::{AlignedBytes, Field, Image, OpenError, Store, Tag, VerifyError, WriteError};
use vex_graph::{Element, Hnsw, Metric, NodeId, NodeSet, Quantization};

const COUNT: usize = 100;

fn keys() -> Vec<u64> {
    (0..COUNT as u64).map(|id| 7 * id).collect()
}

fn graph(quantization: Quantization) -> Hnsw {
    coded(Element::F32, Metric::Cosine, quantization, 20, COUNT, 5)
}

/// The offset of a section.
fn section(bytes: &[u8], tag: Tag) -> usize {
    Image::open(bytes).unwrap().sections().find(|section| section.tag == tag).unwrap().offset as usize
}

#[test]
fn codes_and_tombstones_follow_their_nodes() {
    for quantization in Quantization::ALL {
        let graph = graph(quantization);
        let words = [0x8000_0000_0000_0105, 1 << 35 | 1];
        let view = graph.view().with_tombstones(NodeSet::new(&words));
        for store in [Store::All, Store::None] {
            let file = write_with(&view, &keys(), store);
            let image = Image::open(&file).unwrap();
            assert_eq!(image.verify(), Ok(()));
            poke(&image.graph());
            assert_eq!(image.header().quantization, Some(quantization));
            assert_eq!(image.header().stores_vectors(), store == Store::All);
            assert_eq!(image.graph().rows().are_stored(), store == Store::All);
            let (read, codes) = (*image.graph().codes().unwrap(), *view.codes().unwrap());
            assert_eq!(read.mean(), codes.mean());
            for id in 0..COUNT as NodeId {
                let old = (image.keys()[id as usize] / 7) as NodeId;
                assert_eq!(read.row(id), codes.row(old));
                assert_eq!(read.terms()[id as usize], codes.terms()[old as usize]);
                assert_eq!(image.graph().tombstones().contains(id), view.tombstones().contains(old));
            }
            assert_eq!(image.graph().tombstones().len(), 6);
        }
    }
}

#[test]
fn a_graph_that_was_opened_grows_and_is_written_again() {
    for quantization in Quantization::ALL {
        let file = write(&graph(quantization).view(), &keys());
        let image = Image::open(&file).unwrap();
        let mut grown = Hnsw::from_view(&image.graph(), *image.params()).unwrap();
        assert_eq!(*write(&grown.view(), image.keys()), *file);
        grown.insert(&[1.0; 20]).unwrap();
        assert_eq!(grown.view().codes().unwrap().count(), COUNT + 1);
    }
}

#[test]
fn an_empty_index_remembers_how_it_is_to_be_coded() {
    let graph = Hnsw::new(Metric::Cosine, 20, *graph(Quantization::Sq4).params()).unwrap();
    let mut bytes = Vec::new();
    let meta = vex_format::Meta::new(*graph.params());
    let writer = vex_format::Writer::new(&graph.view(), &[], &meta).unwrap();
    let Ok(()) = writer.write_to(&mut |chunk: &[u8]| {
        bytes.extend_from_slice(chunk);
        Ok::<(), std::convert::Infallible>(())
    });
    let file = AlignedBytes::copy_of(&bytes).unwrap();
    let image = Image::open(&file).unwrap();
    assert_eq!((image.verify(), image.params().quantization), (Ok(()), Some(Quantization::Sq4)));
    // Every version has written the file so: the mean has its full length already.
    let lengths: Vec<_> = image.sections().map(|section| (section.tag, section.length)).collect();
    let of = |tag| match tag {
        Tag::MEAN => 80,
        Tag::META => 32,
        _ => 0,
    };
    assert!(lengths.iter().all(|(tag, length)| *length == of(*tag)), "{lengths:?}");
    assert_eq!(lengths.len(), 7);
    let opened = Hnsw::from_view(&image.graph(), *image.params()).unwrap();
    assert_eq!(opened.params().quantization, Some(Quantization::Sq4));
}

#[test]
fn features_that_contradict_each_other_are_refused() {
    let change = |offset: usize, value: u8| {
        // With 130 elements, SQ8 and SQ4 codes take different bytes.
        let mut bytes =
            write(&coded(Element::F32, Metric::Cosine, Quantization::Sq8, 130, COUNT, 5).view(), &keys());
        bytes[offset] = value;
        seal(&mut bytes);
        Image::open(&bytes).map(drop)
    };
    let both = OpenError::Field { field: Field::Codes, offset: 16, expected: (0, 4), found: 3 };
    assert_eq!(change(16, 3), Err(both));
    // A file without codes has no place for their sections.
    let order = OpenError::SectionOrder { offset: 160, expected: Some(Tag::KEYS), found: Tag::CODES };
    assert_eq!(change(16, 0), Err(order));
    assert!(matches!(change(16, 2), Err(OpenError::Field { field: Field::SectionLength, .. })));
    assert!(matches!(change(24, 1), Err(OpenError::SectionOrder { found: Tag::VECTORS, .. })));
    assert_eq!(
        change(24, 2),
        Err(OpenError::SectionOrder { offset: 416, expected: Some(Tag::TOMBSTONES), found: Tag::META })
    );

    let mut bytes = write(&support::Graph::ring(Metric::Cosine, 5, 4, &[0; 3], 3, 1).view(), &[1, 2, 3]);
    bytes[24] = 1;
    seal(&mut bytes);
    let neither = OpenError::Field { field: Field::Codes, offset: 16, expected: (1, 4), found: 0 };
    assert_eq!(Image::open(&bytes).map(drop), Err(neither));
}

#[test]
fn verify_names_what_is_wrong_with_codes() {
    let graph = graph(Quantization::Sq4);
    let view = graph.view().with_tombstones(NodeSet::new(&[2, 0]));
    let file = write(&view, &keys());
    let change = |tag: Tag, offset: usize, value: [u8; 4]| {
        let mut bytes = AlignedBytes::copy_of(&file).unwrap();
        let at = section(&bytes, tag) + offset;
        bytes[at..at + 4].copy_from_slice(&value);
        seal(&mut bytes);
        let image = Image::open(&bytes).unwrap();
        poke(&image.graph());
        image.verify()
    };
    let (nan, infinity) = (f32::NAN.to_le_bytes(), f32::NEG_INFINITY.to_le_bytes());
    assert_eq!(change(Tag::TERMS, 8 * 3 + 4, nan), Err(VerifyError::Terms { node: 3 }));
    assert_eq!(change(Tag::TERMS, 8 * 99, infinity), Err(VerifyError::Terms { node: 99 }));
    assert_eq!(change(Tag::MEAN, 4 * 19, nan), Err(VerifyError::Mean { position: 19 }));
    let expected = VerifyError::Tombstone { expected: 100, found: 100 };
    assert_eq!(change(Tag::TOMBSTONES, 8 + 4, [16, 0, 0, 0]), Err(expected));
    assert_eq!(change(Tag::CODES, 0, [0; 4]), Ok(()));
}

#[test]
fn a_file_keeps_vectors_or_codes() {
    let graph = support::Graph::ring(Metric::Cosine, 5, 4, &[0; 3], 3, 1);
    let params = vex_graph::Params::new().m(4);
    let meta = vex_format::Meta::new(params).store(Store::None);
    let error = vex_format::Writer::new(&graph.view(), &[1, 2, 3], &meta).unwrap_err();
    assert_eq!(error, WriteError::NoVectors);
}
