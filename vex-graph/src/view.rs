//! The borrowed graph: all that a search can see, whoever owns the bytes.

use core::fmt;

use vex_kernels::Metric;

use crate::copies::Chains;
use crate::{
    Codes, CopyLinks, Element, Elements, MAX_DIM, MAX_LEVELS, MAX_NODES, NodeId, NodeSet, Scalar, TERMINATOR,
};

/// Vectors in rows: one slice, with one row for each node, at a fixed stride. Row `id` begins at
/// scalar `id * stride`; a *scalar* holds one element, or 64 bits.
#[derive(Clone, Copy, Debug)]
pub struct Rows<'a> {
    metric: Metric,
    /// Empty if the vectors are not stored.
    elements: Elements<'a>,
    dim: usize,
    stride: usize,
    count: usize,
}

impl<'a> Rows<'a> {
    /// Rows of `dim` elements that begin `stride` scalars apart. The last row, too, takes `stride`
    /// scalars. What is between a vector and the next row is not read.
    ///
    /// Under cosine, vectors of floating-point elements must have unit length. A distance then
    /// takes one product of vectors instead of three. This is not checked, since `new` takes
    /// constant time: vectors of other lengths get wrong distances.
    ///
    /// # Errors
    /// If `elements` is not `count * stride` scalars long, the element type does not have the
    /// metric, or a size is out of range: `dim` 1 to [`MAX_DIM`], a `stride` of at least the
    /// scalars of a vector, and at most [`MAX_NODES`] rows.
    pub fn new(
        metric: Metric,
        elements: impl Into<Elements<'a>>,
        dim: usize,
        stride: usize,
        count: usize,
    ) -> Result<Self, ViewError> {
        let elements = elements.into();
        let element = elements.element();
        if dim == 0 || dim > MAX_DIM || stride < element.scalars(dim) {
            return Err(ViewError::Dim { dim, stride });
        }
        if count > MAX_NODES {
            return Err(ViewError::Count { found: count });
        }
        let expected = count.checked_mul(stride);
        if expected != Some(elements.len()) {
            return Err(ViewError::Vectors {
                expected: expected.unwrap_or(usize::MAX),
                found: elements.len(),
            });
        }
        if !element.metrics().contains(&metric) {
            return Err(ViewError::Metric { element, found: metric });
        }
        Ok(Self { metric, elements, dim, stride, count })
    }

    /// Rows whose vectors are not stored, for a graph that has codes instead.
    ///
    /// # Errors
    /// If a size is out of range, or the element type does not have the metric.
    pub fn absent(element: Element, metric: Metric, dim: usize, count: usize) -> Result<Self, ViewError> {
        let none = Self::new(metric, Elements::none(element), dim, dim, 0)?;
        if count > MAX_NODES {
            return Err(ViewError::Count { found: count });
        }
        Ok(Self { count, stride: 0, ..none })
    }

    /// Whether the vectors are stored.
    pub fn are_stored(&self) -> bool {
        self.stride > 0
    }

    /// The metric by which rows are compared.
    pub fn metric(&self) -> Metric {
        self.metric
    }

    /// The type of the elements.
    pub fn element(&self) -> Element {
        self.elements.element()
    }

    /// Elements of a vector.
    pub fn dim(&self) -> usize {
        self.dim
    }

    /// Scalars from the start of one row to the start of the next; 0 if vectors are not stored.
    pub fn stride(&self) -> usize {
        self.stride
    }

    /// How many rows there are.
    pub fn count(&self) -> usize {
        self.count
    }

    /// Every row with its padding, back to back.
    pub fn elements(&self) -> Elements<'a> {
        self.elements
    }

    /// The vector of a node. Under cosine it has unit length if its elements are floating-point.
    ///
    /// # Panics
    /// If there is no such row, or vectors are not stored.
    pub fn row(&self, id: NodeId) -> Elements<'a> {
        let start = id as usize * self.stride;
        self.elements.slice(start..start + self.element().scalars(self.dim))
    }
}

/// [`Rows`] whose element type is known when searches and builds are compiled.
#[derive(Clone, Copy)]
pub(crate) struct Matrix<'a, R> {
    scalars: &'a [R],
    /// Scalars of a vector.
    len: usize,
    stride: usize,
}

impl<'a, R: Scalar> Matrix<'a, R> {
    /// `scalars` are those of `rows`.
    pub(crate) fn new(rows: &Rows<'a>, scalars: &'a [R]) -> Self {
        Self { scalars, len: R::ELEMENT.scalars(rows.dim), stride: rows.stride }
    }
}

