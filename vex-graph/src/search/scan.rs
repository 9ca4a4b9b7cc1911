//! Exact scan: ranks every node that a filter accepts.

use super::beam::{GATHER, Traversal, rank_gathered};
use super::{CandidateList, Filter};
use crate::NodeId;
use crate::distance::Ranker;

/// Nodes that are gathered before the first of them is ranked, so that their memory is fetched by
/// then.
const AHEAD: usize = 32;

impl<R: Ranker> Traversal<'_, R> {
    /// Ranks every node that `filter` accepts, in ascending order of ids, until the budget is used
    /// up.
    pub(crate) fn scan(&mut self, list: &mut CandidateList<'_>, filter: &impl Filter) {
        let (mut gathered, mut len) = ([0; GATHER + AHEAD], 0);
        for index in 0..self.count.div_ceil(64) {
            let mut word = filter.word(index, self.count);
            // A filter may set bits of ids beyond the last node: they are cleared.
            word &= u64::MAX >> (64 - (self.count - index * 64).min(64));
            while word != 0 {
                let id = (index * 64) as NodeId + word.trailing_zeros();
                word &= word - 1;
                self.query.prefetch(id);
                gathered[len] = id;
                len += 1;
            }
            if len >= AHEAD {
                if !self.rank_all(&gathered[..len], list) {
                    return;
                }
                len = 0;
            }
        }
        self.rank_all(&gathered[..len], list);
    }

    /// Ranks as many as the budget allows, and returns whether any of it is left.
    fn rank_all(&mut self, ids: &[NodeId], list: &mut CandidateList<'_>) -> bool {
        let ids = &ids[..ids.len().min(self.budget.saturating_sub(self.stats.distances))];
        self.stats.distances += ids.len();
        rank_gathered(self.query, ids, |candidate| list.insert(candidate));
        self.stats.distances < self.budget
    }
}
