//! Neighbor selection: which candidates of a node become links, and why one is rejected.

use vex_graph::Params;

use crate::points::graph;
use crate::svg::{Point, Svg};

/// The new node is the last. The others are its candidates.
const POINTS: [[f32; 2]; 6] = [[4.0, 0.4], [4.6, 2.6], [-3.4, 1.6], [-1.0, -3.2], [-3.0, -3.6], [0.0, 0.0]];
const NAMES: [&str; 6] = ["A", "B", "C", "D", "E", "N"];

fn place([x, y]: [f32; 2]) -> Point {
    (260.0 + 48.0 * f64::from(x), 190.0 - 42.0 * f64::from(y))
}

fn distance(a: usize, b: usize) -> f32 {
    (POINTS[a][0] - POINTS[b][0]).hypot(POINTS[a][1] - POINTS[b][1])
}

pub(crate) fn draw() -> String {
    let graph = graph(&POINTS, Params::new().m(4));
    let node = POINTS.len() - 1;
    let links = graph.view().links(node as u32, 0).to_vec();
    let mut svg = Svg::new(760, 380, "Neighbor selection: two of five candidates are rejected");
    let mut candidates: Vec<usize> = (0..node).collect();
    candidates.sort_by(|a, b| distance(*a, node).total_cmp(&distance(*b, node)));
    svg.text("bold", (530.0, 70.0), "candidate");
    svg.text("bold", (610.0, 70.0), "distance to N");
    let mut kept: Vec<usize> = Vec::new();
    for (row, candidate) in candidates.into_iter().enumerate() {
        let y = 94.0 + 44.0 * row as f64;
        svg.text("bold", (545.0, y), NAMES[candidate]);
        svg.text("", (630.0, y), &format!("{:.1}", distance(candidate, node)));
        let nearer = kept.iter().find(|kept| distance(**kept, candidate) < distance(candidate, node));
        let is_linked = links.contains(&(candidate as u32));
        assert_eq!(nearer.is_none(), is_linked, "the figure shows what the insert has done");
        match nearer {
            Some(other) => {
                let reason = format!(
                    "rejected: {:.1} to {}, which is kept",
                    distance(*other, candidate),
                    NAMES[*other]
                );
                svg.text("small faint", (530.0, y + 16.0), &reason);
                svg.line("dropped", place(POINTS[node]), place(POINTS[candidate]));
                svg.line("axis", place(POINTS[*other]), place(POINTS[candidate]));
            }
            None => {
                svg.text("small faint", (530.0, y + 16.0), "kept: no kept one is nearer to it");
                svg.line("path", place(POINTS[node]), place(POINTS[candidate]));
                kept.push(candidate);
            }
        }
    }
    for (index, point) in POINTS.into_iter().enumerate() {
        svg.circle(if index == node { "query" } else { "kept" }, place(point), 8.0);
        let (x, y) = place(point);
        svg.text("bold", (if index == node { x - 22.0 } else { x + 12.0 }, y - 10.0), NAMES[index]);
    }
    svg.finish()
}
