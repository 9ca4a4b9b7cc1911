//! Construction: Algorithm 1 of the paper, for a batch of nodes at a time.
//!
//! ```text
//! link(batch):
//!     propose    for each node, in parallel:                                   propose.rs
//!                    search the graph as it was before the batch
//!                    select links among the candidates                         select.rs
//!     reserve    all memory that the batch appends
//!     attach     for each node, in order of ids:
//!                    append its rows, with its links
//!                    give it a parent, to which it is linked both ways         tree.rs
//!     merge      for each node with a new link back, in parallel:              merge.rs
//!                    append the links back to its row if they fit
//!                    otherwise select the row again
//!     commit     write the rows that changed
//! ```
//!
//! Three ideas:
//! - **A batch sees one graph.** Nodes of a batch do not see each other. So the result does not
//!   depend on threads, and a single insert is a batch of one. Batches are small against the graph,
//!   so little is missed: see [`batch_len`].
//! - **Nothing half done.** All memory is reserved, and every row computed, before the first row of
//!   another node is written. So an insert that fails leaves the graph as it was.
//! - **Reachable.** Every node keeps one link from its parent that no selection drops: see
//!   [`Tree`].

pub(crate) mod bulk;
mod choice;
mod copies;
mod executor;
mod hard;
mod journal;
mod level;
mod lifted;
mod merge;
mod peak;
mod propose;
mod relink;
mod reorder;
mod select;
mod space;
mod tree;

pub(crate) use copies::{find as find_copies, finding_bytes};
pub use executor::{Executor, Serial};
pub(crate) use level::level;
pub(crate) use lifted::{Products, Squares};
pub(crate) use peak::workspace_bytes;
pub(crate) use reorder::reordering_bytes;
use space::{Coded, Guided};
pub(crate) use space::{Plain, Space, with_vectors};
pub(crate) use tree::Tree;

use alloc::vec::Vec;
use core::ops::{ControlFlow, Range};

use crate::Candidate;
use crate::distance::Ranker;
use crate::storage::{AlignedVec, Copies, LevelLinks, Vectors, reserve};
use crate::{NodeId, OutOfMemory, Params};
use hard::Hard;
use merge::Merge;
use propose::Propose;
use relink::Relink;

/// A link from a new node to `target`, as the target sees it. Links sort by level, target, distance
/// and source, which groups them by row.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Link {
    level: u8,
    target: NodeId,
    /// The new node, at its distance.
    source: Candidate,
}

/// How many nodes to link at once to a graph of `count`: a thirty-second of the graph. Then few of
/// the true neighbors of a node are in its own batch. The cap keeps that loss from growing with the
/// graph.
fn batch_len(count: usize) -> usize {
    (count / 32).clamp(1, 512)
}

/// The most children of a node in the [`Tree`]. Links to them are never pruned, so each may take
/// the place of a nearer node. By inner product, a few hubs lead to all others, and nodes need more
/// children to be found.
fn most_children(params: &Params, space: impl Space) -> usize {
    if space.lifted().is_some() { params.m } else { params.m / 2 }
}

/// Memory that each batch uses again.
#[derive(Debug, Default)]
pub(crate) struct Workspace {
    propose: Vec<Propose>,
    merge: Vec<Merge>,
    links: Vec<Link>,
    buffers: Buffers,
    hard: Hard,
    relink: Relink,
    /// The vector that an update replaces.
    pub(crate) vector: Option<Vectors>,
}

/// Room for two queries of a space, and for a guide.
#[derive(Debug, Default)]
struct Buffers {
    own: AlignedVec<i8>,
    other: AlignedVec<i8>,
    rotated: AlignedVec<f32>,
}

impl Buffers {
    fn of(&mut self, space: impl Space) -> Result<[&mut [i8]; 2], OutOfMemory> {
        self.own.extend_to(space.buffer_len())?;
        self.other.extend_to(space.buffer_len())?;
        self.rotated.extend_to(space.rotated_len())?;
        Ok([self.own.as_mut_slice(), self.other.as_mut_slice()])
    }
}

/// The parts of a graph that linking changes or reads.
pub(crate) struct Linker<'g> {
    pub(crate) params: &'g Params,
    pub(crate) levels: &'g mut Vec<LevelLinks>,
    pub(crate) tree: &'g mut Tree,
    pub(crate) entry: &'g mut NodeId,
}

