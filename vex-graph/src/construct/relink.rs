//! Relinking: a node that got another vector is removed from its old neighborhood and linked into
//! the new one.
//!
//! ```text
//! relink(node):
//!     find nearby    by inner product, and before the vector changes: note the nodes near the old one
//!     propose        search the graph, in which the node is passed through but is no candidate
//!     bypass         for each node that links to this one, where such nodes can be expected:
//!                        replace that link by links to the old neighbors, where they are diverse
//!                        link back from these
//!     mend           give the children of the node in the tree other parents
//!     attach         write the new links of the node, link back, and give it a parent
//! ```
//!
//! The steps from bypass on change rows as they go, since each reads what the steps before have
//! written. A [`Journal`] can undo them. Invariant between the steps: every other node has a parent
//! that links to it, or is a root.

use alloc::vec::Vec;

use super::choice::Choice;
use super::hard::Hard;
use super::journal::Journal;
use super::{Buffers, Frozen, Link, Linker, Serial, Space, Workspace, merge, most_children};
use crate::Candidate;
use crate::distance::Ranker;
use crate::storage::reserve;
use crate::{NodeId, OutOfMemory, TERMINATOR};

/// Memory that each relinked node uses again.
#[derive(Debug, Default)]
pub(super) struct Relink {
    journal: Journal,
    /// The old links of the node on one level; in the end those of the base.
    old: Vec<NodeId>,
    /// The nodes near the old vector, nearest first. Empty without
    /// [`find_nearby`](Linker::find_nearby).
    near: Vec<NodeId>,
    candidates: Vec<Candidate>,
    selected: Vec<Candidate>,
    choice: Choice,
    buffers: Buffers,
}

