//! The early end of searches: what it saves, what it must not change, and what is said of it.

use vex_graph::{
    Batches, GraphView, Metric, Neighbor, NodeSet, Params, Quantization, Scratch, SearchEnd, SearchParams,
    SearchStats, search, search_filtered, search_radius,
};

use crate::support::{Rng, Shape, Threads, bits, built, exactly, vectors};

const CODES: [Option<Quantization>; 4] =
    [None, Some(Quantization::Sq8), Some(Quantization::Sq4), Some(Quantization::Sq2x2)];

/// Vectors of 12 intrinsic dimensions among 256: few, as embeddings have.
fn embeddings(rng: &mut Rng, count: usize) -> Vec<Vec<f32>> {
    let normal = |rng: &mut Rng, scale: f32| (0..256).map(|_| scale * rng.normal()).collect::<Vec<f32>>();
    let axes: Vec<_> = (0..12).map(|_| normal(rng, 1.0)).collect();
    let vector = |_| {
        let mut vector = normal(rng, 0.2);
        for axis in &axes {
            let weight = rng.normal();
            vector.iter_mut().zip(axis).for_each(|(element, axis)| *element += weight * axis);
        }
        vector
    };
    (0..count).map(vector).collect()
}

fn searched(view: &GraphView<'_>, query: &[f32], params: &SearchParams) -> (Vec<Neighbor>, SearchStats) {
    let mut out = vec![Neighbor::default(); params.k];
    let stats = search(view, query, params, &mut Scratch::new(), &mut out).unwrap();
    out.truncate(stats.found);
    (out, stats)
}

#[test]
fn easy_queries_take_less_work_and_find_as_much() {
    let mut rng = Rng(31);
    let mut base = embeddings(&mut rng, 4_050);
    let queries = base.split_off(4_000);
    for quantization in CODES {
        let params = Params::new().ef_construction(100).quantization(quantization);
        let (graph, _) = built(Metric::SquaredEuclidean, params, &base, &Threads(2));
        // One deleted node: such searches use the beam of filtered searches.
        let deleted = [1u64];
        for view in [graph.view(), graph.view().with_tombstones(NodeSet::new(&deleted))] {
            let mut work = [0, 0];
            let mut right = [0, 0];
            let mut ended = [0, 0];
            for query in &queries {
                let limit = exactly(view.rows(), query, 10)[9].distance * 1.00001;
                for (index, slack) in [f32::INFINITY, 0.5].into_iter().enumerate() {
                    let params = SearchParams::new(10).ef_search(160).slack(slack);
                    let (found, stats) = searched(&view, query, &params);
                    assert_eq!(found.len(), 10);
                    work[index] += stats.distances;
                    right[index] += found.iter().filter(|found| found.distance <= limit).count();
                    ended[index] += usize::from(stats.end == SearchEnd::Slack);
                    assert!(stats.end == SearchEnd::Slack || stats.end == SearchEnd::Exhausted);
                }
            }
            println!("{quantization:?}: distances {work:?}, right {right:?}, ended {ended:?}");
            assert_eq!(ended[0], 0);
            // The upper two bits leave more in doubt, so the rule trusts them less.
            let is_coarse = quantization == Some(Quantization::Sq2x2);
            let (least_ended, percent) = if is_coarse { (15, 97) } else { (40, 75) };
            assert!(ended[1] >= least_ended, "{quantization:?}: {ended:?}");
            assert!(work[1] * 100 <= work[0] * percent, "{quantization:?}: {work:?}");
            assert!(right[1] + 5 >= right[0], "{quantization:?}: {right:?}");
        }
    }
}

