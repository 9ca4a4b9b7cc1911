//! An observed search finds what any search does, and reports each of its steps.

use vex_graph::{
    GraphView, Metric, Neighbor, NodeSet, Params, Quantization, Scratch, SearchParams, SearchStats, Step,
    search, search_filtered, search_filtered_observed, search_observed,
};

use crate::support::{Shape, Threads, built, vectors};

type Answer = (SearchStats, Vec<Neighbor>);

/// The answer without an observer, the answer with one, and what was reported.
fn both(view: &GraphView<'_>, query: &[f32], params: &SearchParams) -> [(Answer, Answer, Vec<Step>); 2] {
    let (mut scratch, mut out) = (Scratch::new(), [Neighbor::default(); 10]);
    let mut steps = [vec![], vec![]];
    let third = |id: u32| id.is_multiple_of(3);
    let [plain, filtered] = &mut steps;
    let stats = [
        search(view, query, params, &mut scratch, &mut out).map(|stats| (stats, out.to_vec())),
        search_observed(view, query, params, &mut scratch, &mut out, |step| plain.push(step))
            .map(|stats| (stats, out.to_vec())),
        search_filtered(view, query, params, &third, &mut scratch, &mut out)
            .map(|stats| (stats, out.to_vec())),
        search_filtered_observed(view, query, params, &third, &mut scratch, &mut out, |step| {
            filtered.push(step)
        })
        .map(|stats| (stats, out.to_vec())),
    ];
    let [a, b, c, d] = stats.map(Result::unwrap);
    let [plain, filtered] = steps;
    [(a, b, plain), (c, d, filtered)]
}

#[test]
fn each_distance_hop_and_reranked_candidate_is_reported_once() {
    let deleted = [0b1010u64];
    let (mut by_vectors, mut scans) = (0, 0);
    for shape in [Shape::Uniform, Shape::Clustered] {
        let data = vectors(shape, 40, 2_000, 7);
        for quantization in
            [None, Some(Quantization::Sq8), Some(Quantization::Sq4), Some(Quantization::Sq2x2)]
        {
            let params = Params::new().m(6).quantization(quantization);
            let (graph, _) = built(Metric::SquaredEuclidean, params, &data, &Threads(2));
            let view = graph.view();
            for view in [view, view.with_tombstones(NodeSet::new(&deleted))] {
                for (index, ef) in [(0, 10), (3, 16), (99, 40), (700, 64)] {
                    let params = SearchParams::new(10).ef_search(ef);
                    for (expected, found, steps) in both(&view, &data[index], &params) {
                        assert_eq!(expected, found);
                        let count = |is: fn(&Step) -> bool| steps.iter().filter(|step| is(step)).count();
                        let (stats, neighbors) = found;
                        assert_eq!(count(|step| matches!(step, Step::Ranked { .. })), stats.distances);
                        assert_eq!(count(|step| matches!(step, Step::Expanded { .. })), stats.hops);
                        let times = count(|step| matches!(step, Step::ByVectors));
                        assert_eq!(times, usize::from(stats.by_vectors));
                        by_vectors += times;
                        scans += count(|step| matches!(step, Step::Scan));
                        check_result(quantization.is_some() && times == 0, &steps, &neighbors);
                        check_levels(&view, &steps);
                    }
                }
            }
        }
    }
    assert!(by_vectors > 0 && scans > 0, "{by_vectors} by vectors, {scans} scans");
}

/// Each neighbor was reported with its distance: by the last step that computed any.
fn check_result(is_reranked: bool, steps: &[Step], neighbors: &[Neighbor]) {
    for neighbor in neighbors {
        let is_it = |step: &Step| match *step {
            Step::Reranked { id, distance } => {
                is_reranked && (id, distance) == (neighbor.id, neighbor.distance)
            }
            Step::Ranked { id, distance } => {
                !is_reranked && (id, distance) == (neighbor.id, neighbor.distance)
            }
            _ => false,
        };
        assert!(steps.iter().any(is_it), "{neighbor:?}");
    }
}

/// Each search begins on the top level, and goes down one level at a time.
fn check_levels(view: &GraphView<'_>, steps: &[Step]) {
    let top = view.levels().len() - 1;
    for search in steps.split(|step| *step == Step::ByVectors) {
        let level = |step: &Step| match step {
            Step::Level { level } => Some(*level),
            _ => None,
        };
        let levels: Vec<_> = search.iter().filter_map(level).collect();
        let whole: Vec<_> = (0..=top).rev().collect();
        assert!(levels.is_empty() || levels == whole, "{levels:?}");
    }
}
