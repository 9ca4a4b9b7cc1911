//! The beam of a search in which some nodes are gated: passed through, and not returned.

use vex_kernels::prefetch;

use super::beam::{APPROACH, GATHER, LINK_PREFETCH_LINES, List, rank_gathered};
use super::{CandidateList, Filter, Frontier, SearchParams, Traversal, Visited};
use crate::distance::Ranker;
use crate::{Candidate, LevelView, NodeId};

/// What a gated beam has found, and where it goes on: only nodes that the filter accepts are found,
/// and do not wait behind those that it does not.
pub(crate) struct FilteredBeam<'s> {
    pub(crate) results: CandidateList<'s>,
    pub(crate) frontier: Frontier<'s>,
    /// Results that make the beam content: it then goes on only to what is nearer than the last of
    /// them.
    ef: usize,
    /// Candidates that were wanted, and how many of them the filter accepted.
    wanted: usize,
    accepted: usize,
}

impl<'s> FilteredBeam<'s> {
    /// Candidates in the frontier for each in the pool. A beam that expands a node for each result
    /// needs one; with one node in sixteen accepted it needs sixteen.
    const FRONTIER: usize = 16;

    /// Candidates that [`new`](Self::new) needs: the pool and the frontier.
    pub(crate) fn candidates(params: &SearchParams, count: usize) -> usize {
        let list = params.beam_width(count);
        list.saturating_add(list.saturating_mul(Self::FRONTIER).min(count))
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
        }
    }

    /// From now on, results beyond the first `ef` are let in only if the beam is told that they are
    /// wanted.
    pub(crate) fn content_with(&mut self, ef: usize) {
        self.ef = ef.clamp(1, self.ef.max(1));
    }

    /// Whether it has as many results as make it content.
    pub(crate) fn is_content(&self) -> bool {
        self.results.candidates().len() >= self.ef
    }

    /// Whether it has seen everything that links lead to: there is nothing left to expand, and
    /// nothing was ever dropped.
    pub(crate) fn has_seen_all(&self) -> bool {
        !self.is_content() && self.frontier.peek().is_none() && self.wanted <= self.frontier.capacity()
    }

    /// The share of the candidates that the filter accepted: how dense matches are where the beam
    /// has come.
    pub(crate) fn share(&self) -> f32 {
        self.accepted as f32 / self.wanted.max(1) as f32
    }

    /// Whether a candidate can lead to a result. `within` says which candidates are wanted however
    /// many there are.
    #[inline(always)]
    fn wants(&self, candidate: Candidate, within: impl Fn(Candidate) -> bool) -> bool {
        if !self.results.has_room_for(candidate) {
            return false;
        }
        let last = self.results.candidates().get(self.ef - 1);
        last.is_none_or(|last| candidate < *last) || within(candidate)
    }

    /// Puts a candidate where it belongs.
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

    /// The node to expand next, or `None` if the rest leads nowhere.
    #[inline(always)]
    fn expand_nearest(&mut self, within: impl Fn(Candidate) -> bool) -> Option<NodeId> {
        let candidate = self.frontier.pop()?;
        self.wants(candidate, within).then(|| candidate.id())
    }
}

/// A [`FilteredBeam`] beam under a filter. `within` says which candidates are wanted however many
/// there are.
pub(crate) struct FilteredList<'a, 's, F, W> {
    pub(crate) beam: &'a mut FilteredBeam<'s>,
    pub(crate) filter: &'a F,
    pub(crate) within: W,
}

impl<F: Filter, W: Fn(Candidate) -> bool + Copy> List for FilteredList<'_, '_, F, W> {
    #[inline(always)]
    fn offer(&mut self, candidate: Candidate) {
        self.beam.take(candidate, self.filter, self.within);
    }

    #[inline(always)]
    fn expand(&mut self) -> Option<NodeId> {
        self.beam.expand_nearest(self.within)
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

impl<R: Ranker> Traversal<'_, R> {
    /// Ranks and expands accepted nodes alone, and sees through the others: where a link leads to a
    /// gated node, the accepted ones among that node's links count as linked (Patel et al.,
    /// ACORN, SIGMOD 2024, section 5), up to as many as a row holds.
    ///
    /// A node's links are read twice at most, once when it is expanded and once when it is seen
    /// through.
    pub(crate) fn two_hop(
        &mut self,
        level: &LevelView<'_>,
        gated: &mut FilteredBeam<'_>,
        visited: &mut Visited<'_>,
        filter: &impl Filter,
    ) {
        while self.stats.distances < self.budget {
            let Some(id) = gated.expand_nearest(|_| false) else { return };
            self.stats.hops += 1;
            if let Some(links) = gated.frontier.peek().and_then(|next| level.row(next.id())) {
                prefetch(links, LINK_PREFETCH_LINES);
            }
            for piece in level.row(id).unwrap_or(&[]).chunks(GATHER) {
                self.leap_over(piece, level, gated, visited, filter);
            }
        }
    }

    fn leap_over(
        &mut self,
        links: &[u32],
        level: &LevelView<'_>,
        gated: &mut FilteredBeam<'_>,
        visited: &mut Visited<'_>,
        filter: &impl Filter,
    ) {
        let is_node = |id: &NodeId| (*id as usize) < self.count;
        let (mut accepted, mut gathered, mut gated_links) = (Ids::new(), Ids::new(), Ids::new());
        for id in links.iter().copied().take_while(is_node) {
            let accepts = filter.accepts(id);
            accepted.push_if(id, accepts);
            gated_links.push_if(id, !accepts);
        }
        let most = links.len();
        gathered.extend_unseen(&accepted, most, visited, self.query);
        for (index, id) in gated_links.ids().iter().enumerate() {
            if gathered.len == most {
                break;
            }
            if index % AHEAD == 0 {
                for next in gated_links.ids()[index..].iter().take(2 * AHEAD) {
                    prefetch(level.row(*next).unwrap_or(&[]), LINK_PREFETCH_LINES);
                }
            }
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

/// FilteredBeam links of which the rows are prefetched before the first of them is read.
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

    /// Without a branch, which would be mispredicted once for every few matches.
    #[inline(always)]
    fn push_if(&mut self, id: NodeId, condition: bool) {
        self.ids[self.len % GATHER] = id;
        self.len += usize::from(condition);
    }

    /// Adds those that are new to the search, up to `most` in all.
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
