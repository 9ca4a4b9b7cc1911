//! Reordering: nodes that a search reads together lie together in memory.
//!
//! A bulk build inserts nodes in random order, so each neighbor of a node would be on a page of its
//! own. When all nodes are linked, they are renumbered by the greedy order of Wei, Yu, Lu and Lin
//! (2016, "Speedup Graph Processing by Graph Ordering"):
//!
//! ```text
//! the first node is the entry point
//! repeat: the next node is the one with most links from and to the last 128 nodes
//!         (if none has any: the lowest that was not placed)
//! ```
//!
//! Their order has a second term: nodes that a third node links to. To count them takes six times
//! as long and gains nothing here.
//!
//! The order is one within each level, so levels stay sorted: a node gets the next free id of its
//! level. [`Queue`] keeps nodes by their number of links to the window. So a step takes time in the
//! degree of the node that enters the window and of the node that leaves it.

use alloc::vec::Vec;

use crate::storage::{Copies, LevelLinks, bytes, reserve_exact, swap_rows};
use crate::{Hnsw, LevelView, MAX_LEVELS, NodeId, OutOfMemory, TERMINATOR};

/// How many of the last nodes choose the next. A quarter as many is nearly as good, and no limit
/// half as good.
const WINDOW: usize = 128;

/// At most this many bytes are needed to reorder a graph of `count` nodes, whose rows of the base
/// have `width` links.
pub(crate) fn reordering_bytes(width: usize, count: usize) -> usize {
    let queue = bytes::<Place>(count) + size_of::<Queue>();
    let incoming = bytes::<NodeId>(count.saturating_mul(width)).saturating_add(bytes::<usize>(count + 1));
    // The order is complete when the other parts are freed. Then the swaps are computed.
    bytes::<NodeId>(count).saturating_add(incoming.saturating_add(queue).max(bytes::<NodeId>(count)))
}

impl Hnsw {
    /// Renumbers the nodes of a graph that was just built, so that neighbors lie together.
    /// `positions` is reordered with them.
    pub(crate) fn reorder(&mut self, positions: &mut [u32]) -> Result<(), OutOfMemory> {
        let Some(base) = self.levels.first() else { return Ok(()) };
        let ids = new_ids(&base.view(), &self.levels, self.entry)?;
        self.renumber(&ids, positions)
    }

    /// Gives every node the id that `ids` has for it, on the same levels.
    fn renumber(&mut self, ids: &[NodeId], positions: &mut [u32]) -> Result<(), OutOfMemory> {
        let new_id = |id| ids[id as usize];
        let copies = Copies::renumbered(self.tree.copies.chains(), new_id, |_, _| true)?;
        let swaps = swaps_of(ids)?;
        // From here on nothing can fail.
        swap_rows(positions, 1, &swaps);
        self.vectors.swap_rows(&swaps);
        self.squares.swap_rows(&swaps);
        if let Some(codes) = &mut self.codes {
            codes.swap_rows(&swaps);
        }
        for level in &mut self.levels {
            level.renumber(ids, &swaps);
        }
        self.tree.renumber(ids, &swaps);
        self.tree.copies = copies;
        self.entry = ids.get(self.entry as usize).copied().unwrap_or(TERMINATOR);
        Ok(())
    }
}

/// The new id of each node.
fn new_ids(base: &LevelView<'_>, levels: &[LevelLinks], entry: NodeId) -> Result<Vec<NodeId>, OutOfMemory> {
    let count = base.sorted;
    let mut ids = Vec::new();
    reserve_exact(&mut ids, count)?;
    ids.resize(count, TERMINATOR);
    let mut queue = Queue::new(count)?;
    let incoming = Incoming::new(base)?;
    // The next id of each level. Ids of the levels above come first.
    let mut next = [0; MAX_LEVELS];
    for (next, above) in next.iter_mut().zip(levels.iter().skip(1)) {
        *next = above.count() as NodeId;
    }

    let mut window = [TERMINATOR; WINDOW];
    let mut lowest = 0..count as NodeId;
    for place in 0..count {
        let start = if place == 0 { Some(entry) } else { queue.next() };
        // If the window leads to no node that was not placed: begin elsewhere.
        let start = start.or_else(|| lowest.find(|id| ids[*id as usize] == TERMINATOR));
        let Some(node) = start else { break };
        let level = levels.iter().rposition(|level| (node as usize) < level.count()).unwrap_or(0);
        ids[node as usize] = next[level];
        next[level] += 1;
        queue.place(node);

        // The node enters the window, and the oldest leaves it.
        for linked in linked(base, &incoming, node) {
            queue.step(linked, 1);
        }
        let oldest = core::mem::replace(&mut window[place % WINDOW], node);
        for linked in linked(base, &incoming, oldest) {
            queue.step(linked, -1);
        }
    }
    Ok(ids)
}

/// The nodes with a link from or to `id`. Those with both come twice.
fn linked<'l>(
    base: &LevelView<'l>,
    incoming: &'l Incoming,
    id: NodeId,
) -> impl Iterator<Item = NodeId> + use<'l> {
    let row = base.row(id).unwrap_or(&[]);
    row.iter().take_while(|link| **link != TERMINATOR).chain(incoming.of(id)).copied()
}

