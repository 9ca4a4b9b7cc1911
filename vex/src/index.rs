//! The owned index.

use std::collections::HashMap;
use std::convert::Infallible;
use std::fs::File;
use std::io::Read;
use std::ops::ControlFlow;
use std::path::Path;

use vex_format::{AlignedBytes, Image, Meta, Store, WriteError, Writer};
use vex_graph::{
    Candidate, DeleteError, Element, Elements, Exact, Hnsw, Metric, Neighbor, NodeId, OutOfMemory, Params,
    SearchError, SearchParams, VectorError,
};

use crate::search::{DEFAULT_EF_SEARCH, search_keys};
use crate::threads::Threads;
use crate::{
    BuildError, Builder, DuplicateKey, Found, Hit, InsertError, OpenError, OpenProblem, SaveError,
    SaveProblem, Scratch, publish,
};

/// An index in memory: it grows, it is searched, it is saved and opened again.
///
/// Searches take `&self` and may run on any number of threads at once, each with a [`Scratch`] of its own.
#[derive(Debug)]
pub struct Index {
    graph: Hnsw,
    /// By node; of a deleted node, the last one it had.
    keys: Vec<u64>,
    /// The nodes that are not deleted.
    nodes: HashMap<u64, NodeId>,
    /// Counts the changes; it travels with the file.
    sequence: u64,
}

impl Index {
    /// Begins an index for vectors of `dim` elements.
    pub fn builder(dim: usize) -> Builder {
        Builder::new(dim)
    }

    pub(crate) fn new(graph: Hnsw) -> Self {
        Self { graph, keys: Vec::new(), nodes: HashMap::new(), sequence: 0 }
    }

    /// An index of a graph whose node `id` has the key `keys[id]`. Keys of deleted nodes do not count.
    pub(crate) fn with_keys(
        graph: Hnsw,
        keys: Vec<u64>,
        sequence: u64,
    ) -> Result<Result<Self, DuplicateKey>, OutOfMemory> {
        let mut nodes = HashMap::new();
        reserve_nodes(&mut nodes, graph.live_count())?;
        for (id, key) in (0..).zip(&keys).filter(|(id, _)| graph.is_live(*id)) {
            if nodes.insert(*key, id).is_some() {
                return Ok(Err(DuplicateKey { key: *key }));
            }
        }
        Ok(Ok(Self { graph, keys, nodes, sequence }))
    }

    /// Reads an index from a file, verifies every checksum, and copies it into memory of its own, where it can grow.
    ///
    /// To search a file without reading it first, see [`MappedIndex`](crate::MappedIndex).
    ///
    /// # Errors
    /// If the file cannot be read, is no index, is damaged, or does not fit into memory.
    pub fn open(path: impl AsRef<Path>) -> Result<Self, OpenError> {
        let path = path.as_ref();
        Self::read(path).map_err(|problem| OpenError { path: path.to_owned(), problem })
    }

    fn read(path: &Path) -> Result<Self, OpenProblem> {
        let bytes = read_aligned(path)?;
        let image = Image::open(&bytes)?;
        image.verify()?;
        let graph = Hnsw::from_view(&image.graph(), *image.params())?;
        let mut keys = Vec::new();
        reserve(&mut keys, image.keys().len())?;
        keys.extend_from_slice(image.keys());
        Ok(Self::with_keys(graph, keys, image.header().sequence)??)
    }

    /// Saves the index. A reader of `path` finds the file that was there before or the complete new one, never a part: the
    /// bytes go to a temporary file in the same folder, reach the disk, and then take the name.
    ///
    /// The temporary file of `index.vex` is `.vex-index.vex.tmp`. It is locked while it is written; if the process is killed, it stays
    /// and does no harm, and the next save to that path removes it. The lock is between saves: of two programs
    /// that open an index, change it and save it one after the other, the second wins.
    ///
    /// # Errors
    /// If the operating system refuses, or another writer is [saving to the path](SaveProblem::Locked). What was at the path is
    /// then as it was, but for [`SaveProblem::NotDurable`], and the temporary file is gone.
    pub fn save(&self, path: impl AsRef<Path>) -> Result<(), SaveError> {
        self.save_with(path, Store::All)
    }

