//! The memory that a search writes to, and its results.

use vex_graph::{Neighbor, NodeId, NodeSet, OutOfMemory, SearchError, SearchStats};

use crate::reserve::reserve;

/// A vector that was found. It has these two fields and will have no more.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Hit {
    /// The key of the vector.
    pub key: u64,
    /// The distance to the query under the metric of the index. Smaller is nearer. It is exact,
    /// unless the caller asks for estimates or the index has no vectors.
    pub distance: f32,
}

/// The results of a search, and its work.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct Found<'s> {
    /// The hits, nearest first.
    pub hits: &'s [Hit],
    /// The work of the search.
    pub stats: SearchStats,
}

/// The memory of a search. Keep one per thread: a search allocates nothing if one like it came
/// before. It takes two bits for each vector, and a few KiB for the lists of a usual search. It
/// never shrinks.
///
/// # Examples
/// ```
/// use vex::{Index, Scratch, SearchParams};
///
/// let index = Index::builder(2).build_from([(1, [0.0, 1.0]), (2, [1.0, 0.0])])?;
/// let (searcher, params) = (index.searcher(), SearchParams::new(1).ef_search(100));
/// let mut scratch = Scratch::new();
/// for (query, nearest) in [([0.1, 0.9], 1), ([0.9, 0.1], 2)] {
///     let found = searcher.search_with(&query, &params, &mut scratch)?;
///     assert_eq!(found.hits[0].key, nearest);
/// }
/// # Ok::<(), vex::Error>(())
/// ```
#[derive(Debug, Default)]
pub struct Scratch {
    pub(crate) graph: vex_graph::Scratch,
    pub(crate) results: Results,
    /// The bits of the nodes that a filter accepts.
    pub(crate) accepted: Vec<u64>,
}

impl Scratch {
    /// A scratch without memory yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Turns the last hits into a `Vec`.
    pub(crate) fn into_hits(self) -> Vec<Hit> {
        self.results.hits
    }

    /// The set of these nodes, whose ids are below `count`, and the other parts that a search
    /// needs.
    pub(crate) fn accepting(
        &mut self,
        nodes: impl Iterator<Item = NodeId>,
        count: usize,
    ) -> Result<(NodeSet<'_>, &mut vex_graph::Scratch, &mut Results), OutOfMemory> {
        let Self { graph, results, accepted } = self;
        accepted.clear();
        reserve(accepted, NodeSet::words_for(count))?;
        accepted.resize(NodeSet::words_for(count), 0);
        for id in nodes {
            accepted[id as usize / 64] |= 1 << (id % 64);
        }
        Ok((NodeSet::new(accepted), graph, results))
    }

    /// Runs a search for at most `limit` neighbors, and gives them their keys.
    pub(crate) fn find(
        &mut self,
        keys: &[u64],
        limit: usize,
        search: impl FnOnce(&mut vex_graph::Scratch, &mut [Neighbor]) -> Result<SearchStats, SearchError>,
    ) -> Result<Found<'_>, SearchError> {
        self.results.find(keys, limit, |neighbors| search(&mut self.graph, neighbors))
    }
}

/// Neighbors, and the hits that they become.
#[derive(Debug, Default)]
pub(crate) struct Results {
    neighbors: Vec<Neighbor>,
    hits: Vec<Hit>,
}

impl Results {
    /// Runs a search for at most `limit` neighbors, and gives them their keys.
    pub(crate) fn find(
        &mut self,
        keys: &[u64],
        limit: usize,
        search: impl FnOnce(&mut [Neighbor]) -> Result<SearchStats, SearchError>,
    ) -> Result<Found<'_>, SearchError> {
        let stats = search(self.make_room(limit.min(keys.len()))?)?;
        Ok(Found { hits: self.hits(keys, stats.found), stats })
    }

    /// Room for `len` neighbors, and for as many hits.
    pub(crate) fn make_room(&mut self, len: usize) -> Result<&mut [Neighbor], OutOfMemory> {
        self.neighbors.clear();
        self.hits.clear();
        reserve(&mut self.neighbors, len)?;
        reserve(&mut self.hits, len)?;
        self.neighbors.resize(len, Neighbor::default());
        Ok(&mut self.neighbors)
    }

    /// The first `found` neighbors with their keys, in the room that was made for them.
    pub(crate) fn hits(&mut self, keys: &[u64], found: usize) -> &[Hit] {
        self.hits.extend(self.neighbors[..found].iter().map(|neighbor| hit(keys, neighbor)));
        &self.hits
    }
}

pub(crate) fn hit(keys: &[u64], neighbor: &Neighbor) -> Hit {
    Hit { key: keys[neighbor.id as usize], distance: neighbor.distance }
}
