//! Filtered beam search: a beam whose results are apart from its frontier.
//!
//! In a plain beam search, one list holds the results and the nodes to expand. With a filter, nodes
//! that do not match would fill that list and push matches out. So [`FilteredBeam`] keeps two:
//!
//! ```text
//! results     the nearest matches, sorted                              at most ef
//! frontier    all nodes to expand, matches or not, as a heap           at most 16 ef
//!
//! take(candidate):
//!     if it is nearer than the last result that counts, or there are too few results:
//!         push it to the frontier
//!         if the filter accepts it: insert it into the results
//! ```
//!
//! The search expands the nearest node of the frontier, until that is farther than the last result
//! that counts. `content_with` sets how many results count.
//!
//! **Partial expansion** is for nodes that do not match, where most nodes do not:
//!
//! ```text
//! expand(node):
//!     if it matches:      rank all its links
//!     otherwise:          rank the first quarter of its row, and all others that match
//! ```
//!
//! To rank a node takes several times as long as to ask the filter. A row begins with the nearest
//! links, which are the likeliest to lead on. A row of more than 64 links is read in pieces, and of
//! each piece the first quarter is ranked.
//!
//! **Two-hop expansion** (Patel et al., ACORN, SIGMOD 2024, section 5) ranks and expands matches
//! alone:
//!
//! ```text
//! expand(node):
//!     for each link that matches:             rank it
//!     for each link that does not match:
//!         for each of its links that matches: rank it
//!     until as many are ranked as the row of `node` is wide
//! ```
//!
//! So a match is found though only nodes that do not match link to it. The visited set holds both
//! kinds of nodes. So each row is read at most twice: once when its node is expanded, and once when
//! it is one of the two hops.

use vex_kernels::prefetch;

use super::beam::{APPROACH, GATHER, LINK_PREFETCH_LINES, List, rank_gathered};
use super::{CandidateList, Filter, Frontier, SearchParams, Slack, Step, Traversal, Visited};
use crate::distance::{Estimator, Ranker};
use crate::{Candidate, LevelView, NodeId};

/// The state of a filtered beam search: what it has found, and where it continues.
pub(crate) struct FilteredBeam<'s> {
    pub(crate) results: CandidateList<'s>,
    pub(crate) frontier: Frontier<'s>,
    /// Results that count. The search then continues only to nodes that are nearer than the last of
    /// them.
    ef: usize,
    /// Candidates that entered the frontier, and how many of them the filter accepted.
    wanted: usize,
    accepted: usize,
    /// The nearest candidate that was too far by the rule of slack, so that the search ended.
    ended_at: Option<Candidate>,
}

impl<'s> FilteredBeam<'s> {
    /// Places in the frontier for each in the list. If every node matches, a beam expands a node
    /// for each result and needs one place. If one node in sixteen matches, it needs sixteen.
    const FRONTIER: usize = 16;

    /// Candidates that [`new`](Self::new) needs: the list and the frontier.
    pub(crate) const fn candidates(params: &SearchParams, count: usize) -> usize {
        let list = params.beam_width(count);
        let frontier = list.saturating_mul(Self::FRONTIER);
        list.saturating_add(if frontier < count { frontier } else { count })
    }

    pub(crate) fn new(candidates: &'s mut [Candidate], params: &SearchParams, count: usize) -> Self {
        let list = params.beam_width(count);
        let (results, frontier) = candidates[..Self::candidates(params, count)].split_at_mut(list);
        Self {
            results: CandidateList::new(results),
            frontier: Frontier::new(frontier),
            ef: list,
            wanted: 0,
            accepted: 0,
            ended_at: None,
        }
    }

    /// From now on only the first `ef` results count. The list keeps more of them only if `within`
    /// accepts them.
    pub(crate) fn content_with(&mut self, ef: usize) {
        self.ef = ef.clamp(1, self.ef.max(1));
    }

