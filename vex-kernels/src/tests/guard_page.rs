//! Vectors that begin or end at the edge of readable memory: a load across it would be a fault.
#![cfg(unix)]
#![allow(unsafe_code)]

use core::ptr;
use std::vec::Vec;

use super::{handles, lengths};
use crate::prefetch;

/// Readable pages between two that are not.
pub(super) struct Island {
    base: *mut libc::c_void,
    page: usize,
}

impl Island {
    /// 2,048 elements or more.
    const PAGES: usize = 2;

    pub(super) fn new() -> Self {
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
        let result = unsafe { libc::mprotect(island.first().cast(), Self::PAGES * page, access) };
        assert_eq!(result, 0);
        island
    }

    fn first(&self) -> *mut f32 {
        self.base.wrapping_byte_add(self.page).cast()
    }

    pub(super) fn elements(&mut self) -> &mut [f32] {
        // SAFETY: these pages are ours, readable, writable and zeroed by the system, and the borrow is exclusive.
        unsafe { core::slice::from_raw_parts_mut(self.first(), Self::PAGES * self.page / size_of::<f32>()) }
    }
}

impl Drop for Island {
    fn drop(&mut self) {
        // SAFETY: the mapping that `new` made; every borrow of it has ended.
        unsafe { libc::munmap(self.base, (Self::PAGES + 2) * self.page) };
    }
}

#[test]
fn no_load_crosses_either_end_of_a_vector() {
    let mut islands: Vec<Island> = (0..2).map(|_| Island::new()).collect();
    let [a, b] = &mut islands[..] else { unreachable!() };
    let (a, b) = (a.elements(), b.elements());
    a.fill(1.0);
    b.fill(3.0);
    for length in lengths() {
        let starts = (&a[..length], &b[..length]);
        let ends = (&a[a.len() - length..], &b[b.len() - length..]);
        for handle in handles() {
            for (query, row) in [starts, ends, (starts.0, ends.1), (ends.0, starts.1)] {
                let distance = handle.distance(query, row);
                assert_eq!(handle.distance_batch_4(query, [row; 4]), [distance; 4], "{handle:?}: {length}");
            }
        }
    }
}

#[test]
fn prefetch_across_the_end_does_not_fault() {
    let mut island = Island::new();
    let elements = island.elements();
    for length in [0, 1, 16, 17, 300] {
        prefetch(&elements[elements.len() - length..], usize::MAX);
    }
}
