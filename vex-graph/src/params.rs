//! What a graph is built with, and what a search is asked for.

use core::fmt;

use vex_kernels::Metric;

use crate::{Element, Quantization};

/// How a graph is built. Names and meaning after Malkov & Yashunin (2016), section 4.
///
/// In the repository, chapter 3 (`docs/3-build.md`) explains the parameters, and `docs/tuning.md`
/// helps to choose them.
///
/// ```
/// use vex_graph::{Params, Quantization};
///
/// const PARAMS: Params = Params::new().m(24).quantization(Some(Quantization::Sq8));
/// assert_eq!((PARAMS.m, PARAMS.ef_construction), (24, 200));
/// assert_eq!(Params::default(), Params::new());
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(default, deny_unknown_fields))]
#[non_exhaustive]
pub struct Params {
    /// Links that a new node makes on each level, and the most it keeps above the base; 4 to 512.
    /// The base keeps up to `2 m`. More links find more and cost memory: 8 m bytes a node.
    pub m: usize,
    /// Candidates that an insert considers; 1 to 2³² − 1. More makes a better graph, more slowly.
    /// The graph takes no more memory.
    pub ef_construction: usize,
    /// Seed of the levels, and of the order in which a bulk build inserts. The same seed,
    /// parameters and vectors give the same graph. Draws are outputs of SplitMix64 (Steele, Lea &
    /// Flood, 2014). A level is ⌊−ln(u) / ln `m`⌋ for a draw u (section 4.1).
    pub seed: u64,
    /// Fill every row up with the nearest of the candidates that the selection dropped
    /// (`keepPrunedConnections` of Algorithm 4). Without it, rows are filled up to three quarters
    /// of `m`. Memory is the same.
    pub keep_pruned: bool,
    /// What vectors are kept as, and compared as.
    pub element: Element,
    /// Codes by which searches rank nodes. Only vectors of f32 and f16 can be coded.
    ///
    /// With any codes, a bulk build selects links by 8-bit codes, whatever codes the graph keeps.
    /// From 256 elements on, and up to 2¹⁸ nodes, 4-bit codes find the candidates. Where the errors
    /// of codes are too large, and by inner product, a build compares vectors.
    pub quantization: Option<Quantization>,
}

impl Params {
    /// Smallest and largest `m`.
    pub const M_RANGE: core::ops::RangeInclusive<usize> = 4..=512;

    /// The defaults: 16 links, 200 candidates, seed 0, rows that are not filled up, elements of
    /// f32, no codes.
    pub const fn new() -> Self {
        Self {
            m: 16,
            ef_construction: 200,
            seed: 0,
            keep_pruned: false,
            element: Element::F32,
            quantization: None,
        }
    }

    /// Sets [`m`](field@Self::m).
    pub const fn m(mut self, m: usize) -> Self {
        self.m = m;
        self
    }

    /// Sets [`ef_construction`](field@Self::ef_construction).
    pub const fn ef_construction(mut self, ef_construction: usize) -> Self {
        self.ef_construction = ef_construction;
        self
    }

    /// Sets [`seed`](field@Self::seed).
    pub const fn seed(mut self, seed: u64) -> Self {
        self.seed = seed;
        self
    }

    /// Sets [`keep_pruned`](field@Self::keep_pruned).
    pub const fn keep_pruned(mut self, keep_pruned: bool) -> Self {
        self.keep_pruned = keep_pruned;
        self
    }

    /// Sets [`element`](field@Self::element).
    pub const fn element(mut self, element: Element) -> Self {
        self.element = element;
        self
    }

    /// Sets [`quantization`](field@Self::quantization).
    pub const fn quantization(mut self, quantization: Option<Quantization>) -> Self {
        self.quantization = quantization;
        self
    }

    /// The most links that a node keeps on the base level.
    pub const fn m0(&self) -> usize {
        2 * self.m
    }

    /// The most links that a node keeps on a level.
    #[cfg(feature = "alloc")]
    pub(crate) fn width(&self, level: usize) -> usize {
        if level == 0 { self.m0() } else { self.m }
    }

    /// The links to which rows of a width are filled up with what the selection dropped.
    #[cfg(feature = "alloc")]
    pub(crate) fn least(&self, width: usize) -> usize {
        if self.keep_pruned { width } else { self.m - self.m / 4 }
    }

