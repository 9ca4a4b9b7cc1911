//! Why every node stays reachable.
//!
//! The selection heuristic may drop the last link to a node, and nothing in HNSW puts it back:
//! production graphs lose points that way. Here every node but the entry point has a parent, a node
//! of the base level whose link to it is never pruned. These links form a tree that hangs from the
//! entry point, so that a base search that holds the entry point can reach everything.

use alloc::vec::Vec;

use crate::random::draw;
use crate::storage::{Copies, bytes, growth, held, reserve, reserve_exact, swap_rows};
use crate::{GraphView, LevelView, NodeId, OutOfMemory, TERMINATOR};

/// The parents of all nodes. No part of the file: it is found again by [`Tree::of`].
#[derive(Debug, Default)]
pub(crate) struct Tree {
    /// By node; [`TERMINATOR`] for the root, and for nodes that are not linked.
    parents: Vec<NodeId>,
    /// By node. Of a graph that a file held at most 2 m, the length of a row.
    children: Vec<u16>,
    /// The nodes that are reached through others, and are not in the tree.
    pub(crate) copies: Copies,
}

impl GraphView<'_> {
    /// How many nodes that are not deleted no search can come to, however large its `ef_search`:
    /// they cannot be reached from the entry point over the links of the base. None of a graph
    /// that this crate made; but a file may hold any links.
    /// [`Hnsw::from_view`](crate::Hnsw::from_view) links such nodes anew.
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

    /// The nodes that hang on nothing, but for the root.
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

    /// Bytes that it holds, and those of the new places of what one more node would move.
    pub(crate) fn memory(&self) -> [usize; 2] {
        let held = held(&self.parents) + held(&self.children);
        [held, growth(&self.parents) + growth(&self.children)]
    }

    /// Adds `id` as the root; the old root, if there is one, becomes its child.
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
    /// parent. A node that finds no place hangs on the last one before it that is linked, at
    /// worst on the root.
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

    /// The first of the `links` of `id` that has fewer than `most` children.
    ///
    /// Where many nodes crowd the same links, all may be full. Then the way leads down the tree:
    /// below a full node there is one that is not, and in a crowd it is as near. Beyond the
    /// first step the way is drawn, so that what grows below a crowded node is as low as a tree
    /// can be and not a chain. A node that came in the same batch, which starts at `batch`, is not
    /// in the tree's rows yet: a full node whose children all came with it takes half as many
    /// again, and for a node that even so finds no place there is none.
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
                let is_child = |child: &NodeId| *child < batch && self.parents[*child as usize] == node;
                let mut children = links.filter(is_child);
                let count = children.clone().count();
                if count == 0 {
                    return Some(node).filter(|node| self.has_room(*node, most + most / 2));
                }
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

    /// Whether a node is `ancestor` or hangs below it.
    pub(crate) fn is_below(&self, mut id: NodeId, ancestor: NodeId) -> bool {
        while id != ancestor {
            match self.parents.get(id as usize) {
                Some(parent) => id = *parent,
                None => return false,
            }
        }
        true
    }

    /// Hangs a node below another one, or below none.
    pub(crate) fn set_parent(&mut self, id: NodeId, parent: NodeId) {
        let old = core::mem::replace(&mut self.parents[id as usize], parent);
        if let Some(children) = self.children.get_mut(old as usize) {
            *children -= 1;
        }
        if let Some(children) = self.children.get_mut(parent as usize) {
            *children += 1;
        }
    }

    /// Numbers nodes anew: `ids` has the new id of each, and `swaps` bring rows to their places.
    pub(crate) fn renumber(&mut self, ids: &[NodeId], swaps: &[NodeId]) {
        swap_rows(&mut self.parents, 1, swaps);
        swap_rows(&mut self.children, 1, swaps);
        for parent in self.parents.iter_mut().filter(|parent| **parent != TERMINATOR) {
            *parent = ids[*parent as usize];
        }
    }

    /// Forgets every node from `count` on; `root` is the root again.
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
