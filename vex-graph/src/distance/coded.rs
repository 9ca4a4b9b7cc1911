//! A query that is compared with codes first and with vectors last.

use super::codes::{Codes, QueryCode};
use super::rerank::{self, Reranked};
use super::{AnyQuery, Estimator, with_query};
use crate::{Candidate, GraphView, SearchParams};

/// A query by its code and by its vector.
#[derive(Clone, Copy)]
pub(crate) struct Coded<'q> {
    pub(crate) codes: Codes<'q>,
    pub(crate) code: QueryCode<'q>,
    exact: AnyQuery<'q>,
    /// Whether candidates are reranked by vectors: the view has vectors, and the caller wants it.
    pub(crate) reranks: bool,
    /// Whether all candidates are reranked, whatever their codes say.
    reranks_all: bool,
}

/// Runs the same code with each type that ranks nodes by the codes of a [`Coded`].
///
/// `$coarse` ranks nodes during the traversal. Under SQ2x2 it uses the upper bits of a code, and
/// `$fine` is `Some` ranker by whole codes. Else, and if the search is not `$guided`, `$coarse`
/// uses whole codes and `$fine` is `None`.
macro_rules! with_codes {
    ($coded:expr, $guided:expr, $coarse:ident, $fine:ident => $body:expr) => {{
        use $crate::distance::codes::{CodeQuery, Eight, Four, Product, Two, TwoByTwo};
        let (codes, code) = (&$coded.codes, $coded.code);
        match codes.quantization() {
            $crate::Quantization::Sq8 => {
                let $coarse = CodeQuery::new(codes, code, Eight::new());
                let $fine = None::<CodeQuery<'_, TwoByTwo>>;
                $body
            }
            $crate::Quantization::Sq4 => {
                let $coarse = CodeQuery::new(codes, code, Four::new());
                let $fine = None::<CodeQuery<'_, TwoByTwo>>;
                $body
            }
            $crate::Quantization::Sq2x2 if $guided => {
                let $coarse = CodeQuery::new(codes, code, Two::new());
                let $fine = Some(CodeQuery::new(codes, code, TwoByTwo::new()));
                $body
            }
            $crate::Quantization::Sq2x2 => {
                let $coarse = CodeQuery::new(codes, code, TwoByTwo::new());
                let $fine = None::<CodeQuery<'_, TwoByTwo>>;
                $body
            }
        }
    }};
}
pub(crate) use with_codes;

impl<'q> Coded<'q> {
    /// The query, coded in the memory of `code` and `rotated`. `None` if the view has no codes, or
    /// the query cannot be coded.
    pub(crate) fn new(
        view: &GraphView<'q>,
        exact: AnyQuery<'q>,
        params: &SearchParams,
        code: &'q mut [i8],
        rotated: &mut [f32],
    ) -> Option<Self> {
        let codes = *view.codes()?;
        let code = codes.query(view.metric(), &exact, code, rotated)?;
        let reranks = view.rows().are_stored() && params.reranked() > 0;
        Some(Self { codes, code, exact, reranks, reranks_all: params.rerank == f32::INFINITY })
    }

    /// The distance for a rank by codes.
    pub(crate) fn distance(&self, rank: f32) -> f32 {
        self.code.distance(rank)
    }

    /// The distance for a rank by vectors.
    pub(crate) fn exact_distance(&self, rank: f32) -> f32 {
        self.exact.distance(rank)
    }

    /// The least distance that a candidate may have, as far as its code shows. If nothing is
    /// reranked, this is the distance by its code.
    pub(crate) fn least(&self, candidate: Candidate) -> f32 {
        if !self.reranks {
            return self.distance(candidate.distance());
        }
        self.code.least_distance(candidate.distance(), self.codes.terms()[candidate.id() as usize])
    }

    /// Reranks candidates, which are sorted by their codes: the first `k`, and others that may be
    /// nearer than one of these.
    pub(crate) fn rerank<'c>(&self, candidates: &'c mut [Candidate], k: usize) -> Reranked<'c> {
        let coded = |rank| self.distance(rank);
        let least = |candidate| if self.reranks_all { f32::NEG_INFINITY } else { self.least(candidate) };
        with_query!(&self.exact, exact => {
            rerank::rerank(exact, |rank| exact.distance(rank), coded, least, candidates, k)
        })
    }
}
