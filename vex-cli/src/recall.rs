//! How much of the ground truth a search finds.
//!
//! A hit is right if its exact distance is at most that of the k-th true neighbor, with a tolerance
//! for rounding. So of equally near vectors, one is as good as another. If the index has no
//! vectors, ids are compared instead.

use std::collections::TryReserveError;
use std::iter::repeat;
use std::path::Path;

use vex::graph::{Candidate, Exact, GraphView, Neighbor, NodeId};
use vex::{Element, Elements, Hit, MappedIndex};

use crate::error::Failure;
use crate::io::IdMatrix;

/// A hit counts if it is farther than the k-th true neighbor by no more than this share of that
/// distance. Other programs that compute the ground truth round differently. Between integers and
/// bits, distances are exact.
pub(crate) const TOLERANCE: f32 = 1e-5;

/// The true neighbors of each query.
pub(crate) struct Truth {
    ids: IdMatrix,
    k: usize,
    /// The nodes that are not deleted, by key.
    nodes: Nodes,
    /// Ids of the ground truth that are not keys, or come twice for one query.
    unknown: usize,
    /// `None` if the index has no vectors: then only ids can be compared.
    distances: Option<Distances>,
}

/// Nodes by key, sorted.
struct Nodes(Vec<(u64, NodeId)>);

/// The distances of the true neighbors, computed from the vectors of the index.
struct Distances {
    /// For each query k distances, nearest first. If the index has fewer of the true neighbors, the
    /// rest are infinite.
    nearest: Vec<f32>,
    tolerance: f32,
}

/// A true neighbor fits if it is no farther than the hits by more than this share of their distance.
/// Vectors may have been rounded to f16 since the ground truth was computed.
const FIT: f32 = 1e-2;

/// The result for one query.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Judgement {
    /// Hits that are right.
    pub(crate) right: usize,
    /// Whether the ground truth does not name the nearest vectors: there are nearer hits, or more
    /// of them.
    pub(crate) disagrees: bool,
}

impl Truth {
    /// `ids` is the ground truth of all queries, of which the first `k` ids of each row count.
    /// `query` returns a query by its number. `path` is that of the index.
    pub(crate) fn new<'q, B: AsRef<[u8]>>(
        path: &Path,
        index: &MappedIndex<B>,
        ids: IdMatrix,
        k: usize,
        query: impl Fn(usize) -> Elements<'q>,
    ) -> Result<Self, Failure> {
        let graph = index.graph();
        let refused = |error| Failure::refused(path, error);
        let mut nodes = Vec::new();
        nodes.try_reserve_exact(graph.count()).map_err(refused)?;
        let tombstones = graph.tombstones();
        let live = (0..).zip(index.node_keys()).filter(|(node, _)| !tombstones.contains(*node));
        nodes.extend(live.map(|(node, key)| (*key, node)));
        nodes.sort_unstable();
        let nodes = Nodes(nodes);
        // A negative id fills up a row.
        let keys = |row: usize| ids.row(row)[..k].iter().filter_map(|id| u64::try_from(*id).ok());
        let mut unknown = 0;
        for row in 0..ids.rows() {
            let known = nodes.of(k, keys(row)).map_err(refused)?;
            unknown += keys(row).count() - known.len();
        }
        if !graph.rows().are_stored() {
            return Ok(Self { ids, k, nodes, unknown, distances: None });
        }

        let mut nearest = Vec::new();
        nearest.try_reserve_exact(ids.rows().saturating_mul(k)).map_err(refused)?;
        let tolerance = match graph.element() {
            Element::F32 | Element::F16 => TOLERANCE,
            Element::I8 | Element::U8 | Element::Bits => 0.0,
        };
        for row in 0..ids.rows() {
            let known = nodes.exact(&graph, query(row), k, keys(row)).map_err(refused)?;
            nearest.extend(known.into_iter().chain(repeat(f32::INFINITY)).take(k));
        }
        Ok(Self { ids, k, nodes, unknown, distances: Some(Distances { nearest, tolerance }) })
    }

    /// Whether hits are judged by their distances, and not by ids.
    pub(crate) fn has_distances(&self) -> bool {
        self.distances.is_some()
    }

    /// How many ids of the ground truth the index does not have, or come twice.
    pub(crate) fn unknown_ids(&self) -> usize {
        self.unknown
    }

    /// How many of the true neighbors of a query are as near as the hits of a thorough search. If
    /// the ground truth is of this index, all are. `None` if the index has no vectors.
    ///
    /// # Errors
    /// If memory runs out.
    pub(crate) fn fitting(
        &self,
        graph: &GraphView<'_>,
        row: usize,
        query: Elements<'_>,
        hits: &[Hit],
    ) -> Result<Option<usize>, TryReserveError> {
        let Some(distances) = &self.distances else { return Ok(None) };
        let found = self.nodes.exact(graph, query, hits.len(), hits.iter().map(|hit| hit.key))?;
        let Some(farthest) = found.last() else { return Ok(Some(0)) };
        let limit = farthest + FIT * farthest.abs();
        let nearest = &distances.nearest[row * self.k..][..self.k];
        Ok(Some(nearest.iter().take(found.len()).filter(|distance| **distance <= limit).count()))
    }

    /// Judges the hits for a query.
    ///
    /// # Errors
    /// If memory runs out.
    pub(crate) fn judge(
        &self,
        graph: &GraphView<'_>,
        row: usize,
        query: Elements<'_>,
        hits: &[Hit],
    ) -> Result<Judgement, TryReserveError> {
        let Some(distances) = &self.distances else {
            let right = same_ids(hits, &self.ids.row(row)[..self.k]);
            return Ok(Judgement { right, disagrees: false });
        };
        let nearest = &distances.nearest[row * self.k..][..self.k];
        let known = nearest.partition_point(|distance| distance.is_finite());
        // Searches by codes may return estimates, so the distances are computed here.
        let found = self.nodes.exact(graph, query, hits.len(), hits.iter().map(|hit| hit.key))?;
        let slack = |distance: f32| distances.tolerance * distance.abs();
        let is_right =
            |farthest: f32| found.iter().filter(|found| **found <= farthest + slack(farthest)).count();
        let right = nearest[..known].last().map_or(0, |farthest| is_right(*farthest));
        let nearer = found.iter().zip(&nearest[..known]).any(|(found, truth)| *found < truth - slack(*truth));
        // Many hits may be as near as the last true neighbor, but no more count than there are
        // neighbors.
        Ok(Judgement { right: right.min(known), disagrees: nearer || known < found.len() })
    }
}

