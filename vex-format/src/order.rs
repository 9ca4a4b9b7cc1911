//! The order of nodes in a file: sorted by level, the highest first.
//!
//! A search then knows the level of a node from its id, and the file needs no levels.

use alloc::vec::Vec;

use vex_graph::{GraphView, MAX_LEVELS, NodeId, OutOfMemory};

/// The ids that the nodes of a view have in the file.
pub(crate) struct Order {
    /// Level l holds the nodes below `level_count[l]`.
    pub(crate) level_count: [u32; MAX_LEVELS],
    /// `None` if every node keeps its id.
    renumbered: Option<Renumbered>,
}

struct Renumbered {
    /// Id in the file to id in the view.
    old: Vec<NodeId>,
    /// Id in the view to id in the file.
    new: Vec<NodeId>,
}

impl Order {
    /// Sorts the nodes. Nodes of one level keep the order of their ids, so the same graph always
    /// gives the same file.
    pub(crate) fn of(view: &GraphView<'_>) -> Result<Self, OutOfMemory> {
        let mut level_count = [0; MAX_LEVELS];
        if view.levels().iter().all(|level| level.appended.is_empty()) {
            for (count, level) in level_count.iter_mut().zip(view.levels()) {
                *count = level.sorted as u32;
            }
            return Ok(Self { level_count, renumbered: None });
        }

        let count = view.count();
        let mut levels = zeroed::<u8>(count)?;
        // Higher levels come later and overwrite lower ones, so each node gets its highest level.
        for (index, level) in view.levels().iter().enumerate().skip(1) {
            let sorted = 0..level.sorted.min(count) as NodeId;
            for id in sorted.chain(level.appended.iter().copied()) {
                if let Some(level) = levels.get_mut(id as usize) {
                    *level = index as u8;
                }
            }
        }
        // A node is on all levels below its own, too.
        for level in &levels {
            level_count[..=usize::from(*level)].iter_mut().for_each(|count| *count += 1);
        }
        // The nodes whose highest level this is come after those of the levels above.
        let mut next = [0; MAX_LEVELS];
        next[..MAX_LEVELS - 1].copy_from_slice(&level_count[1..]);
        let (mut old, mut new) = (zeroed(count)?, zeroed(count)?);
        for (id, level) in levels.iter().enumerate() {
            let place = &mut next[usize::from(*level)];
            new[id] = *place;
            old[*place as usize] = id as NodeId;
            *place += 1;
        }
        Ok(Self { level_count, renumbered: Some(Renumbered { old, new }) })
    }

    /// Whether any node has another id in the file.
    pub(crate) fn is_renumbered(&self) -> bool {
        self.renumbered.is_some()
    }

    /// The id in the view for an id in the file.
    pub(crate) fn old(&self, id: NodeId) -> NodeId {
        self.renumbered.as_ref().map_or(id, |renumbered| renumbered.old[id as usize])
    }

    /// The id in the file for an id in the view. An id that no node has is returned as it is.
    pub(crate) fn new_id(&self, id: NodeId) -> NodeId {
        match &self.renumbered {
            Some(renumbered) => renumbered.new.get(id as usize).copied().unwrap_or(id),
            None => id,
        }
    }
}

fn zeroed<T: Copy + Default>(len: usize) -> Result<Vec<T>, OutOfMemory> {
    let mut values = Vec::new();
    let bytes = len.saturating_mul(size_of::<T>());
    values.try_reserve_exact(len).map_err(|_| OutOfMemory { bytes })?;
    values.resize(len, T::default());
    Ok(values)
}
