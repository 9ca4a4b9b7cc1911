//! Recall against the distances of a search, for several m.

use vex_graph::{Neighbor, Params, Scratch, SearchParams, search};

use crate::points::{Random, graph};
use crate::svg::{Point, Svg};

const DIM: usize = 16;
const COUNT: usize = 3_000;
const QUERIES: usize = 200;

pub(crate) fn draw() -> String {
    let mut random = Random(2);
    let mut base: Vec<[f32; DIM]> =
        (0..COUNT + QUERIES).map(|_| std::array::from_fn(|_| random.unit())).collect();
    let queries = base.split_off(COUNT);
    let mut svg = Svg::new(760, 400, "Recall against distances, for m 4, 8, 16 and 32");
    let place = |distances: f64, recall: f64| -> Point {
        (70.0 + 600.0 * distances / 1_500.0, 340.0 - 300.0 * (recall - 0.5) / 0.5)
    };
    for recall in [0.5, 0.6, 0.7, 0.8, 0.9, 1.0] {
        svg.line("link", place(0.0, recall), place(1_500.0, recall));
        let (x, y) = place(0.0, recall);
        svg.text("small end", (x - 8.0, y + 4.0), &format!("{recall:.1}"));
    }
    for distances in [0, 500, 1_000, 1_500] {
        let (x, y) = place(f64::from(distances), 0.5);
        svg.text("small middle", (x, y + 20.0), &distances.to_string());
    }
    svg.text("faint", (70.0, 24.0), "recall@10");
    svg.text("faint end", (670.0, 385.0), "distances of a search");
    let kinds = [(4, "line-c"), (8, "line-b"), (16, "line-a"), (32, "line-d")];
    for (row, (m, class)) in kinds.into_iter().enumerate() {
        let graph = graph(&base, Params::new().m(m));
        let curve: Vec<Point> = [10, 14, 20, 28, 40, 56, 80, 112, 160, 224, 320]
            .into_iter()
            .map(|ef| measured(&graph.view(), &queries, ef))
            .filter(|(distances, recall)| *distances <= 1_500.0 && *recall >= 0.5)
            .map(|(distances, recall)| place(distances, recall))
            .collect();
        svg.polyline(class, &curve);
        let y = 250.0 + 20.0 * row as f64;
        svg.line(class, (540.0, y), (580.0, y));
        svg.text("", (590.0, y + 4.0), &format!("m {m}"));
    }
    svg.finish()
}

/// Distances of a search on average, and the recall@10.
fn measured(view: &vex_graph::GraphView<'_>, queries: &[[f32; DIM]], ef: usize) -> (f64, f64) {
    let (mut scratch, mut out) = (Scratch::new(), [Neighbor::default(); 10]);
    let (mut distances, mut right) = (0, 0);
    for query in queries {
        let mut run = |ef: usize| {
            let params = SearchParams::new(10).ef_search(ef);
            let stats = search(view, query, &params, &mut scratch, &mut out).expect("the query is finite");
            (stats.distances, out.map(|neighbor| neighbor.id))
        };
        // A list as long as the graph finds the exact answer.
        let (_, exact) = run(view.count());
        let (work, found) = run(ef);
        distances += work;
        right += found.iter().filter(|id| exact.contains(id)).count();
    }
    (distances as f64 / queries.len() as f64, right as f64 / (10 * queries.len()) as f64)
}
