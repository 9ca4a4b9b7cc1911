//! An index without a lifetime.

use std::fmt;
use std::sync::Arc;

use crate::{Index, MappedIndex, Searcher};

/// Any index, shared for searches: made from an [`Index`] or a [`MappedIndex`], cloned in constant
/// time, held in structs and sent to threads without a lifetime or a type parameter. The index goes
/// with the last clone.
///
/// An `Arc<Index>` or `Arc<MappedIndex>` does as well where the kind of the index is known. A
/// writer keeps an [`Index`] of its own and gives readers a new `SharedIndex` when it has changes
/// for them: see [`Index::try_clone`].
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

/// What lends a searcher.
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
    /// What searches.
    ///
    /// # Complexity
    /// Constant. Of a [`MappedIndex`] it takes about as long as a few distances, so keep it for
    /// many queries.
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
