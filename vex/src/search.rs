//! Search, in terms of keys.

use vex_graph::{GraphView, Neighbor, SearchError, SearchParams, SearchStats, search};

use crate::index::reserve;

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
    query: &[f32],
    params: &SearchParams,
    scratch: &'s mut Scratch,
) -> Result<Found<'s>, SearchError> {
    let k = params.k.min(view.count());
    scratch.neighbors.clear();
    scratch.hits.clear();
    reserve(&mut scratch.neighbors, k)?;
    reserve(&mut scratch.hits, k)?;
    scratch.neighbors.resize(k, Neighbor::default());
    let stats = search(view, query, params, &mut scratch.graph, &mut scratch.neighbors)?;
    let found = scratch.neighbors[..stats.found].iter();
    scratch
        .hits
        .extend(found.map(|neighbor| Hit { key: keys[neighbor.id as usize], distance: neighbor.distance }));
    Ok(Found { hits: &scratch.hits, stats })
}
