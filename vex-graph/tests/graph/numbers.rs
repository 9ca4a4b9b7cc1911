//! The ends of the range of f32: what is too long is refused, and of what is accepted no distance
//! overflows.

use std::convert::Infallible;
use std::ops::ControlFlow;

use vex_graph::{
    BuildError, Element, Exact, Hnsw, InsertError, MAX_NORM, Metric, Neighbor, Params, Quantization, Scratch,
    SearchError, SearchParams, Serial, UpdateError, VectorError, exact, search,
};

use crate::support::{Rng, Shape, vectors};

const LIMITED: [Metric; 2] = [Metric::SquaredEuclidean, Metric::InnerProduct];
const CODES: [Option<Quantization>; 4] =
    [None, Some(Quantization::Sq8), Some(Quantization::Sq4), Some(Quantization::Sq2x2)];

/// A vector of this length, in some direction.
fn of_length(rng: &mut Rng, dim: usize, length: f64) -> Vec<f32> {
    let direction: Vec<f64> = (0..dim).map(|_| f64::from(rng.normal())).collect();
    let norm = direction.iter().map(|element| element * element).sum::<f64>().sqrt();
    direction.iter().map(|element| (element / norm * length) as f32).collect()
}

#[test]
fn a_vector_is_refused_from_the_limit_on_and_the_message_names_both() {
    let longest = MAX_NORM as f32;
    let params = SearchParams::new(1).ef_search(10);
    let mut out = [Neighbor::default()];
    for metric in LIMITED {
        let mut graph = Hnsw::new(metric, 3, Params::default()).unwrap();
        graph.insert(&[0.0, -longest, 0.0]).unwrap();
        search(&graph.view(), &[longest, 0.0, 0.0], &params, &mut Scratch::new(), &mut out).unwrap();
        for vector in [[longest.next_up(), 0.0, 0.0], [longest, 0.0, -1e13], [-f32::MAX; 3]] {
            let error = graph.insert(&vector).unwrap_err();
            let InsertError::Vector(refused @ VectorError::TooLong { found }) = error else {
                panic!("{error}");
            };
            let square: f64 = vector.iter().map(|element| f64::from(*element).powi(2)).sum();
            assert_eq!(found.get(), square.sqrt());
            let message = "expected a vector of length up to 4.611686018427388e18, found one of length ";
            assert_eq!(refused.to_string(), format!("{message}{:e}", square.sqrt()));

            assert_eq!(graph.update(0, &vector), Err(UpdateError::Insert(InsertError::Vector(refused))));
            let mut scratch = Scratch::new();
            let query = Err(SearchError::Query(refused));
            assert_eq!(search(&graph.view(), &vector, &params, &mut scratch, &mut out), query);
            assert_eq!(exact(graph.view().rows(), &vector, &mut out).map(drop), query.map(drop));
            assert_eq!(Exact::new(graph.view().rows(), &vector, &mut []).err(), Some(refused));
            let mut sources = [[1.0; 3], vector].into_iter();
            let fill = |to: &mut [f32]| {
                to.copy_from_slice(&sources.next().unwrap());
                Ok::<_, Infallible>(())
            };
            let built =
                Hnsw::build(metric, 3, Params::default(), 2, fill, &Serial, |_| ControlFlow::Continue(()));
            assert_eq!(built.err(), Some(BuildError::Vector { position: 1, error: refused }));
        }
        assert_eq!(graph.count(), 1);
    }
    // Against vectors of f16, queries of f32 have the same limit.
    let params = Params::new().element(Element::F16);
    let mut graph = Hnsw::new(Metric::InnerProduct, 3, params).unwrap();
    graph.insert(&[65504.0f32; 3]).unwrap();
    let too_long = exact(graph.view().rows(), &[1e19f32; 3], &mut out);
    assert!(matches!(too_long, Err(SearchError::Query(VectorError::TooLong { .. }))), "{too_long:?}");
}