    /// Checks the ranges, and that the vectors can be coded if they are to be. Whatever takes
    /// parameters calls this.
    ///
    /// # Errors
    /// If `m` or `ef_construction` is out of its range, or there are no codes of such elements.
    pub fn validate(&self) -> Result<(), ParamsError> {
        if !Self::M_RANGE.contains(&self.m) {
            return Err(ParamsError::M { found: self.m });
        }
        if !(1..=u32::MAX as usize).contains(&self.ef_construction) {
            return Err(ParamsError::EfConstruction { found: self.ef_construction });
        }
        if self.quantization.is_some() && !self.element.can_be_coded() {
            return Err(ParamsError::Quantization { found: self.element });
        }
        Ok(())
    }
}

impl Default for Params {
    fn default() -> Self {
        Self::new()
    }
}

/// What a search is asked for.
///
/// In the repository, chapter 2 (`docs/2-hnsw.md`) explains the candidate list, chapter 6
/// (`docs/6-codes.md`) reranking, and `docs/tuning.md` helps to choose values.
///
/// ```
/// use vex_graph::SearchParams;
///
/// let params = SearchParams::new(10).ef_search(100).max_distance_evals(5_000);
/// assert_eq!((params.k, params.ef_search), (10, 100));
/// assert_eq!(SearchParams::new(10).ef_search, SearchParams::EF_SEARCH);
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(deny_unknown_fields))]
#[non_exhaustive]
pub struct SearchParams {
    /// How many neighbors to return; all, if there are fewer.
    pub k: usize,
    /// How many candidates to keep on the base level. Raised to `k` if it is less, and through
    /// codes of four bits to 1.5 or 2 times `k`; more finds more, more slowly. The time of a search
    /// is about linear in it, with a constant part.
    ///
    /// Without codes, as many as there are nodes return exactly the nearest. Through codes a
    /// neighbor can be missed: where the error of its code is larger than estimated, it is not
    /// compared by its vector.
    #[cfg_attr(feature = "serde", serde(default = "crate::settings::ef_search"))]
    pub ef_search: usize,
    /// The search stops once it has computed this many distances, and returns the best it has seen.
    /// It looks at the entry point in any case, and at the end of a row of links that it has
    /// begun.
    #[cfg_attr(feature = "serde", serde(with = "crate::settings::max_distance_evals"))]
    #[cfg_attr(feature = "serde", serde(default = "crate::settings::max_distance_evals::default"))]
    pub max_distance_evals: usize,
    /// How many candidates of a search through codes are compared by their vectors at most, as a
    /// multiple of `k`. Candidates that are farther beyond doubt are not compared. The default,
    /// [`RERANK`](Self::RERANK), is no limit but `ef_search`. [`f32::INFINITY`] compares all
    /// candidates, in doubt or not. 0 compares none: distances are then estimates from the codes.
    /// Less than 0 counts as 0, and between 0 and 1 `k` candidates may be compared.
    #[cfg_attr(feature = "serde", serde(deserialize_with = "crate::settings::infinite::deserialize"))]
    #[cfg_attr(feature = "serde", serde(default = "crate::settings::rerank"))]
    pub rerank: f32,
    /// Ends a search early: once the nearest candidate that was not expanded is farther than
    /// `1 + slack` times the `k`-th nearest. `ef_search` is then the most that a query may take, and
    /// easy queries take less. The default, [`f32::INFINITY`], always searches to the end of the
    /// list. Less than 0 counts as 0. (Al-Jazzazi et al., *Distance Adaptive Beam Search for
    /// Provably Accurate Graph-Based Nearest Neighbor Search*, 2025, section 3.)
    ///
    /// For text embeddings, try 0.2 and twice the `ef_search`. From a recall of 0.98 on, a search
    /// then finds as much with a quarter to a half fewer distances. At 0.1 recall suffers. In few
    /// dimensions (10, say) any `slack` limits the recall, whatever `ef_search` is. So no value but
    /// infinity is right for all sets.
    ///
    /// Under [`SquaredEuclidean`](crate::Metric::SquaredEuclidean), squared distances are compared.
    /// An inner product is no distance, so `slack` is ignored there. It is ignored, too, if
    /// `ef_search` is at least the number of nodes, and in a search for pages or within a radius.
    #[cfg_attr(feature = "serde", serde(deserialize_with = "crate::settings::infinite::deserialize"))]
    #[cfg_attr(feature = "serde", serde(default = "crate::settings::slack"))]
    pub slack: f32,
}

impl SearchParams {
    /// The default of [`rerank`](Self::rerank): every candidate that may be among the `k` nearest.
    /// On most sets that is half a `k` more than `k`.
    pub const RERANK: f32 = f32::MAX;

    /// How many candidates a search through codes should have found to compare, as a multiple of
    /// `k`.
    const CANDIDATES: usize = 4;

