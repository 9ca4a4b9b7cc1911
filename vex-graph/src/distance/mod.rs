//! Distances from a query to nodes: exact ones by vectors, and estimates by codes.
//!
//! A search has up to three kinds of distance, each more accurate and more expensive than the one
//! before:
//!
//! | kind | computed from | what it is for |
//! |---|---|---|
//! | coarse | the upper bits of codes, or whole codes | to traverse the graph |
//! | fine | whole codes | to order the candidates |
//! | exact | vectors | to rerank the best candidates |
//!
//! A [`Ranker`] orders nodes by one of them. [`Coded`] owns all three for one query, and the rule
//! of reranking. [`Edge`] estimates whether codes have lost a neighbor.

mod coded;
pub(crate) mod codes;
mod doubt;
mod exact;
mod ranker;
mod rerank;

pub(crate) use coded::{Coded, with_codes};
pub(crate) use doubt::Edge;
pub(crate) use exact::{AnyQuery, with_query};
#[cfg(feature = "alloc")]
pub(crate) use exact::{Query, kernel};
pub(crate) use ranker::{Estimator, Observed, Ranker, each_of_4};
#[cfg(feature = "alloc")]
pub(crate) use rerank::rank_anew;
pub(crate) use rerank::{Reranked, refine};