    /// How many of the results count.
    pub(crate) fn counted(&self) -> usize {
        self.ef.min(self.results.candidates().len())
    }

    /// Whether there are as many results as count.
    pub(crate) fn is_content(&self) -> bool {
        self.results.candidates().len() >= self.ef
    }

    /// If slack ended the search at a candidate: how many results are up to the first that is not
    /// nearer.
    pub(crate) fn within_slack(&self) -> Option<usize> {
        let (end, results) = (self.ended_at?, self.results.candidates());
        Some(results.len().min(results.partition_point(|result| *result < end) + 1))
    }

    /// Whether the search has seen every node that links lead to: nothing is left to expand, and
    /// the frontier dropped nothing.
    pub(crate) fn has_seen_all(&self) -> bool {
        !self.is_content() && self.frontier.peek().is_none() && self.wanted <= self.frontier.capacity()
    }

    /// The share of the candidates that the filter accepted: how dense matches are around the
    /// query.
    pub(crate) fn share(&self) -> f32 {
        self.accepted as f32 / self.wanted.max(1) as f32
    }

    /// Whether a candidate can lead to a result. `within` accepts candidates that are wanted
    /// however many results there are.
    #[inline(always)]
    fn wants(&self, candidate: Candidate, within: impl Fn(Candidate) -> bool) -> bool {
        if !self.results.has_room_for(candidate) {
            return false;
        }
        let last = self.results.candidates().get(self.ef - 1);
        last.is_none_or(|last| candidate < *last) || within(candidate)
    }

    /// Adds a candidate to the frontier, and to the results if it matches.
    #[inline(always)]
    pub(crate) fn take(
        &mut self,
        candidate: Candidate,
        filter: &impl Filter,
        within: impl Fn(Candidate) -> bool,
    ) {
        if self.wants(candidate, within) {
            self.frontier.push(candidate);
            self.wanted += 1;
            if filter.accepts(candidate.id()) {
                self.accepted += 1;
                self.results.insert(candidate);
            }
        }
    }

    /// The node to expand next, or `None` if no node of the frontier can lead to a result, or slack
    /// ends the search.
    #[inline(always)]
    fn expand_nearest(
        &mut self,
        within: impl Fn(Candidate) -> bool,
        slack: &Slack<'_, impl Estimator>,
    ) -> Option<NodeId> {
        let candidate = self.frontier.pop()?;
        if slack.ends(self.results.candidates(), candidate) {
            self.ended_at = Some(self.ended_at.map_or(candidate, |end| end.min(candidate)));
            return None;
        }
        self.wants(candidate, within).then(|| candidate.id())
    }
}

/// A [`FilteredBeam`] with its filter. `within` accepts candidates that are wanted however many
/// results there are.
pub(crate) struct FilteredList<'a, 's, F, W, Q> {
    pub(crate) beam: &'a mut FilteredBeam<'s>,
    pub(crate) filter: &'a F,
    pub(crate) within: W,
    pub(crate) slack: &'a Slack<'a, Q>,
}

impl<F: Filter, W: Fn(Candidate) -> bool + Copy, Q: Estimator> List for FilteredList<'_, '_, F, W, Q> {
    #[inline(always)]
    fn offer(&mut self, candidate: Candidate) {
        self.beam.take(candidate, self.filter, self.within);
    }

    #[inline(always)]
    fn expand(&mut self) -> Option<NodeId> {
        self.beam.expand_nearest(self.within, self.slack)
    }

    #[inline(always)]
    fn next(&self) -> Option<NodeId> {
        self.beam.frontier.peek().map(|next| next.id())
    }

    #[inline(always)]
    fn approaches(&mut self) -> bool {
        let last = self.beam.results.candidates().get(APPROACH - 1);
        last.is_none_or(|last| self.beam.frontier.peek().is_some_and(|next| next < *last))
    }
}