    /// The default of [`ef_search`](field@Self::ef_search): enough for a recall of about 0.98 on
    /// common embeddings.
    pub const EF_SEARCH: usize = 64;

    /// Asks for `k` neighbors, with [`EF_SEARCH`](Self::EF_SEARCH) candidates, or `k` if that is
    /// more, and no limit on the work.
    pub const fn new(k: usize) -> Self {
        Self {
            k,
            ef_search: Self::EF_SEARCH,
            max_distance_evals: usize::MAX,
            rerank: Self::RERANK,
            slack: f32::INFINITY,
        }
    }

    /// Sets [`k`](field@Self::k).
    pub const fn k(mut self, k: usize) -> Self {
        self.k = k;
        self
    }

    /// Sets [`ef_search`](field@Self::ef_search).
    pub const fn ef_search(mut self, ef_search: usize) -> Self {
        self.ef_search = ef_search;
        self
    }

    /// Sets [`max_distance_evals`](field@Self::max_distance_evals).
    pub const fn max_distance_evals(mut self, max_distance_evals: usize) -> Self {
        self.max_distance_evals = max_distance_evals;
        self
    }

    /// Sets [`rerank`](field@Self::rerank).
    pub const fn rerank(mut self, rerank: f32) -> Self {
        self.rerank = rerank;
        self
    }

    /// Sets [`slack`](field@Self::slack).
    pub const fn slack(mut self, slack: f32) -> Self {
        self.slack = slack;
        self
    }

    /// The same, with as many candidates as a search through such codes needs: what the errors of
    /// codes place behind the last of them is lost, so there must be more than are returned.
    /// `None` stands for any codes.
    pub(crate) const fn for_codes(mut self, codes: Option<Quantization>) -> Self {
        let least = match codes {
            Some(Quantization::Sq8) => self.k,
            Some(Quantization::Sq4) => self.k.saturating_add(self.k / 2),
            Some(Quantization::Sq2x2) | None => self.k.saturating_mul(2),
        };
        self.ef_search = larger(self.ef_search, least);
        self
    }

    /// The number of candidates that a search of `count` nodes keeps.
    pub(crate) const fn beam_width(&self, count: usize) -> usize {
        let asked = larger(self.ef_search, self.k);
        if asked < count { asked } else { count }
    }

    /// How many candidates of a search through codes may be compared by their vectors, if there are
    /// as many.
    pub(crate) fn reranked(&self) -> usize {
        // Saturates: without a limit it is the largest number.
        let reranked = libm::ceilf(self.k as f32 * self.rerank) as usize;
        // At least as many as are returned, or none.
        if reranked == 0 { 0 } else { reranked.max(self.k) }
    }

    /// How many candidates a search with a filter must have at least, so that there are enough to
    /// compare.
    pub(crate) fn least_candidates(&self) -> usize {
        self.reranked().min(self.k.saturating_mul(Self::CANDIDATES)).max(self.k)
    }
}

/// `Ord::max` cannot be called in constants.
const fn larger(a: usize, b: usize) -> usize {
    if a > b { a } else { b }
}

/// Parameters that no graph can be built with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ParamsError {
    /// `m` is outside [`Params::M_RANGE`].
    M {
        /// The value given.
        found: usize,
    },
    /// `ef_construction` is zero, or too large for the file.
    EfConstruction {
        /// The value given.
        found: usize,
    },
    /// There are to be codes, and vectors of these elements cannot be coded.
    Quantization {
        /// The type of the elements.
        found: Element,
    },
    /// Vectors of these elements have no such distance: see [`Element::metrics`].
    Metric {
        /// The type of the elements.
        element: Element,
        /// The metric given.
        found: Metric,
    },
    /// The vectors have no dimension, or too many for an index.
    Dim {
        /// The value given.
        found: usize,
    },
}

impl fmt::Display for ParamsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::M { found } => {
                let range = Params::M_RANGE;
                write!(f, "m: expected {} to {}, found {found}", range.start(), range.end())
            }
            Self::EfConstruction { found } => {
                write!(f, "ef_construction: expected 1 to {}, found {found}", u32::MAX)
            }
            Self::Quantization { found } => write!(f, "codes: expected vectors of f32 or f16, found {found}"),
            Self::Metric { element, found } => write!(f, "vectors of {element} have no {found} distance"),
            Self::Dim { found } => write!(f, "dimension: expected 1 to {}, found {found}", crate::MAX_DIM),
        }
    }
}

impl core::error::Error for ParamsError {}
