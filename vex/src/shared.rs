//! An index without a lifetime or a type parameter.

use std::fmt;
use std::sync::Arc;

use crate::{Index, MappedIndex, Searcher};

/// Any index, shared for searches. It is made from an [`Index`] or a [`MappedIndex`]. Structs can
/// hold it and threads can share it, without a lifetime or a type parameter. A clone takes constant
/// time. The last clone drops the index.
///
/// If the kind of the index is known, an `Arc<Index>` or `Arc<MappedIndex>` is as good. A writer
/// keeps an [`Index`] of its own. When it has changes for its readers, it gives them a new
/// `SharedIndex`: see [`Index::try_clone`].
///
/// # Examples
/// ```
/// use vex::{Index, SharedIndex};
///
/// struct Service {
///     index: SharedIndex,
/// }
///
/// let index = Index::builder(2).build_from([(1, [0.0, 1.0]), (2, [1.0, 0.0])])?;
/// let service = Service { index: index.into() };
/// let index = service.index.clone();
/// let thread = std::thread::spawn(move || index.searcher().search([0.1, 0.9], 1));
/// assert_eq!(thread.join().unwrap()?[0].key, 1);
/// # Ok::<(), vex::Error>(())
/// ```
#[derive(Clone)]
pub struct SharedIndex(Arc<dyn Searchable>);

/// An index that lends a searcher.
trait Searchable: Send + Sync {
    fn searcher(&self) -> Searcher<'_>;
}

impl Searchable for Index {
    fn searcher(&self) -> Searcher<'_> {
        self.searcher()
    }
}

impl<B: AsRef<[u8]> + Send + Sync> Searchable for MappedIndex<B> {
    fn searcher(&self) -> Searcher<'_> {
        self.searcher()
    }
}

impl SharedIndex {
    /// Lends a [`Searcher`], which has all the ways to search.
    ///
    /// # Complexity
    /// Constant. For a [`MappedIndex`] it takes about as long as a few distances, so keep the
    /// searcher for many queries.
    pub fn searcher(&self) -> Searcher<'_> {
        self.0.searcher()
    }
}

impl From<Index> for SharedIndex {
    fn from(index: Index) -> Self {
        Self(Arc::new(index))
    }
}

impl<B: AsRef<[u8]> + Send + Sync + 'static> From<MappedIndex<B>> for SharedIndex {
    fn from(index: MappedIndex<B>) -> Self {
        Self(Arc::new(index))
    }
}

impl fmt::Debug for SharedIndex {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("SharedIndex").field(&self.searcher()).finish()
    }
}
