//! Checks of the chains of copies.
//!
//! The links of a node are `[next, previous]`. Each node is checked alone, by three rules:
//!
//! - The next node names this node as its previous one, and the previous node names this node as
//!   its next one. So a node is in one chain at most.
//! - Ids ascend from one copy to the next, so no chain is a circle.
//! - A node that names itself twice is in no chain, and must be deleted.

use core::ops::Range;

use vex_graph::{CopyLinks, GraphView, NodeId, TERMINATOR};

use crate::VerifyError;

/// Whether there is a copy.
pub(super) fn are_some(graph: &GraphView<'_>) -> bool {
    graph.copies().iter().any(|[_, previous]| *previous != TERMINATOR)
}

/// Checks the links of these nodes.
pub(super) fn check(graph: &GraphView<'_>, nodes: Range<usize>) -> Result<(), VerifyError> {
    let links = nodes.clone().zip(graph.copies().iter().skip(nodes.start));
    links.into_iter().try_for_each(|(node, links)| check_node(graph, node as NodeId, *links))
}

fn check_node(graph: &GraphView<'_>, node: NodeId, found: CopyLinks) -> Result<(), VerifyError> {
    let of = |id: NodeId| graph.copies().get(id as usize).copied();
    let [next, previous] = found;
    let is_parked = found == [node, node];
    let is_right = if is_parked {
        graph.tombstones().contains(node)
    } else {
        let is_named_by_next =
            next == TERMINATOR || of(next).is_some_and(|[_, previous]| previous == node && next != node);
        let is_named_by_previous = previous == TERMINATOR
            || of(previous)
                .is_some_and(|[next, before]| next == node && (before == TERMINATOR || previous < node));
        is_named_by_next && is_named_by_previous
    };
    if !is_right {
        return Err(VerifyError::Copies { node, found });
    }
    if previous == TERMINATOR {
        return Ok(());
    }
    let is_linked = (0..graph.levels().len()).any(|level| !graph.links(node, level).is_empty());
    if is_linked || graph.entry() == Some(node) {
        return Err(VerifyError::LinkedCopy { node });
    }
    let rows = graph.rows();
    if rows.are_stored() && rows.row(node) != rows.row(previous) {
        return Err(VerifyError::UnequalCopy { node, previous });
    }
    Ok(())
}
