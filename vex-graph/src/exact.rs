//! Exact search by brute force: the reference for recall, and the answer for small sets.

use core::ops::Range;

use crate::distance::{AnyQuery, Estimator, Ranker, with_query};
use crate::search::CandidateList;
use crate::{Candidate, Elements, Neighbor, NodeId, Rows, VectorError};

/// An exact search that gets its rows in pieces, so that one pass over the rows can serve many
/// queries. It looks at rows alone: deleted nodes have some, too.
///
/// ```
/// use vex_graph::{Candidate, Exact, Metric, Neighbor, Rows};
///
/// // Four rows of one element.
/// let rows = Rows::new(Metric::SquaredEuclidean, &[0.0, 5.0, 1.0, 4.0], 1, 1, 4)?;
/// let mut candidates = [[Candidate::EMPTY; 2]; 2];
/// let [first, second] = &mut candidates;
/// let mut searches = [Exact::new(&rows, &[0.4], first)?, Exact::new(&rows, &[9.0], second)?];
/// for piece in [0..2, 2..4] {
///     searches.iter_mut().for_each(|search| search.scan(piece.clone()));
/// }
/// let found = searches.map(|search| {
///     let mut out = [Neighbor::default(); 2];
///     assert_eq!(search.finish(&mut out), 2);
///     out.map(|neighbor| neighbor.id)
/// });
/// assert_eq!(found, [[0, 2], [1, 3]]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct Exact<'s> {
    query: AnyQuery<'s>,
    list: CandidateList<'s>,
}

impl<'s> Exact<'s> {
    /// A search for as many neighbors as `candidates` is long, whatever it holds. The vectors of
    /// `rows` must be stored.
    ///
    /// # Errors
    /// If the query cannot be searched for.
    pub fn new(
        rows: &Rows<'s>,
        query: impl Into<Elements<'s>>,
        candidates: &'s mut [Candidate],
    ) -> Result<Self, VectorError> {
        Ok(Self { query: AnyQuery::new(rows, query.into())?, list: CandidateList::new(candidates) })
    }

    /// Compares the rows of `ids`. Each row should be compared once.
    ///
    /// # Panics
    /// If there are no such rows, or vectors are not stored.
    ///
    /// # Complexity
    /// A distance for each row. No allocation.
    pub fn scan(&mut self, ids: Range<NodeId>) {
        with_query!(&self.query, query => scan(query, ids, &mut self.list));
    }

    /// Writes the nearest, equal distances ordered by id, to the front of `out`. Returns how many:
    /// at most as many as there were candidates.
    pub fn finish(self, out: &mut [Neighbor]) -> usize {
        with_query!(&self.query, query => {
            crate::search::write(self.list.candidates(), out, |rank| query.distance(rank))
        })
    }
}

fn scan(query: &impl Ranker, ids: Range<NodeId>, list: &mut CandidateList<'_>) {
    let fours_end = ids.end - ids.len() as u32 % 4;
    for id in (ids.start..fours_end).step_by(4) {
        let four = [id, id + 1, id + 2, id + 3];
        for (rank, id) in query.rank_4(four).into_iter().zip(four) {
            list.insert(Candidate::new(rank, id));
        }
    }
    for id in fours_end..ids.end {
        list.insert(Candidate::new(query.rank(id), id));
    }
}

/// The exact nearest neighbors of `query` among all `rows`: `out.len()` of them, or all if there
/// are fewer. They are written to the front of `out`, nearest first, equal distances ordered by id.
/// Returns how many. Deleted nodes have rows, too.
///
/// # Errors
/// If the query cannot be searched for, or memory for the candidates runs out.
///
/// # Panics
/// If vectors are not stored.
///
/// # Complexity
/// A distance for each row, and 8 bytes for each neighbor.
///
/// # Examples
/// ```
/// use vex_graph::{Element, Metric, Neighbor, Vectors, exact};
///
/// let mut vectors = Vectors::new(Element::F32, Metric::SquaredEuclidean, 2)?;
/// for vector in [[0.0, 0.0], [5.0, 5.0], [1.0, 0.0]] {
///     vectors.push(&vector)?;
/// }
/// let mut found = [Neighbor::default(); 2];
/// assert_eq!(exact(&vectors.rows(), &[0.9, 0.0], &mut found)?, 2);
/// assert_eq!(found.map(|neighbor| neighbor.id), [2, 0]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[cfg(feature = "alloc")]
pub fn exact<'q>(
    rows: &Rows<'_>,
    query: impl Into<Elements<'q>>,
    out: &mut [Neighbor],
) -> Result<usize, crate::SearchError> {
    let query = query.into();
    let len = out.len().min(rows.count());
    let mut candidates = alloc::vec::Vec::new();
    crate::storage::reserve(&mut candidates, len)?;
    candidates.resize(len, Candidate::EMPTY);
    let mut search = Exact::new(rows, query, &mut candidates)?;
    search.scan(0..rows.count() as NodeId);
    Ok(search.finish(out))
}
