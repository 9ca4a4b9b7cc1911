//! A verified file keeps the promises of FORMAT.md: it can be searched, copied, and written again
//! with the same bytes.
#![no_main]

use std::convert::Infallible;

use libfuzzer_sys::{fuzz_mutator, fuzz_target};
use support::Vector;
use vex_format::{AlignedBytes, Image, Meta, Store, Writer};
use vex_graph::{Elements, Neighbor, Scratch, SearchError, SearchParams, VectorError, search};

fuzz_mutator!(|data: &mut [u8], size: usize, max_size: usize, seed: u32| {
    vex_fuzz::mutate_index(data, size, max_size, seed)
});

fuzz_target!(|input: &[u8]| {
    let bytes = AlignedBytes::copy_of(input).expect("inputs are small");
    let Ok(image) = Image::open(&bytes) else { return };
    if image.verify().is_err() {
        return;
    }
    assert_searched(&image);
    // Another minor version, feature or section is allowed, but is not written back.
    if is_of_this_version(&image) {
        assert_eq!(written(&image), &bytes[..]);
    }
});

/// The distances of hits are numbers in ascending order.
fn assert_searched(image: &Image<'_>) {
    let graph = image.graph();
    let query = Vector::query(graph.element(), graph.dim(), 2);
    let mut found = [Neighbor::default(); 4];
    let stats =
        search(&graph, query.elements(), &SearchParams::new(4).ef_search(8), &mut Scratch::new(), &mut found);
    let found = &found[..stats.expect("a good query").found];
    assert!(found.iter().all(|neighbor| !graph.tombstones().contains(neighbor.id)));
    assert!(found.is_sorted_by(|a, b| a.distance.total_cmp(&b.distance).is_le()), "{found:?}");
    let none = Elements::none(graph.element());
    let none = search(&graph, none, &SearchParams::new(4).ef_search(8), &mut Scratch::new(), &mut []);
    let expected = VectorError::Dimension { expected: graph.dim(), found: 0 };
    assert_eq!(none, Err(SearchError::Query(expected)));
}

fn is_of_this_version(image: &Image<'_>) -> bool {
    let header = image.header();
    let (codes, sections_of_codes) = if header.quantization.is_some() { (0b111, 3) } else { (0, 0) };
    // Keys and build parameters are always there. The others are counted below.
    let sections = 2
        + header.levels
        + sections_of_codes
        + usize::from(header.stores_vectors())
        + usize::from(header.has_tombstones());
    header.minor == vex_format::MINOR
        && header.compatible & !codes == 0
        && header.read_only_compatible == 0
        && header.sections == sections
        && header.has_tombstones() != image.graph().tombstones().is_empty()
}

fn written(image: &Image<'_>) -> Vec<u8> {
    let header = image.header();
    let store = if header.stores_vectors() { Store::All } else { Store::None };
    let meta =
        Meta::new(*image.params()).segment_id(header.segment_id).sequence(header.sequence).store(store);
    let graph = image.graph();
    let writer = Writer::new(&graph, image.keys(), &meta).expect("a verified file can be written");
    let mut bytes = Vec::new();
    let Ok(()) = writer.write_to(&mut |chunk: &[u8]| {
        bytes.extend_from_slice(chunk);
        Ok::<(), Infallible>(())
    });
    bytes
}
