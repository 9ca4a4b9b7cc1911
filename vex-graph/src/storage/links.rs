//! The owned links of one level.

use alloc::vec::Vec;

use super::AlignedVec;
use crate::{GraphView, LevelView, NodeId, OutOfMemory, TERMINATOR};

/// The rows of one level; see [`LevelView`] for the layout.
#[derive(Debug)]
pub(crate) struct LevelLinks {
    width: usize,
    links: AlignedVec<u32>,
    sorted: usize,
    appended: Vec<NodeId>,
}

impl LevelLinks {
    pub(crate) fn new(width: usize) -> Self {
        Self { width, links: AlignedVec::new(), sorted: 0, appended: Vec::new() }
    }

    /// Copies one level of a view of which only the lengths were checked. Nodes are kept that are
    /// on the level `below`, and links that a graph of these nodes can have.
    pub(crate) fn copy_of(
        view: &GraphView<'_>,
        index: usize,
        below: Option<&Self>,
    ) -> Result<Self, OutOfMemory> {
        let level = &view.levels()[index];
        let mut copy = Self::new(level.width);
        copy.reserve_exact(level.sorted, level.appended.len())?;
        let is_below = |id: &NodeId| below.is_none_or(|below| below.view().row(*id).is_some());
        // First the nodes, with empty rows: a link is valid only if its target is a node of this
        // level.
        for id in (0..level.sorted as NodeId).take_while(is_below) {
            copy.push(id, core::iter::empty());
        }
        for id in level.appended.iter().copied().filter(is_below) {
            if id as usize >= copy.sorted && copy.appended.last().is_none_or(|last| *last < id) {
                copy.push(id, core::iter::empty());
            }
        }

        let Self { width, links, sorted, appended } = &mut copy;
        let nodes = LevelView { links: &[], width: 0, sorted: *sorted, appended };
        for (row, id) in links.as_mut_slice().chunks_exact_mut(*width).zip(nodes.ids()) {
            let links = view.links(id, index);
            // Not to the node itself, not to a node of another level, and not twice.
            let kept = links.iter().enumerate().filter(|(position, link)| {
                **link != id && nodes.row(**link).is_some() && !links[..*position].contains(link)
            });
            write(row, kept.map(|(_, link)| *link));
        }
        Ok(copy)
    }

    pub(crate) fn width(&self) -> usize {
        self.width
    }

    pub(crate) fn count(&self) -> usize {
        self.sorted + self.appended.len()
    }

    pub(crate) fn view(&self) -> LevelView<'_> {
        LevelView {
            links: self.links.as_slice(),
            width: self.width,
            sorted: self.sorted,
            appended: &self.appended,
        }
    }

    /// Makes room for exactly `sorted` more rows of nodes whose ids follow each other from zero,
    /// and `appended` of others.
    pub(crate) fn reserve_exact(&mut self, sorted: usize, appended: usize) -> Result<(), OutOfMemory> {
        self.links.reserve_exact((sorted.saturating_add(appended)).saturating_mul(self.width))?;
        super::reserve_exact(&mut self.appended, appended)
    }

    /// Makes room for `additional` more rows, of nodes whose ids follow each other from `first`.
    pub(crate) fn reserve(&mut self, additional: usize, first: NodeId) -> Result<(), OutOfMemory> {
        self.links.reserve(additional.saturating_mul(self.width))?;
        let is_sorted = self.appended.is_empty() && self.sorted == first as usize;
        super::reserve(&mut self.appended, if is_sorted { 0 } else { additional })
    }

    /// Bytes that [`reserve_exact`](Self::reserve_exact) allocates for `count` sorted rows.
    pub(crate) fn exact_bytes(width: usize, count: usize) -> usize {
        AlignedVec::<u32>::exact_bytes(count.saturating_mul(width))
    }

    /// Bytes held, and bytes of the new memory that one more row would move them to.
    pub(crate) fn memory(&self) -> [usize; 2] {
        let held = self.links.held() + super::held(&self.appended);
        [held, self.links.growth(self.width) + super::growth(&self.appended)]
    }

    /// Appends a row for `id`, which is larger than every id on this level. Room for it was
    /// reserved.
    pub(crate) fn push(&mut self, id: NodeId, links: impl Iterator<Item = NodeId>) {
        if id as usize == self.sorted && self.appended.is_empty() {
            self.sorted += 1;
        } else {
            self.appended.push(id);
        }
        let row = self.links.len();
        self.links.extend_with(self.width, TERMINATOR);
        write(&mut self.links.as_mut_slice()[row..], links);
    }

    /// The links of a node, without terminators; empty if the node is not on this level.
    pub(crate) fn links(&self, id: NodeId) -> &[NodeId] {
        let row = self.view().row(id).unwrap_or(&[]);
        &row[..row.iter().position(|id| *id == TERMINATOR).unwrap_or(row.len())]
    }

    /// Replaces the links of a node of this level.
    pub(crate) fn set(&mut self, id: NodeId, links: impl Iterator<Item = NodeId>) {
        let view = self.view();
        let row = if (id as usize) < view.sorted {
            id as usize
        } else {
            view.sorted + view.appended.binary_search(&id).expect("a link's target is on its level")
        };
        let start = row * self.width;
        write(&mut self.links.as_mut_slice()[start..start + self.width], links);
    }

    /// Renumbers nodes: `ids` has the new id of each, and `swaps` bring rows to their places. No
    /// node is appended.
    pub(crate) fn renumber(&mut self, ids: &[NodeId], swaps: &[NodeId]) {
        let rows = self.links.as_mut_slice();
        super::swap_rows(rows, self.width, &swaps[..self.sorted]);
        for link in rows.iter_mut().filter(|link| **link != TERMINATOR) {
            *link = ids[*link as usize];
        }
    }

    /// Removes every row whose id is `count` or more.
    pub(crate) fn truncate(&mut self, count: usize) {
        self.appended.truncate(self.appended.partition_point(|id| (*id as usize) < count));
        self.sorted = self.sorted.min(count);
        self.links.truncate(self.count() * self.width);
    }
}

/// Writes links to a row, and terminators behind them.
fn write(row: &mut [u32], links: impl Iterator<Item = NodeId>) {
    let mut links = links;
    for slot in row {
        *slot = links.next().unwrap_or(TERMINATOR);
    }
    debug_assert!(links.next().is_none(), "a row holds all links it is given");
}
