//! Which candidates become links: Algorithm 4 of the paper, the diversity heuristic.

use alloc::vec::Vec;

use super::Space;
use crate::Candidate;
use crate::NodeId;
use crate::distance::Ranker;

/// Keeps at most `limit` of `candidates`, which are sorted by (distance, id), and appends them to
/// `selected` in that order.
///
/// A candidate is dropped if a kept one is nearer to it than the node itself is: the way through
/// the kept one is short. It is dropped, too, if node, candidate and kept one are all at one
/// distance, as copies of one vector are: else a node among many copies would link to nothing but
/// copies, and a search could not leave them again.
///
/// Where fewer than `least` are kept, the nearest that were dropped fill up to it. Else a row is
/// almost empty wherever one node is between all others and this one, as in sets of many scales or
/// where many rows are nearly alike; and a search that takes a wrong turn there has no second way.
///
/// What `is_pinned` names is kept in any case; it is never more than `limit`. `buffer` is for a
/// query of the space.
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
        let kept = selected.len();
        for candidate in candidates {
            if selected.len() - start == least {
                break;
            }
            if selected[start..kept].binary_search(candidate).is_err() {
                selected.push(*candidate);
            }
        }
        selected[start..].sort_unstable();
    }
}

/// Whether no kept one is nearer to a candidate than the node itself is.
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