/// The sources of all links, by target.
struct Incoming {
    /// By node, where its sources begin; one more for the end of the last.
    starts: Vec<usize>,
    sources: Vec<NodeId>,
}

impl Incoming {
    fn new(base: &LevelView<'_>) -> Result<Self, OutOfMemory> {
        let links = || {
            let rows = base.ids().filter_map(|id| Some((id, base.row(id)?)));
            rows.flat_map(|(id, row)| {
                row.iter().take_while(|link| **link != TERMINATOR).map(move |link| (id, *link as usize))
            })
        };
        let (mut starts, mut sources) = (Vec::new(), Vec::new());
        reserve_exact(&mut starts, base.sorted + 1)?;
        starts.resize(base.sorted + 1, 0);
        // A counting sort: the links of each target are counted, and the sums say where its sources
        // end.
        for (_, target) in links() {
            starts[target] += 1;
        }
        let mut end = 0;
        for start in &mut starts {
            end += *start;
            *start = end;
        }
        reserve_exact(&mut sources, end)?;
        sources.resize(end, 0);
        // The start of each target is the end of its sources until they are written, from the last
        // to the first.
        for (source, target) in links() {
            starts[target] -= 1;
            sources[starts[target]] = source;
        }
        Ok(Self { starts, sources })
    }

    /// The sources of a target. None for an id that is no node.
    fn of(&self, id: NodeId) -> &[NodeId] {
        let bounds = self.starts.get(id as usize..).and_then(<[usize]>::first_chunk);
        bounds.map_or(&[], |[start, end]| &self.sources[*start..*end])
    }
}

/// Where a node is in the [`Queue`].
#[derive(Clone, Copy)]
struct Place {
    /// Its links from and to the window; [`PLACED`](Self::PLACED) once it has its id.
    links: u16,
    before: NodeId,
    after: NodeId,
}

impl Place {
    const PLACED: u16 = u16::MAX;
}

/// The nodes that are linked to the window: one list for each number of links. The last that came
/// is the first to go.
struct Queue {
    places: Vec<Place>,
    /// By number of links. A node has at most two with each node of the window.
    first: [NodeId; 2 * WINDOW + 1],
    highest: usize,
}

impl Queue {
    fn new(count: usize) -> Result<Self, OutOfMemory> {
        let mut places = Vec::new();
        reserve_exact(&mut places, count)?;
        places.resize(count, Place { links: 0, before: TERMINATOR, after: TERMINATOR });
        Ok(Self { places, first: [TERMINATOR; 2 * WINDOW + 1], highest: 0 })
    }

    /// Adds `step`, which is 1 or −1, to the links of a node that was not placed.
    fn step(&mut self, id: NodeId, step: i16) {
        let links = self.places[id as usize].links;
        if links != Place::PLACED {
            self.unlist(id);
            let links = links.wrapping_add_signed(step);
            self.places[id as usize].links = links;
            self.list(id);
            self.highest = self.highest.max(links.into());
        }
    }

    /// A node with most links. It stays in its list until it is placed.
    fn next(&mut self) -> Option<NodeId> {
        while self.highest > 0 && self.first[self.highest] == TERMINATOR {
            self.highest -= 1;
        }
        (self.highest > 0).then(|| self.first[self.highest])
    }

    /// Marks a node as placed, and removes it from its list.
    fn place(&mut self, id: NodeId) {
        self.unlist(id);
        self.places[id as usize].links = Place::PLACED;
    }

    /// Adds a node to the list of its number of links. Nodes without links are on no list.
    fn list(&mut self, id: NodeId) {
        let links = self.places[id as usize].links;
        if links > 0 {
            let after = core::mem::replace(&mut self.first[usize::from(links)], id);
            self.places[id as usize] = Place { links, before: TERMINATOR, after };
            if let Some(after) = self.places.get_mut(after as usize) {
                after.before = id;
            }
        }
    }

    /// Removes a node from its list, if it is on one.
    fn unlist(&mut self, id: NodeId) {
        let Place { links, before, after } = self.places[id as usize];
        if links > 0 {
            if let Some(after) = self.places.get_mut(after as usize) {
                after.before = before;
            }
            match self.places.get_mut(before as usize) {
                Some(before) => before.after = after,
                None => self.first[usize::from(links)] = after,
            }
        }
    }
}

/// The swaps that bring every row to its new id: see [`swap_rows`].
fn swaps_of(ids: &[NodeId]) -> Result<Vec<NodeId>, OutOfMemory> {
    let mut swaps = Vec::new();
    reserve_exact(&mut swaps, ids.len())?;
    swaps.resize(ids.len(), 0);
    for (old, new) in ids.iter().enumerate() {
        swaps[*new as usize] = old as NodeId;
    }
    for row in 0..swaps.len() {
        // The row that belongs here may have been swapped away from an earlier place: follow it.
        let mut from = swaps[row];
        while (from as usize) < row {
            from = swaps[from as usize];
        }
        swaps[row] = from;
    }
    Ok(swaps)
}

