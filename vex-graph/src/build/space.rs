//! What a build compares nodes by.

use vex_kernels::Metric;

use crate::codes::{CodeQuery, Product};
use crate::search::{Query, Ranker};
use crate::{Codes, NodeId, Rows};

/// Nodes that can be compared with each other: by their vectors, or by their codes.
pub(crate) trait Space: Copy + Sync {
    /// One node, as the others are compared with it.
    type Query<'q>: Ranker
    where
        Self: 'q;

    /// Length of the buffer for a query.
    fn buffer_len(self) -> usize;

    /// A node to compare others with. Ranks are distances, up to a constant that is the same for all pairs, and
    /// symmetric to the last bit.
    fn query<'q>(self, id: NodeId, buffer: &'q mut [i8]) -> Self::Query<'q>
    where
        Self: 'q;

    /// Whether two nodes cannot be told apart.
    fn are_copies(self, a: NodeId, b: NodeId) -> bool;
}

impl<'a> Space for Rows<'a> {
    type Query<'q>
        = Query<'q>
    where
        Self: 'q;

    fn buffer_len(self) -> usize {
        0
    }

    #[inline(always)]
    fn query<'q>(self, id: NodeId, _: &'q mut [i8]) -> Query<'q>
    where
        Self: 'q,
    {
        Query::of_row(&self, id)
    }

    fn are_copies(self, a: NodeId, b: NodeId) -> bool {
        self.row(a) == self.row(b)
    }
}

/// Codes as a space.
#[derive(Clone, Copy)]
pub(crate) struct Coded<'a, P> {
    codes: Codes<'a>,
    metric: Metric,
    product: P,
}

impl<'a, P: Product> Coded<'a, P> {
    pub(crate) fn new(codes: Codes<'a>, metric: Metric) -> Self {
        Self { codes, metric, product: P::new() }
    }
}

impl<P: Product + Sync> Space for Coded<'_, P> {
    type Query<'q>
        = CodeQuery<'q, P>
    where
        Self: 'q;

    fn buffer_len(self) -> usize {
        self.codes.quantization().query_len(self.codes.dim())
    }

    #[inline(always)]
    fn query<'q>(self, id: NodeId, buffer: &'q mut [i8]) -> CodeQuery<'q, P>
    where
        Self: 'q,
    {
        CodeQuery::new(&self.codes, self.codes.query_of_row(self.metric, id, buffer), self.product)
    }

    fn are_copies(self, a: NodeId, b: NodeId) -> bool {
        self.codes.row(a) == self.codes.row(b)
            && self.codes.terms()[a as usize] == self.codes.terms()[b as usize]
    }
}
