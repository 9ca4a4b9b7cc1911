use vex_format::Store;
use vex_graph::{Element, Hnsw, Metric, NodeSet, Params, Quantization};

use crate::{Graph, coded, small_with, write, write_with};

/// The levels of the nodes of a small graph.
const LEVELS: [usize; 7] = [2, 1, 1, 0, 0, 0, 0];

/// Small files of every kind, each with a name. A new element or section of the format must be
/// added here.
pub fn files() -> Vec<(String, Vec<u8>)> {
    let mut files = Vec::new();
    for metric in Metric::NUMERIC {
        let mut put = |kind: &str, bytes: &[u8]| files.push((format!("{metric}, {kind}"), bytes.to_vec()));
        let empty = Graph::ring(metric, 3, 4, &[], 0, 3);
        put("empty", &write(&empty.view(), &empty.keys()));
        let one = Graph::ring(metric, 17, 5, &[0], 1, 2);
        put("one node", &write(&one.view(), &one.keys()));
        let levels = Graph::ring(metric, 3, 4, &LEVELS, 7, 1);
        put("three levels", &write(&levels.view(), &levels.keys()));
        let deleted = levels.view().with_tombstones(NodeSet::new(&[0b101_0010]));
        put("tombstones", &write(&deleted, &levels.keys()));
        let copies = with_copies(metric);
        put("copies", &write(&copies.view(), &[9, 8, 7, 6, 5, 4, 3, 2, 1]));
        for quantization in Quantization::ALL {
            let graph = coded(Element::F32, metric, quantization, 3, 6, 4);
            let keys = [1, 2, 3, 4, 5, 6];
            put(&format!("{quantization}"), &write(&graph.view(), &keys));
            put(&format!("{quantization} beside f16"), &write_with(&graph.view(), &keys, Store::F16));
            let deleted = graph.view().with_tombstones(NodeSet::new(&[0b1_0010]));
            put(&format!("{quantization} alone"), &write_with(&deleted, &keys, Store::None));
        }
    }
    for element in Element::ALL.into_iter().filter(|element| *element != Element::F32) {
        for metric in element.metrics() {
            let (vectors, graph) = small_with(element, *metric, &LEVELS);
            let deleted = graph.view_of(vectors.rows()).with_tombstones(NodeSet::new(&[0b101_0010]));
            files.push((format!("{metric}, {element}"), write(&deleted, &graph.keys()).to_vec()));
        }
    }
    assert!(files.iter().all(|(_, bytes)| bytes.len() <= 16 << 10));
    files
}

/// Three vectors, three times each. One of the copies is deleted.
fn with_copies(metric: Metric) -> Hnsw {
    let params = Params::new().m(4).ef_construction(20);
    let mut graph = Hnsw::new(metric, 3, params).expect("parameters in their ranges");
    for index in 0..9 {
        graph.insert(&[(index % 3) as f32, 1.0, 2.0]).expect("a vector of three dimensions");
    }
    let copy = graph.view().copies_of(1).next().expect("the second vector is there three times");
    graph.delete(copy).expect("a node");
    graph
}
