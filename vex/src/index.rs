//! The owned index.

mod compact;
mod snapshot;

use std::collections::HashMap;
use std::io::Read;
use std::path::Path;

use vex_format::{AlignedBytes, Image};
use vex_graph::{Element, Elements, Hnsw, Metric, NodeId, OutOfMemory, Params, SearchError, SearchParams};

use crate::error::owned;
use crate::lineage::Lineage;
use crate::reserve::{reserve, reserve_nodes};
use crate::trace::span;
use crate::{
    Builder, DeleteError, DuplicateKey, ExtendError, Found, GivenUpCodes, Hit, InsertError, OpenError,
    OpenProblem, Scratch, Searcher, Vector, regular,
};

/// An index in memory: it grows, is searched, is saved, and is opened again.
///
/// Searches take `&self` and may run on any number of threads at once, each with a [`Scratch`] of
/// its own. The index has the most common searches as methods. All others are methods of the
/// [`Searcher`] that the index lends. Methods that search nothing and change nothing take constant
/// time, except where they say otherwise.
#[derive(Debug)]
pub struct Index {
    graph: Hnsw,
    /// By node. A deleted node keeps the last key it had.
    keys: Vec<u64>,
    /// By key, the nodes that are not deleted.
    nodes: HashMap<u64, NodeId>,
    /// Counts the changes, and is saved with the index.
    sequence: u64,
    /// The files that a save may replace.
    lineage: Lineage,
    /// The codes that the build tried and did not keep.
    pub(crate) given_up: Vec<GivenUpCodes>,
}

impl Index {
    /// Begins an index for vectors of `dim` elements.
    pub fn builder(dim: usize) -> Builder {
        Builder::new(dim)
    }

    pub(crate) fn new(graph: Hnsw) -> Self {
        Self {
            graph,
            keys: Vec::new(),
            nodes: HashMap::new(),
            sequence: 0,
            lineage: Lineage::default(),
            given_up: Vec::new(),
        }
    }

    /// An index of a graph whose node `id` has the key `keys[id]`. Keys of deleted nodes are
    /// ignored.
    pub(crate) fn with_keys(
        graph: Hnsw,
        keys: Vec<u64>,
        sequence: u64,
    ) -> Result<Result<Self, SharedKey>, OutOfMemory> {
        let mut nodes = HashMap::new();
        reserve_nodes(&mut nodes, graph.live_count())?;
        for (id, key) in (0..).zip(&keys).filter(|(id, _)| graph.is_live(*id)) {
            if let Some(other) = nodes.insert(*key, id) {
                return Ok(Err(SharedKey { key: *key, nodes: [other, id] }));
            }
        }
        Ok(Ok(Self { keys, nodes, sequence, ..Self::new(graph) }))
    }

    /// Reads an index from a file, verifies every checksum, and copies the index into memory where
    /// it can grow. To search a file without reading it first, see
    /// [`MappedIndex`](crate::MappedIndex).
    ///
    /// A file of a later version may have features that a change by this version would break. Such
    /// an index can be searched, but refuses to be changed or saved. A limit of memory is not in
    /// the file: see [`limit_memory`](Self::limit_memory).
    ///
    /// # Errors
    /// If the file cannot be read, is not a regular file, is not an index, is damaged, or does not
    /// fit into memory.
    ///
    /// # Complexity
    /// Reads and verifies every byte on one thread. Meanwhile both the file and the index are in
    /// memory.
    pub fn open(path: impl AsRef<Path>) -> Result<Self, OpenError> {
        let path = path.as_ref();
        span!("open", path = %path.display());
        Self::read(path).map_err(|problem| OpenError { path: owned(path), problem })
    }

    fn read(path: &Path) -> Result<Self, OpenProblem> {
        let bytes = read_aligned(path)?;
        let image = Image::open(&bytes)?;
        image.verify()?;
        let graph = Hnsw::from_view(&image.graph(), *image.params())?;
        let mut keys = Vec::new();
        reserve(&mut keys, image.keys().len())?;
        keys.extend_from_slice(image.keys());
        let index = Self::with_keys(graph, keys, image.header().sequence)?;
        let mut index = index.map_err(|SharedKey { key, .. }| DuplicateKey { key })?;
        index.lineage = Lineage::opened(path, image.header())?;
        Ok(index)
    }

    /// Whether this version may search the file that the index was opened from, but not change the
    /// index and write it back.
    pub fn is_read_only(&self) -> bool {
        self.lineage.check_writable().is_err()
    }

    pub(crate) fn lineage(&self) -> &Lineage {
        &self.lineage
    }

    pub(crate) fn sequence(&self) -> u64 {
        self.sequence
    }

