//! Deletes and updates: nodes that leave, and vectors that take their slots.
//!
//! A deleted node is a tombstone: searches pass through it and do not return it. Its slot, with its
//! level, is free for the next insert.
//!
//! ```text
//! delete(id):         mark the node as a tombstone; if it is a copy, it leaves its chain
//! insert(vector):     replace(the lowest tombstone, vector), or append if there is none
//! update(id, vector): replace(id, vector)
//!
//! replace(id, vector):
//!     keep the old vector
//!     by inner product: find the nodes near it                         construct/relink.rs
//!     take the node out of its chain, if it is in one
//!     if it was the original: relink its first copy, which is the original now
//!     store the new vector
//!     relink the node; if the search meets an equal vector, it becomes a copy instead
//!     if memory runs out on the way: undo everything
//!     code the new vector
//! ```
//!
//! Levels do not depend on vectors. So a slot keeps its level, ids stay sorted by level, levels
//! stay geometrically distributed, and the entry point stays on the top level.

use alloc::vec::Vec;
use core::convert::Infallible;
use core::ops::ControlFlow;

use crate::construct::{Executor, Linker, with_vectors};
use crate::hnsw::Part;
use crate::storage::{Vectors, reserve};
use crate::{BuildError, DeleteError, Elements, Hnsw, InsertError, Metric, NodeId, UpdateError};

impl Hnsw {
    /// Deletes a node. Searches do not return it any more, but pass through it until an insert
    /// takes its slot.
    ///
    /// # Errors
    /// If there is no such node, it is deleted already, or memory runs out; the graph is as it was
    /// then.
    ///
    /// # Complexity
    /// O(log n) for n deleted nodes. No link is changed; a copy of another vector leaves its chain.
    /// Memory grows by four bytes for each deleted node, and up to one bit for each node.
    ///
    /// # Examples
    /// ```
    /// use vex_graph::{Hnsw, Metric, Params};
    ///
    /// let mut graph = Hnsw::new(Metric::SquaredEuclidean, 1, Params::default())?;
    /// graph.insert(&[1.0])?;
    /// graph.insert(&[2.0])?;
    /// graph.delete(0)?;
    /// assert_eq!((graph.count(), graph.live_count()), (2, 1));
    /// assert_eq!(graph.insert(&[3.0])?, 0);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn delete(&mut self, id: NodeId) -> Result<(), DeleteError> {
        if !self.is_live(id) {
            return Err(DeleteError::NotFound { id });
        }
        self.tombstones.insert(id)?;
        // A deleted original stays, because its copies are reached through it. Nothing is reached
        // through a deleted copy.
        if self.tree.copies.is_copy(id) {
            self.tree.copies.park(id);
        }
        Ok(())
    }

    /// Replaces the vector of a node, and links the node again.
    ///
    /// # Errors
    /// If there is no such node, it is deleted, the vector cannot be indexed, or memory runs out.
    /// The graph is then as it was.
    ///
    /// # Complexity
    /// About that of an [`insert`](Self::insert), and as much again to repair the rows that linked
    /// to the node. By inner product, another search of the base. If the node was linked on behalf
    /// of others with equal vectors, one of these is linked in its place.
    pub fn update<'v>(&mut self, id: NodeId, vector: impl Into<Elements<'v>>) -> Result<(), UpdateError> {
        if !self.is_live(id) {
            return Err(UpdateError::NotFound { id });
        }
        Ok(self.replace(id, vector.into())?)
    }

    /// Whether there is a node `id` that is not deleted.
    pub fn is_live(&self, id: NodeId) -> bool {
        (id as usize) < self.count() && !self.tombstones.contains(id)
    }

    /// How many nodes are not deleted, copies included.
    pub fn live_count(&self) -> usize {
        self.count() - self.tombstones.len()
    }

    /// A new graph of the nodes that are not deleted, with the same parameters. It is
    /// [built](Self::build) at once, from their vectors in the order of ids.
    ///
    /// The graph comes with the order of its nodes: `order[new]` is the id that `new` has in this
    /// graph. It has the [memory limit](Self::limit_memory) of this one.
    ///
    /// # Errors
    /// If memory runs out, or `progress` cancels.
    ///
    /// # Complexity
    /// That of a build, whose memory is needed beside this graph.
    pub fn compact(
        &self,
        executor: &dyn Executor,
        progress: impl FnMut(usize) -> ControlFlow<()>,
    ) -> Result<(Self, Vec<NodeId>), BuildError<Infallible>> {
        let mut live = Vec::new();
        reserve(&mut live, self.live_count())?;
        live.extend((0..self.count() as NodeId).filter(|id| self.is_live(*id)));
        let rows = self.vectors.rows();
        let source = |vectors: &mut Vectors, id: NodeId, position: usize| {
            vectors.restore(id, rows.row(live[position]));
            Ok(())
        };
        let graph = Self::new(rows.metric(), rows.dim(), self.params)?;
        let (mut graph, mut order) =
            graph.build_from(live.len(), source, executor, Part::Dropped, progress)?;
        order.iter_mut().for_each(|position| *position = live[*position as usize]);
        graph.memory_limit = self.memory_limit;
        Ok((graph, order))
    }

    /// Puts a vector into the slot of a node, live or deleted, and links the node again.
    pub(crate) fn replace(&mut self, id: NodeId, vector: Elements<'_>) -> Result<(), InsertError> {
        let may_be_copy = id != self.entry && self.has_room_for_copies();
        let Self { params, vectors, squares, codes, levels, tree, entry, workspace, .. } = self;
        vectors.check(vector)?;
        let rows = vectors.rows();
        // The old vector is kept: it is restored if memory runs out.
        let mut old = workspace.vector.take().unwrap_or_else(|| vectors.emptied());
        old.truncate(0);
        old.extend_zeroed(1)?;
        old.restore(0, rows.row(id));
        let mut linker = Linker { params, levels, tree, entry };
        if rows.metric() == Metric::InnerProduct {
            with_vectors!(&rows, squares, space => linker.find_nearby(space, id, workspace))?;
        }

        // A copy leaves its chain. The copies of an original keep their first as the new original.
        // It is linked before the links of the old one go.
        let heir = linker.tree.copies.first_of(id);
        let taken = linker.tree.copies.take(id);
        workspace.begin();
        let mut linked = heir.map_or(
            Ok(None),
            |heir| with_vectors!(&rows, squares, space => linker.relink(space, heir, false, workspace)),
        );
        if linked.is_ok() {
            vectors.set(id, vector)?;
            let rows = vectors.rows();
            squares.set(id, &rows);
            linked = with_vectors!(&rows, squares, space => linker.relink(space, id, may_be_copy, workspace));
        }
        match (&linked, codes) {
            (Err(_), _) => {
                linker.undo(workspace);
                tree.copies.put_back(id, taken);
                vectors.restore(id, old.rows().row(0));
                squares.set(id, &vectors.rows());
            }
            (Ok(_), Some(codes)) => codes.set(id, vectors.rows().row(id)),
            (Ok(_), None) => (),
        }
        workspace.vector = Some(old);
        // Room in the chains was reserved before, so nothing can fail here.
        if let Some(original) = linked? {
            let rows = vectors.rows();
            tree.copies.insert(original, id, |other| rows.row(other) == rows.row(id));
        }
        Ok(())
    }
}
