//! An allocator that counts what a thread asks for and holds, and refuses from a chosen request on.

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

pub(crate) struct Counting;

thread_local! {
    /// Requests of this thread since [`counting`] or [`failing_at`] began. Constant and without a destructor, so that
    /// the first use does not allocate.
    static REQUESTS: Cell<u64> = const { Cell::new(0) };
    static FIRST_REFUSED: Cell<u64> = const { Cell::new(u64::MAX) };
    /// Bytes that this thread holds, and the most it held, since [`holding`] began.
    static HELD: Cell<isize> = const { Cell::new(0) };
    static MOST_HELD: Cell<isize> = const { Cell::new(0) };
}

fn hold(bytes: isize) {
    let held = HELD.get() + bytes;
    HELD.set(held);
    MOST_HELD.set(MOST_HELD.get().max(held));
}

fn is_granted() -> bool {
    let request = REQUESTS.get();
    REQUESTS.set(request + 1);
    request < FIRST_REFUSED.get()
}

// SAFETY: every request goes to the system's allocator unchanged or is answered by null, which is
// how an allocator refuses; nothing here allocates or unwinds.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        if !is_granted() {
            return std::ptr::null_mut();
        }
        hold(layout.size() as isize);
        // SAFETY: the caller's promises are those that the system's allocator asks for.
        unsafe { System.alloc(layout) }
    }

    unsafe fn realloc(&self, block: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        if !is_granted() {
            return std::ptr::null_mut();
        }
        hold(size as isize - layout.size() as isize);
        // SAFETY: as above; all blocks come from the system's allocator.
        unsafe { System.realloc(block, layout, size) }
    }

    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        hold(-(layout.size() as isize));
        // SAFETY: as above.
        unsafe { System.dealloc(block, layout) }
    }
}

/// Runs `work` while the allocations of this thread fail from the `n`-th on, counted from zero.
pub(crate) fn failing_at<T>(n: u64, work: impl FnOnce() -> T) -> T {
    /// Ends the failures when a panic passes, too: its message is on the heap.
    struct End;
    impl Drop for End {
        fn drop(&mut self) {
            FIRST_REFUSED.set(u64::MAX);
        }
    }
    let end = End;
    REQUESTS.set(0);
    FIRST_REFUSED.set(n);
    let result = work();
    drop(end);
    result
}

/// Runs `work` and returns how often it allocated.
pub(crate) fn counting<T>(work: impl FnOnce() -> T) -> (T, u64) {
    REQUESTS.set(0);
    let result = work();
    (result, REQUESTS.get())
}

/// Runs `work`, and returns the bytes that it left behind and the most that it held.
pub(crate) fn holding<T>(work: impl FnOnce() -> T) -> (T, usize, usize) {
    HELD.set(0);
    MOST_HELD.set(0);
    let result = work();
    (result, HELD.get() as usize, MOST_HELD.get() as usize)
}