    /// Inserts a vector under a key that is not in the index yet.
    ///
    /// # Errors
    /// If the key is taken, the vector cannot be indexed, or the index may not be changed. Also if
    /// memory runs out, or would exceed its [limit](Self::limit_memory). The index is then as it
    /// was.
    ///
    /// # Complexity
    /// About a search of `ef_construction` candidates, and a selection of links for the new node
    /// and its neighbors. An array that is full moves to a larger place: see
    /// [`Hnsw::insert`](vex_graph::Hnsw::insert).
    pub fn insert(&mut self, key: u64, vector: impl Vector) -> Result<(), InsertError> {
        let sequence = self.lineage.after(self.sequence)?;
        if self.nodes.contains_key(&key) {
            return Err(DuplicateKey { key }.into());
        }
        // All memory comes first, so that nothing can fail once the graph has changed.
        reserve(&mut self.keys, 1)?;
        reserve_nodes(&mut self.nodes, 1)?;
        let id = self.graph.insert(vector.elements())?;
        match self.keys.get_mut(id as usize) {
            // The node takes the slot of one that was deleted.
            Some(old) => *old = key,
            None => self.keys.push(key),
        }
        self.nodes.insert(key, id);
        self.sequence = sequence;
        Ok(())
    }

    /// Inserts vectors one after the other. Returns how many. [`Builder::build_from`] indexes many
    /// vectors faster, all at once.
    ///
    /// # Errors
    /// At the first vector that is [not inserted](Self::insert), which the error names. The vectors
    /// before it are in the index.
    ///
    /// # Complexity
    /// That of an [`insert`](Self::insert) for each vector, on one thread.
    ///
    /// # Examples
    /// ```
    /// let mut index = vex::Index::builder(2).build()?;
    /// index.extend([(1, [0.0, 1.0]), (2, [1.0, 0.0])])?;
    /// let error = index.extend([(3, [1.0, 1.0]), (2, [2.0, 2.0])]).unwrap_err();
    /// assert_eq!(error.to_string(), "vector 1: key 2 is in the index already");
    /// assert_eq!(index.len(), 3);
    /// # Ok::<(), vex::Error>(())
    /// ```
    pub fn extend<V: Vector>(
        &mut self,
        vectors: impl IntoIterator<Item = (u64, V)>,
    ) -> Result<usize, ExtendError> {
        let mut inserted = 0;
        for (key, vector) in vectors {
            self.insert(key, vector).map_err(|error| ExtendError { position: inserted, error })?;
            inserted += 1;
        }
        Ok(inserted)
    }