    /// [Saves](Self::save) the index, and of its vectors what `store` says.
    ///
    /// # Errors
    /// As [`save`](Self::save), and if neither vectors nor codes would be left, f16 cannot hold the vectors, or the file would be one
    /// that [`open`](Self::open) refuses.
    pub fn save_with(&self, path: impl AsRef<Path>, store: Store) -> Result<(), SaveError> {
        let path = path.as_ref();
        let meta = Meta { params: *self.params(), segment_id: [0; 16], sequence: self.sequence, store };
        Writer::new(&self.graph.view(), &self.keys, &meta)
            .map_err(|error| match error {
                WriteError::Range { node, position } => {
                    SaveProblem::Range { key: self.keys[node as usize], position }
                }
                WriteError::Terms { node } => {
                    let node = self.too_long().unwrap_or(node);
                    SaveProblem::Terms { key: self.keys[node as usize] }
                }
                error => SaveProblem::Format(error),
            })
            .and_then(|writer| publish::publish(path, |sink| writer.write_to(sink)))
            .map_err(|problem| SaveError { path: path.to_owned(), problem })
    }

    /// The first node whose vector would be refused for its length today: it spoils the codes of all others by their mean.
    fn too_long(&self) -> Option<NodeId> {
        let view = self.graph.view();
        let is_too_long = |id: &NodeId| {
            let checked = Exact::new(view.rows(), view.rows().row(*id), &mut []);
            matches!(checked, Err(VectorError::TooLong { .. }))
        };
        (0..view.count() as NodeId).find(is_too_long)
    }

    /// Inserts a vector under a key that is not in the index yet.
    ///
    /// # Errors
    /// If the key is taken, the vector cannot be indexed, or memory runs out. The index is as it was then.
    pub fn insert<'v>(&mut self, key: u64, vector: impl Into<Elements<'v>>) -> Result<(), InsertError> {
        if self.nodes.contains_key(&key) {
            return Err(DuplicateKey { key }.into());
        }
        reserve(&mut self.keys, 1)?;
        reserve_nodes(&mut self.nodes, 1)?;
        let id = self.graph.insert(vector)?;
        match self.keys.get_mut(id as usize) {
            // The slot of a node that was deleted.
            Some(old) => *old = key,
            None => self.keys.push(key),
        }
        self.nodes.insert(key, id);
        self.sequence += 1;
        Ok(())
    }

    /// Inserts a vector, or replaces the one that is under this key. Returns whether there was one.
    ///
    /// # Errors
    /// If the vector cannot be indexed, or memory runs out. The index is as it was then.
    ///
    /// # Examples
    /// ```
    /// let mut index = vex::Index::builder(2).build()?;
    /// assert!(!index.upsert(7, &[1.0, 0.0])?);
    /// assert!(index.upsert(7, &[0.0, 2.0])?);
    /// assert_eq!(index.get(7), Some(vex::Elements::F32(&[0.0, 2.0])));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn upsert<'v>(&mut self, key: u64, vector: impl Into<Elements<'v>>) -> Result<bool, InsertError> {
        let vector = vector.into();
        let Some(id) = self.nodes.get(&key) else {
            self.insert(key, vector)?;
            return Ok(false);
        };
        self.graph.update(*id, vector)?;
        self.sequence += 1;
        Ok(true)
    }

    /// Deletes the vector under a key. Returns whether there was one. Its memory is taken by the next insert, or
    /// given back by [`compact`](Self::compact).
    ///
    /// # Errors
    /// If memory runs out. The index is as it was then.
    ///
    /// # Examples
    /// ```
    /// let mut index = vex::Index::builder(2).build_from([(1, [0.0, 1.0]), (2, [1.0, 0.0])])?;
    /// assert!(index.delete(1)?);
    /// assert!(!index.delete(1)?);
    /// assert_eq!((index.len(), index.get(1)), (1, None));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn delete(&mut self, key: u64) -> Result<bool, OutOfMemory> {
        let Some(id) = self.nodes.get(&key) else { return Ok(false) };
        // A node that has a key is there to be deleted.
        if let Err(DeleteError::OutOfMemory(error)) = self.graph.delete(*id) {
            return Err(error);
        }
        self.nodes.remove(&key);
        self.sequence += 1;
        Ok(true)
    }

    /// Builds the index anew, on all cores, without what was deleted. The result depends on the vectors alone, in the order
    /// of their nodes, and on the parameters.
    ///
    /// # Errors
    /// If memory runs out, or threads cannot be started. The index is as it was then.
    ///
    /// # Complexity
    /// That of a bulk build, and while it goes on the memory of two indexes.
    pub fn compact(&mut self) -> Result<(), BuildError<Infallible>> {
        let threads =
            Threads::new(None).map_err(|(threads, error)| BuildError::Threads { threads, error })?;
        let (graph, order) = self.graph.compact(&threads, |_| ControlFlow::Continue(()))?;
        let mut keys = Vec::new();
        reserve(&mut keys, order.len())?;
        keys.extend(order.iter().map(|old| self.keys[*old as usize]));
        let mut graph = graph;
        graph.limit_memory(self.graph.memory_limit());
        *self = Self::with_keys(graph, keys, self.sequence)?.map_err(BuildError::DuplicateKey)?;
        Ok(())
    }

    /// The `k` vectors nearest to `query`, nearest first, with the default `ef_search` of 64, or `k` if that is more.
    ///
    /// # Errors
    /// If the query cannot be searched for, or memory runs out.
    pub fn search<'q>(&self, query: impl Into<Elements<'q>>, k: usize) -> Result<Vec<Hit>, SearchError> {
        let mut scratch = Scratch::new();
        self.search_with(query, &SearchParams::new(k, DEFAULT_EF_SEARCH), &mut scratch)?;
        Ok(scratch.into_hits())
    }

    /// Searches in memory that is kept from search to search, with parameters of the caller's.
    ///
    /// # Errors
    /// If the query cannot be searched for, or memory runs out.
    pub fn search_with<'q, 's>(
        &self,
        query: impl Into<Elements<'q>>,
        params: &SearchParams,
        scratch: &'s mut Scratch,
    ) -> Result<Found<'s>, SearchError> {
        search_keys(&self.graph.view(), &self.keys, query.into(), params, scratch)
    }

    /// The exact answer, by comparing the query with every vector.
    ///
    /// # Errors
    /// If the query cannot be searched for, or memory runs out.
    pub fn exact<'q>(&self, query: impl Into<Elements<'q>>, k: usize) -> Result<Vec<Hit>, SearchError> {
        let query = query.into();
        let view = self.graph.view();
        let k = k.min(self.len());
        let mut candidates = Vec::new();
        reserve(&mut candidates, k)?;
        candidates.resize(k, Candidate::EMPTY);
        let mut neighbors = Vec::new();
        reserve(&mut neighbors, k)?;
        neighbors.resize(k, Neighbor::default());
        let mut exact = Exact::new(view.rows(), query, &mut candidates)?;
        let mut start = 0;
        for deleted in view.tombstones().iter() {
            exact.scan(start..deleted);
            start = deleted + 1;
        }
        exact.scan(start..view.count() as NodeId);
        exact.finish(&mut neighbors);
        let hit =
            |neighbor: &Neighbor| Hit { key: self.keys[neighbor.id as usize], distance: neighbor.distance };
        let mut hits = Vec::new();
        reserve(&mut hits, k)?;
        hits.extend(neighbors.iter().map(hit));
        Ok(hits)
    }

    /// The vector under a key, if there is one, as it is kept: one of floating-point elements was scaled to unit length under the
    /// cosine metric, and one of f16 rounded.
    pub fn get(&self, key: u64) -> Option<Elements<'_>> {
        self.nodes.get(&key).map(|id| self.graph.view().rows().row(*id))
    }

    /// How many vectors there are.
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

    /// What the graph is built with.
    pub fn params(&self) -> &Params {
        self.graph.params()
    }

    /// The graph below, whose node `id` has the key `keys()[id]`.
    pub fn graph(&self) -> &Hnsw {
        &self.graph
    }

    pub(crate) fn graph_mut(&mut self) -> &mut Hnsw {
        &mut self.graph
    }

    /// The keys, by node. Nodes that are [deleted](Self::delete) keep theirs until their slots are taken.
    pub fn keys(&self) -> &[u64] {
        &self.keys
    }
}

