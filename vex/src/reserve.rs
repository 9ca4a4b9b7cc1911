//! Allocations that can fail: room is made before anything is changed.

use std::collections::HashMap;

use vex_graph::{NodeId, OutOfMemory};

/// Makes room for `additional` more elements.
pub(crate) fn reserve<T>(vec: &mut Vec<T>, additional: usize) -> Result<(), OutOfMemory> {
    let bytes = (vec.len().saturating_add(additional)).saturating_mul(size_of::<T>());
    vec.try_reserve(additional).map_err(|_| OutOfMemory { bytes })
}

pub(crate) fn reserve_nodes(nodes: &mut HashMap<u64, NodeId>, additional: usize) -> Result<(), OutOfMemory> {
    let bytes = (nodes.len().saturating_add(additional)).saturating_mul(size_of::<(u64, NodeId)>());
    nodes.try_reserve(additional).map_err(|_| OutOfMemory { bytes })
}
