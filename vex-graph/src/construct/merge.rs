//! Step 3 of construction: links back to the new nodes, grouped by target.
//!
//! ```text
//! merge(target, new links to it):
//!     if the row has room for all: append them
//!     otherwise:
//!         candidates = links of the row and new links, by their distance to the target
//!         row = select(candidates), with links to the target's children pinned
//! ```
//!
//! All new links of a batch to one target are merged at once, so a row is selected again at most
//! once a batch. Each row belongs to one worker. The rows are kept aside until all are computed,
//! and [`commit`](Merge::commit) writes them. So an allocation that fails changes nothing.

use alloc::vec::Vec;

use super::choice::Choice;
use super::hard::Hard;
use super::{Buffers, Executor, Link, Space, Tree};
use crate::Candidate;
use crate::distance::Ranker;
use crate::storage::{LevelLinks, reserve};
use crate::{NodeId, OutOfMemory, Params};

/// One worker's share of the changed rows.
#[derive(Debug, Default)]
pub(super) struct Merge {
    /// This worker's part of the sorted links.
    links: core::ops::Range<usize>,
    /// Level, target and degree of each changed row.
    targets: Vec<(u8, NodeId, usize)>,
    /// The links of the changed rows, back to back.
    ids: Vec<NodeId>,
    candidates: Vec<Candidate>,
    selected: Vec<Candidate>,
    choice: Choice,
    buffers: Buffers,
    result: Option<OutOfMemory>,
}

/// The parts of a graph from which changed rows are computed.
#[derive(Clone, Copy)]
pub(super) struct Rows<'g> {
    pub(super) params: &'g Params,
    pub(super) levels: &'g [LevelLinks],
    pub(super) tree: &'g Tree,
    pub(super) hard: &'g Hard,
}

/// Computes the changed rows of all targets in `links`, which are sorted.
pub(super) fn run(
    rows: Rows<'_>,
    space: impl Space,
    links: &[Link],
    tasks: &mut [Merge],
    executor: &dyn Executor,
) -> Result<(), OutOfMemory> {
    let workers = tasks.len();
    let mut start = 0;
    for (index, task) in tasks.iter_mut().enumerate() {
        // A part ends where the target changes, so that no row belongs to two workers.
        let mut end = (links.len() * (index + 1) / workers).max(start);
        while end > 0 && end < links.len() && same_row(&links[end - 1], &links[end]) {
            end += 1;
        }
        task.links = start..end;
        start = end;
    }
    executor.run(tasks, |task| {
        let share = &links[task.links.clone()];
        task.result = share.chunk_by(same_row).try_for_each(|group| task.merge(rows, space, group)).err();
    });
    tasks.iter().find_map(|task| task.result).map_or(Ok(()), Err)
}

/// Whether two links go to one row.
fn same_row(a: &Link, b: &Link) -> bool {
    (a.level, a.target) == (b.level, b.target)
}

impl Merge {
    pub(super) fn clear(&mut self) {
        self.targets.clear();
        self.ids.clear();
    }

    /// The rows that [`commit`](Self::commit) will write: level and node of each.
    pub(super) fn changed(&self) -> impl Iterator<Item = (u8, NodeId)> {
        self.targets.iter().map(|(level, target, _)| (*level, *target))
    }

    /// Writes the changed rows. Nothing can fail.
    pub(super) fn commit(&self, levels: &mut [LevelLinks]) {
        let mut start = 0;
        for (level, target, degree) in &self.targets {
            levels[usize::from(*level)].set(*target, self.ids[start..start + degree].iter().copied());
            start += degree;
        }
    }

    /// Computes the row of one target. `group` has all new links to it.
    fn merge<S: Space>(&mut self, rows: Rows<'_>, space: S, group: &[Link]) -> Result<(), OutOfMemory> {
        let Rows { levels, hard, .. } = rows;
        let Link { level, target, .. } = group[0];
        let links = &levels[usize::from(level)];
        let width = links.width();
        let row = links.links(target);
        reserve(&mut self.targets, 1)?;
        reserve(&mut self.ids, width)?;
        let degree = row.len() + group.len();
        // No order is kept in a row, so new links can follow the old ones.
        if degree <= width {
            self.ids.extend_from_slice(row);
            self.ids.extend(group.iter().map(|link| link.source.id()));
            self.targets.push((level, target, degree));
            return Ok(());
        }

        self.candidates.clear();
        self.selected.clear();
        reserve(&mut self.candidates, degree)?;
        reserve(&mut self.selected, width)?;
        // One hard node suffices. If codes cannot compare it with its neighbors, they cannot
        // compare its neighbors with each other. The first node of a tight cluster is not hard
        // itself: it was linked before its neighbors came.
        let mut nodes = core::iter::once(target).chain(group.iter().map(|link| link.source.id()));
        if S::IS_CODED && nodes.any(|id| hard.contains(id)) {
            // The distances of the new links may be those of codes.
            self.select(rows, space.exact(), group, false)?;
        } else {
            self.select(rows, space, group, true)?;
        }
        self.ids.extend(self.selected.iter().map(|selected| selected.id()));
        self.targets.push((level, target, self.selected.len()));
        Ok(())
    }

    /// Selects links among those of a row and the new ones of `group`. If they `are_ranked`, the
    /// distances of the new ones are ranks of the space.
    fn select(
        &mut self,
        rows: Rows<'_>,
        space: impl Space,
        group: &[Link],
        are_ranked: bool,
    ) -> Result<(), OutOfMemory> {
        let Rows { params, levels, tree, .. } = rows;
        let Link { level, target, .. } = group[0];
        let links = &levels[usize::from(level)];
        let (row, width) = (links.links(target), links.width());
        let [own, other] = self.buffers.of(space)?;
        let query = space.query(target, own);
        let (fours, rest) = row.as_chunks::<4>();
        for four in fours {
            let ranks = query.rank_4(*four);
            self.candidates.extend(ranks.into_iter().zip(four).map(|(rank, id)| Candidate::new(rank, *id)));
        }
        self.candidates.extend(rest.iter().map(|id| Candidate::new(query.rank(*id), *id)));
        let ranked = |link: &Link| match are_ranked {
            true => link.source,
            false => Candidate::new(query.rank(link.source.id()), link.source.id()),
        };
        self.candidates.extend(group.iter().map(ranked));
        // A link to a node that has become a copy is dropped here.
        self.candidates.retain(|candidate| !tree.copies.is_copy(candidate.id()));
        self.candidates.sort_unstable();
        // The tree's links are pinned: each child must stay reachable from the target.
        let is_pinned = |id| level == 0 && tree.parent(id) == target;
        let selected = &mut self.selected;
        let (candidates, least) = (&self.candidates, params.least(width));
        self.choice.choose(space, target, candidates, width, least, is_pinned, selected, other)?;
        Ok(())
    }
}
