//! Vectors that begin or end at the edge of readable memory. A load across the edge would fault.
#![cfg(unix)]
#![allow(unsafe_code)]

use core::ptr;

use bytemuck::Pod;

use crate::{Distance, Element, prefetch};

/// Readable pages between two that are not.
pub(crate) struct Island {
    base: *mut libc::c_void,
    page: usize,
}

impl Island {
    /// Enough for 1,024 elements of any type.
    const PAGES: usize = 2;

    pub(crate) fn new() -> Self {
        // SAFETY: a query of a constant.
        let page = unsafe { libc::sysconf(libc::_SC_PAGESIZE) } as usize;
        let length = (Self::PAGES + 2) * page;
        let flags = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS;
        // SAFETY: a new mapping, of which no other code knows.
        let base = unsafe { libc::mmap(ptr::null_mut(), length, libc::PROT_NONE, flags, -1, 0) };
        assert_ne!(base, libc::MAP_FAILED);
        let island = Self { base, page };
        let access = libc::PROT_READ | libc::PROT_WRITE;
        // SAFETY: the pages between the first and the last of our own mapping.
        let result = unsafe { libc::mprotect(island.first(), Self::PAGES * page, access) };
        assert_eq!(result, 0);
        island
    }

    fn first(&self) -> *mut libc::c_void {
        self.base.wrapping_byte_add(self.page)
    }

    pub(crate) fn elements<T: Pod>(&mut self) -> &mut [T] {
        let count = Self::PAGES * self.page / size_of::<T>();
        // SAFETY: these pages are ours, readable, writable and zeroed by the system. Any bits are a
        // valid `T`, and the borrow is exclusive.
        unsafe { core::slice::from_raw_parts_mut(self.first().cast(), count) }
    }
}

impl Drop for Island {
    fn drop(&mut self) {
        // SAFETY: the mapping that `new` made; every borrow of it has ended.
        unsafe { libc::munmap(self.base, (Self::PAGES + 2) * self.page) };
    }
}

/// Calls every handle with vectors that begin or end where the readable pages do.
pub(crate) fn stay_inside<Q, R>(
    handles: &[Distance<Q, R>],
    lengths: impl Iterator<Item = usize>,
    query: Q,
    row: R,
) where
    Q: Element<R> + Pod,
    R: Pod,
{
    let mut islands = [Island::new(), Island::new()];
    let [queries, rows] = &mut islands;
    let (queries, rows) = (queries.elements::<Q>(), rows.elements::<R>());
    queries.fill(query);
    rows.fill(row);
    for length in lengths {
        let query_ends = [&queries[..length], &queries[queries.len() - length..]];
        let row_ends = [&rows[..length], &rows[rows.len() - length..]];
        for handle in handles {
            for (query, row) in query_ends.into_iter().flat_map(|query| row_ends.map(|row| (query, row))) {
                let distance = handle.distance(query, row);
                assert_eq!(handle.distance_batch_4(query, [row; 4]), [distance; 4], "{handle:?}: {length}");
            }
        }
    }
}

#[test]
fn prefetch_across_the_end_does_not_fault() {
    let mut island = Island::new();
    let elements = island.elements::<f32>();
    for length in [0, 1, 16, 17, 300] {
        prefetch(&elements[elements.len() - length..], usize::MAX);
    }
}