impl<'a, R> Matrix<'a, R> {
    #[inline(always)]
    pub(crate) fn row(&self, id: NodeId) -> &'a [R] {
        let start = id as usize * self.stride;
        &self.scalars[start..start + self.len]
    }
}

/// The links of one level.
///
/// ```text
/// nodes   0 .. sorted − 1, then the ids of `appended`, which ascend
/// links   one row of `width` ids for each node, in this order: links first, then terminators
/// ```
///
/// A built or saved graph has its ids sorted by level and appends nothing. A graph that grows
/// appends. In the repository, chapter 2 (`docs/2-hnsw.md`) explains levels, and chapter 8
/// (`docs/8-memory.md`) how they lie in memory.
#[derive(Clone, Copy, Debug, Default)]
pub struct LevelView<'a> {
    /// Rows of `width` ids, links first, then terminators: `width` ids for each node of the level.
    pub links: &'a [u32],
    /// Ids in a row: `m`, or `2 m` on the base.
    pub width: usize,
    /// Nodes 0 to `sorted − 1` are on this level.
    pub sorted: usize,
    /// Further nodes on this level, ascending.
    pub appended: &'a [NodeId],
}

impl<'a> LevelView<'a> {
    /// The links of a node, terminators included, or `None` if the node is not on this level. An
    /// appended node is found by binary search.
    #[inline]
    pub fn row(&self, id: NodeId) -> Option<&'a [u32]> {
        let id = id as usize;
        let row = if id < self.sorted {
            id
        } else {
            self.sorted + self.appended.binary_search(&(id as NodeId)).ok()?
        };
        self.links.get(row * self.width..(row + 1) * self.width)
    }

    /// The nodes of this level, ascending.
    #[cfg(feature = "alloc")]
    pub(crate) fn ids(&self) -> impl Iterator<Item = NodeId> + use<'a> {
        (0..self.sorted as NodeId).chain(self.appended.iter().copied())
    }

    /// How many nodes are on this level.
    pub fn count(&self) -> usize {
        self.sorted + self.appended.len()
    }
}

/// A graph that can be searched. It is borrowed from an owned [`Hnsw`](crate::Hnsw), a mapped file,
/// or flash memory. All methods take constant time, except where they say otherwise.
///
/// ```
/// use vex_graph::{GraphView, LevelView, Metric, Rows, TERMINATOR};
///
/// // Two nodes that link to each other, in rows of one element and of 2 m = 8 links.
/// let mut links = [TERMINATOR; 16];
/// (links[0], links[8]) = (1, 0);
/// let base = LevelView { links: &links, width: 8, sorted: 2, appended: &[] };
/// let rows = Rows::new(Metric::SquaredEuclidean, &[0.5, 3.0], 1, 1, 2)?;
/// let view = GraphView::new(rows, None, 4, 0, &[base])?;
/// assert_eq!((view.count(), view.links(0, 0)), (2, &[1][..]));
/// # Ok::<(), vex_graph::ViewError>(())
/// ```
#[derive(Clone, Copy, Debug)]
pub struct GraphView<'a> {
    rows: Rows<'a>,
    codes: Option<Codes<'a>>,
    tombstones: NodeSet<'a>,
    chains: Chains<'a>,
    m: usize,
    entry: NodeId,
    level_count: usize,
    levels: [LevelView<'a>; MAX_LEVELS],
}

