use vex_format::Image;
use vex_graph::{GraphView, Neighbor, NodeId, Scratch, SearchParams, search};

use crate::Vector;

/// Calls everything that a reader can do with a view. Whatever its file holds, nothing must panic
/// or run without end.
pub fn poke(view: &GraphView<'_>) {
    let count = view.count() as NodeId;
    let mut sum = 0_u64;
    for level in 0..view.levels().len() {
        for node in (0..count).chain([count, NodeId::MAX]) {
            sum += view.links(node, level).iter().map(|id| u64::from(*id)).sum::<u64>();
            sum += view.level(node) as u64;
        }
    }
    let mut scratch = Scratch::new();
    let mut found = [Neighbor::default(); 4];
    for node in 0..count.min(2) {
        if view.rows().are_stored() {
            sum += view.rows().row(node).len() as u64;
        }
        if let Some(codes) = view.codes() {
            sum += u64::from(codes.row(node)[0][0]) + u64::from(codes.terms()[node as usize][0].to_bits());
        }
        let query = Vector::query(view.element(), view.dim(), 1 + node as u8);
        // Some sizes are larger than the index.
        let sizes = [(4, 8, usize::MAX), (4, 8, 3), (view.count() + 5, 2 * view.count() + 5, usize::MAX)];
        for (k, ef_search, budget) in sizes {
            let params = SearchParams::new(k).ef_search(ef_search).max_distance_evals(budget);
            let stats = search(view, query.elements(), &params, &mut scratch, &mut found).unwrap();
            assert!(found[..stats.found].iter().all(|neighbor| neighbor.id < count));
            // Each step of the greedy descent approaches the query and reads a row. The base level
            // is traversed once. If codes leave a doubt, all of this happens twice.
            let most = 2 * (view.count() * view.levels().len() * 2 * view.m() + 1);
            assert!(stats.distances <= most.min(budget.saturating_add(2 * view.m())), "{stats:?}");
        }
    }
    std::hint::black_box(sum);
}

/// Opens bytes, does all that a reader can do, and verifies them. Returns whether no fault was
/// found.
pub fn accepted(bytes: &[u8]) -> bool {
    Image::open(bytes).is_ok_and(|image| {
        poke(&image.graph());
        std::hint::black_box(image.keys().iter().max());
        image.verify().is_ok()
    })
}
