//! The vectors that are measured: a query and a matrix of rows.

use bytemuck::{Pod, Zeroable};

use crate::element::Element;
use crate::random::Random;

#[derive(Clone, Copy, Pod, Zeroable)]
#[repr(C, align(64))]
struct Line([u8; 64]);

/// Vectors of one length in one allocation, each at the start of a cache line, as an index keeps them.
pub(crate) struct Rows<T> {
    lines: Vec<Line>,
    /// In values, not bytes.
    stride: usize,
    stored: usize,
    count: usize,
    element: std::marker::PhantomData<T>,
}

impl<T: Pod> Rows<T> {
    fn zeroed(stored: usize, count: usize) -> Self {
        let stride = (stored * size_of::<T>()).next_multiple_of(64);
        let mut lines = bytemuck::allocation::zeroed_vec::<Line>(stride / 64 * count);
        ask_for_huge_pages(&mut lines);
        Self { lines, stride: stride / size_of::<T>(), stored, count, element: std::marker::PhantomData }
    }

    pub(crate) fn new(stored: usize, count: usize, mut value: impl FnMut() -> T) -> Self {
        let mut rows = Self::zeroed(stored, count);
        let stride = rows.stride;
        let values: &mut [T] = bytemuck::cast_slice_mut(&mut rows.lines);
        // Random values for the first rows, then copies of them at other places: what memory holds does not
        // change how long it takes to read, and a gigabyte of random numbers would.
        let fresh = count.min(997) * stride;
        for row in values[..fresh].chunks_exact_mut(stride) {
            row[..stored].fill_with(&mut value);
        }
        let mut filled = fresh;
        while filled < values.len() {
            let length = fresh.min(values.len() - filled);
            values.copy_within(..length, filled);
            filled += length;
        }
        rows
    }

    pub(crate) fn count(&self) -> usize {
        self.count
    }

    #[inline(always)]
    pub(crate) fn row(&self, id: u32) -> &[T] {
        let values: &[T] = bytemuck::cast_slice(&self.lines);
        debug_assert!((id as usize) < self.count);
        // SAFETY: `id` comes from `Ids`, which draws them below `count`, and a row is shorter than its stride.
        unsafe { values.get_unchecked(id as usize * self.stride..).get_unchecked(..self.stored) }
    }
}

/// With small pages the misses of the address translation would be measured more than the memory.
fn ask_for_huge_pages(lines: &mut [Line]) {
    const HUGE: usize = 2 << 20;
    let length = size_of_val(lines);
    if length < 4 * HUGE {
        return;
    }
    let address = lines.as_mut_ptr() as usize;
    let begin = address.next_multiple_of(4096);
    // SAFETY: whole pages of an allocation that this function has borrowed; the advice changes no value.
    unsafe {
        libc::madvise(begin as *mut libc::c_void, (address + length - begin) & !4095, libc::MADV_HUGEPAGE)
    };
}

/// A query, its rows and the order in which they are visited.
pub(crate) struct Workload<E: Element> {
    query: Rows<E::Query>,
    pub(crate) rows: Rows<E::Row>,
    ids: Vec<u32>,
    cursor: usize,
}

impl<E: Element> Workload<E> {
    /// Five vectors: up to 30 KiB at 1536 dimensions of f32, below every first-level cache.
    pub(crate) fn cached(dim: usize, random: &mut Random) -> Self {
        Self::new(dim, 4, (0..1 << 16).map(|i| i & 3).collect(), random)
    }

    /// `bytes` of rows, each visited once in random order before any is visited again.
    pub(crate) fn random_rows(dim: usize, bytes: usize, random: &mut Random) -> Self {
        let stride = (E::stored(dim) * size_of::<E::Row>()).next_multiple_of(64);
        let count = bytes / stride;
        let mut ids: Vec<u32> = (0..count as u32).collect();
        random.shuffle(&mut ids);
        Self::new(dim, count, ids, random)
    }

    fn new(dim: usize, count: usize, ids: Vec<u32>, random: &mut Random) -> Self {
        let stored = E::stored(dim);
        let query = Rows::new(stored, 1, || E::query(random));
        let rows = Rows::new(stored, count, || E::row(random));
        assert!(ids.iter().all(|id| (*id as usize) < rows.count()), "ids of rows");
        Self { query, rows, ids, cursor: 0 }
    }

    /// Looks at the first `dim` dimensions of every vector only: other lengths in the same places.
    pub(crate) fn shorten(&mut self, dim: usize) {
        assert!(
            E::stored(dim) <= self.rows.stride && E::stored(dim) <= self.query.stride,
            "within the vectors"
        );
        self.rows.stored = E::stored(dim);
        self.query.stored = E::stored(dim);
    }

    pub(crate) fn query(&self) -> &[E::Query] {
        self.query.row(0)
    }

    /// Moves on by `count` ids and returns where they are.
    pub(crate) fn next_ids(&mut self, count: usize) -> std::ops::Range<usize> {
        if self.cursor + count > self.ids.len() {
            self.cursor = 0;
        }
        let range = self.cursor..self.cursor + count;
        self.cursor = range.end;
        range
    }

    pub(crate) fn ids(&self, range: std::ops::Range<usize>) -> &[u32] {
        &self.ids[range]
    }
}
