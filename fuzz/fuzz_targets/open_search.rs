//! Arbitrary bytes are opened and searched: no panic, no endless loop, and every neighbor is a
//! node.
#![no_main]

use std::cell::RefCell;
use std::hint::black_box;

use libfuzzer_sys::{fuzz_mutator, fuzz_target};
use support::{Vector, poke};
use vex_format::{AlignedBytes, Image};
use vex_graph::{GraphView, Neighbor, Scratch, SearchParams, search_filtered, search_radius};

fuzz_mutator!(|data: &mut [u8], size: usize, max_size: usize, seed: u32| {
    vex_fuzz::mutate_index(data, size, max_size, seed)
});

fuzz_target!(|input: &[u8]| {
    let bytes = AlignedBytes::copy_of(input).expect("inputs are small");
    if let Ok(image) = Image::open(&bytes) {
        poke(&image.graph());
        search_otherwise(&image.graph());
        black_box(image.keys().iter().max());
        let _ = black_box(image.verify());
    }
});

/// The searches that `poke` does not make.
fn search_otherwise(view: &GraphView<'_>) {
    thread_local! {
        static SCRATCH: RefCell<Scratch> = RefCell::new(Scratch::new());
    }
    let query = Vector::query(view.element(), view.dim(), 2);
    let query = query.elements();
    let mut found = [Neighbor::default(); 4];
    let params = SearchParams::new(4).ef_search(8);
    let count = view.count();
    // These sizes are larger than the index. Files that are opened are small, but a sparse file can
    // have many nodes.
    let beyond = SearchParams::new(count + 3).ef_search(count + 1000);
    let mut all = vec![Neighbor::default(); if count <= 4096 { count + 3 } else { 0 }];
    SCRATCH.with_borrow_mut(|scratch| {
        let odd = |id: u32| id % 2 == 1;
        let stats = search_filtered(view, query, &params, &odd, scratch, &mut found).expect("a good query");
        assert!(found[..stats.found].iter().all(|found| odd(found.id) && (found.id as usize) < view.count()));
        // All matches that are not deleted are found: if links are wrong, the search falls back to
        // a scan.
        let matches = (0..view.count() as u32).filter(|id| odd(*id) && !view.tombstones().contains(*id));
        assert_eq!(stats.found, matches.count().min(4));
        if !all.is_empty() {
            let stats = search_filtered(view, query, &beyond, &odd, scratch, &mut all).expect("a good query");
            let matches = (0..count as u32).filter(|id| odd(*id) && !view.tombstones().contains(*id));
            assert_eq!(stats.found, matches.count());
            search_radius(view, query, f32::INFINITY, &beyond, scratch, &mut all).expect("a good query");
        }
        let stats = search_radius(view, query, 1.0, &params, scratch, &mut found).expect("a good query");
        assert!(found[..stats.found].iter().all(|found| (found.id as usize) < view.count()));
    });
}
