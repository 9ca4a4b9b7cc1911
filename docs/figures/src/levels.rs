//! A search: the descent from level to level, and the candidate list on the base.

use vex_graph::{Neighbor, Params, Scratch, SearchParams, Step, search_observed};

use crate::points::{graph, spread};
use crate::svg::{Point, Svg};

const QUERY: [f32; 2] = [0.82, 0.2];
const EF: usize = 5;

/// A point of the unit square on a level, seen from the side.
fn place(level: usize, top: usize, [x, y]: [f32; 2]) -> Point {
    let (x, y) = (f64::from(x), f64::from(y));
    (40.0 + 430.0 * x + 130.0 * (1.0 - y), 60.0 + 165.0 * (top - level) as f64 + 115.0 * y)
}

pub(crate) fn draw() -> String {
    let points = spread(8, 70, 0.06);
    let graph = graph(&points, Params::new().m(4).seed(3));
    let view = graph.view();
    let top = view.levels().len() - 1;
    let (mut steps, mut out) = (Vec::new(), [Neighbor::default(); 3]);
    let params = SearchParams::new(3).ef_search(EF);
    search_observed(&view, &QUERY, &params, &mut Scratch::new(), &mut out, |step| steps.push(step))
        .expect("the query is finite");

    let height = 60 + 165 * (top as u32 + 1);
    let mut svg = Svg::new(860, height, "A search on three levels: the descent, and the candidate list");
    for level in (0..=top).rev() {
        let corners = [[0.0, 0.0], [1.0, 0.0], [1.0, 1.0], [0.0, 1.0]];
        svg.polygon("plane", &corners.map(|corner| place(level, top, corner)));
        svg.text("bold", (10.0, 75.0 + 165.0 * (top - level) as f64), &format!("level {level}"));
        let nodes = (0..points.len()).filter(|id| view.level(*id as u32) >= level);
        for id in nodes.clone() {
            for link in view.links(id as u32, level) {
                let [a, b] = [id, *link as usize].map(|id| place(level, top, points[id]));
                svg.line("link", a, b);
            }
        }
        for id in nodes {
            svg.circle("", place(level, top, points[id]), 3.5);
        }
        svg.circle("query", place(level, top, QUERY), 3.0);
    }

    // The descent moves where it expands; the base shows every node that was ranked.
    let mut level = top;
    let (mut path, mut list): (Vec<Point>, Vec<Neighbor>) = (Vec::new(), Vec::new());
    let mut table = Vec::new();
    for step in &steps {
        match *step {
            Step::Level { level: next } => {
                level = next;
                // The base begins with the nearest so far and the entry point.
                if level == 0 {
                    let nearest = list.iter().copied().min_by(|a, b| a.distance.total_cmp(&b.distance));
                    list = nearest.into_iter().chain(list.first().copied()).collect();
                }
            }
            Step::Ranked { id, distance } => {
                list.push(Neighbor { id, distance });
                if level == 0 {
                    svg.circle("seen", place(0, top, points[id as usize]), 4.5);
                }
            }
            Step::Expanded { id } => {
                path.push(place(level, top, points[id as usize]));
                if level == 0 {
                    list.sort_by(|a, b| a.distance.total_cmp(&b.distance));
                    list.dedup_by_key(|neighbor| neighbor.id);
                    table.push((id, list.iter().take(EF).map(|neighbor| neighbor.id).collect::<Vec<_>>()));
                    svg.circle("kept", place(0, top, points[id as usize]), 5.0);
                }
            }
            _ => (),
        }
    }
    let descent = path.len() - table.len();
    svg.polyline("path", &path[..descent + 1]);
    for neighbor in &out {
        svg.circle("result", place(0, top, points[neighbor.id as usize]), 6.0);
    }
    for (id, point) in points.iter().enumerate() {
        if table.iter().any(|(_, list)| list.contains(&(id as u32))) {
            let (x, y) = place(0, top, *point);
            svg.text("small", (x + 6.0, y - 4.0), &id.to_string());
        }
    }

    svg.text("bold", (640.0, 40.0), "expanded");
    svg.text("bold", (720.0, 40.0), &format!("the list then, ef {EF}"));
    for (row, (id, list)) in table.iter().enumerate() {
        let y = 62.0 + 20.0 * row as f64;
        svg.text("", (640.0, y), &id.to_string());
        for (place, id) in list.iter().enumerate() {
            svg.text("", (720.0 + 26.0 * place as f64, y), &id.to_string());
        }
    }
    let y = f64::from(height) - 78.0;
    let meanings = [
        ("query", "the query"),
        ("seen", "a distance was computed"),
        ("kept", "expanded"),
        ("result", "k nearest"),
    ];
    for (index, (class, meaning)) in meanings.into_iter().enumerate() {
        let y = y + 19.0 * index as f64;
        svg.circle(class, (648.0, y - 4.0), 5.0);
        svg.text("", (662.0, y), meaning);
    }
    svg.finish()
}