/// Makes room for `additional` more elements.
pub(crate) fn reserve<T>(vec: &mut Vec<T>, additional: usize) -> Result<(), OutOfMemory> {
    let bytes = (vec.len().saturating_add(additional)).saturating_mul(size_of::<T>());
    vec.try_reserve(additional).map_err(|_| OutOfMemory { bytes })
}

fn reserve_nodes(nodes: &mut HashMap<u64, NodeId>, additional: usize) -> Result<(), OutOfMemory> {
    let bytes = (nodes.len().saturating_add(additional)).saturating_mul(size_of::<(u64, NodeId)>());
    nodes.try_reserve(additional).map_err(|_| OutOfMemory { bytes })
}

/// Reads a whole file to where its sections are aligned.
fn read_aligned(path: &Path) -> Result<AlignedBytes, OpenProblem> {
    let mut file = File::open(path)?;
    let metadata = file.metadata()?;
    if metadata.is_dir() {
        return Err(std::io::Error::from(std::io::ErrorKind::IsADirectory).into());
    }
    let len = usize::try_from(metadata.len()).map_err(|_| OutOfMemory { bytes: usize::MAX })?;
    let mut bytes = AlignedBytes::zeroed(len)?;
    // A file that shrinks meanwhile ends too early here, and one that grows fails the check of its length.
    file.read_exact(&mut bytes)?;
    Ok(bytes)
}
