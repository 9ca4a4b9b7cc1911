//! Exact search by brute force: the reference for recall, and the answer for small sets.

use core::ops::Range;

use crate::distance::{AnyQuery, Estimator, Ranker, with_query};
use crate::search::CandidateList;
use crate::{Candidate, Elements, Neighbor, NodeId, Rows, VectorError};

/// An exact search that gets its rows in pieces, so that one pass over the rows can serve many
/// queries.
pub struct Exact<'s> {
    query: AnyQuery<'s>,
    list: CandidateList<'s>,
}

impl<'s> Exact<'s> {
    /// A search for as many neighbors as `candidates` is long.
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
    /// If there are no such rows.
    pub fn scan(&mut self, ids: Range<NodeId>) {
        with_query!(&self.query, query => scan(query, ids, &mut self.list));
    }

    /// Writes the nearest, equal distances ordered by id, to the front of `out`. Returns how many.
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
/// are fewer. Returns how many.
///
/// # Errors
/// If the query cannot be searched for, or memory for the candidates runs out.
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
