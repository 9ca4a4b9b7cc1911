//! Step 1 of construction: a new node searches the graph and selects its links.
//!
//! ```text
//! propose(node, level L of the node):
//!     nearest = greedy descent from the entry point, on the levels above L
//!     for each level from L (or the top, if that is lower) down to the base:
//!         candidates = beam search from `nearest`, with ef_construction candidates
//!         with a guide:        rank the candidates again, by finer codes
//!         with codes:          if the node is hard, begin again by vectors
//!         by inner product:    add the candidates of a second search, among lifted vectors
//!         links of this level = select(candidates)                             select.rs
//!         nearest = the nearest candidate
//!     if L is above the top: add a link to the entry point on the base
//! ```
//!
//! This is Algorithm 1 of the paper, except that links back come later (`merge.rs`). Four cases
//! differ from it:
//! - A *guide* compares nodes by smaller codes than those that select the links: see
//!   [`Guided`](super::Guided).
//! - A node is *hard* if the error of codes is too large to compare its neighbors: see `hard.rs`.
//! - By inner product, nodes with the largest products are not those that are alike: see
//!   `lifted.rs`.
//! - A node that is linked already ([`Propose::again`]) ranks itself last, and does not link to
//!   itself.

use alloc::vec::Vec;

use super::choice::Choice;
use super::{Buffers, Frozen, Link, Space};
use crate::copies::Chains;
use crate::distance::{Edge, Ranker, each_of_4, rank_anew, refine};
use crate::search::{CandidateList, Scratch, ScratchMut, SearchStats, Traversal, Visited};
use crate::storage::reserve;
use crate::{Candidate, LevelView, NodeId, OutOfMemory, Params};

/// One worker's share of a batch, and its memory.
#[derive(Debug)]
pub(super) struct Propose {
    pub(super) index: usize,
    /// The links of this worker's nodes: node by node, levels from the top, nearest first.
    pub(super) links: Vec<Link>,
    /// The hard nodes among this worker's.
    pub(super) hard: Vec<NodeId>,
    pub(super) result: Result<(), OutOfMemory>,
    /// Position in `links` up to which [`take_links`](Self::take_links) has read.
    pub(super) cursor: usize,
    scratch: Scratch,
    /// The candidates of the last level, nearest first; those of the base in the end.
    pub(super) candidates: Vec<Candidate>,
    selected: Vec<Candidate>,
    choice: Choice,
    buffers: Buffers,
}

impl Propose {
    pub(super) fn new(index: usize) -> Self {
        Self {
            index,
            links: Vec::new(),
            hard: Vec::new(),
            result: Ok(()),
            cursor: 0,
            scratch: Scratch::new(),
            candidates: Vec::new(),
            selected: Vec::new(),
            choice: Choice::default(),
            buffers: Buffers::default(),
        }
    }

    /// Proposes links for the nodes `ids`.
    pub(super) fn run(
        &mut self,
        frozen: &Frozen<'_>,
        space: impl Space,
        params: &Params,
        ids: impl Iterator<Item = NodeId>,
        level_of: &impl Fn(NodeId) -> usize,
    ) {
        self.links.clear();
        self.hard.clear();
        self.result = ids
            .into_iter()
            .try_for_each(|id| self.propose::<false, _>(frozen, space, params, id, level_of(id)));
    }

    /// Proposes links for a node of the graph itself.
    pub(super) fn again(
        &mut self,
        frozen: &Frozen<'_>,
        space: impl Space,
        params: &Params,
        id: NodeId,
        level: usize,
    ) -> Result<(), OutOfMemory> {
        self.links.clear();
        self.propose::<true, _>(frozen, space, params, id, level)
    }

    /// The `count` nodes nearest to `id`, a node of the graph, that a beam search from its links
    /// finds, nearest first.
    pub(super) fn around(
        &mut self,
        frozen: &Frozen<'_>,
        space: impl Space,
        count: usize,
        id: NodeId,
    ) -> Result<&[Candidate], OutOfMemory> {
        let beam_width = count.min(frozen.count);
        self.scratch.reserve_list(frozen.count, beam_width)?;
        self.candidates.clear();
        reserve(&mut self.candidates, beam_width)?;

        self.buffers.of(space)?;
        let Buffers { own, rotated, .. } = &mut self.buffers;
        let guide = space.guide(id, own.as_mut_slice(), rotated.as_mut_slice());
        let query = Others::<_, true> { ranker: guide, id };
        let mut stats = SearchStats::default();
        let chains = frozen.copies.chains();
        let mut traversal =
            Traversal { query: &query, count: frozen.count, chains, budget: usize::MAX, stats: &mut stats };
        let scratch = self.scratch.as_mut();
        let mut list = CandidateList::new(&mut scratch.candidates[..beam_width]);
        let mut visited = Visited::new(scratch.visited);
        visited.insert(id);
        list.insert(Candidate::new(query.rank(id), id));
        traversal.beam(&frozen.levels[0].view(), &mut list, &mut visited, usize::MAX);
        let found = list.candidates().iter().map(|candidate| candidate.fresh());
        self.candidates.extend(found.filter(|candidate| candidate.id() != id));
        Ok(&self.candidates)
    }