/// A [`FilteredList`] that expands nodes that do not match in part. A type of its own: whole
/// expansion would take a tenth longer if it asked for each node.
pub(crate) struct PartialList<'a, 's, F, W, Q> {
    pub(crate) list: FilteredList<'a, 's, F, W, Q>,
    /// Whether the node that was expanded last matches.
    pub(crate) is_match: bool,
    /// The links that are ranked.
    pub(crate) chosen: [u32; GATHER],
}

impl<F, W, Q> PartialList<'_, '_, F, W, Q> {
    /// The first of so many parts of a row is ranked whatever the filter says.
    const PARTS: usize = 4;
}

impl<F: Filter, W: Fn(Candidate) -> bool + Copy, Q: Estimator> List for PartialList<'_, '_, F, W, Q> {
    #[inline(always)]
    fn offer(&mut self, candidate: Candidate) {
        self.list.offer(candidate);
    }

    #[inline(always)]
    fn expand(&mut self) -> Option<NodeId> {
        let id = self.list.expand()?;
        self.is_match = self.list.filter.accepts(id);
        Some(id)
    }

    #[inline(always)]
    fn choose<'l>(&'l mut self, links: &'l [u32], count: usize) -> &'l [u32] {
        if self.is_match {
            return links;
        }
        let chosen = &mut self.chosen;
        let (near, far) = links.split_at(links.len().div_ceil(Self::PARTS));
        chosen[..near.len()].copy_from_slice(near);
        let mut len = near.len();
        // There is no branch on the filter's answer, which a processor could not predict.
        for id in far.iter().copied().take_while(|id| (*id as usize) < count) {
            chosen[len] = id;
            len += usize::from(self.list.filter.accepts(id));
        }
        &chosen[..len]
    }

    #[inline(always)]
    fn next(&self) -> Option<NodeId> {
        self.list.next()
    }

    #[inline(always)]
    fn approaches(&mut self) -> bool {
        self.list.approaches()
    }
}

impl<R: Estimator> Traversal<'_, R> {
    /// Beam search by two-hop expansion: see the head of this file.
    pub(crate) fn two_hop(
        &mut self,
        level: &LevelView<'_>,
        gated: &mut FilteredBeam<'_>,
        visited: &mut Visited<'_>,
        filter: &impl Filter,
        slack: &Slack<'_, R>,
    ) {
        while self.stats.distances < self.budget {
            let Some(id) = gated.expand_nearest(|_| false, slack) else { return };
            self.stats.hops += 1;
            self.query.step(Step::Expanded { id });
            // The next node is known only when these links are ranked, but the nearest so far is a
            // good guess.
            if let Some(links) = gated.frontier.peek().and_then(|next| level.row(next.id())) {
                prefetch(links, LINK_PREFETCH_LINES);
            }
            for piece in level.row(id).unwrap_or(&[]).chunks(GATHER) {
                self.rank_two_hops(piece, level, gated, visited, filter);
            }
        }
    }

    /// Ranks the matches among these links, and then those among the links of the others. At most
    /// as many as there are `links`.
    fn rank_two_hops(
        &mut self,
        links: &[u32],
        level: &LevelView<'_>,
        gated: &mut FilteredBeam<'_>,
        visited: &mut Visited<'_>,
        filter: &impl Filter,
    ) {
        let is_node = |id: &NodeId| (*id as usize) < self.count;
        let (mut accepted, mut gathered, mut gated_links) = (Ids::new(), Ids::new(), Ids::new());
        // First hop: the links are divided by the filter.
        for id in links.iter().copied().take_while(is_node) {
            let accepts = filter.accepts(id);
            accepted.push_if(id, accepts);
            gated_links.push_if(id, !accepts);
        }
        let most = links.len();
        // Links that match are taken before any of the second hop, since they are nearer on
        // average.
        gathered.extend_unseen(&accepted, most, visited, self.query);
        // Second hop: each link that does not match is replaced by its own links that do.
        for (index, id) in gated_links.ids().iter().enumerate() {
            if gathered.len == most {
                break;
            }
            if index % AHEAD == 0 {
                for next in gated_links.ids()[index..].iter().take(2 * AHEAD) {
                    prefetch(level.row(*next).unwrap_or(&[]), LINK_PREFETCH_LINES);
                }
            }
            // A row that was read for another node has nothing new.
            if !visited.insert(*id) {
                continue;
            }
            for piece in level.row(*id).unwrap_or(&[]).chunks(GATHER) {
                accepted.len = 0;
                for id in piece.iter().copied().take_while(is_node) {
                    accepted.push_if(id, filter.accepts(id));
                }
                gathered.extend_unseen(&accepted, most, visited, self.query);
            }
        }
        self.stats.distances += gathered.len;
        rank_gathered(self.query, gathered.ids(), |candidate| gated.take(candidate, filter, |_| false));
    }
}

