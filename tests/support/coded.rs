use vex_graph::{Element, Hnsw, Metric, Params, Quantization};

use crate::Random;

/// A graph that grew node by node, with codes.
pub fn coded(
    element: Element,
    metric: Metric,
    quantization: Quantization,
    dim: usize,
    count: usize,
    seed: u64,
) -> Hnsw {
    let mut random = Random(seed);
    let quantization = Some(quantization);
    let params = Params::new().m(4).ef_construction(30).element(element).quantization(quantization);
    let mut graph = Hnsw::new(metric, dim, params).unwrap();
    for _ in 0..count {
        let vector: Vec<_> = (0..dim).map(|_| random.element()).collect();
        graph.insert(&vector).unwrap();
    }
    graph
}
