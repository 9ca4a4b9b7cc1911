//! The memory that a search writes to.

use super::pool::Candidate;
use super::visited::Visited;
use crate::{GraphView, SearchError, SearchParams};

/// A search's memory in slices of the caller's, for targets without an allocator.
///
/// `visited` must be zero before its first use, and may then serve any number of searches of any graphs.
#[derive(Debug)]
pub struct ScratchMut<'s> {
    /// The visited set: see [`visited_words`](Self::visited_words).
    pub visited: &'s mut [u64],
    /// The pool: see [`candidates`](Self::candidates).
    pub candidates: &'s mut [Candidate],
}

impl ScratchMut<'_> {
    /// Words of the visited set for a graph of `count` nodes.
    pub const fn visited_words(count: usize) -> usize {
        Visited::words(count)
    }

    /// Candidates for a search of a graph of `count` nodes.
    pub fn candidates(params: &SearchParams, count: usize) -> usize {
        params.pool_size(count)
    }

    pub(crate) fn check(&self, view: &GraphView<'_>, pool_size: usize) -> Result<(), SearchError> {
        let visited = (Visited::words(view.count()), self.visited.len());
        let candidates = (pool_size, self.candidates.len());
        if visited.1 < visited.0 || candidates.1 < candidates.0 {
            return Err(SearchError::ScratchTooSmall { visited, candidates });
        }
        Ok(())
    }
}

/// A search's memory on the heap. It grows when a larger graph or pool asks for it and is then reused, so that
/// a search that follows one like it allocates nothing. One per thread.
#[cfg(feature = "alloc")]
#[derive(Debug, Default)]
pub struct Scratch {
    visited: alloc::vec::Vec<u64>,
    candidates: alloc::vec::Vec<Candidate>,
}

#[cfg(feature = "alloc")]
impl Scratch {
    /// No memory yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Makes room for searches of `count` nodes with `params`.
    ///
    /// # Errors
    /// If memory runs out; the scratch can still do what it could before.
    pub fn reserve(&mut self, count: usize, params: &SearchParams) -> Result<(), crate::OutOfMemory> {
        self.reserve_pool(count, params.pool_size(count))
    }

    pub(crate) fn reserve_pool(&mut self, count: usize, pool_size: usize) -> Result<(), crate::OutOfMemory> {
        grow(&mut self.visited, Visited::words(count), 0)?;
        grow(&mut self.candidates, pool_size, Candidate::EMPTY)
    }

    /// The slices, for [`search_in`](crate::search_in).
    pub fn as_mut(&mut self) -> ScratchMut<'_> {
        ScratchMut { visited: &mut self.visited, candidates: &mut self.candidates }
    }
}

#[cfg(feature = "alloc")]
fn grow<T: Copy>(vec: &mut alloc::vec::Vec<T>, len: usize, fill: T) -> Result<(), crate::OutOfMemory> {
    if vec.len() < len {
        crate::storage::reserve(vec, len - vec.len())?;
        vec.resize(len, fill);
    }
    Ok(())
}
