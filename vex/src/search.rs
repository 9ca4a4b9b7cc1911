//! Search, in terms of keys.

use vex_graph::{
    Elements, Executor, GraphView, Neighbor, NodeId, OutOfMemory, Scalar, SearchError, SearchParams,
    SearchStats,
};
use vex_graph::{search, search_filtered, search_radius};

use crate::index::reserve;
use crate::threads::Threads;
use crate::{BatchError, Index, MappedIndex};

/// A vector that was found.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Hit {
    /// The key it was inserted with.
    pub key: u64,
    /// Its distance to the query under the metric of the index; smaller is nearer.
    pub distance: f32,
}

/// What a search found and what it did.
#[derive(Clone, Copy, Debug)]
pub struct Found<'s> {
    /// The nearest first.
    pub hits: &'s [Hit],
    /// The work that it took.
    pub stats: SearchStats,
}

/// The memory of a search. Keep one per thread: a search that follows one like it allocates nothing.
#[derive(Debug, Default)]
pub struct Scratch {
    graph: vex_graph::Scratch,
    neighbors: Vec<Neighbor>,
    hits: Vec<Hit>,
}

impl Scratch {
    /// No memory yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// The last hits, owned.
    pub(crate) fn into_hits(self) -> Vec<Hit> {
        self.hits
    }
}

/// The `ef_search` of a search that does not say: enough for a recall of about 0.98 on common embeddings.
pub(crate) const DEFAULT_EF_SEARCH: usize = 64;

pub(crate) fn search_keys<'s>(
    view: &GraphView<'_>,
    keys: &[u64],
    query: Elements<'_>,
    params: &SearchParams,
    scratch: &'s mut Scratch,
) -> Result<Found<'s>, SearchError> {
    scratch.find(view, keys, params.k, |graph, out| search(view, query, params, graph, out))
}

impl Scratch {
    /// Runs a search for at most `limit` neighbors, and gives them their keys.
    fn find(
        &mut self,
        view: &GraphView<'_>,
        keys: &[u64],
        limit: usize,
        search: impl FnOnce(&mut vex_graph::Scratch, &mut [Neighbor]) -> Result<SearchStats, SearchError>,
    ) -> Result<Found<'_>, SearchError> {
        let Self { graph, neighbors, hits } = self;
        make_room(neighbors, hits, limit.min(view.count()))?;
        let stats = search(graph, neighbors)?;
        hits.extend(neighbors[..stats.found].iter().map(|neighbor| hit(keys, neighbor)));
        Ok(Found { hits, stats })
    }
}

/// Empties both, with room for `len` results.
fn make_room(neighbors: &mut Vec<Neighbor>, hits: &mut Vec<Hit>, len: usize) -> Result<(), OutOfMemory> {
    neighbors.clear();
    hits.clear();
    reserve(neighbors, len)?;
    reserve(hits, len)?;
    neighbors.resize(len, Neighbor::default());
    Ok(())
}

fn hit(keys: &[u64], neighbor: &Neighbor) -> Hit {
    Hit { key: keys[neighbor.id as usize], distance: neighbor.distance }
}

/// A search that returns one batch of hits after the other: see [`vex_graph::Batches`].
pub struct Batches<'s> {
    batches: vex_graph::Batches<'s>,
    keys: &'s [u64],
    count: usize,
    neighbors: &'s mut Vec<Neighbor>,
    hits: &'s mut Vec<Hit>,
}

impl Batches<'_> {
    /// The next `k` hits, nearest first; fewer when no more are left, and then none.
    ///
    /// # Errors
    /// If memory for them runs out; none is lost then.
    pub fn next_batch(&mut self, k: usize) -> Result<&[Hit], OutOfMemory> {
        make_room(self.neighbors, self.hits, k.min(self.count))?;
        let found = self.batches.next_batch(self.neighbors);
        self.hits.extend(self.neighbors[..found].iter().map(|neighbor| hit(self.keys, neighbor)));
        Ok(self.hits)
    }

    /// What all batches so far took together.
    pub fn stats(&self) -> SearchStats {
        self.batches.stats()
    }
}

/// A graph and its keys, wherever they are, and the searches that owned and mapped indexes have in common.
#[derive(Clone, Copy)]
struct Keyed<'i> {
    view: GraphView<'i>,
    keys: &'i [u64],
}

