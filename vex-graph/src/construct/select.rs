//! Neighbor selection by the diversity heuristic: Algorithm 4 of the paper.
//!
//! ```text
//! select(candidates of a node, nearest first; limit; least):
//!     for each candidate:
//!         keep it if it is pinned
//!         keep it if there is room, and no kept one is nearer to it than the node is
//!     while fewer than `least` are kept:
//!         keep the nearest far candidate that was dropped, if no kept far one is nearer to it
//!     while fewer than `least` are kept: keep the nearest that was dropped
//! ```
//!
//! Four ideas:
//! - **Diverse.** A candidate is dropped if a kept one is nearer to it than the node is. A search
//!   then reaches the candidate through the kept one. So links point in all directions, though the
//!   nearest nodes may all be in one.
//! - **Not only copies.** A candidate is dropped, too, if it, the node and a kept one are at one
//!   distance from each other. Copies of one vector are. Otherwise a node among many copies would
//!   link to nothing else, and a search could not leave them.
//! - **Full rows.** In some sets one node is between all others and this one: in sets of many
//!   scales, or with many rows that are nearly alike. Almost every candidate is dropped there, and
//!   a search that takes a wrong turn has no second path. So the nearest that were dropped fill the
//!   row up to `least`.
//! - **Ways out.** In a tight cluster, a candidate outside is as far from each member as from any
//!   other. Which member is nearest to the candidate is chance, and most often a kept one is. So
//!   nearly all links out of the cluster are dropped, and a search that entered the wrong cluster
//!   is caught in it. So where a row fills up, *far* candidates come first. They are compared with
//!   each other alone, or they would all lead to one place.

use alloc::vec::Vec;

use super::Space;
use crate::Candidate;
use crate::NodeId;
use crate::distance::Ranker;

/// Keeps at most `limit` of `candidates`, and appends them to `selected`. Both are sorted by
/// distance and id.
///
/// The links that `is_pinned` accepts are kept in any case. They are never more than `limit`.
/// `buffer` is for a query of the space.
pub(crate) fn select(
    space: impl Space,
    candidates: &[Candidate],
    limit: usize,
    least: usize,
    is_pinned: impl Fn(NodeId) -> bool,
    selected: &mut Vec<Candidate>,
    buffer: &mut [i8],
) {
    let start = selected.len();
    // Room is kept for pinned candidates that are still to come.
    let mut pinned = candidates.iter().filter(|candidate| is_pinned(candidate.id())).count();
    for candidate in candidates {
        if is_pinned(candidate.id()) {
            pinned -= 1;
            selected.push(*candidate);
        } else if selected.len() - start + pinned < limit
            && is_diverse(space, *candidate, &selected[start..], buffer)
        {
            selected.push(*candidate);
        }
        if selected.len() - start == limit {
            break;
        }
    }
    let least = least.min(limit);
    if selected.len() - start < least {
        // Whether a candidate was kept is known by its place among the sorted ones.
        let kept = selected.len();
        let zero = space.rank_of_zero();
        let far_from = FAR * (candidates.first().map_or(0.0, |nearest| nearest.distance() - zero));
        let is_far = |candidate: &Candidate| candidate.distance() - zero > far_from;
        let first_far = start + selected[start..].partition_point(|candidate| !is_far(candidate));
        for candidate in candidates.iter().filter(|candidate| is_far(candidate)) {
            if selected.len() - start == least {
                break;
            }
            if selected[start..kept].binary_search(candidate).is_err()
                && is_diverse(space, *candidate, &selected[first_far..], buffer)
            {
                selected.push(*candidate);
            }
        }
        let far = selected.len();
        for candidate in candidates {
            if selected.len() - start == least {
                break;
            }
            let is_kept = |part: &[Candidate]| part.binary_search(candidate).is_ok();
            if !is_kept(&selected[start..kept]) && !is_kept(&selected[kept..far]) {
                selected.push(*candidate);
            }
        }
        selected[start..].sort_unstable();
    }
}

/// A candidate is *far* if it is more than this many times as far as the nearest. Distances between
/// neighbors differ by less in one scale of a set. By squared distances, this is a factor of 3.2.
const FAR: f32 = 10.0;

/// Whether no kept node is nearer to a candidate than the node itself is.
pub(super) fn is_diverse(
    space: impl Space,
    candidate: Candidate,
    selected: &[Candidate],
    buffer: &mut [i8],
) -> bool {
    let query = space.query(candidate.id(), buffer);
    let far = |between: f32, kept: &Candidate| {
        let to_node = candidate.distance();
        !(between < to_node || (between == to_node && kept.distance() == to_node))
    };
    let (fours, rest) = selected.as_chunks::<4>();
    fours.iter().all(|four| {
        let between = query.rank_4([four[0].id(), four[1].id(), four[2].id(), four[3].id()]);
        between.into_iter().zip(four).all(|(between, kept)| far(between, kept))
    }) && rest.iter().all(|kept| far(query.rank(kept.id()), kept))
}
