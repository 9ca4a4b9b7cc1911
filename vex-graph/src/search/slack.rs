//! The early end of a search, by distance.
//!
//! ```text
//! d(k)    distance of the k-th nearest so far
//! d       distance of the nearest candidate that was not expanded
//! σ       standard deviation of the error in d, if it is that of a code
//!
//! the search ends once   d − σ > (1 + slack) d(k)
//! ```
//!
//! A candidate list of fixed length treats all queries alike. Around some queries the list reaches
//! twice as far as the k-th neighbor, and its far end leads to nothing. Around others it does not
//! reach far enough. The rule measures in distances instead (Al-Jazzazi et al., Distance Adaptive
//! Beam Search for Provably Accurate Graph-Based Nearest Neighbor Search, 2025, section 3). The
//! list is still the most that a search may expand.
//!
//! The deviation keeps the rule from trusting codes where their errors are as large as distances.
//!
//! There is no value that is right for all sets. In D dimensions, a ball that is `1 + slack` times
//! as large by squared distance holds `(1 + slack)^(D/2)` times as many nodes. With 0.2 that is a
//! factor of 2 for 8 dimensions, and of 38 for 40. So the rule is off by default.
//!
//! A caller that searches several indexes, one after the other, has a distance for the second rule:
//! that of the `k`-th nearest so far in all of them, the bound.
//!
//! ```text
//! the search ends once   d − σ > bound   and enough candidates are nearer than d
//! ```
//!
//! The search must come near the query before it may give up. So "enough" is a quarter of the list.
//! Where an index has many of the neighbors, many candidates are within the bound, and the search
//! goes on to the end of its list.

use vex_kernels::Metric;

use super::{CandidateList, beam};
use crate::distance::Estimator;
use crate::{Candidate, GraphView, NodeId, SearchParams};

/// The rule for one search. The head of this file tells it, and `docs/tuning.md` what it gains.
pub(crate) struct Slack<'q, Q> {
    query: &'q Q,
    /// At least 1.
    k: usize,
    /// `1 + slack`.
    factor: f32,
    bound: f32,
    /// The bound ends no search before so many candidates are nearer than the next.
    enough: usize,
    /// Whether there is a rule at all.
    is_on: bool,
}

/// One of so many candidates of the list must be nearer than one that the bound ends the search at.
const ENOUGH: usize = 4;

impl<'q, Q: Estimator> Slack<'q, Q> {
    /// No rule, if the list has room for every node, so that the answer is exact. By inner product the
    /// bound alone: a product is no distance that could be multiplied.
    pub(crate) fn new(query: &'q Q, view: &GraphView<'_>, params: &SearchParams) -> Self {
        let (k, is_exact) = (params.k.max(1), params.ef_search >= view.count());
        let is_distance = view.metric() != Metric::InnerProduct;
        let factor = if is_distance { 1.0 + params.slack.max(0.0) } else { f32::INFINITY };
        let bound = params.bound;
        let is_on = !is_exact && (factor < f32::INFINITY || bound < f32::INFINITY);
        Self { query, k, factor, bound, enough: k.max(params.ef_search / ENOUGH), is_on }
    }

    /// No rule.
    pub(crate) fn none(query: &'q Q) -> Self {
        Self { query, k: 1, factor: f32::INFINITY, bound: f32::INFINITY, enough: 1, is_on: false }
    }

    /// Whether `next` is too far to be expanded, beside the `nearest` so far, which are sorted.
    #[inline(always)]
    pub(crate) fn ends(&self, nearest: &[Candidate], next: Candidate) -> bool {
        if !self.is_on {
            return false;
        }
        let Some(kth) = nearest.get(self.k - 1) else { return false };
        let least = self.query.distance(next.distance()) - self.query.deviation(next.id());
        let is_beyond = least > self.bound && nearest.get(self.enough - 1).is_some_and(|last| *last < next);
        is_beyond
            || (self.factor < f32::INFINITY && least > self.factor * self.query.distance(kth.distance()))
    }
}

/// A candidate list that ends by the rule.
pub(crate) struct SlackList<'a, 's, 'q, Q> {
    pub(crate) list: &'a mut CandidateList<'s>,
    pub(crate) slack: Slack<'q, Q>,
    /// Whether the rule ended the search.
    pub(crate) has_ended: bool,
}

impl<Q: Estimator> beam::List for SlackList<'_, '_, '_, Q> {
    #[inline(always)]
    fn offer(&mut self, candidate: Candidate) {
        self.list.insert(candidate);
    }

    #[inline(always)]
    fn expand(&mut self) -> Option<NodeId> {
        let position = self.list.next_position();
        let candidates = self.list.candidates();
        let next = candidates.get(position)?;
        // Pending nodes may have come nearer since the rule last ended the search.
        self.has_ended = self.slack.ends(&candidates[..position], *next);
        if self.has_ended { None } else { self.list.expand_nearest() }
    }

    #[inline(always)]
    fn next(&self) -> Option<NodeId> {
        self.list.runner_up()
    }

    #[inline(always)]
    fn approaches(&mut self) -> bool {
        self.list.next_position() < beam::APPROACH
    }
}
