//! Spaces: how a build compares nodes.
//!
//! | space | compares nodes by |
//! |---|---|
//! | [`Plain`] | vectors |
//! | [`Floats`] | vectors of f32 or f16, matched at each comparison |
//! | [`Coded`] | codes of one kind |
//! | [`Guided`] | smaller codes to find candidates, another space to select links |
//! | [`Products`](super::Products) | inner products of vectors |
//! | [`Lifted`](super::lifted::Lifted) | vectors that are lifted by their lengths |
//!
//! A build is generic over its space. So each comparison is compiled into the search that needs it.

use vex_kernels::{Distance, Metric, f16};

use crate::distance::codes::{CodeQuery, Product};
use crate::distance::{Query, Ranker, kernel};
use crate::view::Matrix;
use crate::{Codes, Elements, NodeId, Rows, Scalar};

/// Nodes that can be compared with each other.
pub(crate) trait Space: Copy + Sync {
    /// One node, which ranks the others to select links.
    type Query<'q>: Ranker
    where
        Self: 'q;

    /// One node, which ranks the others to find candidates.
    type Guide<'q>: Ranker
    where
        Self: 'q;

    /// Whether candidates must be ranked again before links are selected, since a guide ranks by
    /// other values than a query.
    const IS_GUIDED: bool = false;

    /// The same nodes by a distance that is small between nodes that are alike: see
    /// [`lifted`](super::lifted).
    type Lifted: Space;

    /// Length of the buffer for a query or a guide.
    fn buffer_len(self) -> usize;

    /// Length of the buffer in which a guide is made.
    fn rotated_len(self) -> usize {
        0
    }

    /// A node that ranks others. Ranks are distances, up to a constant that is the same for all
    /// pairs, and symmetric to the last bit.
    fn query<'q>(self, id: NodeId, buffer: &'q mut [i8]) -> Self::Query<'q>
    where
        Self: 'q;

    /// A node that ranks others while its candidates are looked for.
    fn guide<'q>(self, id: NodeId, buffer: &'q mut [i8], rotated: &mut [f32]) -> Self::Guide<'q>
    where
        Self: 'q;

    /// The rank of a node at distance zero.
    fn rank_of_zero(self) -> f32 {
        0.0
    }

    /// Whether two nodes are indistinguishable.
    fn are_copies(self, a: NodeId, b: NodeId) -> bool;

    /// The same nodes, compared by their vectors.
    type Exact: Space;

    /// Whether ranks are estimates. Then [`query_error`](Self::query_error) gives their error, and
    /// [`exact`](Self::exact) has better ones.
    const IS_CODED: bool = false;

    /// The space that compares nodes by vectors, for hard nodes.
    fn exact(self) -> Self::Exact;

    /// The standard deviation of the error in a guide's rank of `other`.
    fn guide_error(self, _guide: &Self::Guide<'_>, _other: NodeId) -> f32 {
        0.0
    }

    /// The same of a query's rank.
    fn query_error(self, _query: &Self::Query<'_>, _other: NodeId) -> f32 {
        0.0
    }

    /// The space that selects links beside this one, by inner product. `None` if this space is one
    /// of distances.
    fn lifted(self) -> Option<Self::Lifted> {
        None
    }
}

/// Vectors as a space.
#[derive(Clone, Copy)]
pub(crate) struct Plain<'a, R: Scalar> {
    rows: Matrix<'a, R>,
    kernel: Distance<R>,
    rank_of_zero: f32,
}

impl<'a, R: Scalar> Plain<'a, R> {
    /// `scalars` are those of `rows`.
    pub(crate) fn new(rows: &Rows<'a>, scalars: &'a [R]) -> Self {
        // Rows of unit length are ranked by their negated inner product.
        let rank_of_zero = if R::IS_SCALED && rows.metric() == Metric::Cosine { -1.0 } else { 0.0 };
        Self { rows: Matrix::new(rows, scalars), kernel: kernel::<R, R>(rows.metric()), rank_of_zero }
    }
}