    /// Inserts a vector, or replaces the vector under this key. Returns whether there was one.
    ///
    /// # Errors
    /// If the vector cannot be indexed, the index may not be changed, or memory runs out or would
    /// exceed its limit. The index is then as it was.
    ///
    /// # Complexity
    /// That of an [`insert`](Self::insert). A replacement takes as much again, to repair the links
    /// to the old vector.
    ///
    /// # Examples
    /// ```
    /// let mut index = vex::Index::builder(2).build()?;
    /// assert!(!index.upsert(7, [1.0, 0.0])?);
    /// assert!(index.upsert(7, [0.0, 2.0])?);
    /// assert_eq!(index.get(7), Some(vex::Elements::F32(&[0.0, 2.0])));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn upsert(&mut self, key: u64, vector: impl Vector) -> Result<bool, InsertError> {
        let Some(id) = self.nodes.get(&key) else {
            self.insert(key, vector)?;
            return Ok(false);
        };
        let sequence = self.lineage.after(self.sequence)?;
        self.graph.update(*id, vector.elements())?;
        self.sequence = sequence;
        Ok(true)
    }

    /// Deletes the vector under a key. Returns whether there was one. The next insert takes its
    /// memory, or [`compact`](Self::compact) frees it.
    ///
    /// # Errors
    /// If the index may not be changed, or memory runs out. The index is then as it was.
    ///
    /// # Complexity
    /// O(log n): the node is marked, and no link changes. The insert that takes the slot repairs
    /// the links.
    ///
    /// # Examples
    /// ```
    /// let mut index = vex::Index::builder(2).build_from([(1, [0.0, 1.0]), (2, [1.0, 0.0])])?;
    /// assert!(index.delete(1)?);
    /// assert!(!index.delete(1)?);
    /// assert_eq!((index.len(), index.get(1)), (1, None));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn delete(&mut self, key: u64) -> Result<bool, DeleteError> {
        let Some(id) = self.nodes.get(&key) else { return Ok(false) };
        let sequence = self.lineage.after(self.sequence)?;
        // A node that has a key can be deleted, so memory is all that can be missing.
        if let Err(vex_graph::DeleteError::OutOfMemory(error)) = self.graph.delete(*id) {
            return Err(error.into());
        }
        self.nodes.remove(&key);
        self.sequence = sequence;
        Ok(true)
    }

    /// [Deletes](Self::delete) the vectors under these keys. Returns how many there were.
    ///
    /// # Errors
    /// If the index may not be changed, or memory runs out. The keys before that one are deleted.
    ///
    /// # Complexity
    /// That of a [`delete`](Self::delete) for each key.
    pub fn delete_many(&mut self, keys: impl IntoIterator<Item = u64>) -> Result<usize, DeleteError> {
        let mut deleted = 0;
        for key in keys {
            deleted += usize::from(self.delete(key)?);
        }
        Ok(deleted)
    }

    /// Lends a [`Searcher`], which has all the ways to search.
    ///
    /// # Complexity
    /// Constant.
    pub fn searcher(&self) -> Searcher<'_> {
        Searcher::new(self.graph.view(), &self.keys, Some(&self.nodes))
    }

    /// [`Searcher::search`]: the `k` vectors nearest to `query`.
    ///
    /// # Errors
    /// If the query cannot be searched for, or memory runs out.
    ///
    /// # Complexity
    /// Allocates the memory of a search. [`search_with`](Self::search_with) reuses it.
    pub fn search(&self, query: impl Vector, k: usize) -> Result<Vec<Hit>, SearchError> {
        self.searcher().search(query, k)
    }

    /// [`Searcher::search_with`]: the same in memory that is reused, with the caller's parameters.
    ///
    /// # Errors
    /// If the query cannot be searched for, or memory runs out.
    ///
    /// # Complexity
    /// That of [`Searcher::search_with`]. No allocation once `scratch` has grown.
    pub fn search_with<'s>(
        &self,
        query: impl Vector,
        params: &SearchParams,
        scratch: &'s mut Scratch,
    ) -> Result<Found<'s>, SearchError> {
        self.searcher().search_with(query, params, scratch)
    }

    /// [`Searcher::get`]: the vector under a key, as it is kept.
    pub fn get(&self, key: u64) -> Option<Elements<'_>> {
        self.searcher().get(key)
    }

    /// Whether there is a vector under a key.
    pub fn contains(&self, key: u64) -> bool {
        self.nodes.contains_key(&key)
    }

    /// How many vectors there are. Deleted vectors do not count.
    pub fn len(&self) -> usize {
        self.nodes.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.nodes.is_empty()
    }

    /// Elements of a vector.
    pub fn dim(&self) -> usize {
        self.graph.view().dim()
    }

    /// The type of the elements of a vector.
    pub fn element(&self) -> Element {
        self.graph.view().element()
    }

    /// The rule by which vectors are compared.
    pub fn metric(&self) -> Metric {
        self.graph.view().metric()
    }

    /// The parameters that the graph is built with.
    pub fn params(&self) -> &Params {
        self.graph.params()
    }

    /// Limits the memory of the graph as [`Builder::memory_limit`] does: inserts that would need
    /// more are refused. A file holds no limit, since another process may have another one. So set
    /// it again for an index that was opened.
    ///
    /// # Examples
    /// ```
    /// let mut index = vex::Index::builder(100).memory_limit(1 << 20).build()?;
    /// # let folder = tempfile::tempdir()?;
    /// # let path = folder.path().join("limited.vex");
    /// index.save(&path)?;
    /// let mut opened = vex::Index::open(&path)?;
    /// assert_eq!((index.memory_limit(), opened.memory_limit()), (Some(1 << 20), None));
    /// opened.limit_memory(index.memory_limit());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn limit_memory(&mut self, bytes: impl Into<Option<usize>>) {
        self.graph.limit_memory(bytes.into().unwrap_or(usize::MAX));
    }

    /// The limit of memory in bytes, if there is one.
    pub fn memory_limit(&self) -> Option<usize> {
        Some(self.graph.memory_limit()).filter(|limit| *limit < usize::MAX)
    }

    /// The bytes that the index holds: vectors, codes, links and keys, with their room to grow. See
    /// [`Builder::memory_plan`] for what a build takes.
    ///
    /// # Examples
    /// ```
    /// let index = vex::Index::builder(100).build_from((0..50).map(|key| (key, [0.5; 100])))?;
    /// assert!((20_000..100_000).contains(&index.memory_usage()));
    /// # Ok::<(), vex::Error>(())
    /// ```
    pub fn memory_usage(&self) -> usize {
        // The table has one more byte for each entry, and leaves an eighth of the entries empty.
        let entry = size_of::<(u64, NodeId)>() + 1;
        let table = self.nodes.capacity().saturating_mul(entry) / 7 * 8;
        [table, self.keys.capacity().saturating_mul(size_of::<u64>())]
            .into_iter()
            .fold(self.graph.memory(), usize::saturating_add)
    }

    /// The graph below, whose node `id` has the key `node_keys()[id]`.
    pub fn graph(&self) -> &Hnsw {
        &self.graph
    }

    pub(crate) fn graph_mut(&mut self) -> &mut Hnsw {
        &mut self.graph
    }

    /// The keys, by node. Deleted nodes keep their keys until inserts take their slots.
    pub fn node_keys(&self) -> &[u64] {
        &self.keys
    }
}

/// Two nodes with one key.
pub(crate) struct SharedKey {
    pub(crate) key: u64,
    pub(crate) nodes: [NodeId; 2],
}

/// Reads a whole file into memory where its sections are aligned.
fn read_aligned(path: &Path) -> Result<AlignedBytes, OpenProblem> {
    let mut file = regular::open(path)?;
    regular::check_header(&file)?;
    let len = usize::try_from(file.metadata()?.len()).map_err(|_| OutOfMemory { bytes: usize::MAX })?;
    let mut bytes = AlignedBytes::zeroed(len)?;
    // If the file shrinks meanwhile, this read fails. If it grows, the check of its length fails.
    file.read_exact(&mut bytes)?;
    Ok(bytes)
}
