//! The invariants of a graph, checked on its view: on an owned graph and on one read from a file
//! alike.

use vex_graph::{GraphView, LevelView, MAX_LEVELS, NodeId, TERMINATOR};

/// Everything that holds of a graph that this crate made.
#[track_caller]
pub(crate) fn assert_invariants(view: &GraphView<'_>) {
    assert_structure(view);
    assert_level_counts(view);
    assert_copies(view);
    assert_reachable(view);
}

/// What holds even of a copy of a damaged graph: every level is well formed, and lies within the
/// one below it.
#[track_caller]
pub(crate) fn assert_structure(view: &GraphView<'_>) {
    let levels = view.levels();
    assert!((1..=MAX_LEVELS).contains(&levels.len()));
    assert_eq!(levels[0].sorted, view.count(), "the base holds every node");
    assert!(levels[0].appended.is_empty(), "base ids are their rows");

    match view.entry() {
        None => assert!(view.count() == 0 && levels.len() == 1),
        Some(entry) => {
            assert_eq!(view.level(entry), levels.len() - 1, "the entry point is on the top level");
            assert!(levels[levels.len() - 1].row(entry).is_some());
        }
    }
    for (index, level) in levels.iter().enumerate() {
        let width = if index == 0 { 2 * view.m() } else { view.m() };
        assert_eq!((level.width, level.links.len()), (width, level.count() * width));
        assert!(level.appended.is_sorted_by(|a, b| a < b), "level {index}: {:?}", level.appended);
        assert!(
            level.appended.iter().all(|id| level.sorted <= *id as usize && (*id as usize) < view.count())
        );
        for id in nodes(level) {
            assert!(index == 0 || levels[index - 1].row(id).is_some(), "{id} skips level {}", index - 1);
            assert_row(view, index, id);
        }
    }
}

#[track_caller]
fn assert_row(view: &GraphView<'_>, index: usize, id: NodeId) {
    let level = &view.levels()[index];
    let row = level.row(id).expect("a node has a row on its level");
    let links = view.links(id, index);
    assert!(row[links.len()..].iter().all(|link| *link == TERMINATOR), "{id} on level {index}: {row:?}");
    for (position, link) in links.iter().enumerate() {
        assert_ne!(*link, id, "a node links to itself on level {index}");
        assert!((*link as usize) < view.count());
        assert!(level.row(*link).is_some(), "{id} links to {link}, which is not on level {index}");
        assert!(!links[..position].contains(link), "{id} links to {link} twice on level {index}");
    }
}

/// Each level has about one m-th of the nodes of the one below, to six standard deviations.
#[track_caller]
fn assert_level_counts(view: &GraphView<'_>) {
    let mut expected = view.count() as f64;
    for (index, level) in view.levels().iter().enumerate().skip(1) {
        expected /= view.m() as f64;
        let most = expected + 6.0 * expected.sqrt() + 6.0;
        assert!(level.count() > 0, "level {index} is empty");
        assert!((level.count() as f64) <= most, "level {index} of {} nodes: {}", view.count(), level.count());
    }
}

/// Copies have no links, the vector of their original, and ascending ids. One that is in no chain
/// is deleted.
#[track_caller]
pub(crate) fn assert_copies(view: &GraphView<'_>) {
    let mut chained = vec![false; view.count()];
    for original in 0..view.count() as NodeId {
        let copies: Vec<NodeId> = view.copies_of(original).collect();
        assert!(copies.is_sorted_by(|a, b| a < b), "{original}: {copies:?}");
        for copy in copies {
            assert!(view.is_copy(copy) && !view.is_copy(original));
            assert!(!std::mem::replace(&mut chained[copy as usize], true), "{copy} is in two chains");
            if view.rows().are_stored() {
                assert_eq!(view.rows().row(copy), view.rows().row(original), "{copy} and {original}");
            }
        }
    }
    for id in (0..view.count() as NodeId).filter(|id| view.is_copy(*id)) {
        assert!((0..view.levels().len()).all(|level| view.links(id, level).is_empty()), "{id} is linked");
        assert_ne!(Some(id), view.entry());
        let is_parked = view.copies()[id as usize] == [id, id];
        assert_eq!(chained[id as usize], !is_parked);
        assert!(!is_parked || view.tombstones().contains(id), "{id} cannot be found");
    }
    let is_some = (0..view.count() as NodeId).any(|id| view.is_copy(id));
    assert_eq!(view.copies().is_empty(), !is_some, "links of copies without a copy");
}

/// Every node is reachable from the entry point over the links of the base, or through the original
/// of which it is a copy. Deleted copies are not.
#[track_caller]
pub(crate) fn assert_reachable(view: &GraphView<'_>) {
    let mut reached = vec![false; view.count()];
    let mut open: Vec<NodeId> = view.entry().into_iter().collect();
    while let Some(id) = open.pop() {
        if !std::mem::replace(&mut reached[id as usize], true) {
            open.extend(view.links(id, 0));
            open.extend(view.copies_of(id));
        }
    }
    let is_parked = |id: &usize| view.copies().get(*id) == Some(&[*id as NodeId; 2]);
    let lost: Vec<usize> = (0..view.count()).filter(|id| !reached[*id] && !is_parked(id)).collect();
    assert!(lost.is_empty(), "of {} nodes these cannot be reached: {lost:?}", view.count());
}

pub(crate) fn nodes<'a>(level: &LevelView<'a>) -> impl Iterator<Item = NodeId> + use<'a> {
    (0..level.sorted as NodeId).chain(level.appended.iter().copied())
}