impl Nodes {
    /// The nodes under these keys, sorted. There are at most `count`, unknown keys are left out, and
    /// a key that comes twice counts once.
    fn of(&self, count: usize, keys: impl Iterator<Item = u64>) -> Result<Vec<NodeId>, TryReserveError> {
        let node = |key| {
            let position = self.0.binary_search_by_key(&key, |(key, _)| *key).ok()?;
            Some(self.0[position].1)
        };
        let mut nodes: Vec<NodeId> = with_room(count)?;
        nodes.extend(keys.filter_map(node).take(count));
        nodes.sort_unstable();
        nodes.dedup();
        Ok(nodes)
    }

    /// The exact distances of a query to the vectors under these keys, nearest first. There are at
    /// most `count`, and unknown keys are left out.
    fn exact(
        &self,
        graph: &GraphView<'_>,
        query: Elements<'_>,
        count: usize,
        keys: impl Iterator<Item = u64>,
    ) -> Result<Vec<f32>, TryReserveError> {
        let nodes = self.of(count, keys)?;
        let mut candidates = with_room(count)?;
        candidates.resize(nodes.len(), Candidate::EMPTY);
        let mut neighbors = with_room(count)?;
        neighbors.resize(nodes.len(), Neighbor::default());
        let mut distances = with_room(count)?;
        // Queries were checked when they were read, so this does not happen.
        let Ok(mut exact) = Exact::new(graph.rows(), query, &mut candidates) else { return Ok(distances) };
        nodes.iter().for_each(|node| exact.scan(*node..node + 1));
        exact.finish(&mut neighbors);
        distances.extend(neighbors.iter().map(|neighbor: &Neighbor| neighbor.distance));
        Ok(distances)
    }
}

fn with_room<T>(count: usize) -> Result<Vec<T>, TryReserveError> {
    let mut vec = Vec::new();
    vec.try_reserve_exact(count)?;
    Ok(vec)
}

/// The number of hits among the true ids, in any order.
fn same_ids(hits: &[Hit], truth: &[i64]) -> usize {
    let is_true = |hit: &&Hit| i64::try_from(hit.key).is_ok_and(|id| truth.contains(&id));
    hits.iter().filter(is_true).count()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hits_are_counted_whatever_their_order() {
        let hit = |key| Hit { key, distance: 0.0 };
        assert_eq!(same_ids(&[hit(3), hit(1), hit(u64::MAX)], &[1, 2, 3]), 2);
        assert_eq!(same_ids(&[hit(u64::MAX)], &[-1]), 0);
        assert_eq!(same_ids(&[], &[1]), 0);
    }
}