impl Linker<'_> {
    /// Finds the nodes near `id`, whose vector is about to change, so that [`relink`](Self::relink)
    /// repairs their rows.
    ///
    /// By inner product alone. There, the many nodes that link to a long vector are not those that
    /// it links to. The vector is between them and many others, so its own links are too few to
    /// replace it.
    ///
    /// # Errors
    /// If memory runs out. No link is changed.
    pub(crate) fn find_nearby(
        &mut self,
        space: impl Space,
        id: NodeId,
        workspace: &mut Workspace,
    ) -> Result<(), OutOfMemory> {
        workspace.prepare(1)?;
        let Workspace { propose, relink, .. } = workspace;
        let frozen = self.frozen();
        let near = propose[0].around(&frozen, space, self.params.ef_construction, id)?;
        relink.near.clear();
        reserve(&mut relink.near, near.len())?;
        relink.near.extend(near.iter().map(|near| near.id()));
        Ok(())
    }

    /// Restores what [`relink`](Self::relink) changed since [`Workspace::begin`].
    pub(crate) fn undo(&mut self, workspace: &mut Workspace) {
        workspace.relink.journal.undo(self.levels, self.tree);
    }

    /// The graph as proposals see it.
    fn frozen(&self) -> Frozen<'_> {
        let count = self.levels[0].count();
        Frozen { levels: self.levels, entry: *self.entry, count, copies: &self.tree.copies }
    }

    /// Links `id` again, whose vector was changed or which was a copy, on the levels that it is on.
    ///
    /// If the node may be a copy and finds a node with its vector, it loses all links instead, and
    /// that node is returned.
    ///
    /// # Errors
    /// If memory runs out. What was changed until then can be [undone](Self::undo).
    pub(crate) fn relink(
        &mut self,
        space: impl Space,
        id: NodeId,
        may_be_copy: bool,
        workspace: &mut Workspace,
    ) -> Result<Option<NodeId>, OutOfMemory> {
        let level = self.levels.iter().rposition(|level| level.view().row(id).is_some()).unwrap_or(0);
        workspace.prepare(1)?;
        let frozen = self.frozen();
        workspace.propose[0].again(&frozen, space, self.params, id, level)?;
        let original = if may_be_copy { workspace.original_of(space, id)? } else { None };
        if original.is_some() {
            self.tree.copies.prepare(self.levels[0].count())?;
        }
        // All proposals are known. From here on rows change, and the journal keeps the old ones.
        for index in (0..=level).rev() {
            self.bypass(space, id, index, workspace)?;
        }
        self.mend(space, id, workspace)?;
        // The node becomes a copy: its rows are emptied.
        if original.is_some() {
            for index in 0..=level {
                workspace.relink.journal.keep_row(self.levels, index as u8, id)?;
                self.levels[index].set(id, core::iter::empty());
            }
            return Ok(original);
        }
        self.attach(space, id, level, workspace)?;
        Ok(None)
    }

    /// Removes the links to `id` on a level, where they can be expected: from nodes up to two links
    /// away and, on the base, from nodes near the old vector.
    ///
    /// That finds nine in ten. The others are links like any other, if long ones, and are dropped
    /// when their rows overflow.
    fn bypass(
        &mut self,
        space: impl Space,
        id: NodeId,
        index: usize,
        workspace: &mut Workspace,
    ) -> Result<(), OutOfMemory> {
        let Workspace { relink, links, .. } = &mut *workspace;
        links.clear();
        relink.old.clear();
        reserve(&mut relink.old, self.params.width(index))?;
        relink.old.extend_from_slice(self.levels[index].links(id));
        // The parent links to the node in any case, however far it is.
        if index == 0 && self.tree.parent(id) != TERMINATOR {
            self.bypass_from(space, self.tree.parent(id), id, index, relink, links)?;
        }
        for position in 0..relink.old.len() {
            let near = relink.old[position];
            self.bypass_from(space, near, id, index, relink, links)?;
            // Read again for each position, since a bypass may change the row.
            for position in 0..self.params.width(index) {
                let Some(far) = self.levels[index].links(near).get(position) else { break };
                self.bypass_from(space, *far, id, index, relink, links)?;
            }
        }
        let near = if index == 0 { relink.near.len() } else { 0 };
        for position in 0..near {
            self.bypass_from(space, relink.near[position], id, index, relink, links)?;
        }
        // If the target got the same link by its own bypass, it would have it twice.
        links.retain(|link| !self.levels[index].links(link.target).contains(&link.source.id()));
        links.sort_unstable();
        self.merge_links(space, workspace)
    }

    /// Replaces a link from `from` to `id`, if there is one. The candidates are the old links of
    /// `id`, and the nodes nearest to it; those that are diverse are linked.
    ///
    /// `links` gets the links back. Without them, each node that goes would cost its neighbors one
    /// of the links that lead to them.
    fn bypass_from(
        &mut self,
        space: impl Space,
        from: NodeId,
        id: NodeId,
        index: usize,
        relink: &mut Relink,
        links: &mut Vec<Link>,
    ) -> Result<(), OutOfMemory> {
        let row = self.levels[index].links(from);
        if !row.contains(&id) {
            return Ok(());
        }
        let Relink { journal, old, near, candidates, selected, choice, buffers } = relink;
        journal.keep_row(self.levels, index as u8, from)?;
        candidates.clear();
        selected.clear();
        let width = self.params.width(index);
        let near = if index == 0 { &near[..near.len().min(width)] } else { &[] };
        reserve(candidates, row.len() + old.len() + near.len())?;
        reserve(selected, width)?;
        let [own, other] = buffers.of(space)?;
        let query = space.query(from, own);
        let others = old.iter().chain(near.iter().filter(|near| !old.contains(near)));
        let others = others.filter(|other| **other != from && !row.contains(other));
        let kept = row.iter().filter(|link| **link != id);
        let linked = kept.chain(others).filter(|link| !self.tree.copies.is_copy(**link));
        candidates.extend(linked.map(|link| Candidate::new(query.rank(*link), *link)));
        candidates.sort_unstable();
        // All other links of the row are pinned: only free places are filled.
        let is_kept = |link| row.contains(&link);
        let least = self.params.least(width);
        choice.choose(space, from, candidates, width, least, is_kept, selected, other)?;
        let is_new = |link: &&Candidate| {
            let id = link.id();
            !row.contains(&id) && !self.levels[index].links(id).contains(&from)
        };
        let back = selected.iter().filter(is_new);
        reserve(links, selected.len())?;
        links.extend(back.map(|link| Link {
            level: index as u8,
            target: link.id(),
            source: Candidate::new(link.distance(), from),
        }));
        self.levels[index].set(from, selected.iter().map(|selected| selected.id()));
        Ok(())
    }

    /// Removes `id` from the tree: its children get other parents.
    ///
    /// The entry point stays the root, and its first child found here stays below it. All its other
    /// children get parents below that one, until [`attach`](Self::attach).
    fn mend(&mut self, space: impl Space, id: NodeId, workspace: &mut Workspace) -> Result<(), OutOfMemory> {
        let most = most_children(self.params, space);
        let journal = &mut workspace.relink.journal;
        let old_parent = self.tree.parent(id);
        journal.set_parent(self.tree, id, TERMINATOR)?;
        let mut anchor = if old_parent == TERMINATOR { *self.entry } else { old_parent };
        for position in 0..workspace.relink.old.len() {
            let child = workspace.relink.old[position];
            if self.tree.parent(child) != id {
                continue;
            }
            // The node is the root: its first child becomes the temporary root.
            if anchor == id {
                anchor = child;
                workspace.relink.journal.set_parent(self.tree, child, TERMINATOR)?;
                continue;
            }
            let parent = self.parent_of_orphan(child, id, anchor, most);
            workspace.relink.journal.set_parent(self.tree, child, parent)?;
            // The new parent must link to the child, so the link is merged at once.
            if !self.levels[0].links(parent).contains(&child) {
                let [buffer, _] = workspace.relink.buffers.of(space)?;
                let source = Candidate::new(space.query(parent, buffer).rank(child), child);
                workspace.links.clear();
                reserve(&mut workspace.links, 1)?;
                workspace.links.push(Link { level: 0, target: parent, source });
                self.merge_links(space, workspace)?;
            }
        }
        // The temporary root has no parent until the entry point has its new links.
        workspace.relink.old.clear();
        workspace.relink.old.extend(Some(anchor).filter(|_| *self.entry == id && anchor != id));
        Ok(())
    }

    /// The new parent of `child`, whose parent was `id`. First choice is a node that links to it
    /// already, then one that it links to, then one below `anchor`. None of them is below `child`,
    /// and `anchor` is not below `id`.
    fn parent_of_orphan(&self, child: NodeId, id: NodeId, anchor: NodeId, most: usize) -> NodeId {
        let tree = &*self.tree;
        let base = self.levels[0].view();
        let links = self.levels[0].links(child).iter().copied();
        let is_linked = |link: &NodeId| *link != id && !tree.copies.is_copy(*link);
        let links = links.filter(|link| is_linked(link) && !tree.is_below(*link, child));
        let links_back = |link: &NodeId| self.levels[0].links(*link).contains(&child);
        links
            .clone()
            .find(|link| tree.has_room(*link, most) && links_back(link))
            .or_else(|| tree.parent_for(child, links, TERMINATOR, &base, most))
            .or_else(|| tree.parent_for(child, core::iter::once(anchor), TERMINATOR, &base, most))
            .unwrap_or(anchor)
    }

    /// Writes the links that were proposed for `id`, links back to it, and gives it a parent.
    fn attach(
        &mut self,
        space: impl Space,
        id: NodeId,
        level: usize,
        workspace: &mut Workspace,
    ) -> Result<(), OutOfMemory> {
        let Workspace { propose, links: back, relink, .. } = &mut *workspace;
        let Relink { journal, old, buffers, .. } = relink;
        let links = &propose[0].links;
        let on = |index: usize| {
            let links = links.iter().filter(move |link| usize::from(link.level) == index);
            links.map(|link| link.target)
        };
        // The temporary root, if `id` is the entry point.
        let root = old.first().copied();
        for index in 0..=level {
            let extra = root.filter(|root| index == 0 && on(0).all(|link| link != *root));
            journal.keep_row(self.levels, index as u8, id)?;
            self.levels[index].set(id, on(index).chain(extra));
        }
        // Links back to a node that is linked already would be there twice.
        back.clear();
        reserve(back, links.len() + 1)?;
        let is_missing = |link: &&Link| {
            let links = self.levels[usize::from(link.level)].links(link.target);
            !links.contains(&id)
        };
        back.extend(links.iter().filter(is_missing));
        if let Some(root) = root {
            journal.set_parent(self.tree, root, id)?;
        } else if *self.entry != id {
            let (base, most) = (self.levels[0].view(), most_children(self.params, space));
            let entry = core::iter::once(*self.entry);
            let parent = self.tree.parent_for(id, on(0), TERMINATOR, &base, most);
            let parent = parent.or_else(|| self.tree.parent_for(id, entry, TERMINATOR, &base, most));
            let parent = parent.unwrap_or(*self.entry);
            journal.set_parent(self.tree, id, parent)?;
            if !on(0).any(|link| link == parent) && !self.levels[0].links(parent).contains(&id) {
                let [buffer, _] = buffers.of(space)?;
                let source = Candidate::new(space.query(parent, buffer).rank(id), id);
                back.push(Link { level: 0, target: parent, source });
            }
        }
        back.sort_unstable();
        self.merge_links(space, workspace)
    }

    /// Merges the links of the workspace into the rows of their targets, at once.
    fn merge_links(&mut self, space: impl Space, workspace: &mut Workspace) -> Result<(), OutOfMemory> {
        let Workspace { merge, links, relink, .. } = workspace;
        merge[0].clear();
        // Inserts and updates compare nodes by vectors, so no node is hard.
        let hard = &Hard::default();
        let rows = merge::Rows { params: self.params, levels: self.levels, tree: self.tree, hard };
        merge::run(rows, space, links, merge, &Serial)?;
        for (level, target) in merge[0].changed() {
            relink.journal.keep_row(self.levels, level, target)?;
        }
        merge[0].commit(self.levels);
        Ok(())
    }
}

impl Workspace {
    /// Empties the journal: what was changed can no longer be [undone](Linker::undo).
    pub(crate) fn begin(&mut self) {
        self.relink.journal.clear();
    }
}
