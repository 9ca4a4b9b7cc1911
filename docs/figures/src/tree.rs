//! The reachability tree before and after the slot of a node is used again.

use std::collections::VecDeque;

use vex_graph::{GraphView, NodeId, Params};

use crate::points::{graph, spread};
use crate::svg::{Point, Svg};

/// By node its parent: breadth first over the base, as a graph finds the tree when it is opened.
fn parents(view: &GraphView<'_>) -> Vec<Option<NodeId>> {
    let entry = view.entry().expect("the graph has nodes");
    let mut parents = vec![None; view.count()];
    let mut queue = VecDeque::from([entry]);
    while let Some(node) = queue.pop_front() {
        for &link in view.links(node, 0) {
            if link != entry && parents[link as usize].is_none() {
                parents[link as usize] = Some(node);
                queue.push_back(link);
            }
        }
    }
    parents
}

pub(crate) fn draw() -> String {
    let mut points = spread(5, 32, 0.1);
    let mut graph = graph(&points, Params::new().m(4).seed(1));
    let mut svg =
        Svg::new(860, 400, "The links from parents to children, before and after a slot is used again");
    // The node with most children, which is not the root.
    let before = parents(&graph.view());
    let children = |id: usize| before.iter().filter(|parent| **parent == Some(id as NodeId)).count();
    let is_root = |id: &usize| graph.view().entry() == Some(*id as NodeId);
    let moved =
        (0..points.len()).filter(|id| !is_root(id)).max_by_key(|id| children(*id)).expect("there are nodes");
    panel(&mut svg, 20.0, &points, &graph.view(), &before, moved, "before");
    graph.delete(moved as NodeId).expect("the node is there");
    points[moved] = [0.06, 0.94];
    let id = graph.insert(&points[moved]).expect("the vector is finite");
    assert_eq!(id as usize, moved, "the insert takes the free slot");
    let after = parents(&graph.view());
    assert_eq!(
        after.iter().filter(|parent| parent.is_none()).count(),
        1,
        "every node but the root has a parent"
    );
    panel(&mut svg, 450.0, &points, &graph.view(), &after, moved, "after");
    svg.finish()
}

fn panel(
    svg: &mut Svg,
    left: f64,
    points: &[[f32; 2]],
    view: &GraphView<'_>,
    parents: &[Option<NodeId>],
    moved: usize,
    title: &str,
) {
    let place = |id: usize| -> Point {
        (left + 20.0 + 350.0 * f64::from(points[id][0]), 50.0 + 320.0 * f64::from(points[id][1]))
    };
    svg.text("bold", (left, 24.0), title);
    for id in 0..points.len() {
        for link in view.links(id as NodeId, 0) {
            svg.line("link", place(id), place(*link as usize));
        }
    }
    for (id, parent) in parents.iter().enumerate() {
        if let Some(parent) = parent {
            svg.line("pinned", place(*parent as usize), place(id));
        }
    }
    for id in 0..points.len() {
        let class = if id == moved { "query" } else { "kept" };
        svg.circle(class, place(id), if view.entry() == Some(id as NodeId) { 8.0 } else { 5.0 });
    }
    let (x, y) = place(moved);
    svg.text("bold", (x + 9.0, y - 7.0), "X");
    let (x, y) = place(view.entry().expect("the graph has nodes") as usize);
    svg.text("bold", (x + 11.0, y - 9.0), "entry point");
}
