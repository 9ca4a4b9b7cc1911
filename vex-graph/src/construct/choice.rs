//! Which candidates become links, in one share or in two.

use alloc::vec::Vec;

use super::Space;
use super::select::{is_diverse, select};
use crate::Candidate;
use crate::distance::Ranker;
use crate::storage::{bytes, reserve};
use crate::{NodeId, OutOfMemory};

/// Memory for choosing links by the inner product: see [`lifted`](super::lifted). Other spaces need
/// none.
#[derive(Debug, Default)]
pub(super) struct Choice {
    /// All candidates: lifted, and by the product.
    ranked: Vec<(Candidate, Candidate)>,
    /// What is chosen of them.
    chosen: Vec<(Candidate, Candidate)>,
    /// The same, lifted.
    lifted: Vec<Candidate>,
    /// Which of the nearest are diverse, chosen before or not.
    near: Vec<Candidate>,
}

impl Choice {
    /// At most so many bytes are held once links have been chosen of `candidates` for rows of
    /// `width`.
    pub(super) fn bytes(candidates: usize, width: usize) -> usize {
        let pairs = bytes::<(Candidate, Candidate)>(candidates.saturating_add(width));
        2 * pairs.saturating_add(bytes::<Candidate>(2 * width))
    }

    /// [`select`], of `candidates` for `id`, into `selected`, which is empty.
    ///
    /// By the inner product, three in four places go to the candidates with the largest products.
    /// First come those that are diverse by the product, which are few where there are hubs,
    /// then those that are diverse when they are lifted. The other places go to those that are
    /// nearest when lifted. They keep nodes of one length together, so that a search finds its way
    /// where longer ones are deleted, or where it looks for short ones. All are sorted by their
    /// lifted distances then, since a parent in the tree should be alike: a hub has no room for
    /// everybody's links.
    ///
    /// # Errors
    /// If memory runs out.
    #[allow(clippy::too_many_arguments)]
    pub(super) fn choose(
        &mut self,
        space: impl Space,
        id: NodeId,
        candidates: &[Candidate],
        limit: usize,
        least: usize,
        is_pinned: impl Fn(NodeId) -> bool,
        selected: &mut Vec<Candidate>,
        buffer: &mut [i8],
    ) -> Result<(), OutOfMemory> {
        let Some(lifted) = space.lifted() else {
            select(space, candidates, limit, least, is_pinned, selected, buffer);
            return Ok(());
        };
        let Self { ranked, chosen, lifted: own, near } = self;
        ranked.clear();
        chosen.clear();
        own.clear();
        near.clear();
        reserve(ranked, candidates.len())?;
        reserve(chosen, limit)?;
        reserve(own, limit)?;
        reserve(near, limit)?;

        let query = lifted.query(id, &mut *buffer);
        let (fours, rest) = candidates.as_chunks::<4>();
        for four in fours {
            let ranks = query.rank_4([four[0].id(), four[1].id(), four[2].id(), four[3].id()]);
            ranked.extend(ranks.into_iter().zip(four).map(|(rank, by)| (Candidate::new(rank, by.id()), *by)));
        }
        ranked.extend(rest.iter().map(|by| (Candidate::new(query.rank(by.id()), by.id()), *by)));
        drop(query);

        let pinned = candidates.iter().filter(|candidate| is_pinned(candidate.id())).count();
        let share = (limit - limit / 4).max(pinned);
        select(space, candidates, share, 0, is_pinned, selected, buffer);
        let is_selected = |pair: &&(Candidate, Candidate)| selected.binary_search(&pair.1).is_ok();
        chosen.extend(ranked.iter().filter(is_selected));
        own.extend(chosen.iter().map(|pair| pair.0));
        for pair in ranked.iter().filter(|pair| !is_selected(pair)) {
            if chosen.len() == share {
                break;
            }
            if is_diverse(lifted, pair.0, own, buffer) {
                chosen.push(*pair);
                own.push(pair.0);
            }
        }

        ranked.sort_unstable();
        for pair in &*ranked {
            if chosen.len() == limit || near.len() == limit {
                break;
            }
            if is_diverse(lifted, pair.0, near, buffer) {
                near.push(pair.0);
                if !own.contains(&pair.0) {
                    chosen.push(*pair);
                    own.push(pair.0);
                }
            }
        }
        let others = ranked.iter().filter(|pair| !own.contains(&pair.0));
        chosen.extend(others.take(least.min(limit).saturating_sub(chosen.len())));
        chosen.sort_unstable();
        selected.clear();
        selected.extend(chosen.iter().map(|pair| pair.1));
        Ok(())
    }
}