/// Runs the same code with the space of all rows, whatever their elements are. Bits have no inner
/// product.
macro_rules! with_vectors {
    ($rows:expr, $squares:expr, $space:ident => $body:expr) => {
        match ($rows.metric(), $rows.elements()) {
            (Metric::InnerProduct, Elements::F32(scalars)) => {
                let $space = $crate::construct::Products::new($rows, scalars, $squares);
                $body
            }
            (Metric::InnerProduct, Elements::F16(scalars)) => {
                let $space = $crate::construct::Products::new($rows, scalars, $squares);
                $body
            }
            (Metric::InnerProduct, Elements::I8(scalars)) => {
                let $space = $crate::construct::Products::new($rows, scalars, $squares);
                $body
            }
            (Metric::InnerProduct, Elements::U8(scalars)) => {
                let $space = $crate::construct::Products::new($rows, scalars, $squares);
                $body
            }
            (_, elements) => $crate::element::each!(Elements, elements, scalars => {
                let $space = $crate::construct::Plain::new($rows, scalars);
                $body
            }),
        }
    };
}
pub(crate) use with_vectors;

impl<R: Scalar> Space for Plain<'_, R> {
    type Query<'q>
        = Query<'q, R, R>
    where
        Self: 'q;
    type Guide<'q>
        = Query<'q, R, R>
    where
        Self: 'q;
    type Lifted = Self;

    fn buffer_len(self) -> usize {
        0
    }

    #[inline(always)]
    fn query<'q>(self, id: NodeId, _: &'q mut [i8]) -> Query<'q, R, R>
    where
        Self: 'q,
    {
        Query::of_row(self.rows, self.kernel, id)
    }

    #[inline(always)]
    fn guide<'q>(self, id: NodeId, _: &'q mut [i8], _: &mut [f32]) -> Query<'q, R, R>
    where
        Self: 'q,
    {
        Query::of_row(self.rows, self.kernel, id)
    }

    fn rank_of_zero(self) -> f32 {
        self.rank_of_zero
    }

    fn are_copies(self, a: NodeId, b: NodeId) -> bool {
        self.rows.row(a) == self.rows.row(b)
    }

    type Exact = Self;

    fn exact(self) -> Self {
        self
    }
}

/// Vectors of floating-point elements as a space. Their type is matched at each comparison, so that
/// code which is rarely needed is compiled once.
#[derive(Clone, Copy)]
pub(crate) enum Floats<'a> {
    F32(Plain<'a, f32>),
    F16(Plain<'a, f16>),
}

impl<'a> Floats<'a> {
    fn new(rows: &Rows<'a>) -> Self {
        match rows.elements() {
            Elements::F32(scalars) => Self::F32(Plain::new(rows, scalars)),
            Elements::F16(scalars) => Self::F16(Plain::new(rows, scalars)),
            _ => unreachable!("codes are of floating-point vectors"),
        }
    }
}

/// A query of [`Floats`].
pub(crate) enum FloatsQuery<'q> {
    F32(Query<'q, f32, f32>),
    F16(Query<'q, f16, f16>),
}

impl Ranker for FloatsQuery<'_> {
    #[inline(always)]
    fn rank(&self, id: NodeId) -> f32 {
        match self {
            Self::F32(query) => query.rank(id),
            Self::F16(query) => query.rank(id),
        }
    }

    #[inline(always)]
    fn rank_4(&self, ids: [NodeId; 4]) -> [f32; 4] {
        match self {
            Self::F32(query) => query.rank_4(ids),
            Self::F16(query) => query.rank_4(ids),
        }
    }

    #[inline(always)]
    fn prefetch(&self, id: NodeId) {
        match self {
            Self::F32(query) => query.prefetch(id),
            Self::F16(query) => query.prefetch(id),
        }
    }
}

impl Space for Floats<'_> {
    type Query<'q>
        = FloatsQuery<'q>
    where
        Self: 'q;
    type Guide<'q>
        = FloatsQuery<'q>
    where
        Self: 'q;
    type Lifted = Self;
    type Exact = Self;

    fn buffer_len(self) -> usize {
        0
    }

    #[inline(always)]
    fn query<'q>(self, id: NodeId, buffer: &'q mut [i8]) -> FloatsQuery<'q>
    where
        Self: 'q,
    {
        match self {
            Self::F32(space) => FloatsQuery::F32(space.query(id, buffer)),
            Self::F16(space) => FloatsQuery::F16(space.query(id, buffer)),
        }
    }

    #[inline(always)]
    fn guide<'q>(self, id: NodeId, buffer: &'q mut [i8], _: &mut [f32]) -> FloatsQuery<'q>
    where
        Self: 'q,
    {
        self.query(id, buffer)
    }

    fn rank_of_zero(self) -> f32 {
        match self {
            Self::F32(space) => space.rank_of_zero(),
            Self::F16(space) => space.rank_of_zero(),
        }
    }

    fn are_copies(self, a: NodeId, b: NodeId) -> bool {
        match self {
            Self::F32(space) => space.are_copies(a, b),
            Self::F16(space) => space.are_copies(a, b),
        }
    }

    fn exact(self) -> Self {
        self
    }
}

