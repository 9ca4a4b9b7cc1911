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
}

impl<'q, Q: Estimator> Slack<'q, Q> {
    /// No rule, if the list has room for every node, so that the answer is exact. Nor by inner
    /// product: a product is no distance.
    pub(crate) fn new(query: &'q Q, view: &GraphView<'_>, params: &SearchParams) -> Self {
        let has_rule = view.metric() != Metric::InnerProduct && params.ef_search < view.count();
        let slack = if has_rule { params.slack.max(0.0) } else { f32::INFINITY };
        Self { query, k: params.k.max(1), factor: 1.0 + slack }
    }

    /// No rule.
    pub(crate) fn none(query: &'q Q) -> Self {
        Self { query, k: 1, factor: f32::INFINITY }
    }

    /// Whether `next` is too far to be expanded, beside the `nearest` so far, which are sorted.
    #[inline(always)]
    pub(crate) fn ends(&self, nearest: &[Candidate], next: Candidate) -> bool {
        let Some(kth) = nearest.get(self.k - 1).filter(|_| self.factor < f32::INFINITY) else {
            return false;
        };
        let least = self.query.distance(next.distance()) - self.query.deviation(next.id());
        least > self.factor * self.query.distance(kth.distance())
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
