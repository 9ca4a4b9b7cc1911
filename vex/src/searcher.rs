//! All the ways to search, wherever the index lives.

use std::collections::HashMap;
use std::ops::Range;

use vex_graph::{
    Candidate, Element, Elements, Exact, Executor, GraphView, Metric, Neighbor, NodeId, Scalar, SearchError,
    SearchParams, search, search_filtered, search_radius,
};

use crate::reserve::reserve;
use crate::scratch::hit;
use crate::threads::Threads;
use crate::trace::search_span;
use crate::{Found, Hit, KeyFilter, KeySet, ManyError, Pages, Scratch, Vector};

/// A predicate answers for so many keys in the time of one look-up in the table of keys.
const KEYS_PER_LOOKUP: usize = 4;

/// A borrowed index, as searches see it. An [`Index`](crate::Index), a
/// [`MappedIndex`](crate::MappedIndex) and a [`SharedIndex`](crate::SharedIndex) all lend one.
///
/// A searcher is some 600 bytes of references: copy it freely and send it to any thread. Checks
/// that need no query are done when the searcher is made, so keep one for many queries. A function
/// that searches takes a `Searcher<'_>` and need not know where the index lives.
///
/// # Examples
/// ```
/// use vex::{Index, MappedIndex, Searcher};
///
/// fn nearest(searcher: Searcher<'_>, query: &[f32]) -> vex::Result<u64> {
///     Ok(searcher.search(query, 1)?[0].key)
/// }
///
/// # let folder = tempfile::tempdir()?;
/// # let path = folder.path().join("two.vex");
/// let index = Index::builder(2).build_from([(1, [0.0, 1.0]), (2, [1.0, 0.0])])?;
/// index.save(&path)?;
/// let loaded = MappedIndex::read(&path)?;
/// assert_eq!(nearest(index.searcher(), &[0.1, 0.9])?, 1);
/// assert_eq!(nearest(loaded.searcher(), &[0.1, 0.9])?, 1);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy)]
pub struct Searcher<'i> {
    view: GraphView<'i>,
    keys: &'i [u64],
    /// By key, the nodes that are not deleted. A file has no such table.
    nodes: Option<&'i HashMap<u64, NodeId>>,
}

impl<'i> Searcher<'i> {
    /// A searcher of a graph whose node `id` has the key `keys[id]`.
    pub(crate) fn new(view: GraphView<'i>, keys: &'i [u64], nodes: Option<&'i HashMap<u64, NodeId>>) -> Self {
        Self { view, keys, nodes }
    }

    /// The `k` vectors nearest to `query`, nearest first. The beam width
    /// [`ef_search`](SearchParams::EF_SEARCH) is the default of 64, or `k` if that is more.
    ///
    /// # Errors
    /// If the query cannot be searched for, or memory runs out.
    ///
    /// # Complexity
    /// That of [`search_with`](Self::search_with), and the memory of a search is allocated each
    /// time.
    pub fn search(&self, query: impl Vector, k: usize) -> Result<Vec<Hit>, SearchError> {
        let mut scratch = Scratch::new();
        self.search_with(query, &SearchParams::new(k), &mut scratch)?;
        Ok(scratch.into_hits())
    }