impl<'a> GraphView<'a> {
    /// Makes a view of slices in constant time. Without vectors there must be codes. `levels[0]` is
    /// the base, which holds every node and whose rows have `2 m` links. `entry` is on the highest
    /// level, or [`TERMINATOR`] if there are no nodes.
    ///
    /// The links are not checked. Whatever they hold, a search stays inside the slices and ends.
    ///
    /// # Errors
    /// If the lengths of the slices do not agree with each other, there are neither vectors nor
    /// codes, or such elements have no codes. Also if there are no levels or more than
    /// [`MAX_LEVELS`], or `entry` is not on the highest.
    pub fn new(
        rows: Rows<'a>,
        codes: Option<Codes<'a>>,
        m: usize,
        entry: NodeId,
        levels: &[LevelView<'a>],
    ) -> Result<Self, ViewError> {
        match codes {
            Some(codes) if codes.dim() != rows.dim || codes.count() != rows.count => {
                return Err(ViewError::Codes { expected: rows.count, found: codes.count() });
            }
            Some(_) if !rows.element().can_be_coded() => {
                return Err(ViewError::Coded { found: rows.element() });
            }
            None if !rows.are_stored() => return Err(ViewError::Vectors { expected: rows.count, found: 0 }),
            _ => (),
        }
        if levels.is_empty() || levels.len() > MAX_LEVELS {
            return Err(ViewError::LevelCount { found: levels.len() });
        }
        let mut above = 0;
        // From the top down: no level may have fewer nodes than the one above it.
        for (index, level) in levels.iter().enumerate().rev() {
            let count = level.sorted.saturating_add(level.appended.len());
            let width = if index == 0 { m.saturating_mul(2) } else { m };
            let expected = count.checked_mul(width);
            if level.width != width || expected != Some(level.links.len()) {
                let expected = expected.unwrap_or(usize::MAX);
                return Err(ViewError::Links { level: index, expected, found: level.links.len() });
            }
            // The base appends nothing: every node has a row there, in the order of ids.
            let is_base = level.sorted == rows.count && level.appended.is_empty();
            if count < above || (index == 0 && !is_base) {
                return Err(ViewError::Level { level: index, found: count });
            }
            above = count;
        }
        let valid_entry = match rows.count {
            0 => entry == TERMINATOR,
            // An id that is appended to the level may be that of no node.
            count => (entry as usize) < count && levels[levels.len() - 1].row(entry).is_some(),
        };
        if !valid_entry {
            return Err(ViewError::Entry { found: entry });
        }
        let mut all = [LevelView::default(); MAX_LEVELS];
        all[..levels.len()].copy_from_slice(levels);
        let (tombstones, chains) = (NodeSet::default(), Chains::default());
        Ok(Self { rows, codes, tombstones, chains, m, entry, level_count: levels.len(), levels: all })
    }

    /// The same graph with these nodes deleted: searches pass through them and do not return them.
    /// A set without words is known to be empty, and costs searches nothing.
    pub fn with_tombstones(self, tombstones: NodeSet<'a>) -> Self {
        Self { tombstones, ..self }
    }

    /// The deleted nodes. The set may be shorter than the number of nodes.
    pub fn tombstones(&self) -> NodeSet<'a> {
        self.tombstones
    }

    /// The same graph with these copies: see [`CopyLinks`]. Searches find them through their
    /// originals.
    ///
    /// The links are not checked. Whatever they hold, a search returns no node twice and ends.
    ///
    /// # Errors
    /// If `links` is neither empty nor as long as there are nodes.
    pub fn with_copies(self, links: &'a [CopyLinks]) -> Result<Self, ViewError> {
        if !links.is_empty() && links.len() != self.rows.count {
            return Err(ViewError::Copies { expected: self.rows.count, found: links.len() });
        }
        Ok(Self { chains: Chains::new(links), ..self })
    }

    /// The links of copies, by node; empty if there are no copies.
    pub fn copies(&self) -> &'a [CopyLinks] {
        self.chains.links()
    }

    /// Whether a node has the vector of another one, and is found through it.
    pub fn is_copy(&self, id: NodeId) -> bool {
        self.chains.is_copy(id)
    }

    /// The copies of a node, in ascending order in a sound graph; none of a node that is a copy
    /// itself.
    pub fn copies_of(&self, id: NodeId) -> impl Iterator<Item = NodeId> + use<'a> {
        self.chains.copies_of(id)
    }

    /// The [links of copies](Self::copies) after the nodes are renumbered. `new_id` has the new id
    /// of each, and the copies of a chain ascend by these. Links that make no chain are left out.
    ///
    /// # Errors
    /// If memory runs out.
    ///
    /// # Panics
    /// If `new_id` gives an id that is not below the number of nodes.
    ///
    /// # Complexity
    /// A few passes over the nodes. No allocation if there are no copies.
    #[cfg(feature = "alloc")]
    pub fn renumbered_copies(
        &self,
        new_id: impl Fn(NodeId) -> NodeId,
    ) -> Result<alloc::vec::Vec<CopyLinks>, crate::OutOfMemory> {
        Ok(crate::storage::Copies::renumbered(self.chains, new_id, |_, _| true)?.into_links())
    }

    pub(crate) fn chains(&self) -> Chains<'a> {
        self.chains
    }

    /// The vectors.
    pub fn rows(&self) -> &Rows<'a> {
        &self.rows
    }

    /// The same graph without its codes, so that searches compare vectors. `None` if vectors are
    /// not stored.
    pub fn without_codes(self) -> Option<Self> {
        self.rows.are_stored().then_some(Self { codes: None, ..self })
    }

    /// The codes, if the graph has any.
    pub fn codes(&self) -> Option<&Codes<'a>> {
        self.codes.as_ref()
    }

    /// Whether the set of deleted nodes has any words, which is known in constant time. A set
    /// without words is empty.
    pub(crate) fn has_tombstones(&self) -> bool {
        !self.tombstones.words().is_empty()
    }

    /// The metric by which vectors are compared.
    pub fn metric(&self) -> Metric {
        self.rows.metric
    }

    /// The type of the elements of a vector.
    pub fn element(&self) -> Element {
        self.rows.element()
    }

    /// Elements of a vector.
    pub fn dim(&self) -> usize {
        self.rows.dim
    }

    /// How many nodes there are, deleted ones and copies included.
    pub fn count(&self) -> usize {
        self.rows.count
    }

    /// The most links of a node above the base; the base has twice as many.
    pub fn m(&self) -> usize {
        self.m
    }

    /// Where a search begins, or `None` if there are no nodes.
    pub fn entry(&self) -> Option<NodeId> {
        (self.rows.count > 0).then_some(self.entry)
    }

    /// The levels, base first.
    pub fn levels(&self) -> &[LevelView<'a>] {
        &self.levels[..self.level_count]
    }

    /// The level of a node: the highest that it is on. It is looked for on each level.
    pub fn level(&self, id: NodeId) -> usize {
        (1..self.level_count).rev().find(|level| self.levels[*level].row(id).is_some()).unwrap_or(0)
    }

    /// The links of a node on a level, without terminators; empty if the node is not on that level.
    ///
    /// # Panics
    /// If `level` is not below [`MAX_LEVELS`].
    pub fn links(&self, id: NodeId, level: usize) -> &'a [NodeId] {
        let row = self.levels[level].row(id).unwrap_or(&[]);
        let degree = row.iter().position(|id| *id as usize >= self.rows.count).unwrap_or(row.len());
        &row[..degree]
    }
}

