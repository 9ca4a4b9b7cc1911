//! Which candidates become links: by one distance, or by inner product by two.
//!
//! For most metrics this is [`select`]. By inner product, links by the product alone lead to a few
//! long vectors: `lifted.rs` says why. So the places of a row are shared, in this order:
//!
//! | places | candidates |
//! |---|---|
//! | up to three quarters | diverse by the product: few, where there are hubs |
//! | the rest of these | diverse when lifted, those with the largest products first |
//! | the last quarter | diverse when lifted, those nearest when lifted first |
//! | up to `least` | nearest when lifted |
//!
//! The last quarter keeps nodes of one length together. So a search finds candidates where longer
//! vectors are deleted, or where it looks for short ones.

use alloc::vec::Vec;

use super::Space;
use super::select::{is_diverse, select};
use crate::Candidate;
use crate::distance::Ranker;
use crate::storage::{bytes, reserve};
use crate::{NodeId, OutOfMemory};

/// Memory to choose links by inner product. Other spaces need none.
#[derive(Debug, Default)]
pub(super) struct Choice {
    /// All candidates: each by its lifted distance and by the product.
    ranked: Vec<(Candidate, Candidate)>,
    /// The candidates that are chosen.
    chosen: Vec<(Candidate, Candidate)>,
    /// The same by their lifted distances.
    lifted: Vec<Candidate>,
    /// The nearest when lifted that are diverse, chosen before or not.
    near: Vec<Candidate>,
}

impl Choice {
    /// At most this many bytes are held once links have been chosen among `candidates` for rows of
    /// `width`.
    pub(super) fn bytes(candidates: usize, width: usize) -> usize {
        let pairs = bytes::<(Candidate, Candidate)>(candidates.saturating_add(width));
        2 * pairs.saturating_add(bytes::<Candidate>(2 * width))
    }

    /// Chooses links for `id` among `candidates`, as [`select`] does. `selected` is empty at first.
    ///
    /// By inner product, links are sorted by their lifted distances in the end. A node takes its
    /// parent in the tree from the front, and a parent should be alike: a hub has no room for the
    /// links of all.
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

        // Every candidate gets its lifted distance beside its product.
        let query = lifted.query(id, &mut *buffer);
        let (fours, rest) = candidates.as_chunks::<4>();
        for four in fours {
            let ranks = query.rank_4([four[0].id(), four[1].id(), four[2].id(), four[3].id()]);
            ranked.extend(ranks.into_iter().zip(four).map(|(rank, by)| (Candidate::new(rank, by.id()), *by)));
        }
        ranked.extend(rest.iter().map(|by| (Candidate::new(query.rank(by.id()), by.id()), *by)));
        drop(query);

        // Diverse by the product. Pinned links count among these places.
        let pinned = candidates.iter().filter(|candidate| is_pinned(candidate.id())).count();
        let share = (limit - limit / 4).max(pinned);
        select(space, candidates, share, 0, is_pinned, selected, buffer);
        let is_selected = |pair: &&(Candidate, Candidate)| selected.binary_search(&pair.1).is_ok();
        chosen.extend(ranked.iter().filter(is_selected));
        own.extend(chosen.iter().map(|pair| pair.0));
        // Diverse when lifted, in the order of products.
        for pair in ranked.iter().filter(|pair| !is_selected(pair)) {
            if chosen.len() == share {
                break;
            }
            if is_diverse(lifted, pair.0, own, buffer) {
                chosen.push(*pair);
                own.push(pair.0);
            }
        }

        // Diverse when lifted, in the order of lifted distances.
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
        // Filled up to `least`, diverse or not.
        let others = ranked.iter().filter(|pair| !own.contains(&pair.0));
        chosen.extend(others.take(least.min(limit).saturating_sub(chosen.len())));
        chosen.sort_unstable();
        selected.clear();
        selected.extend(chosen.iter().map(|pair| pair.1));
        Ok(())
    }
}