    /// Searches in memory that is reused from search to search, with the caller's parameters.
    ///
    /// # Errors
    /// If the query cannot be searched for, or memory runs out.
    ///
    /// # Complexity
    /// About `ef_search` hops of up to `2 m` distances each: see [`vex_graph::search`]. No
    /// allocation once `scratch` has grown.
    pub fn search_with<'s>(
        &self,
        query: impl Vector,
        params: &SearchParams,
        scratch: &'s mut Scratch,
    ) -> Result<Found<'s>, SearchError> {
        let query = query.elements();
        let search = |graph: &mut _, out: &mut [_]| search(&self.view, query, params, graph, out);
        search_span!(self.view, params, scratch.find(self.keys, params.k, search))
    }

    /// Searches among the vectors whose keys `filter` accepts. Returns `min(k, matches)` hits,
    /// however few vectors match, unless
    /// [`max_distance_evals`](field@SearchParams::max_distance_evals) ends the search before. The
    /// filter is a predicate `Fn(u64) -> bool`, or a reference to a [`KeySet`](crate::KeySet).
    ///
    /// Chapter 7 (`docs/7-filters.md` in the repository) explains how such a search runs.
    ///
    /// # Errors
    /// If the query cannot be searched for, or memory runs out.
    ///
    /// # Complexity
    /// Depends on how many vectors match: see [`vex_graph::search_filtered`]. A predicate may be
    /// asked for every key. If a set is much smaller than an [`Index`](crate::Index), its keys are
    /// looked up instead.
    ///
    /// # Examples
    /// ```
    /// use vex::{Index, Scratch, SearchParams};
    ///
    /// let index = Index::builder(1).build_from((0..100).map(|key| (key, [key as f32])))?;
    /// let (params, mut scratch) = (SearchParams::new(2), Scratch::new());
    /// let found = index.searcher().search_filtered([7.2], &params, |key| key % 10 == 0, &mut scratch)?;
    /// assert_eq!([found.hits[0].key, found.hits[1].key], [10, 0]);
    /// # Ok::<(), vex::Error>(())
    /// ```
    pub fn search_filtered<'s>(
        &self,
        query: impl Vector,
        params: &SearchParams,
        filter: impl KeyFilter,
        scratch: &'s mut Scratch,
    ) -> Result<Found<'s>, SearchError> {
        let accepts = |key| filter.accepts(key);
        self.search_accepted(query.elements(), params, filter.as_key_set(), &accepts, scratch)
    }

    /// Searches among the keys that a filter `accepts`, which may be those of a set.
    ///
    /// Not generic: so the search is compiled with this crate, and optimized as this crate is. The
    /// call of a predicate costs little beside a distance.
    fn search_accepted<'s>(
        &self,
        query: Elements<'_>,
        params: &SearchParams,
        set: Option<&KeySet>,
        accepts: &dyn Fn(u64) -> bool,
        scratch: &'s mut Scratch,
    ) -> Result<Found<'s>, SearchError> {
        let (view, keys) = (&self.view, self.keys);
        // To look up a few keys costs less than to ask a predicate for every node.
        let most = view.count() / KEYS_PER_LOOKUP;
        let few = set.and_then(|set| set.few(most));
        if let (Some(nodes), Some(few)) = (self.nodes, few) {
            let nodes = few.filter_map(|key| nodes.get(&key).copied());
            let (set, graph, results) = scratch.accepting(nodes, view.count())?;
            let search = |out: &mut [_]| search_filtered(view, query, params, &set, graph, out);
            return search_span!(view, params, results.find(keys, params.k, search));
        }
        let filter = |id: NodeId| accepts(keys[id as usize]);
        let search = |graph: &mut _, out: &mut [_]| search_filtered(view, query, params, &filter, graph, out);
        search_span!(view, params, scratch.find(keys, params.k, search))
    }

    /// Searches for all vectors within `radius`, or the nearest `k` if there are more. The radius
    /// is a distance of the metric, so a squared one under [`Metric::SquaredEuclidean`]. The answer
    /// is approximate: a larger `ef_search` misses fewer.
    ///
    /// # Errors
    /// If the query cannot be searched for, or memory runs out.
    ///
    /// # Complexity
    /// A hop for each node within the radius, besides those of a search. Tens of thousands of
    /// vectors are found faster by an exact search: see [`vex_graph::search_radius`].
    ///
    /// # Examples
    /// ```
    /// use vex::{Index, Scratch, SearchParams};
    ///
    /// let index = Index::builder(1).build_from((0..100).map(|key| (key, [key as f32])))?;
    /// let (params, mut scratch) = (SearchParams::new(50), Scratch::new());
    /// // At most 2 from the query, so a square of at most 4.
    /// let found = index.searcher().search_radius([20.0], 4.0, &params, &mut scratch)?;
    /// assert_eq!(found.hits.len(), 5);
    /// # Ok::<(), vex::Error>(())
    /// ```
    pub fn search_radius<'s>(
        &self,
        query: impl Vector,
        radius: f32,
        params: &SearchParams,
        scratch: &'s mut Scratch,
    ) -> Result<Found<'s>, SearchError> {
        let query = query.elements();
        let search =
            |graph: &mut _, out: &mut [_]| search_radius(&self.view, query, radius, params, graph, out);
        search_span!(self.view, params, scratch.find(self.keys, params.k, search))
    }

    /// Begins a search that returns one page of hits after the other, until every vector was
    /// returned once. `params.k` is the expected length of a page. [`Pages`] has an example.
    ///
    /// # Errors
    /// If the query cannot be searched for, or memory runs out.
    ///
    /// # Complexity
    /// The first page takes as long as a search, and each other page continues where the one before
    /// ended. The scratch takes 16 bytes for each vector of the index.
    pub fn pages<'s>(
        &self,
        query: &'s (impl Vector + ?Sized),
        params: &SearchParams,
        scratch: &'s mut Scratch,
    ) -> Result<Pages<'s>, SearchError>
    where
        'i: 's,
    {
        let Scratch { graph, results, .. } = scratch;
        let batches = vex_graph::Batches::new(&self.view, query.elements(), params, graph)?;
        Ok(Pages::new(batches, *self, params.k, results))
    }

    /// Searches for many queries on `threads`, or all cores. The hits are those of single searches,
    /// in the order of the queries.
    ///
    /// # Errors
    /// If a query cannot be searched for, memory runs out, or threads cannot be started. Of several
    /// such queries, the error names the first. See [what starting threads needs](crate#memory).
    ///
    /// # Complexity
    /// That of the single searches, divided among the threads. Starting a thread takes some ten
    /// microseconds, and each has a scratch of its own.
    ///
    /// # Examples
    /// ```
    /// use vex::{Index, SearchParams};
    ///
    /// let index = Index::builder(2).build_from([(1, [0.0, 1.0]), (2, [1.0, 0.0])])?;
    /// let queries = [[0.1, 0.9], [0.9, 0.1]];
    /// let all = index.searcher().search_many(&queries, &SearchParams::new(1), None)?;
    /// assert_eq!(all.iter().map(|hits| hits[0].key).collect::<Vec<_>>(), [1, 2]);
    /// # Ok::<(), vex::Error>(())
    /// ```
    pub fn search_many<S: Scalar>(
        &self,
        queries: &[impl AsRef<[S]> + Sync],
        params: &SearchParams,
        threads: Option<usize>,
    ) -> Result<Vec<Vec<Hit>>, ManyError> {
        let threads = &Threads::new(threads)? as &dyn Executor;
        let mut all: Vec<Vec<Hit>> = Vec::new();
        reserve(&mut all, queries.len())?;
        all.resize_with(queries.len(), Vec::new);
        // Each thread has one contiguous share, and so one scratch.
        let share = queries.len().div_ceil(threads.workers()).max(1);
        let mut tasks = Vec::new();
        reserve(&mut tasks, queries.len().div_ceil(share))?;
        let shares = queries.chunks(share).zip(all.chunks_mut(share)).enumerate();
        tasks.extend(shares.map(|(index, (queries, all))| (index * share, queries, all, Ok(()))));
        threads.run(&mut tasks, |(start, queries, all, result)| {
            let mut scratch = Scratch::new();
            let mut searches = queries.iter().zip(all.iter_mut()).enumerate();
            *result = searches.try_for_each(|(index, (query, hits))| {
                self.search_into(query.as_ref(), params, &mut scratch, hits)
                    .map_err(|error| ManyError::Query { position: *start + index, error })
            });
        });
        // Shares are in order, so the error is that of the first query that failed.
        tasks.into_iter().try_for_each(|(_, _, _, result)| result)?;
        Ok(all)
    }

    fn search_into(
        &self,
        query: impl Vector,
        params: &SearchParams,
        scratch: &mut Scratch,
        hits: &mut Vec<Hit>,
    ) -> Result<(), SearchError> {
        let found = self.search_with(query, params, scratch)?;
        reserve(hits, found.hits.len())?;
        hits.extend_from_slice(found.hits);
        Ok(())
    }

    /// The exact answer, by comparing the query with every vector: `min(k, len)` hits, nearest
    /// first.
    ///
    /// # Errors
    /// If the query cannot be searched for, the index has codes and no vectors, or memory runs out.
    ///
    /// # Complexity
    /// A distance for each vector. [`exact_batch`](crate::exact_batch) shares the reading of the
    /// vectors among queries.
    pub fn exact(&self, query: impl Vector, k: usize) -> Result<Vec<Hit>, SearchError> {
        self.scan(query, k, |exact| self.live_runs().for_each(|run| exact.scan(run)))
    }

    /// The exact answer among the keys that a filter accepts. It tells the recall of
    /// [`search_filtered`](Self::search_filtered).
    ///
    /// # Errors
    /// As [`exact`](Self::exact).
    ///
    /// # Complexity
    /// A test for each vector, and a distance for each that is accepted.
    pub fn exact_filtered(
        &self,
        query: impl Vector,
        k: usize,
        filter: impl KeyFilter,
    ) -> Result<Vec<Hit>, SearchError> {
        self.scan(query, k, |exact| {
            for run in self.live_runs() {
                let mut start = run.start;
                for id in run.clone().filter(|id| !filter.accepts(self.keys[*id as usize])) {
                    exact.scan(start..id);
                    start = id + 1;
                }
                exact.scan(start..run.end);
            }
        })
    }

    /// The stretches of nodes between deleted ones.
    fn live_runs(&self) -> impl Iterator<Item = Range<NodeId>> {
        let count = self.view.count() as NodeId;
        let mut start = 0;
        let ends = self.view.tombstones().iter().take_while(move |id| *id < count).chain([count]);
        ends.map(move |end| std::mem::replace(&mut start, end + 1)..end)
    }

    /// The nearest of the nodes that `each` scans.
    fn scan(
        &self,
        query: impl Vector,
        k: usize,
        each: impl FnOnce(&mut Exact<'_>),
    ) -> Result<Vec<Hit>, SearchError> {
        let (query, view, k) = (query.elements(), &self.view, k.min(self.len()));
        if !view.rows().are_stored() {
            return Err(SearchError::VectorsNotStored);
        }
        let mut candidates = Vec::new();
        reserve(&mut candidates, k)?;
        candidates.resize(k, Candidate::EMPTY);
        let mut neighbors = Vec::new();
        reserve(&mut neighbors, k)?;
        neighbors.resize(k, Neighbor::default());
        let mut exact = Exact::new(view.rows(), query, &mut candidates)?;
        each(&mut exact);
        let found = exact.finish(&mut neighbors);
        let mut hits = Vec::new();
        reserve(&mut hits, k)?;
        hits.extend(neighbors[..found].iter().map(|neighbor| hit(self.keys, neighbor)));
        Ok(hits)
    }

    /// The vector under a key, if there is one, as the index stores it. Under cosine,
    /// floating-point vectors were scaled to unit length. Vectors of f16 were rounded. Returns
    /// `None`, too, if the index has codes and no vectors.
    ///
    /// # Complexity
    /// As [`contains`](Self::contains).
    pub fn get(&self, key: u64) -> Option<Elements<'i>> {
        let rows = self.view.rows();
        if !rows.are_stored() {
            return None;
        }
        self.node(key).map(|id| rows.row(id))
    }

    /// Whether there is a vector under a key.
    ///
    /// # Complexity
    /// Constant for an [`Index`](crate::Index). A [`MappedIndex`](crate::MappedIndex) reads all
    /// keys, since a file has no table from keys to nodes.
    pub fn contains(&self, key: u64) -> bool {
        self.node(key).is_some()
    }

    /// The keys of all vectors, in the order of their nodes. Deleted vectors are left out.
    pub fn keys(&self) -> impl Iterator<Item = u64> + use<'i> {
        self.live().map(|(_, key)| key)
    }

    /// All vectors with their keys, in the order of their nodes, as [`get`](Self::get) returns
    /// them. Empty if the index has codes and no vectors.
    ///
    /// # Examples
    /// ```
    /// let index = vex::Index::builder(2).build_from([(1, [0.0, 1.0]), (2, [1.0, 0.0])])?;
    /// let mut keys: Vec<u64> = index.searcher().iter().map(|(key, _vector)| key).collect();
    /// keys.sort();
    /// assert_eq!(keys, [1, 2]);
    /// # Ok::<(), vex::Error>(())
    /// ```
    pub fn iter(&self) -> impl Iterator<Item = (u64, Elements<'i>)> + use<'i> {
        let rows = *self.view.rows();
        self.live().filter(move |_| rows.are_stored()).map(move |(id, key)| (key, rows.row(id)))
    }

    fn node(&self, key: u64) -> Option<NodeId> {
        match self.nodes {
            Some(nodes) => nodes.get(&key).copied(),
            None => self.live().find(|(_, found)| *found == key).map(|(id, _)| id),
        }
    }

    /// The nodes that are not deleted, with their keys.
    fn live(&self) -> impl Iterator<Item = (NodeId, u64)> + use<'i> {
        let tombstones = self.view.tombstones();
        (0..).zip(self.keys.iter().copied()).filter(move |(id, _)| !tombstones.contains(*id))
    }

    /// How many vectors there are.
    ///
    /// # Complexity
    /// Constant for an [`Index`](crate::Index). A [`MappedIndex`](crate::MappedIndex) reads a bit
    /// for each node if any node is deleted.
    pub fn len(&self) -> usize {
        // A damaged file may have marks beyond the last node, which searches do not see.
        let last = self.view.count() as NodeId;
        let deleted = || self.view.tombstones().iter().take_while(|id| *id < last).count();
        let count = || self.view.count() - deleted();
        self.nodes.map_or_else(count, HashMap::len)
    }

    /// Whether there are none. It takes as long as [`len`](Self::len).
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Elements of a vector.
    pub fn dim(&self) -> usize {
        self.view.dim()
    }

    /// The type of the elements of a vector.
    pub fn element(&self) -> Element {
        self.view.element()
    }

    /// The rule by which vectors are compared.
    pub fn metric(&self) -> Metric {
        self.view.metric()
    }

    /// The graph below, whose node `id` has the key `node_keys()[id]`.
    pub fn graph(&self) -> GraphView<'i> {
        self.view
    }

    /// The keys, by node. Deleted nodes keep their keys until inserts take their slots.
    pub fn node_keys(&self) -> &'i [u64] {
        self.keys
    }
}

impl std::fmt::Debug for Searcher<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Searcher")
            .field("dim", &self.dim())
            .field("element", &self.element())
            .field("metric", &self.metric())
            .field("nodes", &self.view.count())
            .finish_non_exhaustive()
    }
}
