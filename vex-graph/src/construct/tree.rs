//! The reachability tree: why every node can be found.
//!
//! The diversity heuristic may drop the last link to a node, and nothing in HNSW restores it.
//! Graphs in production lose nodes that way. Here every linked node except the entry point has a
//! *parent*: a node of the base whose link to it is never dropped. These links form a tree with the
//! entry point as its root. A base search that holds the entry point can reach every node.
//!
//! ```text
//! parent of a new node:
//!     the nearest of its links with fewer than `most` children
//!     otherwise, from the nearest of its links, down the tree:
//!         to a child that has room, or to a child that is drawn
//!     until a node has room
//! ```
//!
//! Three ideas:
//! - **A limit.** Links to children are pinned, and each may take the place of a nearer node. So a
//!   node has few children: see [`most_children`](super::most_children).
//! - **Down the tree.** Where many nodes crowd around the same links, all of these may be full.
//!   Below a full node there is one that is not, and in a crowd it is as near.
//! - **Draws.** The path down is drawn after its first step. So the tree below a crowded node stays
//!   as low as it can, and does not become a chain.
//!
//! Invariant: the parent of a node has a link to it on the base. `merge.rs` pins these links, and
//! `relink.rs` gives children other parents before it drops one.

use alloc::vec::Vec;

use crate::random::draw;
use crate::storage::{Copies, bytes, growth, held, reserve, reserve_exact, swap_rows};
use crate::{GraphView, LevelView, NodeId, OutOfMemory, TERMINATOR};

/// The parents of all nodes. They are not in a file: [`Tree::of`] finds them again.
#[derive(Debug, Default)]
pub(crate) struct Tree {
    /// By node; [`TERMINATOR`] for the root, and for nodes that are not linked.
    parents: Vec<NodeId>,
    /// By node: how many children it has. At most 2 m, the length of a row, in a graph that was
    /// read from a file.
    children: Vec<u16>,
    /// The nodes that are reached through others, and have no parent.
    pub(crate) copies: Copies,
}

impl GraphView<'_> {
    /// How many live nodes no search can find, however large its `ef_search`: the entry point does
    /// not lead to them over the links of the base. A graph that this crate made has none, but a
    /// file may hold any links. [`Hnsw::from_view`](crate::Hnsw::from_view) links such nodes again.
    ///
    /// # Errors
    /// If memory runs out.
    ///
    /// # Complexity
    /// Reads every link of the base, in an order that jumps, and takes ten bytes for each node.
    pub fn unreachable(&self) -> Result<usize, OutOfMemory> {
        let tree = Tree::of(self)?;
        let is_lost = |id: &NodeId| !self.tombstones().contains(*id) && !self.is_copy(*id);
        Ok(tree.orphans(self.entry()).filter(is_lost).count())
    }
}

impl Tree {
    /// Finds a tree in the base links of a graph, breadth first. A node that cannot be reached gets
    /// no parent.
    pub(crate) fn of(view: &GraphView<'_>) -> Result<Self, OutOfMemory> {
        let mut tree = Self::default();
        tree.reserve(view.count())?;
        tree.parents.resize(view.count(), TERMINATOR);
        tree.children.resize(view.count(), 0);
        let mut queue = Vec::new();
        reserve(&mut queue, view.count())?;
        queue.extend(view.entry());
        let mut next = 0;
        // The queue holds every node once: when a node gets its parent, it is appended.
        while let Some(&node) = queue.get(next) {
            next += 1;
            for &link in view.links(node, 0) {
                if tree.parents[link as usize] == TERMINATOR && Some(link) != view.entry() {
                    tree.parents[link as usize] = node;
                    tree.children[node as usize] += 1;
                    queue.push(link);
                }
            }
        }
        Ok(tree)
    }

    /// The nodes without a parent, except the root.
    pub(crate) fn orphans(&self, root: Option<NodeId>) -> impl Iterator<Item = NodeId> {
        let nodes = (0..).zip(&self.parents);
        nodes.filter(move |(id, parent)| **parent == TERMINATOR && Some(*id) != root).map(|(id, _)| id)
    }

    pub(crate) fn parent(&self, id: NodeId) -> NodeId {
        self.parents[id as usize]
    }

    pub(crate) fn reserve(&mut self, additional: usize) -> Result<(), OutOfMemory> {
        reserve(&mut self.parents, additional)?;
        reserve(&mut self.children, additional)
    }

    pub(crate) fn reserve_exact(&mut self, additional: usize) -> Result<(), OutOfMemory> {
        reserve_exact(&mut self.parents, additional)?;
        reserve_exact(&mut self.children, additional)
    }

    /// Bytes that [`reserve_exact`](Self::reserve_exact) allocates for `count` nodes.
    pub(crate) fn exact_bytes(count: usize) -> usize {
        bytes::<NodeId>(count).saturating_add(bytes::<u16>(count))
    }

