//! A journal of what relinking a node has changed, so that it can be undone.
//!
//! Relinking changes rows one after the other, since each step reads the rows of the steps before.
//! If memory runs out in the middle, the journal restores the rows and parents, newest first.

use alloc::vec::Vec;

use super::Tree;
use crate::storage::{LevelLinks, reserve};
use crate::{NodeId, OutOfMemory};

/// Rows and parents as they were before each change, oldest first.
#[derive(Debug, Default)]
pub(super) struct Journal {
    /// Level, node and degree of each row.
    rows: Vec<(u8, NodeId, usize)>,
    /// The links of the rows, back to back.
    ids: Vec<NodeId>,
    /// Node and parent.
    parents: Vec<(NodeId, NodeId)>,
}

impl Journal {
    pub(super) fn clear(&mut self) {
        self.rows.clear();
        self.ids.clear();
        self.parents.clear();
    }

    /// Keeps a row, which may be changed after that.
    pub(super) fn keep_row(
        &mut self,
        levels: &[LevelLinks],
        level: u8,
        id: NodeId,
    ) -> Result<(), OutOfMemory> {
        let links = levels[usize::from(level)].links(id);
        reserve(&mut self.rows, 1)?;
        reserve(&mut self.ids, links.len())?;
        self.rows.push((level, id, links.len()));
        self.ids.extend_from_slice(links);
        Ok(())
    }

    /// Keeps the parent of a node, and gives the node another one.
    pub(super) fn set_parent(
        &mut self,
        tree: &mut Tree,
        id: NodeId,
        parent: NodeId,
    ) -> Result<(), OutOfMemory> {
        reserve(&mut self.parents, 1)?;
        self.parents.push((id, tree.parent(id)));
        tree.set_parent(id, parent);
        Ok(())
    }

    /// Restores all rows and parents.
    pub(super) fn undo(&mut self, levels: &mut [LevelLinks], tree: &mut Tree) {
        while let Some((level, id, degree)) = self.rows.pop() {
            let start = self.ids.len() - degree;
            levels[usize::from(level)].set(id, self.ids.drain(start..));
        }
        while let Some((id, parent)) = self.parents.pop() {
            tree.set_parent(id, parent);
        }
    }
}