impl<'i> Keyed<'i> {
    fn filtered<'s>(
        self,
        query: Elements<'_>,
        params: &SearchParams,
        filter: impl Fn(u64) -> bool,
        scratch: &'s mut Scratch,
    ) -> Result<Found<'s>, SearchError> {
        let Self { view, keys } = self;
        let filter = |id: NodeId| filter(keys[id as usize]);
        scratch.find(&view, keys, params.k, |graph, out| {
            search_filtered(&view, query, params, &filter, graph, out)
        })
    }

    fn radius<'s>(
        self,
        query: Elements<'_>,
        radius: f32,
        params: &SearchParams,
        scratch: &'s mut Scratch,
    ) -> Result<Found<'s>, SearchError> {
        let Self { view, keys } = self;
        scratch
            .find(&view, keys, params.k, |graph, out| search_radius(&view, query, radius, params, graph, out))
    }

    fn batches<'s>(
        self,
        query: Elements<'s>,
        params: &SearchParams,
        scratch: &'s mut Scratch,
    ) -> Result<Batches<'s>, SearchError>
    where
        'i: 's,
    {
        let Scratch { graph, neighbors, hits } = scratch;
        let batches = vex_graph::Batches::new(&self.view, query, params, graph)?;
        Ok(Batches { batches, keys: self.keys, count: self.view.count(), neighbors, hits })
    }

    fn batch<S: Scalar>(
        self,
        queries: &[impl AsRef<[S]> + Sync],
        params: &SearchParams,
        threads: Option<usize>,
    ) -> Result<Vec<Vec<Hit>>, BatchError> {
        let threads =
            Threads::new(threads).map_err(|(threads, error)| BatchError::Threads { threads, error })?;
        let mut all: Vec<Vec<Hit>> = Vec::new();
        reserve(&mut all, queries.len())?;
        all.resize_with(queries.len(), Vec::new);
        let share = queries.len().div_ceil(threads.workers()).max(1);
        let mut tasks = Vec::new();
        reserve(&mut tasks, queries.len().div_ceil(share))?;
        let shares = queries.chunks(share).zip(all.chunks_mut(share)).enumerate();
        tasks.extend(shares.map(|(index, (queries, all))| (index * share, queries, all, Ok(()))));
        threads.run(&mut tasks, |(start, queries, all, result)| {
            let mut scratch = Scratch::new();
            let mut searches = queries.iter().zip(all.iter_mut()).enumerate();
            *result = searches.try_for_each(|(index, (query, hits))| {
                self.owned(query.as_ref().into(), params, &mut scratch, hits)
                    .map_err(|error| BatchError::Query { position: *start + index, error })
            });
        });
        tasks.into_iter().try_for_each(|(_, _, _, result)| result)?;
        Ok(all)
    }

    fn owned(
        self,
        query: Elements<'_>,
        params: &SearchParams,
        scratch: &mut Scratch,
        hits: &mut Vec<Hit>,
    ) -> Result<(), SearchError> {
        let found = search_keys(&self.view, self.keys, query, params, scratch)?;
        reserve(hits, found.hits.len())?;
        hits.extend_from_slice(found.hits);
        Ok(())
    }
}

/// The same searches, with the same words, for both kinds of index.
macro_rules! searches {
    ([$($generics:tt)*] $index:ty) => {
        impl<$($generics)*> $index {
            /// Searches among the vectors whose keys `filter` accepts: `min(k, matches)` hits, however few match. What it does
            /// depends on how many they are: see [`vex_graph::search_filtered`]. The filter may be asked for a key more than once.
            ///
            /// # Errors
            /// If the query cannot be searched for, or memory runs out.
            pub fn search_filtered<'q, 's>(
                &self,
                query: impl Into<Elements<'q>>,
                params: &SearchParams,
                filter: impl Fn(u64) -> bool,
                scratch: &'s mut Scratch,
            ) -> Result<Found<'s>, SearchError> {
                self.keyed().filtered(query.into(), params, filter, scratch)
            }

            /// Searches for all vectors within `radius`, the nearest `k` if there are more. The answer is approximate, and misses less
            /// with a larger `ef_search`: see [`vex_graph::search_radius`].
            ///
            /// # Errors
            /// If the query cannot be searched for, or memory runs out.
            pub fn search_radius<'q, 's>(
                &self,
                query: impl Into<Elements<'q>>,
                radius: f32,
                params: &SearchParams,
                scratch: &'s mut Scratch,
            ) -> Result<Found<'s>, SearchError> {
                self.keyed().radius(query.into(), radius, params, scratch)
            }

            /// Begins a search that returns one batch of hits after the other, until every vector has been returned once. `params.k` is how
            /// many a batch is expected to have.
            ///
            /// # Errors
            /// If the query cannot be searched for, or memory runs out.
            pub fn search_batches<'s>(
                &'s self,
                query: impl Into<Elements<'s>>,
                params: &SearchParams,
                scratch: &'s mut Scratch,
            ) -> Result<Batches<'s>, SearchError> {
                self.keyed().batches(query.into(), params, scratch)
            }

            /// Searches for many queries on `threads`, or all cores: the hits that single searches give, in the order of the queries.
            ///
            /// # Errors
            /// If a query cannot be searched for (the first of them is reported), memory runs out, or threads cannot be started. See
            /// [what starting them needs](crate#memory).
            pub fn search_batch<S: Scalar>(
                &self,
                queries: &[impl AsRef<[S]> + Sync],
                params: &SearchParams,
                threads: Option<usize>,
            ) -> Result<Vec<Vec<Hit>>, BatchError> {
                self.keyed().batch(queries, params, threads)
            }
        }
    };
}

searches!([] Index);
searches!([B: AsRef<[u8]>] MappedIndex<B>);

impl Index {
    fn keyed(&self) -> Keyed<'_> {
        Keyed { view: self.graph().view(), keys: self.keys() }
    }
}

impl<B: AsRef<[u8]>> MappedIndex<B> {
    fn keyed(&self) -> Keyed<'_> {
        Keyed { view: self.graph(), keys: self.keys() }
    }
}
