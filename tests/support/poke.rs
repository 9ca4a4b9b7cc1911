use vex_graph::{GraphView, Neighbor, NodeId, Scratch, SearchParams, search};

/// Does with a view all that a reader can do. Whatever file the view is of, it must neither panic nor run on.
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
            sum += u64::from(view.rows().row(node)[0].to_bits());
        }
        if let Some(codes) = view.codes() {
            sum += u64::from(codes.row(node)[0]) + u64::from(codes.terms()[node as usize][0].to_bits());
        }
        let mut query = vec![0.25; view.dim()];
        query[0] = 1.0 + node as f32;
        let stats = search(view, &query, &SearchParams::new(4, 8), &mut scratch, &mut found).unwrap();
        assert!(found[..stats.found].iter().all(|neighbor| neighbor.id < count));
    }
    std::hint::black_box(sum);
}