#[cfg(test)]
mod tests {
    use core::ops::ControlFlow;

    use super::*;
    use crate::construct::Serial;
    use crate::hnsw::Part;
    use crate::random::draw;
    use crate::storage::Vectors;
    use crate::{BuildError, Elements, Metric, Params, Quantization};

    const COUNT: usize = 2000;

    /// A graph of points on a plane. It is not reordered, unless the build does it.
    fn graph() -> Hnsw {
        let params = Params { m: 4, quantization: Some(Quantization::Sq2x2), ..Params::default() };
        let source = |vectors: &mut Vectors, id, position| {
            let point = [0, 1].map(|axis| (draw(100 + axis, position as u64) >> 40) as f32);
            vectors
                .set(id, Elements::from(&point))
                .map_err(|error| BuildError::<()>::Vector { position, error })
        };
        let go_on = |_| ControlFlow::Continue(());
        let graph = Hnsw::new(Metric::SquaredEuclidean, 2, params).unwrap();
        graph.build_from(COUNT, source, &Serial, Part::Dropped, go_on).unwrap().0
    }

    /// Exchanges each node with the one that lies opposite on its level.
    fn reverse(graph: &mut Hnsw) {
        let mut ids = Vec::new();
        let mut end = 0;
        for level in graph.levels.iter().rev() {
            ids.extend((end..level.count()).rev().map(|id| id as NodeId));
            end = level.count();
        }
        let mut positions: Vec<u32> = (0..COUNT as u32).collect();
        graph.renumber(&ids, &mut positions).unwrap();
    }

    /// The median distance of nodes that are linked, in ids.
    fn spread(graph: &Hnsw) -> u32 {
        let base = &graph.levels[0];
        let ids = base.view().ids();
        let mut spreads: Vec<_> =
            ids.flat_map(|id| base.links(id).iter().map(move |link| link.abs_diff(id))).collect();
        spreads.sort_unstable();
        spreads[spreads.len() / 2]
    }

    #[test]
    fn swaps_bring_every_row_to_its_place() {
        for count in [0, 1, 2, 3, 50, 1000] {
            let mut ids: Vec<NodeId> = (0..count).collect();
            ids.sort_unstable_by_key(|id| draw(7, u64::from(*id)));
            let mut rows: Vec<_> = ids.iter().flat_map(|new| [*new, *new + 1]).collect();
            swap_rows(&mut rows, 2, &swaps_of(&ids).unwrap());
            assert!(rows.iter().copied().eq((0..count).flat_map(|new| [new, new + 1])));
        }
    }

    #[test]
    fn a_reordered_graph_has_the_same_nodes_links_and_codes() {
        let old = graph();
        let mut new = graph();
        let mut positions: Vec<u32> = (0..COUNT as u32).collect();
        reverse(&mut new);
        new.reorder(&mut positions).unwrap();
        // What was reversed is found again by the vectors, which all differ.
        let point = |graph: &Hnsw, id| match graph.vectors.rows().row(id) {
            Elements::F32(point) => [point[0].to_bits(), point[1].to_bits()],
            _ => unreachable!(),
        };
        let mut old_points: Vec<_> = (0..COUNT as NodeId).map(|id| (point(&old, id), id)).collect();
        old_points.sort_unstable();
        let old_of = |id| {
            let found = old_points.binary_search_by_key(&point(&new, id), |(point, _)| *point).unwrap();
            old_points[found].1
        };
        assert_eq!(old_of(new.entry), old.entry);
        for id in 0..COUNT as NodeId {
            let before = old_of(id);
            for (old, new) in old.levels.iter().zip(&new.levels) {
                assert!(new.links(id).iter().map(|link| old_of(*link)).eq(old.links(before).iter().copied()));
                assert_eq!(new.view().row(id).is_some(), old.view().row(before).is_some());
            }
            let parent =
                |graph: &Hnsw, id| Some(graph.tree.parent(id)).filter(|parent| *parent != TERMINATOR);
            assert_eq!(parent(&new, id).map(old_of), parent(&old, before));
            assert_eq!(new.tree.has_room(id, 2), old.tree.has_room(before, 2));
            let [new, old] = [(&new, id), (&old, before)].map(|(graph, id)| {
                let codes = graph.codes.as_ref().unwrap().view();
                (
                    codes.terms()[id as usize],
                    codes.planes().map(|plane| plane.chunks_exact(64).nth(id as usize).map(<[_]>::to_vec)),
                )
            });
            assert_eq!(new, old);
        }
    }

    #[test]
    fn what_is_linked_lies_together() {
        let mut graph = graph();
        let built = spread(&graph);
        // It is 25, and 486 in the order of the build.
        assert!(built < 28, "{built}");
        reverse(&mut graph);
        let mut positions: Vec<u32> = (0..COUNT as u32).collect();
        graph.reorder(&mut positions).unwrap();
        assert!(spread(&graph) < 28);
        positions.sort_unstable();
        assert!(positions.into_iter().eq(0..COUNT as u32));
    }
}
