//! A search that continues where it ended.

use vex_graph::{OutOfMemory, SearchStats};

use crate::reserve::reserve;
use crate::scratch::Results;
use crate::{Hit, Searcher};

/// A search that returns one page of hits after the other, until every vector was returned once:
/// see [`Searcher::pages`]. With a limit of distances, it ends with the vectors that it has seen.
///
/// As an iterator it yields pages of `k` hits, as its parameters say, each in new memory. The last
/// page may be shorter. [`next_page`](Self::next_page) takes a length for each page, and lends
/// memory that is reused.
///
/// # Examples
/// ```
/// use vex::{Index, Scratch, SearchParams};
///
/// let vectors = (0..5).map(|key| (key, [key as f32]));
/// let index = Index::builder(1).build_from(vectors)?;
/// let (searcher, mut scratch) = (index.searcher(), Scratch::new());
/// let pages = searcher.pages(&[0.0], &SearchParams::new(2), &mut scratch)?;
/// let mut keys = Vec::new();
/// for page in pages {
///     keys.push(page?.iter().map(|hit| hit.key).collect::<Vec<_>>());
/// }
/// assert_eq!(keys, [vec![0, 1], vec![2, 3], vec![4]]);
/// # Ok::<(), vex::Error>(())
/// ```
pub struct Pages<'s> {
    batches: vex_graph::Batches<'s>,
    keys: &'s [u64],
    /// The length of a page of the iterator.
    len: usize,
    results: &'s mut Results,
}

impl<'s> Pages<'s> {
    pub(crate) fn new(
        batches: vex_graph::Batches<'s>,
        searcher: Searcher<'s>,
        len: usize,
        results: &'s mut Results,
    ) -> Self {
        // A page without hits would mean that the search has ended.
        Self { batches, keys: searcher.node_keys(), len: len.max(1), results }
    }

    /// The next `k` hits, nearest first. There are fewer when no more are left, and after that
    /// none.
    ///
    /// # Errors
    /// If memory for the hits runs out. No hit is lost then.
    ///
    /// # Complexity
    /// The first page takes as long as a search. Each other page continues where the one before
    /// ended.
    pub fn next_page(&mut self, k: usize) -> Result<&[Hit], OutOfMemory> {
        let neighbors = self.results.make_room(k.min(self.keys.len()))?;
        let found = self.batches.next_batch(neighbors);
        Ok(self.results.hits(self.keys, found))
    }

    /// The work of all pages so far.
    pub fn stats(&self) -> SearchStats {
        self.batches.stats()
    }
}

impl Iterator for Pages<'_> {
    type Item = Result<Vec<Hit>, OutOfMemory>;

    fn next(&mut self) -> Option<Self::Item> {
        // Memory for the page comes first: if it fails, the search still has all its hits.
        let mut page = Vec::new();
        if let Err(error) = reserve(&mut page, self.len.min(self.keys.len())) {
            return Some(Err(error));
        }
        match self.next_page(self.len) {
            Ok([]) => None,
            Ok(hits) => {
                page.extend_from_slice(hits);
                Some(Ok(page))
            }
            Err(error) => Some(Err(error)),
        }
    }
}
