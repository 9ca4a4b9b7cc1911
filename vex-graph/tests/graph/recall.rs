//! How much of the truth a search finds.

use vex_graph::{GraphView, Metric, Params};

use crate::support::{Rng, Threads, built, exactly, found, inserted};

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

fn recall(view: &GraphView<'_>, queries: &[Vec<f32>]) -> f64 {
    let mut hits = 0;
    for query in queries {
        let truth = exactly(view.rows(), query, 10);
        let found = found(view, query, 10, 64);
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
        let params = Params { ef_construction: 100, seed: 2, ..Params::default() };
        let one_by_one = inserted(metric, params, data);
        let (at_once, order) = built(metric, params, data, &Threads(2));
        let (a, b) = (recall(&one_by_one.view(), queries), recall(&at_once.view(), queries));
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