impl Linker<'_> {
    /// Links the nodes of `batch`, whose vectors are stored and whose ids follow those of the
    /// linked nodes. `level_of` gives the level of each. Only a batch of one may hold a node above
    /// the present top. Nodes that are known to be copies get empty rows.
    ///
    /// # Errors
    /// If memory runs out; the graph is as it was then.
    pub(crate) fn link(
        &mut self,
        space: impl Space,
        batch: Range<NodeId>,
        level_of: impl Fn(NodeId) -> usize + Sync,
        workspace: &mut Workspace,
        executor: &dyn Executor,
    ) -> Result<(), OutOfMemory> {
        debug_assert!(batch.len() == 1 || batch.clone().all(|id| level_of(id) < self.levels.len().max(1)));

        workspace.prepare(executor.workers().clamp(1, batch.len()))?;
        if batch.start > 0 {
            self.propose(space, &batch, &level_of, workspace, executor)?;
        }
        self.link_proposed(space, batch, level_of, workspace, executor)
    }

    /// All steps after the first.
    fn link_proposed(
        &mut self,
        space: impl Space,
        batch: Range<NodeId>,
        level_of: impl Fn(NodeId) -> usize + Sync,
        workspace: &mut Workspace,
        executor: &dyn Executor,
    ) -> Result<(), OutOfMemory> {
        let levels = self.levels.len();
        let top = levels.saturating_sub(1);
        let new_top = level_of(batch.start);
        self.reserve(&batch, &level_of, workspace)?;

        // Rows of the batch are appended here. Rows of other nodes are computed, but not written
        // yet.
        let result = self.attach_and_merge(space, &batch, &level_of, workspace, executor);
        if result.is_err() {
            self.tree.truncate(batch.start as usize, *self.entry);
            self.levels.truncate(levels);
            self.levels.iter_mut().for_each(|level| level.truncate(batch.start as usize));
            return result;
        }
        // Nothing can fail from here on.
        for merge in &workspace.merge {
            merge.commit(self.levels);
        }
        if batch.start == 0 || new_top > top {
            *self.entry = batch.start;
        }
        Ok(())
    }

    /// Links the nodes from 0 to `count − 1`, batch by batch, until `progress` cancels. Returns how
    /// many are linked. `level_of` never rises with the id.
    pub(crate) fn link_all<S: Space>(
        mut self,
        space: S,
        count: usize,
        level_of: impl Fn(NodeId) -> usize + Sync,
        workspace: &mut Workspace,
        executor: &dyn Executor,
        progress: &mut dyn FnMut(usize) -> ControlFlow<()>,
    ) -> Result<usize, OutOfMemory> {
        // Only codes can be too coarse for a node.
        if S::IS_CODED {
            workspace.hard.reserve(count)?;
        }
        let mut linked = 0;
        let mut goes_on = true;
        while linked < count && goes_on {
            let end = (linked + batch_len(linked)).min(count);
            self.link(space, linked as NodeId..end as NodeId, &level_of, workspace, executor)?;
            linked = end;
            goes_on = progress(linked).is_continue();
        }
        Ok(linked)
    }

    /// Step 1: every worker proposes links for its share of the batch.
    fn propose(
        &self,
        space: impl Space,
        batch: &Range<NodeId>,
        level_of: &(impl Fn(NodeId) -> usize + Sync),
        workspace: &mut Workspace,
        executor: &dyn Executor,
    ) -> Result<(), OutOfMemory> {
        let copies = &self.tree.copies;
        let frozen = Frozen { levels: self.levels, entry: *self.entry, count: batch.start as usize, copies };
        let step = workspace.propose.len();
        // Node i of the batch goes to task i mod `step`, so that every task gets nodes of all
        // levels.
        executor.run(&mut workspace.propose, |task| {
            let ids = batch.clone().skip(task.index).step_by(step).filter(|id| !copies.is_copy(*id));
            task.run(&frozen, space, self.params, ids, level_of);
        });
        workspace.propose.iter().try_for_each(|task| task.result)?;
        let hard = workspace.propose.iter().flat_map(|task| &task.hard);
        hard.for_each(|id| workspace.hard.insert(*id));
        Ok(())
    }

    /// Reserves memory for everything that the batch appends.
    fn reserve(
        &mut self,
        batch: &Range<NodeId>,
        level_of: &impl Fn(NodeId) -> usize,
        workspace: &mut Workspace,
    ) -> Result<(), OutOfMemory> {
        let highest = batch.clone().map(level_of).max().unwrap_or(0);
        reserve(self.levels, (highest + 1).saturating_sub(self.levels.len()))?;
        for (index, level) in self.levels.iter_mut().enumerate() {
            let rows = batch.clone().filter(|id| level_of(*id) >= index).count();
            level.reserve(rows, batch.start)?;
        }
        self.tree.reserve(batch.len())?;
        let links: usize = workspace.propose.iter().map(|task| task.links.len()).sum();
        workspace.links.clear();
        // One more for each node, for a parent that is not among its links.
        reserve(&mut workspace.links, links + batch.len())
    }

    /// Steps 2 and 3: appends the rows of the batch, and computes the changed rows of all other
    /// nodes.
    fn attach_and_merge(
        &mut self,
        space: impl Space,
        batch: &Range<NodeId>,
        level_of: &impl Fn(NodeId) -> usize,
        workspace: &mut Workspace,
        executor: &dyn Executor,
    ) -> Result<(), OutOfMemory> {
        let highest = batch.clone().map(level_of).max().unwrap_or(0);
        while self.levels.len() <= highest {
            let mut level = LevelLinks::new(self.params.width(self.levels.len()));
            level.reserve(1, batch.start)?;
            self.levels.push(level);
        }
        // A node on a new top level becomes the entry point, and the root of the tree.
        let becomes_entry = batch.start == 0 || level_of(batch.start) > self.view_top();
        let most = most_children(self.params, space);
        let step = workspace.propose.len();
        for task in &mut workspace.propose {
            task.cursor = 0;
        }
        // In order of ids, whichever task proposed the links: parents depend on the nodes before.
        for (offset, id) in batch.clone().enumerate() {
            let links =
                if batch.start == 0 { &[][..] } else { workspace.propose[offset % step].take_links(id) };
            for (index, level) in self.levels.iter_mut().enumerate().take(level_of(id) + 1) {
                level.push(
                    id,
                    links.iter().filter(|link| usize::from(link.level) == index).map(|link| link.target),
                );
            }
            workspace.links.extend_from_slice(links);
            if self.tree.copies.is_copy(id) {
                self.tree.push_lone();
                continue;
            }
            if becomes_entry {
                self.tree.push_root(id, *self.entry);
                continue;
            }
            let base = links.iter().filter(|link| link.level == 0).map(|link| link.target);
            let parent = self.tree.push(id, *self.entry, base, batch.start, &self.levels[0].view(), most);
            // The parent links to the node in any case, also if the node does not link to it.
            if !links.iter().any(|link| link.level == 0 && link.target == parent) {
                let [buffer, _] = workspace.buffers.of(space)?;
                let distance = space.query(parent, buffer).rank(id);
                workspace.links.push(Link { level: 0, target: parent, source: Candidate::new(distance, id) });
            }
        }
        // Sorted, links are in the same order however many tasks there were.
        workspace.links.sort_unstable();
        let rows =
            merge::Rows { params: self.params, levels: self.levels, tree: self.tree, hard: &workspace.hard };
        merge::run(rows, space, &workspace.links, &mut workspace.merge, executor)
    }

    /// The highest level with nodes before the batch.
    fn view_top(&self) -> usize {
        self.levels.iter().rposition(|level| level.count() > 0).unwrap_or(0)
    }
}

impl Workspace {
    /// Makes this many tasks of each kind.
    fn prepare(&mut self, tasks: usize) -> Result<(), OutOfMemory> {
        let more = tasks.saturating_sub(self.propose.len());
        reserve(&mut self.propose, more)?;
        reserve(&mut self.merge, more)?;
        self.propose.truncate(tasks);
        self.merge.truncate(tasks);
        for index in self.propose.len()..tasks {
            self.propose.push(Propose::new(index));
            self.merge.push(Merge::default());
        }
        self.merge.iter_mut().for_each(Merge::clear);
        Ok(())
    }
}

/// The graph as it was before a batch.
struct Frozen<'a> {
    /// Base first. At least one.
    levels: &'a [LevelLinks],
    entry: NodeId,
    count: usize,
    /// The copies that are known.
    copies: &'a Copies,
}