    /// Bytes that the tree holds, and bytes of the new memory that one more node would move it to.
    pub(crate) fn memory(&self) -> [usize; 2] {
        let held = held(&self.parents) + held(&self.children);
        [held, growth(&self.parents) + growth(&self.children)]
    }

    /// Adds `id` as the root. The old root, if there is one, becomes its child.
    pub(crate) fn push_root(&mut self, id: NodeId, old: NodeId) {
        self.parents.push(TERMINATOR);
        self.children.push(0);
        if let Some(parent) = self.parents.get_mut(old as usize) {
            *parent = id;
            self.children[id as usize] = 1;
        }
    }

    /// Adds a node that is not linked.
    pub(crate) fn push_lone(&mut self) {
        self.parents.push(TERMINATOR);
        self.children.push(0);
    }

    /// Adds `id` below a [parent](Self::parent_for) among or near its `links`, and returns the
    /// parent. If there is none, the parent is the last linked node before `id`, at worst the root.
    pub(crate) fn push(
        &mut self,
        id: NodeId,
        root: NodeId,
        links: impl Iterator<Item = NodeId> + Clone,
        batch: NodeId,
        base: &LevelView<'_>,
        most: usize,
    ) -> NodeId {
        let parent = self.parent_for(id, links, batch, base, most).unwrap_or_else(|| {
            let is_linked = |id: &NodeId| *id == root || self.parents[*id as usize] != TERMINATOR;
            (0..id).rev().find(is_linked).unwrap_or(root)
        });
        self.children[parent as usize] += 1;
        self.parents.push(parent);
        self.children.push(0);
        parent
    }

    /// The parent for `id`: the first of its `links` that has fewer than `most` children, or a node
    /// below the first of them.
    ///
    /// Nodes of one batch, which starts at `batch`, are not in the rows of their parents yet, so
    /// the path down cannot lead to them. A full node whose children all came with the batch may
    /// have half as many children again. If that is full as well, there is no parent here.
    pub(crate) fn parent_for(
        &self,
        id: NodeId,
        mut links: impl Iterator<Item = NodeId> + Clone,
        batch: NodeId,
        base: &LevelView<'_>,
        most: usize,
    ) -> Option<NodeId> {
        let nearest = links.clone().next();
        links.find(|link| self.has_room(*link, most)).or_else(|| {
            let mut node = nearest?;
            let mut step = 0;
            while !self.has_room(node, most) {
                let links = base.row(node)?.iter().copied();
                // Children are found among the links of a node: its row has all of them.
                let is_child = |child: &NodeId| *child < batch && self.parents[*child as usize] == node;
                let mut children = links.filter(is_child);
                let count = children.clone().count();
                if count == 0 {
                    return Some(node).filter(|node| self.has_room(*node, most + most / 2));
                }
                // At the first step the first child of the row, after it a drawn one.
                let drawn = if step == 0 { 0 } else { draw(id.into(), step) as usize % count };
                let roomy = children.clone().find(|child| self.has_room(*child, most));
                node = roomy.or_else(|| children.nth(drawn))?;
                step += 1;
            }
            Some(node)
        })
    }

    /// Whether a node has fewer than `limit` children.
    pub(crate) fn has_room(&self, id: NodeId, limit: usize) -> bool {
        usize::from(self.children[id as usize]) < limit
    }

    /// Whether a node is `ancestor` or a descendant of it.
    pub(crate) fn is_below(&self, mut id: NodeId, ancestor: NodeId) -> bool {
        while id != ancestor {
            match self.parents.get(id as usize) {
                Some(parent) => id = *parent,
                None => return false,
            }
        }
        true
    }

    /// Gives a node another parent, or none.
    pub(crate) fn set_parent(&mut self, id: NodeId, parent: NodeId) {
        let old = core::mem::replace(&mut self.parents[id as usize], parent);
        if let Some(children) = self.children.get_mut(old as usize) {
            *children -= 1;
        }
        if let Some(children) = self.children.get_mut(parent as usize) {
            *children += 1;
        }
    }

    /// Renumbers nodes: `ids` has the new id of each, and `swaps` bring rows to their places.
    pub(crate) fn renumber(&mut self, ids: &[NodeId], swaps: &[NodeId]) {
        swap_rows(&mut self.parents, 1, swaps);
        swap_rows(&mut self.children, 1, swaps);
        for parent in self.parents.iter_mut().filter(|parent| **parent != TERMINATOR) {
            *parent = ids[*parent as usize];
        }
    }

    /// Removes every node from `count` on; `root` is the root again.
    pub(crate) fn truncate(&mut self, count: usize, root: NodeId) {
        while self.parents.len() > count {
            self.children.pop();
            let parent = self.parents.pop().unwrap_or(TERMINATOR);
            if let Some(children) = self.children.get_mut(parent as usize) {
                *children -= 1;
            }
        }
        if let Some(parent) = self.parents.get_mut(root as usize) {
            *parent = TERMINATOR;
        }
    }
}