#[test]
fn searches_that_have_no_such_end_do_not_change() {
    for quantization in CODES {
        let params = |slack| SearchParams::new(5).slack(slack);
        for metric in [Metric::SquaredEuclidean, Metric::Cosine, Metric::InnerProduct] {
            let data = vectors(Shape::Uniform, 16, 600, 32);
            let build = Params::new().ef_construction(60).quantization(quantization);
            let (graph, _) = built(metric, build, &data, &Threads(1));
            let view = graph.view();
            for query in vectors(Shape::Uniform, 16, 10, 33) {
                // A list with room for all is exact without codes, and with them finds the same.
                let (all, stats) = searched(&view, &query, &params(0.0).ef_search(600));
                assert_ne!(stats.end, SearchEnd::Slack);
                if quantization.is_none() {
                    assert_eq!(bits(&all), bits(&exactly(view.rows(), &query, 5)), "{metric}");
                }
                if metric == Metric::InnerProduct {
                    let [plain, slack] =
                        [f32::INFINITY, 0.0].map(|slack| searched(&view, &query, &params(slack)));
                    assert_eq!((bits(&plain.0), plain.1), (bits(&slack.0), slack.1));
                }
                let mut scratch = Scratch::new();
                let [plain, slack] = [f32::INFINITY, 0.0].map(|slack| {
                    let mut out = [Neighbor::default(); 20];
                    let mut batches = Batches::new(&view, &query, &params(slack), &mut scratch).unwrap();
                    batches.next_batch(&mut out);
                    (bits(&out), batches.stats())
                });
                assert_eq!(plain, slack, "pages, {metric}");
                let radius = exactly(view.rows(), &query, 30)[29].distance;
                let [plain, slack] = [f32::INFINITY, 0.0].map(|slack| {
                    let mut out = [Neighbor::default(); 50];
                    let stats =
                        search_radius(&view, &query, radius, &params(slack), &mut scratch, &mut out).unwrap();
                    (bits(&out[..stats.found]), stats)
                });
                assert_eq!(plain, slack, "within a radius, {metric}");
            }
        }
    }
}

#[test]
fn whatever_the_slack_all_neighbors_asked_for_are_returned() {
    let data = vectors(Shape::Uniform, 8, 3_000, 34);
    for quantization in CODES {
        let params = Params::new().ef_construction(60).quantization(quantization);
        let (graph, _) = built(Metric::SquaredEuclidean, params, &data, &Threads(2));
        let view = graph.view();
        let mut scratch = Scratch::new();
        for (query, slack) in vectors(Shape::Uniform, 8, 12, 35)
            .iter()
            .zip([0.0, -1.0, f32::NAN, 0.1, 1e30, f32::NEG_INFINITY].repeat(2))
        {
            for (k, ef) in [(1, 1), (1, 64), (10, 64), (64, 64), (100, 300)] {
                let params = SearchParams::new(k).ef_search(ef).slack(slack);
                let (found, _) = searched(&view, query, &params);
                assert_eq!(found.len(), k, "slack {slack}");
                // A tenth of the nodes, of a range, and next to none.
                let filters: [&dyn Fn(u32) -> bool; 3] =
                    [&|id| id % 10 == 3, &|id| id < 1_500, &|id| id == 7];
                for (filter, matches) in filters.into_iter().zip([300, 1_500, 1]) {
                    let mut out = vec![Neighbor::default(); k];
                    let stats =
                        search_filtered(&view, query, &params, &filter, &mut scratch, &mut out).unwrap();
                    assert_eq!(stats.found, k.min(matches), "slack {slack}, {quantization:?}");
                    assert!(out[..stats.found].iter().all(|neighbor| filter(neighbor.id)));
                }
            }
        }
    }
}

#[test]
fn a_search_says_why_it_ended() {
    let data = vectors(Shape::Uniform, 8, 3_000, 36);
    let (graph, _) = built(Metric::SquaredEuclidean, Params::new(), &data, &Threads(2));
    let (view, mut scratch) = (graph.view(), Scratch::new());
    let mut out = [Neighbor::default(); 10];
    let params = SearchParams::new(10);
    let end = |params: SearchParams| searched(&view, &data[5], &params).1.end;
    assert_eq!(end(params), SearchEnd::Exhausted);
    assert_eq!(end(params.slack(0.01)), SearchEnd::Slack);
    assert_eq!(end(params.max_distance_evals(100)), SearchEnd::MaxDistances);
    let end_of_pages = |params| {
        let mut scratch = Scratch::new();
        let mut pages = Batches::new(&view, &data[5], &params, &mut scratch).unwrap();
        pages.next_batch(&mut [Neighbor::default(); 10]);
        pages.stats().end
    };
    assert_eq!(end_of_pages(params), SearchEnd::Exhausted);
    assert_eq!(end_of_pages(params.max_distance_evals(100)), SearchEnd::MaxDistances);
    let few = |id: u32| id < 100;
    let stats = search_filtered(&view, &data[5], &params, &few, &mut scratch, &mut out).unwrap();
    assert_eq!(stats.end, SearchEnd::Scan);
    let most = |id: u32| id >= 100;
    let filtered = params.ef_search(20).slack(0.01);
    let stats = search_filtered(&view, &data[5], &filtered, &most, &mut scratch, &mut out).unwrap();
    assert_eq!(stats.end, SearchEnd::Slack);
}