/// Codes as a space.
#[derive(Clone, Copy)]
pub(super) struct Coded<'a, P> {
    rows: Rows<'a>,
    codes: Codes<'a>,
    product: P,
}

impl<'a, P: Product> Coded<'a, P> {
    /// `codes` are those of `rows`.
    pub(super) fn new(rows: Rows<'a>, codes: Codes<'a>) -> Self {
        Self { rows, codes, product: P::new() }
    }
}

impl<'a, P: Product + Sync> Space for Coded<'a, P> {
    type Query<'q>
        = CodeQuery<'q, P>
    where
        Self: 'q;
    type Guide<'q>
        = CodeQuery<'q, P>
    where
        Self: 'q;
    type Lifted = Self;

    fn buffer_len(self) -> usize {
        self.codes.quantization().query_len(self.codes.dim())
    }

    #[inline(always)]
    fn query<'q>(self, id: NodeId, buffer: &'q mut [i8]) -> CodeQuery<'q, P>
    where
        Self: 'q,
    {
        CodeQuery::new(&self.codes, self.codes.query_of_row(self.rows.metric(), id, buffer), self.product)
    }

    #[inline(always)]
    fn guide<'q>(self, id: NodeId, buffer: &'q mut [i8], _: &mut [f32]) -> CodeQuery<'q, P>
    where
        Self: 'q,
    {
        self.query(id, buffer)
    }

    fn are_copies(self, a: NodeId, b: NodeId) -> bool {
        self.codes.row(a) == self.codes.row(b)
            && self.codes.terms()[a as usize] == self.codes.terms()[b as usize]
    }

    type Exact = Floats<'a>;

    const IS_CODED: bool = true;

    fn exact(self) -> Floats<'a> {
        Floats::new(&self.rows)
    }

    fn guide_error(self, guide: &CodeQuery<'_, P>, other: NodeId) -> f32 {
        self.query_error(guide, other)
    }

    fn query_error(self, query: &CodeQuery<'_, P>, other: NodeId) -> f32 {
        query.rank_error(other)
    }
}

/// A space whose candidates are found by smaller codes than those that select links. To find
/// candidates takes thousands of comparisons, which wait for memory. To select links takes those of
/// a few hundred candidates.
#[derive(Clone, Copy)]
pub(super) struct Guided<'a, S, P> {
    space: S,
    rows: Rows<'a>,
    codes: Codes<'a>,
    product: P,
}

impl<'a, S: Space, P: Product> Guided<'a, S, P> {
    /// `codes` are those of `rows`.
    pub(super) fn new(space: S, rows: Rows<'a>, codes: Codes<'a>) -> Self {
        Self { space, rows, codes, product: P::new() }
    }
}

impl<S: Space, P: Product + Sync> Space for Guided<'_, S, P> {
    type Query<'q>
        = S::Query<'q>
    where
        Self: 'q;
    type Guide<'q>
        = CodeQuery<'q, P>
    where
        Self: 'q;
    const IS_GUIDED: bool = true;
    type Lifted = Self;

    fn buffer_len(self) -> usize {
        self.space.buffer_len().max(self.rotated_len())
    }

    fn rotated_len(self) -> usize {
        self.codes.quantization().query_len(self.codes.dim())
    }

    #[inline(always)]
    fn query<'q>(self, id: NodeId, buffer: &'q mut [i8]) -> S::Query<'q>
    where
        Self: 'q,
    {
        self.space.query(id, buffer)
    }

    #[inline(always)]
    fn guide<'q>(self, id: NodeId, buffer: &'q mut [i8], rotated: &mut [f32]) -> CodeQuery<'q, P>
    where
        Self: 'q,
    {
        // The vector in 8 bits an element is more accurate than its own code.
        let query = self.codes.query_of_vector(self.rows.metric(), self.rows.row(id), buffer, rotated);
        CodeQuery::new(&self.codes, query, self.product)
    }

    fn are_copies(self, a: NodeId, b: NodeId) -> bool {
        self.space.are_copies(a, b)
    }

    type Exact = S::Exact;

    const IS_CODED: bool = true;

    fn exact(self) -> S::Exact {
        self.space.exact()
    }

    fn guide_error(self, guide: &CodeQuery<'_, P>, other: NodeId) -> f32 {
        guide.rank_error(other)
    }

    fn query_error(self, query: &S::Query<'_>, other: NodeId) -> f32 {
        self.space.query_error(query, other)
    }
}