    /// The links of `id`. Ids must be asked for in the order in which they were proposed.
    pub(super) fn take_links(&mut self, id: NodeId) -> &[Link] {
        let start = self.cursor;
        let len = self.links[start..].iter().take_while(|link| link.source.id() == id).count();
        self.cursor += len;
        &self.links[start..start + len]
    }

    /// Proposes links for a node by the space, or by vectors if the node is hard.
    fn propose<const IS_LINKED: bool, S: Space>(
        &mut self,
        frozen: &Frozen<'_>,
        space: S,
        params: &Params,
        id: NodeId,
        level: usize,
    ) -> Result<(), OutOfMemory> {
        let first = self.links.len();
        if self.propose_in::<IS_LINKED, _>(frozen, space, params, id, level)? == Verdict::Hard {
            self.links.truncate(first);
            reserve(&mut self.hard, 1)?;
            self.hard.push(id);
            self.propose_in::<IS_LINKED, _>(frozen, space.exact(), params, id, level)?;
        }
        Ok(())
    }

    /// Proposes links for a node: see the head of this file. Ends early if the node is hard.
    fn propose_in<const IS_LINKED: bool, S: Space>(
        &mut self,
        frozen: &Frozen<'_>,
        space: S,
        params: &Params,
        id: NodeId,
        level: usize,
    ) -> Result<Verdict, OutOfMemory> {
        let Frozen { levels, entry, count, copies } = *frozen;
        let top = levels.len() - 1;
        let beam_width = params.ef_construction.min(count);
        self.scratch.reserve_list(count, beam_width)?;
        self.candidates.clear();
        self.selected.clear();
        let lifted_width = space.lifted().map_or(0, |_| lifted_width(params).min(count));
        let limit = |index| if space.lifted().is_some() { at_once(params, index) } else { params.m };
        // Reserved for all levels at once.
        reserve(&mut self.candidates, beam_width + lifted_width)?;
        reserve(&mut self.selected, limit(0))?;
        reserve(&mut self.links, level.min(top) * params.m + limit(0) + 1)?;

        self.buffers.of(space)?;
        let Buffers { own, other, rotated } = &mut self.buffers;
        let (other, rotated) = (other.as_mut_slice(), rotated.as_mut_slice());
        let guide = space.guide(id, own.as_mut_slice(), rotated);
        let query = Others::<_, IS_LINKED> { ranker: guide, id };
        let mut stats = SearchStats::default();
        let chains = copies.chains();
        let mut traversal = Traversal { query: &query, count, chains, budget: usize::MAX, stats: &mut stats };
        let mut nearest = Candidate::new(query.rank(entry), entry);
        // Greedy descent to the level above the highest of the node.
        for level in levels.iter().skip(level + 1).rev() {
            nearest = traversal.descend(&level.view(), nearest);
        }
        // Where the search among lifted vectors begins on the next level.
        let mut alike = entry;
        // Each level begins at the nearest candidate of the level above.
        for index in (0..=level.min(top)).rev() {
            let scratch = self.scratch.as_mut();
            let mut list = CandidateList::new(&mut scratch.candidates[..beam_width]);
            let mut visited = Visited::new(scratch.visited);
            visited.insert(nearest.id());
            list.insert(nearest);
            traversal.beam(&levels[index].view(), &mut list, &mut visited, usize::MAX);
            // A copy has no links, so the next level cannot begin there.
            let linked = list.candidates().iter().find(|candidate| !chains.is_copy(candidate.id()));
            nearest = linked.unwrap_or(&list.candidates()[0]).fresh();
            // Where the list was cut off, the guide may have lost a neighbor behind its end.
            let mut edge = if S::IS_CODED && list.is_full() && beam_width < count {
                let error = space.guide_error(&query.ranker, list.candidates()[beam_width - 1].id());
                Edge::new(list.candidates(), |rank| rank, error)
            } else {
                None
            };

            self.candidates.clear();
            let found = list.candidates().iter().map(|candidate| candidate.fresh());
            // A link to a node that has become a copy may be left over. It leads nowhere.
            let is_other = |candidate: &Candidate| candidate.id() != id && !copies.is_copy(candidate.id());
            self.candidates.extend(found.filter(is_other));
            // The guide found the candidates. Finer codes order them, before links are selected.
            if S::IS_GUIDED {
                let shift = refine(&space.query(id, other), &mut self.candidates, |rank| rank);
                edge = edge.map(|edge| edge.shifted(shift));
            }
            // Before links are selected: they would be of no use if the node is hard.
            if S::IS_CODED && is_hard(space, &space.query(id, other), &self.candidates, edge, params.m) {
                return Ok(Verdict::Hard);
            }
            if let Some(lifted) = space.lifted() {
                // The second search, among lifted vectors. Its candidates join those that the
                // product found.
                let products = self.candidates.len();
                {
                    let query = Others::<_, IS_LINKED> { ranker: lifted.query(id, other), id };
                    let scratch = &mut self.scratch.as_mut();
                    let (level, from) = (levels[index].view(), [nearest.id(), alike]);
                    let found = look_around(&query, &level, count, chains, from, lifted_width, scratch);
                    alike = found[0].id();
                    let found = found.iter().map(|candidate| candidate.fresh());
                    self.candidates.extend(found.filter(is_other));
                }
                // All are ranked by the product, and a node that both searches found counts once.
                rank_anew(&space.query(id, other), &mut self.candidates[products..]);
                self.candidates.sort_unstable();
                self.candidates.dedup();
            }
            self.selected.clear();
            let Self { candidates, selected, choice, .. } = self;
            choice.choose(
                space,
                id,
                candidates,
                limit(index),
                params.least(limit(index)),
                |_| false,
                selected,
                other,
            )?;
            self.links.extend(self.selected.iter().map(|selected| Link {
                level: index as u8,
                target: selected.id(),
                source: Candidate::new(selected.distance(), id),
            }));
        }
        // A node that becomes the entry point links to the one before, and so leads to all that was
        // reachable.
        if level > top && self.selected.iter().all(|selected| selected.id() != entry) {
            let distance = space.query(id, other).rank(entry);
            self.links.push(Link { level: 0, target: entry, source: Candidate::new(distance, id) });
        }
        Ok(Verdict::Linked)
    }
}

