//! Opening, searching in place and verifying allocate nothing. The cost of opening does not depend
//! on the number of vectors.

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

use support::{Graph, write};
use vex::MappedIndex;
use vex_format::{Image, Tag};
use vex_graph::{Metric, Neighbor, Scratch, SearchParams, search};

struct Counting;

thread_local! {
    static ALLOCATIONS: Cell<usize> = const { Cell::new(0) };
}

// SAFETY: every call is passed on unchanged.
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
    let params = SearchParams::new(4).ef_search(16);
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

/// The parts of a file that opening reads.
fn parts(bytes: &[u8]) -> [std::ops::Range<usize>; 3] {
    let image = Image::open(bytes).unwrap();
    let meta = image.sections().find(|section| section.tag == Tag::META).unwrap().offset as usize;
    [0..128 + 32 * image.header().sections, meta..meta + 32, bytes.len() - 16..bytes.len()]
}

#[test]
fn opening_reads_and_allocates_the_same_for_any_number_of_vectors() {
    let folder = tempfile::tempdir().unwrap();
    let costs = [1_000, 100_000, 1_000_000].map(|count| {
        let levels: Vec<_> = (0..count).map(|id| usize::from(id < count / 16)).collect();
        let graph = Graph::ring(Metric::SquaredEuclidean, 8, 4, &levels, count, 1);
        let mut bytes = write(&graph.view(), &graph.keys());
        let parts = parts(&bytes);
        // Everything else is overwritten. If opening read it, the file would not open or have
        // another header.
        let header = *Image::open(&bytes).unwrap().header();
        let mut start = 0;
        for part in &parts {
            bytes[start..part.start].fill(0xA5);
            start = part.end;
        }
        let path = folder.path().join("index.vex");
        std::fs::write(&path, &*bytes).unwrap();
        assert!(bytes.len() > 100 * count);
        drop(bytes);

        let faults = faults();
        // SAFETY: the file is in the test's own folder, and nothing writes to it.
        let (allocations, index) = allocations(|| unsafe { MappedIndex::open(&path) }.unwrap());
        let faults = self::faults() - faults;
        assert_eq!(*index.header(), header);
        // These are pages of the file, and of code that had not run before.
        assert!(faults <= 40, "{count} vectors: {faults} page faults");
        let read: usize = parts.iter().map(ExactSizeIterator::len).sum();
        assert!(read < 2048, "{read} bytes");
        eprintln!("{count} vectors: {read} bytes read, {allocations} allocations, {faults} page faults");
        (read, allocations)
    });
    assert!(costs.iter().all(|cost| *cost == costs[0]), "{costs:?}");
}

/// Page faults of this thread so far. Zero if the system does not report them.
fn faults() -> u64 {
    let stat = std::fs::read_to_string("/proc/thread-self/stat").unwrap_or_default();
    // Of the fields after the name, the eighth counts faults without a disk read, and the tenth
    // those with one.
    let fields = stat.rsplit(')').next().unwrap_or_default();
    let mut fields = fields.split_whitespace().skip(7).step_by(2);
    let mut field = || fields.next().map_or(0, |field| field.parse::<u64>().unwrap());
    field() + field()
}