#[test]
fn nothing_overflows_between_the_longest_vectors() {
    for dim in [1, 3, 64, 200] {
        for metric in LIMITED {
            for quantization in CODES {
                let mut rng = Rng(7 + dim as u64);
                let params = Params::new().m(4).ef_construction(40).quantization(quantization);
                let mut graph = Hnsw::new(metric, dim, params).unwrap();
                for index in 0..150 {
                    // As far apart as can be: the same length, in opposite directions, and along the axes.
                    let mut vector = of_length(&mut rng, dim, MAX_NORM * 0.999_999);
                    if index % 3 == 0 {
                        vector.fill(0.0);
                        vector[rng.below(dim)] = MAX_NORM as f32 * if index % 2 == 0 { 1.0 } else { -1.0 };
                    }
                    graph.insert(&vector).unwrap();
                }
                let view = graph.view();
                if let Some(codes) = view.codes() {
                    assert!(codes.terms().as_flattened().iter().all(|term| term.is_finite()));
                    assert!(codes.mean().iter().all(|element| element.is_finite()));
                }
                let mut found = vec![Neighbor::default(); 150];
                let mut truth = found.clone();
                for id in [0, 1, 77] {
                    let query: Vec<f32> = match view.rows().row(id) {
                        vex_graph::Elements::F32(row) => row.iter().map(|element| -element).collect(),
                        _ => unreachable!(),
                    };
                    for rerank in [0.0, f32::INFINITY] {
                        let params = SearchParams::new(150).ef_search(150).rerank(rerank);
                        let stats = search(&view, &query, &params, &mut Scratch::new(), &mut found).unwrap();
                        assert_eq!(stats.found, 150);
                        let finite = found.iter().all(|neighbor| neighbor.distance.is_finite());
                        assert!(finite, "{metric}, {quantization:?}, {dim}, rerank {rerank}");
                    }
                    exact(view.rows(), &query, &mut truth).unwrap();
                    assert_eq!(found, truth, "{metric}, {quantization:?}, {dim}");
                }
            }
        }
    }
}

#[test]
fn cosine_does_not_depend_on_lengths_over_the_whole_range_of_f32() {
    for (dim, element) in [(3, Element::F32), (70, Element::F32), (70, Element::F16), (200, Element::F32)] {
        for quantization in CODES {
            let rows = vectors(Shape::Uniform, dim, 200, 3);
            let params = Params::new().m(6).ef_construction(60).element(element).quantization(quantization);
            let mut graph = Hnsw::new(Metric::Cosine, dim, params).unwrap();
            for row in &rows {
                graph.insert(row).unwrap();
            }
            let largest = |row: &[f32]| row.iter().fold(0.0f32, |largest, x| largest.max(x.abs()));
            let view = graph.view();
            for query in &vectors(Shape::Uniform, dim, 10, 4) {
                let mut expected = [Neighbor::default(); 10];
                exact(view.rows(), query, &mut expected).unwrap();
                let at_the_end: Vec<f32> = query.iter().map(|x| x / largest(query) * f32::MAX).collect();
                // As short as can be without losing its direction.
                let scaled = [1e-38, 1e-36, 1e-31, 1e-29, 1e-20, 1e18, 1e19, 1e20, 1e38]
                    .map(|scale: f32| query.iter().map(|element| element * scale).collect());
                for query in scaled.into_iter().chain([at_the_end]) {
                    let mut found = [Neighbor::default(); 10];
                    exact(view.rows(), &query, &mut found).unwrap();
                    assert_alike(&found, &expected, &query);
                    let params = SearchParams::new(10).ef_search(200).rerank(f32::INFINITY);
                    search(&view, &query, &params, &mut Scratch::new(), &mut found).unwrap();
                    assert_alike(&found, &expected, &query);
                }
            }
        }
    }
}

/// The same distances; the same neighbors but where two are as near.
fn assert_alike(found: &[Neighbor], expected: &[Neighbor], query: &[f32]) {
    for (found, expected) in found.iter().zip(expected) {
        let error = (found.distance - expected.distance).abs();
        assert!(error <= 4e-6, "{found:?}, not {expected:?}, of {:e}", query[0]);
    }
}

#[test]
fn a_query_of_a_single_smallest_number_has_a_direction() {
    let mut graph = Hnsw::new(Metric::Cosine, 130, Params::default()).unwrap();
    for axis in 0..130 {
        let mut row = [0.0; 130];
        row[axis] = if axis % 2 == 0 { f32::MAX } else { f32::from_bits(1) };
        graph.insert(&row).unwrap();
    }
    for axis in [0, 1, 64, 129] {
        for length in [f32::from_bits(1), f32::MIN_POSITIVE, 1.0, f32::MAX] {
            let mut query = [0.0; 130];
            query[axis] = length;
            let mut found = [Neighbor::default(); 2];
            let view = graph.view();
            search(&view, &query, &SearchParams::new(2).ef_search(130), &mut Scratch::new(), &mut found)
                .unwrap();
            assert_eq!(found[0], Neighbor { id: axis as u32, distance: 0.0 }, "{length:e}");
            assert_eq!(found[1].distance, 1.0, "{length:e}");
        }
    }
}

/// What the documentation says of small numbers.
#[test]
fn squared_distances_vanish_below_the_smallest_f32() {
    let mut graph = Hnsw::new(Metric::SquaredEuclidean, 2, Params::default()).unwrap();
    for element in [0.0, 2.0f32.powi(-76), 2.0f32.powi(-74), 2.0f32.powi(-60)] {
        graph.insert(&[element, 0.0]).unwrap();
    }
    let mut found = [Neighbor::default(); 4];
    exact(graph.view().rows(), &[0.0, 0.0], &mut found).unwrap();
    let distances = found.map(|neighbor| neighbor.distance);
    assert_eq!(distances, [0.0, 0.0, 2.0f32.powi(-148), 2.0f32.powi(-120)]);
}
