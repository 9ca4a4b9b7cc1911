//! The bytes that a search reads of each kind of memory, with codes and without.

use vex_graph::{Neighbor, Params, Quantization, Scratch, SearchParams, search};

use crate::points::{Random, graph};
use crate::svg::Svg;

const DIM: usize = 768;

/// Vectors near a surface of few dimensions, as embeddings are.
fn embeddings(count: usize) -> Vec<[f32; DIM]> {
    let mut random = Random(1);
    let axes: Vec<[f32; DIM]> = (0..16).map(|_| std::array::from_fn(|_| random.normal())).collect();
    let vector = |_| {
        let weights: Vec<f32> = axes.iter().map(|_| random.normal()).collect();
        std::array::from_fn(|at| {
            let sum: f32 = weights.iter().zip(&axes).map(|(weight, axis)| weight * axis[at]).sum();
            sum + 0.3 * random.normal()
        })
    };
    (0..count).map(vector).collect()
}

pub(crate) fn draw() -> String {
    let mut base = embeddings(2_020);
    let queries = base.split_off(2_000);
    let kinds = [
        ("f32", None),
        ("SQ8", Some(Quantization::Sq8)),
        ("SQ4", Some(Quantization::Sq4)),
        ("SQ2x2", Some(Quantization::Sq2x2)),
    ];
    let mut rows = Vec::new();
    for (name, quantization) in kinds {
        let params = Params::new().quantization(quantization);
        let graph = graph(&base, params);
        let search_params = SearchParams::new(10).ef_search(64);
        let mut out = [Neighbor::default(); 10];
        let (mut distances, mut hops, mut reranked) = (0, 0, 0);
        for query in &queries {
            let stats = search(&graph.view(), query, &search_params, &mut Scratch::new(), &mut out)
                .expect("the query is finite");
            distances += stats.distances;
            hops += stats.hops;
            reranked += stats.reranked;
        }
        // What is read for each node that is met, and once for the list.
        let (met, list) = match quantization {
            None => (4 * DIM, 0),
            Some(Quantization::Sq8) => (DIM + 8, 0),
            Some(Quantization::Sq4) => (DIM / 2 + 8, 0),
            _ => (DIM / 4 + 8, 64 * DIM / 2),
        };
        let count = queries.len();
        let links = hops / count * 4 * params.m0();
        rows.push((name, [distances / count * met + list, reranked / count * 4 * DIM, links]));
    }
    let mut svg = Svg::new(860, 250, "Bytes that a search reads: vectors or codes, reranking, links");
    let most = rows.iter().map(|(_, parts)| parts.iter().sum::<usize>()).max().expect("there are rows");
    let classes = ["a", "b", "c"];
    for (row, (name, parts)) in rows.iter().enumerate() {
        let y = 30.0 + 42.0 * row as f64;
        svg.text("bold end", (70.0, y + 17.0), name);
        let mut x = 80.0;
        for (part, class) in parts.iter().zip(classes) {
            let width = 620.0 * *part as f64 / most as f64;
            svg.rect(class, (x, y), (width, 24.0));
            x += width;
        }
        svg.text("", (x + 8.0, y + 17.0), &format!("{} KB", parts.iter().sum::<usize>() / 1_000));
    }
    let meanings = ["vectors or codes, to rank", "vectors, to rerank", "links"];
    for (index, (class, meaning)) in classes.into_iter().zip(meanings).enumerate() {
        let x = 80.0 + 220.0 * index as f64;
        svg.rect(class, (x, 212.0), (12.0, 12.0));
        svg.text("", (x + 20.0, 223.0), meaning);
    }
    svg.finish()
}