/// Whether a node was linked.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Verdict {
    Linked,
    Hard,
}

/// The largest error of ranks with which links are selected as well as by vectors, as a part of the
/// spread of the `m` nearest.
const TOLERANCE: f32 = 0.1;

/// Fewer candidates than this do not show how far apart neighbors are. They are all near enough.
const LEAST: usize = 8;

/// Whether a node is *hard*: codes leave open which of its `candidates` are nearest, or may have
/// lost nearer ones behind the `edge` of the list. Candidates are sorted by a query of the node.
/// Their ranks are squared distances: by inner product, no links are selected by codes.
///
/// A neighbor nearer than the error of its code is the first sign of a tight cluster. It shows from
/// the second member on. The spread of the `m` nearest shows the cluster only once `m` members are
/// linked. By then the links that lead out of the cluster have been selected.
fn is_hard<S: Space>(
    space: S,
    query: &S::Query<'_>,
    candidates: &[Candidate],
    edge: Option<Edge>,
    m: usize,
) -> bool {
    if candidates.len() < LEAST {
        return false;
    }
    let (nearest, last) = (candidates[0], candidates[m.min(candidates.len()) - 1]);
    let error = space.query_error(query, last.id());
    let spread = last.distance() - nearest.distance();
    // Written so that NaN counts as doubt, too.
    let is_small =
        error <= TOLERANCE * spread && space.query_error(query, nearest.id()) <= nearest.distance();
    let k = (2 * m).min(candidates.len());
    !is_small || edge.is_some_and(|edge| edge.is_in_doubt(candidates[k - 1].distance(), k, Edge::TOLERANCE))
}

/// The `len` nodes of a level that are nearest by `query`, nearest first: a beam search from two
/// nodes.
fn look_around<'s>(
    query: &impl Ranker,
    level: &LevelView<'_>,
    count: usize,
    chains: Chains<'_>,
    from: [NodeId; 2],
    len: usize,
    scratch: &'s mut ScratchMut<'_>,
) -> &'s [Candidate] {
    let mut stats = SearchStats::default();
    let mut traversal = Traversal { query, count, chains, budget: usize::MAX, stats: &mut stats };
    let mut list = CandidateList::new(&mut scratch.candidates[..len]);
    let mut visited = Visited::new(scratch.visited);
    for from in from {
        if visited.insert(from) {
            list.insert(Candidate::new(query.rank(from), from));
        }
    }
    traversal.beam(level, &mut list, &mut visited, usize::MAX);
    list.into_candidates()
}

/// Links that a new node gets at once on a level by inner product. On the base one fewer than there
/// is room for: a link to the entry point before it, or to one of its children, may be added.
pub(super) fn at_once(params: &Params, level: usize) -> usize {
    if level == 0 { params.m0() - 1 } else { params.m }
}

/// Candidates of a search among lifted vectors.
pub(super) fn lifted_width(params: &Params) -> usize {
    params.ef_construction.div_ceil(4)
}

/// Ranks all nodes by their distance to one node. If that node is linked itself, it ranks behind
/// all others.
struct Others<R, const IS_LINKED: bool> {
    ranker: R,
    id: NodeId,
}

impl<R: Ranker, const IS_LINKED: bool> Ranker for Others<R, IS_LINKED> {
    #[inline(always)]
    fn rank(&self, id: NodeId) -> f32 {
        if IS_LINKED && id == self.id { f32::NAN } else { self.ranker.rank(id) }
    }

    #[inline(always)]
    fn rank_4(&self, ids: [NodeId; 4]) -> [f32; 4] {
        let ranks = self.ranker.rank_4(ids);
        if !IS_LINKED {
            return ranks;
        }
        each_of_4([0, 1, 2, 3], |i| if ids[i] == self.id { f32::NAN } else { ranks[i] })
    }

    #[inline(always)]
    fn prefetch(&self, id: NodeId) {
        self.ranker.prefetch(id);
    }
}
