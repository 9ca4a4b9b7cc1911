//! The memory that a search writes to.

use super::FilteredBeam;
use super::visited::Visited;
use crate::{Candidate, GraphView, SearchError, SearchParams};

/// A search's memory in slices of the caller's, for targets without an allocator.
///
/// `visited` must be zero before its first use, and may then serve any number of searches of any
/// graphs. The others may hold anything. Slices may be longer than a search needs.
///
/// A search takes two bits for each node, eight bytes for each candidate and five bytes for each
/// element of a coded query. The example `no_std` of the crate `vex-format` is a search in such
/// memory. All lengths can be computed in constants, so that the slices are of arrays:
///
/// ```
/// use vex_graph::{Candidate, Quantization, ScratchMut, SearchParams};
///
/// const NODES: usize = 1_000;
/// const PARAMS: SearchParams = SearchParams::new(10).ef_search(32);
/// /// Of vectors of 100 elements.
/// const CODE: usize = Quantization::Sq8.query_len(100);
///
/// let mut visited = [0; ScratchMut::visited_words(NODES)];
/// let mut candidates = [Candidate::EMPTY; ScratchMut::candidates(&PARAMS, NODES)];
/// let (mut code, mut rotated) = ([0; CODE], [0.0; CODE]);
/// let _scratch = ScratchMut {
///     visited: &mut visited,
///     candidates: &mut candidates,
///     code: &mut code,
///     rotated: &mut rotated,
/// };
/// ```
#[derive(Debug)]
pub struct ScratchMut<'s> {
    /// The visited set: see [`visited_words`](Self::visited_words).
    pub visited: &'s mut [u64],
    /// The candidate list: see [`candidates`](Self::candidates).
    pub candidates: &'s mut [Candidate],
    /// The coded query: see [`code_len`](Self::code_len). Faster if it begins on a multiple of 64
    /// bytes.
    pub code: &'s mut [i8],
    /// The query before it is coded, as long as `code`.
    pub rotated: &'s mut [f32],
}

impl ScratchMut<'_> {
    /// Words of the visited set for a graph of `count` nodes: ⌈`count` / 32⌉ + 1.
    pub const fn visited_words(count: usize) -> usize {
        Visited::words(count)
    }

    /// Candidates for a search of a graph of `count` nodes, none of which is deleted: the larger of
    /// `ef_search` and `2 k`, but at most `count`. That is enough for any codes.
    pub const fn candidates(params: &SearchParams, count: usize) -> usize {
        params.for_codes(None).beam_width(count)
    }

    /// Candidates for a search with a filter, or of a graph with deleted nodes. Beside the list of
    /// [`candidates`](Self::candidates) there is a frontier 16 times as long, but at most `count`.
    pub const fn filtered_candidates(params: &SearchParams, count: usize) -> usize {
        FilteredBeam::candidates(&params.for_codes(None), count)
    }

    /// Elements of a coded query: [`Quantization::query_len`](crate::Quantization::query_len), or
    /// none for a graph without codes.
    pub fn code_len(view: &GraphView<'_>) -> usize {
        view.codes().map_or(0, |codes| codes.quantization().query_len(codes.dim()))
    }

    pub(crate) fn check(&self, view: &GraphView<'_>, candidates: usize) -> Result<(), SearchError> {
        let visited = (Visited::words(view.count()), self.visited.len());
        let candidates = (candidates, self.candidates.len());
        let code = (Self::code_len(view), self.code.len().min(self.rotated.len()));
        if visited.1 < visited.0 || candidates.1 < candidates.0 || code.1 < code.0 {
            return Err(SearchError::ScratchTooSmall { visited, candidates, code });
        }
        Ok(())
    }
}

/// A search's memory on the heap. It grows when a larger graph or list asks for it and is then
/// reused, so that a search that follows one like it allocates nothing. One per thread.
///
/// It never shrinks. [`ScratchMut`] says how large each part is.
#[cfg(feature = "alloc")]
#[derive(Debug, Default)]
pub struct Scratch {
    visited: alloc::vec::Vec<u64>,
    candidates: alloc::vec::Vec<Candidate>,
    code: crate::storage::AlignedVec<i8>,
    rotated: alloc::vec::Vec<f32>,
}

#[cfg(feature = "alloc")]
impl Scratch {
    /// No memory yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Makes room for searches of `view` with `params`, so that these do not allocate.
    ///
    /// # Errors
    /// If memory runs out; the scratch can still do what it could before.
    pub fn reserve(&mut self, view: &GraphView<'_>, params: &SearchParams) -> Result<(), crate::OutOfMemory> {
        let candidates = match view.has_tombstones() {
            true => ScratchMut::filtered_candidates(params, view.count()),
            false => ScratchMut::candidates(params, view.count()),
        };
        self.reserve_candidates(view, candidates)
    }

    /// Makes room for searches of `view` with `params` and filters.
    ///
    /// # Errors
    /// If memory runs out; the scratch can still do what it could before.
    pub fn reserve_filtered(
        &mut self,
        view: &GraphView<'_>,
        params: &SearchParams,
    ) -> Result<(), crate::OutOfMemory> {
        self.reserve_candidates(view, ScratchMut::filtered_candidates(params, view.count()))
    }

    pub(crate) fn reserve_candidates(
        &mut self,
        view: &GraphView<'_>,
        candidates: usize,
    ) -> Result<(), crate::OutOfMemory> {
        self.reserve_list(view.count(), candidates)?;
        let code_len = ScratchMut::code_len(view);
        if self.code.len() < code_len {
            let more = code_len - self.code.len();
            self.code.reserve_exact(more)?;
            self.code.extend_with(more, 0);
        }
        grow(&mut self.rotated, code_len, 0.0)
    }

    pub(crate) fn reserve_list(&mut self, count: usize, beam_width: usize) -> Result<(), crate::OutOfMemory> {
        grow(&mut self.visited, Visited::words(count), 0)?;
        grow(&mut self.candidates, beam_width, Candidate::EMPTY)
    }

    /// The slices, for [`search_in`](crate::search_in).
    pub fn as_mut(&mut self) -> ScratchMut<'_> {
        ScratchMut {
            visited: &mut self.visited,
            candidates: &mut self.candidates,
            code: self.code.as_mut_slice(),
            rotated: &mut self.rotated,
        }
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
