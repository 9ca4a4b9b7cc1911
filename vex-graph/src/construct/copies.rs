//! Which nodes are copies of which: among all rows at once, or of one node that was just proposed.
//!
//! A bulk build finds all copies beforehand, in linear time except for sorting:
//!
//! ```text
//! sort the rows by a hash of their elements
//! for each run of equal hashes:
//!     if not all rows of it are equal: sort it by the elements
//!     each run of equal rows is a chain; its lowest id is the original
//! ```
//!
//! An insert finds no more than its own search meets. If one of its candidates has the same vector,
//! the node becomes its copy.

use alloc::vec::Vec;
use core::cmp::Ordering;

use super::{Linker, Serial, Space, Workspace};
use crate::distance::Ranker;
use crate::storage::{Copies, bytes, reserve_exact};
use crate::{Elements, NodeId, OutOfMemory, Rows};

/// The chains of all rows that are equal. The original is the lowest node of each chain, which has
/// the highest level where nodes are sorted by level.
pub(crate) fn find(rows: &Rows<'_>) -> Result<Copies, OutOfMemory> {
    let mut copies = Copies::default();
    let mut hashed: Vec<u64> = Vec::new();
    reserve_exact(&mut hashed, rows.count())?;
    // The upper half of a word is a hash and the lower half the id, so one sort orders both.
    hashed.extend((0..rows.count() as NodeId).map(|id| hash(rows.row(id)) >> 32 << 32 | u64::from(id)));
    hashed.sort_unstable();
    let row = |hashed: &u64| rows.row(*hashed as NodeId);
    for same in hashed.chunk_by_mut(|a, b| a >> 32 == b >> 32).filter(|same| same.len() > 1) {
        let first = row(&same[0]);
        // Rows that differ can have one hash, by chance or because somebody chose them so.
        if same[1..].iter().any(|other| row(other) != first) {
            same.sort_unstable_by(|a, b| order(row(a), row(b)).then(a.cmp(b)));
        }
        for group in same.chunk_by(|a, b| row(a) == row(b)).filter(|group| group.len() > 1) {
            copies.prepare(rows.count())?;
            copies.push_chain(group.iter().map(|hashed| *hashed as NodeId));
        }
    }
    Ok(copies)
}

/// At most this many bytes are needed beside the chains to find them.
pub(crate) fn finding_bytes(count: usize) -> usize {
    bytes::<u64>(count)
}

/// A hash of the elements. Equal rows have equal hashes; −0 equals 0.
fn hash(row: Elements<'_>) -> u64 {
    match row {
        Elements::F32(row) => {
            mix(row.chunks(2).map(|two| two.iter().map(|x| bits(*x).into()).fold(0, join::<32>)))
        }
        Elements::F16(row) => {
            let bits = |element: &vex_kernels::f16| u64::from(half_bits(*element));
            mix(row.chunks(4).map(|four| four.iter().map(bits).fold(0, join::<16>)))
        }
        Elements::I8(row) => {
            mix(row.chunks(8).map(|eight| eight.iter().map(|x| *x as u8 as u64).fold(0, join::<8>)))
        }
        Elements::U8(row) => {
            mix(row.chunks(8).map(|eight| eight.iter().map(|x| *x as u64).fold(0, join::<8>)))
        }
        Elements::Bits(row) => mix(row.iter().copied()),
    }
}

fn join<const BITS: u32>(word: u64, next: u64) -> u64 {
    word << BITS | next
}

fn bits(element: f32) -> u32 {
    if element == 0.0 { 0 } else { element.to_bits() }
}

fn half_bits(element: vex_kernels::f16) -> u16 {
    if element.to_bits() << 1 == 0 { 0 } else { element.to_bits() }
}

/// A multiplication spreads a word over the upper half, which the rotation moves down for the next.
fn mix(words: impl Iterator<Item = u64>) -> u64 {
    words.fold(0, |hash: u64, word| (hash.rotate_left(29) ^ word).wrapping_mul(0x9E37_79B9_7F4A_7C15))
}

/// Some order of rows in which equal ones are neighbors.
fn order(a: Elements<'_>, b: Elements<'_>) -> Ordering {
    match (a, b) {
        (Elements::F32(a), Elements::F32(b)) => a.iter().map(|x| bits(*x)).cmp(b.iter().map(|x| bits(*x))),
        (Elements::F16(a), Elements::F16(b)) => {
            a.iter().map(|x| half_bits(*x)).cmp(b.iter().map(|x| half_bits(*x)))
        }
        (Elements::I8(a), Elements::I8(b)) => a.cmp(b),
        (Elements::U8(a), Elements::U8(b)) => a.cmp(b),
        (Elements::Bits(a), Elements::Bits(b)) => a.cmp(b),
        _ => Ordering::Equal,
    }
}

impl Linker<'_> {
    /// Links the node `id`, whose vector is stored and which follows the linked ones. If it may be
    /// a copy and finds its original, it joins the chain instead. A node above the present top is
    /// linked in any case.
    ///
    /// # Errors
    /// If memory runs out; the graph is as it was then.
    pub(crate) fn link_one(
        &mut self,
        space: impl Space,
        id: NodeId,
        level: usize,
        may_be_copy: bool,
        workspace: &mut Workspace,
    ) -> Result<(), OutOfMemory> {
        let batch = id..id + 1;
        workspace.prepare(1)?;
        self.tree.copies.reserve(1)?;
        if id > 0 {
            self.propose(space, &batch, &|_| level, workspace, &Serial)?;
            // A node on a new top level becomes the entry point, so it must have links.
            if may_be_copy
                && level < self.levels.len()
                && let Some(original) = workspace.original_of(space, id)?
            {
                return self.append_copy(space, original, id, level);
            }
        }
        self.link_proposed(space, batch, |_| level, workspace, &Serial)?;
        self.tree.copies.extend_to(id as usize + 1);
        Ok(())
    }

    /// Appends a node with empty rows, and adds it to the chain of `original`.
    fn append_copy(
        &mut self,
        space: impl Space,
        original: NodeId,
        id: NodeId,
        level: usize,
    ) -> Result<(), OutOfMemory> {
        let levels = &mut self.levels[..=level];
        levels.iter_mut().try_for_each(|level| level.reserve(1, id))?;
        self.tree.reserve(1)?;
        self.tree.copies.prepare(id as usize + 1)?;
        levels.iter_mut().for_each(|level| level.push(id, core::iter::empty()));
        self.tree.push_lone();
        self.tree.copies.extend_to(id as usize + 1);
        self.tree.copies.insert(original, id, |other| space.are_copies(other, id));
        Ok(())
    }
}

impl Workspace {
    /// A node with the vector of `id` among the candidates that its search found on the base: the
    /// lowest.
    pub(super) fn original_of(
        &mut self,
        space: impl Space,
        id: NodeId,
    ) -> Result<Option<NodeId>, OutOfMemory> {
        let [buffer, _] = self.buffers.of(space)?;
        // Equal vectors are as far from each other as each is from itself. By inner product that is
        // not the least distance.
        let own = space.query(id, buffer).rank(id);
        let candidates = self.propose[0].candidates.iter();
        let equal =
            candidates.filter(|candidate| candidate.distance() == own).map(|candidate| candidate.id());
        Ok(equal.filter(|candidate| space.are_copies(*candidate, id)).min())
    }
}
