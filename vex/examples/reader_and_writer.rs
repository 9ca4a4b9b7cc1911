//! Threads that search while another thread changes the index: `cargo run --release -p vex
//! --example reader_and_writer`.
//!
//! The writer has an index of its own. When it has changes for the readers, it gives them a copy.
//! Until then the readers use the copy that they have, and they never wait for an insert.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{PoisonError, RwLock};
use std::thread;

use vex::{Index, Scratch, SearchParams, SharedIndex};

/// The copy that readers see. The lock is held only while an `Arc` is cloned.
struct Published(RwLock<SharedIndex>);

impl Published {
    fn get(&self) -> SharedIndex {
        self.0.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn set(&self, index: SharedIndex) {
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = index;
    }
}

fn main() -> vex::Result<()> {
    let mut index = Index::builder(8).build_from((0..500).map(|key| (key, vector(key))))?;
    let published = Published(RwLock::new(index.try_clone()?.into()));
    let is_over = AtomicBool::new(false);
    thread::scope(|scope| {
        let readers = [0, 1].map(|_| scope.spawn(|| read(&published, &is_over)));
        for batch in 1..=10 {
            index.extend((0..100).map(|i| (1_000 * batch + i, vector(1_000 * batch + i))))?;
            published.set(index.try_clone()?.into());
        }
        is_over.store(true, Ordering::Relaxed);
        for reader in readers {
            let (searches, sizes) = reader.join().expect("a reader that does not panic")?;
            println!("{searches} searches, of an index that had {sizes:?} vectors");
        }
        Ok(())
    })
}

/// Searches until the writer is done. Returns the number of searches, and the states of the index
/// that it saw.
fn read(published: &Published, is_over: &AtomicBool) -> vex::Result<(usize, Vec<usize>)> {
    let (mut searches, mut sizes, mut scratch) = (0, Vec::new(), Scratch::new());
    loop {
        let is_last = is_over.load(Ordering::Relaxed);
        let index = published.get();
        let searcher = index.searcher();
        // All searches of one request see the same state.
        for key in 0..20 {
            let found = searcher.search_with(vector(key), &SearchParams::new(1), &mut scratch)?;
            assert_eq!(found.hits[0].key, key);
            searches += 1;
        }
        if sizes.last() != Some(&searcher.len()) {
            sizes.push(searcher.len());
        }
        if is_last {
            return Ok((searches, sizes));
        }
    }
}

/// A vector that depends on the key alone.
fn vector(key: u64) -> [f32; 8] {
    std::array::from_fn(|i| ((key + 1) as f32 * (i + 1) as f32 * 0.37).sin())
}