/// Links that do not match, whose rows are prefetched before the first of them is read.
const AHEAD: usize = 4;

/// A few ids, on the stack.
struct Ids {
    ids: [NodeId; GATHER],
    len: usize,
}

impl Ids {
    fn new() -> Self {
        Self { ids: [0; GATHER], len: 0 }
    }

    fn ids(&self) -> &[NodeId] {
        &self.ids[..self.len]
    }

    /// Appends an id if the condition holds. There is no branch, which would be mispredicted once
    /// for every few matches.
    #[inline(always)]
    fn push_if(&mut self, id: NodeId, condition: bool) {
        self.ids[self.len % GATHER] = id;
        self.len += usize::from(condition);
    }

    /// Adds the ids that the search has not seen, up to `most` in all.
    #[inline(always)]
    fn extend_unseen(&mut self, others: &Self, most: usize, visited: &mut Visited<'_>, query: &impl Ranker) {
        for id in others.ids() {
            if self.len == most {
                break;
            }
            if visited.insert(*id) {
                query.prefetch(*id);
                self.ids[self.len] = *id;
                self.len += 1;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use alloc::vec;
    use alloc::vec::Vec;

    use super::*;
    use crate::search::Slack;
    use crate::{Metric, Rows};

    /// The links that partial expansion ranks of a node that matches, or does not.
    fn chosen(is_match: bool, links: &[u32]) -> Vec<u32> {
        let elements = [0.0f32; 16];
        let rows = Rows::new(Metric::SquaredEuclidean, &elements, 1, 16, 1).unwrap();
        let query = crate::distance::AnyQuery::new(&rows, (&[0.0f32][..]).into()).unwrap();
        let mut slots = vec![Candidate::EMPTY; 34];
        let even = |id: NodeId| id.is_multiple_of(2);
        let params = SearchParams::new(1).ef_search(2);
        crate::distance::with_query!(&query, query => {
            let mut beam = FilteredBeam::new(&mut slots, &params, 100);
            let slack = &Slack::none(query);
            let list = FilteredList { beam: &mut beam, filter: &even, within: |_| false, slack };
            let mut list = PartialList { list, is_match, chosen: [0; GATHER] };
            list.choose(links, 100).to_vec()
        })
    }

    #[test]
    fn of_a_node_that_does_not_match_a_quarter_is_ranked_and_all_matches() {
        let links = [1, 3, 5, 7, 2, 9, 4, 11];
        assert_eq!(chosen(true, &links), links);
        assert_eq!(chosen(false, &links), [1, 3, 2, 4]);
        // What is no node ends the row.
        assert_eq!(chosen(false, &[1, 3, 5, 2, 100, 4]), [1, 3, 2]);
        assert_eq!(chosen(false, &[7]), [7]);
        assert_eq!(chosen(false, &[]), [0u32; 0]);
        let whole: [u32; GATHER] = core::array::from_fn(|id| 2 * id as u32 % 100);
        assert_eq!(chosen(false, &whole), whole);
    }
}
