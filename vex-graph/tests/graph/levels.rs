//! Levels as they come out in a graph; that the draws are geometric is tested beside them.

use vex_graph::{GraphView, Metric, Params, Serial};

use crate::support::{Shape, built, inserted, vectors};

fn counts(view: &GraphView<'_>) -> Vec<usize> {
    view.levels().iter().map(|level| level.count()).collect()
}

#[test]
fn inserted_and_built_graphs_have_the_same_geometric_histogram() {
    let params = Params::new().m(4).ef_construction(1).seed(3);
    let data = vectors(Shape::Uniform, 1, 20_000, 9);
    let graph = inserted(Metric::SquaredEuclidean, params, &data);
    let histogram = counts(&graph.view());
    let (other, _) = built(Metric::SquaredEuclidean, params, &data, &Serial);
    assert_eq!(histogram, counts(&other.view()));

    let mut expected = 20_000.0f64;
    for count in &histogram {
        assert!((*count as f64 - expected).abs() <= 5.0 * expected.sqrt(), "{histogram:?}");
        expected /= 4.0;
    }
}
