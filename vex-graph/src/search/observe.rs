//! Observed searches: each step of a search is reported while it happens.
//!
//! An observed search runs the code of any search. What it reports is what happened, not a second
//! account of it. A search that nobody observes has an [`Observer`] that does nothing, and compiles
//! to the same instructions as if there were none.

#[cfg(feature = "alloc")]
use core::cell::RefCell;

#[cfg(feature = "alloc")]
use super::{Filter, Neighbor, Scratch, SearchStats, filtered, search_with};
use crate::NodeId;
#[cfg(feature = "alloc")]
use crate::{Elements, GraphView, SearchError, SearchParams};

/// A step of a search. Distances are those of the metric; smaller is nearer.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub enum Step {
    /// The search goes on on this level; 0 is the base. First of all, the entry point is ranked.
    Level {
        /// The level.
        level: usize,
    },
    /// A distance was computed: by the node's code if the search goes through codes, else by its
    /// vector.
    Ranked {
        /// The node.
        id: NodeId,
        /// Its distance, or the estimate of its code.
        distance: f32,
    },
    /// The node is expanded: its links are ranked next, except those that were seen. A search may
    /// rank the links of one node after it has chosen the next.
    Expanded {
        /// The node.
        id: NodeId,
    },
    /// Every node that the filter accepts is ranked from here on.
    Scan,
    /// A candidate of a search by the upper bits of codes was ranked again by all bits.
    Refined {
        /// The node.
        id: NodeId,
        /// The estimate of its whole code.
        distance: f32,
    },
    /// A candidate of a search through codes was compared by its vector.
    Reranked {
        /// The node.
        id: NodeId,
        /// Its exact distance.
        distance: f32,
    },
    /// Codes left the answer in doubt. The search begins again by vectors.
    ByVectors,
}

/// Sees the steps of a search.
pub(crate) trait Observer {
    /// Whether anyone listens. Without, reports are not even prepared.
    const LISTENS: bool;

    fn step(&self, step: Step);
}

/// Nobody.
impl Observer for () {
    const LISTENS: bool = false;

    #[inline(always)]
    fn step(&self, _: Step) {}
}

#[cfg(feature = "alloc")]
impl<F: FnMut(Step)> Observer for RefCell<F> {
    const LISTENS: bool = true;

    fn step(&self, step: Step) {
        // Steps are reported one after the other, and a report is no search.
        (self.borrow_mut())(step);
    }
}

/// [`search`](crate::search) that calls `observe` for each of its steps. It finds the same.
///
/// # Errors
/// If the query cannot be searched for, or the scratch could not grow.
///
/// # Complexity
/// That of the search, and of a call for each distance. Nothing else is allocated.
///
/// # Examples
/// ```
/// use vex_graph::{Hnsw, Metric, Neighbor, Params, Scratch, SearchParams, Step, search_observed};
///
/// let mut graph = Hnsw::new(Metric::SquaredEuclidean, 1, Params::default())?;
/// for element in 0..100 {
///     graph.insert(&[element as f32])?;
/// }
/// let (params, mut out) = (SearchParams::new(3), [Neighbor::default(); 3]);
/// let mut expanded = Vec::new();
/// let observe = |step| {
///     if let Step::Expanded { id } = step {
///         expanded.push(id);
///     }
/// };
/// let stats = search_observed(&graph.view(), &[7.2], &params, &mut Scratch::new(), &mut out, observe)?;
/// assert_eq!(expanded.len(), stats.hops);
/// assert!(expanded.contains(&7));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[cfg(feature = "alloc")]
pub fn search_observed<'q>(
    view: &GraphView<'_>,
    query: impl Into<Elements<'q>>,
    params: &SearchParams,
    scratch: &mut Scratch,
    out: &mut [Neighbor],
    observe: impl FnMut(Step),
) -> Result<SearchStats, SearchError> {
    scratch.reserve(view, params)?;
    search_with(view, query.into(), params, scratch.as_mut(), out, &RefCell::new(observe))
}

/// [`search_filtered`](crate::search_filtered) that calls `observe` for each of its steps. It finds
/// the same.
///
/// # Errors
/// If the query cannot be searched for, or the scratch could not grow.
///
/// # Complexity
/// That of the search, and of a call for each distance.
#[cfg(feature = "alloc")]
pub fn search_filtered_observed<'q>(
    view: &GraphView<'_>,
    query: impl Into<Elements<'q>>,
    params: &SearchParams,
    filter: &impl Filter,
    scratch: &mut Scratch,
    out: &mut [Neighbor],
    observe: impl FnMut(Step),
) -> Result<SearchStats, SearchError> {
    scratch.reserve_filtered(view, params)?;
    filtered::search_with(view, query.into(), params, filter, scratch.as_mut(), out, &RefCell::new(observe))
}
