//! How much of the truth a search finds.

use std::ops::ControlFlow;

use vex_graph::{GraphView, Metric, Params, Quantization};

use crate::invariants::assert_invariants;
use crate::support::{Rng, Threads, built, exactly, found, found_live, inserted};

/// Gaussian clusters of different sizes whose elements have different spreads, as embeddings have.
fn embeddings(dim: usize, count: usize, seed: u64) -> Vec<Vec<f32>> {
    let mut rng = Rng(seed);
    let centres: Vec<Vec<f32>> =
        (0..60).map(|_| (0..dim).map(|j| rng.normal() * 2.0 / (1.0 + j as f32 / 8.0)).collect()).collect();
    (0..count)
        .map(|_| {
            let centre = &centres[rng.below(60).min(rng.below(60))];
            centre.iter().map(|element| element + rng.normal() * 0.6).collect()
        })
        .collect()
}

fn recall(view: &GraphView<'_>, queries: &[Vec<f32>], ef: usize) -> f64 {
    let mut hits = 0;
    for query in queries {
        let truth = exactly(view.rows(), query, 10);
        let found = found(view, query, 10, ef);
        hits +=
            found.iter().filter(|neighbor| truth.iter().any(|true_one| true_one.id == neighbor.id)).count();
    }
    hits as f64 / (10 * queries.len()) as f64
}

#[test]
fn recall_is_high_and_does_not_depend_on_how_the_graph_was_made() {
    let all = embeddings(32, 5400, 21);
    let (data, queries) = all.split_at(5000);
    for metric in Metric::NUMERIC {
        let params = Params::new().ef_construction(100).seed(2);
        let one_by_one = inserted(metric, params, data);
        let (at_once, order) = built(metric, params, data, &Threads(2));
        let (a, b) = (recall(&one_by_one.view(), queries, 64), recall(&at_once.view(), queries, 64));
        println!("{metric}: inserted {a:.4}, built {b:.4}");
        assert!(a >= 0.95 && b >= 0.95, "{metric}: inserted {a}, built {b}");
        assert!((a - b).abs() <= 0.01, "{metric}: inserted {a}, built {b}");

        // By the inner product a longer vector is nearer than the vector itself.
        if metric != Metric::InnerProduct {
            let finds = |view: &GraphView<'_>, id: usize, vector: &[f32]| {
                found(view, vector, 1, 64)[0].id as usize == id
            };
            let a = (0..5000).filter(|id| finds(&one_by_one.view(), *id, &data[*id])).count();
            let b = (0..5000).filter(|id| finds(&at_once.view(), *id, &data[order[*id] as usize])).count();
            assert!(a >= 4995 && b >= 4995, "{metric}: of 5000 points {a} and {b} find themselves");
        }
    }
}

/// In so many elements, a build finds candidates by smaller codes than those that select links.
#[test]
fn links_to_candidates_that_codes_found_are_as_good() {
    for (dim, quantization) in [(128, None), (256, Some(Quantization::Sq8)), (256, Some(Quantization::Sq4))] {
        let all = embeddings(dim, 2_200, 23);
        let (data, queries) = all.split_at(2_000);
        for metric in Metric::NUMERIC {
            let params = Params::new().ef_construction(60).seed(4).quantization(quantization);
            let (one_by_one, (at_once, _)) =
                (inserted(metric, params, data), built(metric, params, data, &Threads(2)));
            assert_invariants(&at_once.view());
            for ef in [12, 32] {
                let (a, b) = (recall(&one_by_one.view(), queries, ef), recall(&at_once.view(), queries, ef));
                println!("{dim}, {quantization:?}, {metric}, ef {ef}: inserted {a:.4}, built {b:.4}");
                assert!(b >= a - 0.01, "{dim}, {quantization:?}, {metric}, ef {ef}: inserted {a}, built {b}");
            }
        }
    }
}

#[test]
fn ten_rounds_that_replace_a_tenth_cost_no_recall() {
    let all = embeddings(32, 6_400, 22);
    let (data, rest) = all.split_at(3_000);
    let (new, queries) = rest.split_at(3_000);
    for (metric, quantization) in [
        (Metric::SquaredEuclidean, None),
        (Metric::Cosine, Some(Quantization::Sq8)),
        (Metric::InnerProduct, None),
    ] {
        let params = Params::new().ef_construction(100).seed(3).quantization(quantization);
        let (mut graph, _) = built(metric, params, data, &Threads(2));
        let mut rng = Rng(7);
        for round in new.chunks(300) {
            let mut gone = Vec::new();
            while gone.len() < 300 {
                let id = rng.below(3_000) as u32;
                if graph.delete(id).is_ok() {
                    gone.push(id);
                }
            }
            for query in &queries[..20] {
                let found = found_live(&graph, query, 10);
                assert!(found.len() == 10 && found.iter().all(|neighbor| !gone.contains(&neighbor.id)));
            }
            gone.sort_unstable();
            for (vector, id) in round.iter().zip(gone) {
                assert_eq!(graph.insert(vector), Ok(id));
            }
            assert_invariants(&graph.view());
        }
        let (fresh, _) = graph.compact(&Threads(2), |_| ControlFlow::Continue(())).unwrap();
        for ef in [10, 16, 32] {
            let (churned, fresh) = (recall(&graph.view(), queries, ef), recall(&fresh.view(), queries, ef));
            println!("{metric}, ef {ef}: churned {churned:.4}, fresh {fresh:.4}");
            assert!(churned >= fresh - 0.005, "{metric}, ef {ef}: churned {churned}, fresh {fresh}");
        }
    }
}
