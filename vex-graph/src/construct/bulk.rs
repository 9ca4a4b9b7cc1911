//! All nodes at once: which codes are made for the build, and which of them the graph keeps.

use core::ops::ControlFlow;

use vex_kernels::Metric;

use super::{Coded, Executor, Guided, Linker, Squares, Workspace, with_vectors};
use crate::distance::codes::{Eight, Four};
use crate::storage::CodeRows;
use crate::{Elements, NodeId, OutOfMemory, Quantization, Rows};

/// From so many elements on, walks between SQ8 codes find their way by SQ4 codes. Of fewer elements
/// the errors of four bits do not average out.
const CODES_GUIDED_FROM: usize = 256;

/// Up to so many nodes do they. The more there are, the nearer is the nearest, until its distance
/// is as small as the errors of four bits: of a million nodes, graphs find less for it.
const CODES_GUIDED_UP_TO: usize = 1 << 18;

/// What a build compares nodes by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Plan {
    /// What selects the links; `None` if vectors do.
    pub(crate) fine: Option<Quantization>,
    /// What walks find their way by, if not by the same.
    pub(crate) guide: Option<Quantization>,
}

impl Plan {
    /// Whatever the codes of the graph will be, one byte an element is what it takes for links as
    /// good as those between vectors. A graph without codes is built without codes, and so is
    /// one by the inner product: codes of different errors hide who is alike.
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

/// Links the nodes of `rows` until `progress` breaks off. Returns how many are linked, and the
/// codes that the graph keeps.
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
    fn walks_go_by_codes_where_these_are_smaller_and_tell_nodes_apart() {
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
