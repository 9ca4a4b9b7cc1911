//! A bulk build: which codes are made for the build, and which of them the graph keeps.
//!
//! | codes of the graph | metric | candidates are found by | links are selected by |
//! |---|---|---|---|
//! | none | any | vectors | vectors |
//! | any | inner product | vectors | vectors |
//! | any | others | SQ4 codes if [`Plan::new`] finds them accurate enough, else SQ8 codes | SQ8 codes |
//!
//! Codes of the build that the graph does not keep are dropped in the end.

use core::ops::ControlFlow;

use vex_kernels::Metric;

use super::{Coded, Executor, Guided, Linker, Squares, Workspace, with_vectors};
use crate::distance::codes::{Eight, Four};
use crate::storage::CodeRows;
use crate::{Elements, NodeId, OutOfMemory, Quantization, Rows};

/// From this many elements on, candidates are found by SQ4 codes. In fewer elements, the errors of
/// 4 bits do not average out.
const CODES_GUIDED_FROM: usize = 256;

/// Up to this many nodes, candidates are found by SQ4 codes. With more nodes, the nearest is
/// nearer, until its distance is as small as the errors of 4-bit codes. In graphs of a million
/// nodes, searches find less for it.
const CODES_GUIDED_UP_TO: usize = 1 << 18;

/// How a build compares nodes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Plan {
    /// The codes that select links; `None` if vectors do.
    pub(crate) fine: Option<Quantization>,
    /// The codes that find candidates, if others than those that select links.
    pub(crate) guide: Option<Quantization>,
}

impl Plan {
    /// The plan for a graph with these codes.
    ///
    /// One byte an element selects links as good as those between vectors, whatever codes the graph
    /// will keep. By inner product, codes with different errors hide which nodes are alike, so
    /// vectors are compared.
    pub(crate) fn new(quantization: Option<Quantization>, metric: Metric, dim: usize, count: usize) -> Self {
        let quantization = quantization.filter(|_| metric != Metric::InnerProduct);
        match quantization {
            None => Self { fine: None, guide: None },
            Some(_) => Self {
                fine: Some(Quantization::Sq8),
                guide: (dim >= CODES_GUIDED_FROM && count <= CODES_GUIDED_UP_TO).then_some(Quantization::Sq4),
            },
        }
    }
}

/// Links the nodes of `rows` until `progress` cancels. Returns how many are linked, and the codes
/// that the graph keeps.
pub(crate) fn link(
    linker: Linker<'_>,
    rows: &Rows<'_>,
    squares: &Squares,
    level_of: impl Fn(NodeId) -> usize + Sync,
    workspace: &mut Workspace,
    executor: &dyn Executor,
    progress: &mut dyn FnMut(usize) -> ControlFlow<()>,
) -> Result<(usize, Option<CodeRows>), OutOfMemory> {
    let quantization = linker.params.quantization;
    let plan = Plan::new(quantization, rows.metric(), rows.dim(), rows.count());
    let code = |kind| CodeRows::of_rows(kind, rows, executor);
    let (fine, guide) = (plan.fine.map(code).transpose()?, plan.guide.map(code).transpose()?);
    let coded = fine.as_ref().map(|fine| Coded::<Eight>::new(*rows, fine.view()));
    let linked = match (coded, &guide) {
        (None, _) => with_vectors!(rows, squares, space => {
            linker.link_all(space, rows.count(), level_of, workspace, executor, progress)?
        }),
        (Some(space), None) => {
            linker.link_all(space, rows.count(), level_of, workspace, executor, progress)?
        }
        (Some(space), Some(guide)) => {
            let space = Guided::<_, Four>::new(space, *rows, guide.view());
            linker.link_all(space, rows.count(), level_of, workspace, executor, progress)?
        }
    };
    // If the build has made the codes that the graph keeps, they are used. Else the graph's are
    // made now.
    let kept = [fine, guide].into_iter().flatten().find(|codes| Some(codes.quantization()) == quantization);
    let kept = match (kept, quantization) {
        (None, Some(quantization)) => Some(CodeRows::of_rows(quantization, rows, executor)?),
        (kept, _) => kept,
    };
    Ok((linked, kept))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn candidates_are_found_by_smaller_codes_where_these_are_accurate_enough() {
        let plan = |quantization, dim, count| Plan::new(quantization, Metric::Cosine, dim, count);
        let (sq8, sq4) = (Some(Quantization::Sq8), Some(Quantization::Sq4));
        for codes in [sq8, sq4] {
            assert_eq!(plan(codes, 255, 1000), Plan { fine: sq8, guide: None });
            assert_eq!(plan(codes, 256, 1 << 18), Plan { fine: sq8, guide: sq4 });
            assert_eq!(plan(codes, 256, (1 << 18) + 1), Plan { fine: sq8, guide: None });
        }
        assert_eq!(plan(None, 768, 1_000_000), Plan { fine: None, guide: None });
        for codes in [None, sq8, sq4] {
            let plan = Plan::new(codes, Metric::InnerProduct, 768, 1000);
            assert_eq!(plan, Plan { fine: None, guide: None });
        }
    }
}
