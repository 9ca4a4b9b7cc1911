//! Opening, searching in place and verifying take no memory.

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

use support::{Graph, write};
use vex_format::Image;
use vex_graph::{Metric, Neighbor, Scratch, SearchParams, search};

struct Counting;

thread_local! {
    static ALLOCATIONS: Cell<usize> = const { Cell::new(0) };
}

// SAFETY: every call is passed on as it is.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        ALLOCATIONS.set(ALLOCATIONS.get() + 1);
        // SAFETY: the caller's duties are the same.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        // SAFETY: the caller's duties are the same.
        unsafe { System.dealloc(block, layout) }
    }
}

#[global_allocator]
static COUNTING: Counting = Counting;

fn allocations<T>(f: impl FnOnce() -> T) -> (usize, T) {
    let before = ALLOCATIONS.get();
    let result = f();
    (ALLOCATIONS.get() - before, result)
}

#[test]
fn opening_searching_and_verifying_allocate_nothing() {
    let levels: Vec<_> = (0..100).map(|id| (99_usize - id) / 40).collect();
    let graph = Graph::ring(Metric::Cosine, 20, 4, &levels, 100, 1);
    let file = write(&graph.view(), &graph.keys());
    let mut damaged = write(&graph.view(), &graph.keys());
    damaged[300] ^= 1;
    let params = SearchParams::new(4, 16);
    let mut scratch = Scratch::new();
    scratch.reserve(&graph.view(), &params).unwrap();
    let mut found = [Neighbor::default(); 4];

    assert!(allocations(|| vec![1]).0 > 0, "the counter counts");
    let (count, image) = allocations(|| Image::open(&file).unwrap());
    assert_eq!(count, 0, "open");
    let query = [1.0; 20];
    let (count, stats) = allocations(|| search(&image.graph(), &query, &params, &mut scratch, &mut found));
    assert_eq!((count, stats.map(|stats| stats.found)), (0, Ok(4)), "search");
    assert_eq!(allocations(|| image.verify()), (0, Ok(())), "verify");
    let (count, result) = allocations(|| Image::open(&damaged).is_err());
    assert_eq!((count, result), (0, true), "open of a damaged file");
}