/// Slices that do not make a graph.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ViewError {
    /// Vectors of these elements have no such distance: see [`Element::metrics`].
    Metric {
        /// The type of the elements.
        element: Element,
        /// The metric given.
        found: Metric,
    },
    /// The dimension is zero or too large, or the stride is smaller than a vector.
    Dim {
        /// Elements of a vector.
        dim: usize,
        /// Scalars from row to row.
        stride: usize,
    },
    /// More nodes than a graph can hold.
    Count {
        /// The count given.
        found: usize,
    },
    /// The vectors do not fill the rows.
    Vectors {
        /// Scalars that the sizes ask for.
        expected: usize,
        /// Scalars given.
        found: usize,
    },
    /// The codes are not those of the rows: another dimension or number, or bytes that do not fill
    /// the rows.
    Codes {
        /// Rows or bytes that the sizes ask for.
        expected: usize,
        /// Rows or bytes given.
        found: usize,
    },
    /// There are codes, and vectors of these elements cannot be coded.
    Coded {
        /// The type of the elements.
        found: Element,
    },
    /// There are links of copies, and not one for each node.
    Copies {
        /// The nodes.
        expected: usize,
        /// The links given.
        found: usize,
    },
    /// No level, or too many.
    LevelCount {
        /// The levels given.
        found: usize,
    },
    /// A level has fewer nodes than the one above it, or the base does not hold every node.
    Level {
        /// Which level.
        level: usize,
        /// Its nodes.
        found: usize,
    },
    /// The links of a level do not fill its rows.
    Links {
        /// Which level.
        level: usize,
        /// Ids that the sizes ask for.
        expected: usize,
        /// Ids given.
        found: usize,
    },
    /// The entry point is not on the highest level.
    Entry {
        /// The id given.
        found: NodeId,
    },
}

impl fmt::Display for ViewError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Metric { element, found } => write!(f, "vectors of {element} have no {found} distance"),
            Self::Dim { dim, stride } => {
                write!(
                    f,
                    "expected a dimension of 1 to {MAX_DIM} and a stride no smaller, found {dim} and {stride}"
                )
            }
            Self::Count { found } => write!(f, "expected at most {MAX_NODES} nodes, found {found}"),
            Self::Vectors { expected, found } => {
                write!(f, "expected {expected} vector elements, found {found}")
            }
            Self::Codes { expected, found } => {
                write!(f, "expected codes of size {expected}, found {found}, or another dimension")
            }
            Self::Coded { found } => {
                write!(f, "expected codes of f32 or f16 vectors, found vectors of {found}")
            }
            Self::Copies { expected, found } => {
                write!(f, "expected links of copies for {expected} nodes, found {found}")
            }
            Self::LevelCount { found } => write!(f, "expected 1 to {MAX_LEVELS} levels, found {found}"),
            Self::Level { level, found } => {
                write!(f, "level {level} has {found} nodes, too few for the levels beside it")
            }
            Self::Links { level, expected, found } => {
                write!(f, "level {level}: expected {expected} link ids, found {found}")
            }
            Self::Entry { found } => write!(f, "the entry point {found} is not on the highest level"),
        }
    }
}

impl core::error::Error for ViewError {}
