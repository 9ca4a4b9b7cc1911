//! Graphs of every type of element: operations, searches and refusals, against plain loops.

use std::convert::Infallible;
use std::ops::ControlFlow;

use proptest::prelude::*;
use proptest::test_runner::RngSeed;
use vex_graph::{
    Batches, BuildError, Element, Elements, GraphView, Hnsw, InsertError, Metric, Neighbor, NodeId, NodeSet,
    Params, ParamsError, Quantization, Rows, Scratch, SearchError, SearchParams, Serial, UpdateError,
    VectorError, ViewError, f16, search, search_filtered, search_radius,
};

use crate::invariants::assert_invariants;
use crate::support::{Rng, Snapshot, Threads, bits, exactly};
use crate::vector::{Vector, distance};

fn pairs() -> Vec<(Element, Metric)> {
    let metrics = |element: Element| element.metrics().iter().map(move |metric| (element, *metric));
    Element::ALL.into_iter().flat_map(metrics).collect()
}

fn params(element: Element, seed: u64) -> Params {
    Params::new().m(4 + seed as usize % 3).ef_construction(20).seed(seed).element(element)
}

fn built(metric: Metric, params: Params, dim: usize, data: &[Vector], threads: usize) -> (Hnsw, Vec<u32>) {
    fn fill<T: Copy>(to: &mut [T], from: &[T]) -> Result<(), Infallible> {
        to.copy_from_slice(from);
        Ok(())
    }
    let mut next = data.iter();
    let mut next = move || next.next().unwrap().elements();
    let (executor, go_on) = (Threads(threads), |_| ControlFlow::Continue(()));
    macro_rules! build {
        ($variant:ident) => {
            Hnsw::build(
                metric,
                dim,
                params,
                data.len(),
                |to| match next() {
                    Elements::$variant(from) => fill(to, from),
                    _ => unreachable!(),
                },
                &executor,
                go_on,
            )
            .unwrap()
        };
    }
    match params.element {
        Element::F32 => build!(F32),
        Element::F16 => build!(F16),
        Element::I8 => build!(I8),
        Element::U8 => build!(U8),
        Element::Bits => build!(Bits),
    }
}

/// Every accepted node, nearest first, by plain loops.
fn reference(
    view: &GraphView<'_>,
    query: Elements<'_>,
    accepts: impl Fn(NodeId) -> bool,
) -> Vec<(f64, NodeId)> {
    let accepted = (0..view.count() as NodeId).filter(|id| accepts(*id));
    let mut all: Vec<(f64, NodeId)> =
        accepted.map(|id| (distance(view.metric(), query, view.rows().row(id)), id)).collect();
    // As it is reported, since what is rounded to one value is ordered by id.
    all.sort_by(|a, b| (a.0 as f32).total_cmp(&(b.0 as f32)).then(a.1.cmp(&b.1)));
    all
}

/// Compares to the last bit where distances are exact or rounded once.
#[track_caller]
fn assert_same(view: &GraphView<'_>, found: &[Neighbor], expected: &[(f64, NodeId)]) {
    assert_eq!(found.len(), expected.len());
    let is_rounded = view.metric() == Metric::Cosine && view.element().can_be_coded();
    for (found, expected) in found.iter().zip(expected) {
        if is_rounded {
            // The reference divides by the length of the row, which f16 rounds.
            let tolerance = if view.element() == Element::F16 { 1e-3 } else { 1e-6 };
            assert!(
                (f64::from(found.distance) - expected.0).abs() < tolerance,
                "{found:?}, not {expected:?}"
            );
        } else {
            assert_eq!((found.id, found.distance), (expected.1, expected.0 as f32), "{}", view.metric());
        }
    }
}

/// All searches, each with a candidate list as long as the graph.
fn assert_searches(graph: &Hnsw, query: Elements<'_>, rng: &mut Rng) {
    let view = graph.view();
    let is_live = |id: NodeId| graph.is_live(id);
    let (k, count) = (1 + rng.below(12), view.count());
    let params = SearchParams::new(k).ef_search(count.max(1));
    let (mut scratch, mut out) = (Scratch::new(), vec![Neighbor::default(); k]);
    let stats = search(&view, query, &params, &mut scratch, &mut out).unwrap();
    let all = reference(&view, query, is_live);
    assert_same(&view, &out[..stats.found], &all[..k.min(all.len())]);
    let mut exact = exactly(view.rows(), query, count);
    exact.retain(|neighbor| is_live(neighbor.id));
    exact.truncate(k);
    assert_eq!(bits(&out[..stats.found]), bits(&exact));

    let words: Vec<u64> = (0..NodeSet::words_for(count)).map(|_| rng.next() & rng.next()).collect();
    let set = NodeSet::new(&words);
    let stats = search_filtered(&view, query, &params, &set, &mut scratch, &mut out).unwrap();
    let matching = reference(&view, query, |id| is_live(id) && set.contains(id));
    assert_same(&view, &out[..stats.found], &matching[..k.min(matching.len())]);

    let mut within = vec![Neighbor::default(); count];
    let radius = all.get(all.len() / 2).map_or(0.0, |middle| middle.0 as f32);
    let stats = search_radius(&view, query, radius, &params, &mut scratch, &mut within).unwrap();
    let is_rounded = view.metric() == Metric::Cosine && view.element().can_be_coded();
    if !is_rounded {
        let expected = all.partition_point(|(distance, _)| *distance as f32 <= radius);
        assert_same(&view, &within[..stats.found], &all[..expected]);
    }

    let mut batches = Batches::new(&view, query, &params, &mut scratch).unwrap();
    let mut returned = Vec::new();
    loop {
        let found = batches.next_batch(&mut out);
        returned.extend(out[..found].iter().map(|neighbor| neighbor.id));
        if found < k {
            break;
        }
    }
    returned.sort_unstable();
    assert!(returned.into_iter().eq((0..count as NodeId).filter(|id| is_live(*id))));
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 400,
        rng_seed: RngSeed::Fixed(5),
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    #[test]
    fn every_element_keeps_the_invariants(
        (element, metric) in prop::sample::select(pairs()),
        dim in prop_oneof![1usize..=20, 60usize..=200],
        at_first in prop_oneof![Just(0usize), 1usize..=120],
        // How many different vectors there are.
        kinds in prop_oneof![Just(200usize), 1usize..=12],
        quantization in prop::sample::select(vec![None, Some(Quantization::Sq8)]),
        seed in any::<u64>(),
    ) {
        let mut rng = Rng(seed);
        let quantization = quantization.filter(|_| element.can_be_coded());
        let params = params(element, seed).quantization(quantization);
        let mut different: Vec<Vector> = (0..kinds).map(|_| Vector::small(element, dim, &mut rng)).collect();
        let data: Vec<Vector> = (0..at_first + 60).map(|_| different[rng.below(kinds)].clone()).collect();
        different.push(Vector::small(element, dim, &mut rng));
        let mut graph = match at_first {
            0 => Hnsw::new(metric, dim, params).unwrap(),
            _ => built(metric, params, dim, &data[..at_first], 1).0,
        };
        for vector in &data[at_first..] {
            match rng.below(6) {
                0 if graph.count() > 0 => {
                    let id = rng.below(graph.count()) as u32;
                    let expected = graph.is_live(id);
                    prop_assert_eq!(graph.delete(id).is_ok(), expected);
                }
                1 if graph.count() > 0 => {
                    let id = rng.below(graph.count()) as u32;
                    let expected =
                        if graph.is_live(id) { Ok(()) } else { Err(UpdateError::NotFound { id }) };
                    prop_assert_eq!(graph.update(id, vector.elements()), expected);
                }
                _ => {
                    let id = graph.insert(vector.elements()).unwrap();
                    if metric != Metric::Cosine {
                        prop_assert_eq!(graph.view().rows().row(id), vector.elements());
                    }
                }
            }
            assert_invariants(&graph.view());
        }
        let query = different.swap_remove(rng.below(different.len()));
        let view = graph.view();
        if view.codes().is_none() {
            assert_searches(&graph, query.elements(), &mut rng);
        }
        let copy = Hnsw::from_view(&view, Params::default()).unwrap();
        prop_assert_eq!(copy.params().element, element);
        prop_assert!(Snapshot::of(&copy.view()) == Snapshot::of(&view));
        let (compact, order) = graph.compact(&Serial, |_| ControlFlow::Continue(())).unwrap();
        assert_invariants(&compact.view());
        for (new, old) in order.iter().enumerate() {
            prop_assert_eq!(compact.view().rows().row(new as u32), view.rows().row(*old));
        }
        if view.codes().is_none() {
            assert_searches(&compact, query.elements(), &mut rng);
        }
    }
}

#[test]
fn threads_do_not_change_a_graph_of_any_element() {
    for (element, metric) in pairs() {
        let mut rng = Rng(3);
        let data: Vec<Vector> = (0..900).map(|_| Vector::small(element, 70, &mut rng)).collect();
        let (one, _) = built(metric, params(element, 1), 70, &data, 1);
        for threads in [2, 5] {
            let (other, _) = built(metric, params(element, 1), 70, &data, threads);
            assert!(Snapshot::of(&other.view()) == Snapshot::of(&one.view()), "{element}, {metric}");
        }
    }
}

/// f16 rows can be coded, and are compared as they are in the end.
#[test]
fn codes_of_f16_lead_to_the_nearest_rows() {
    let mut rng = Rng(8);
    for quantization in Quantization::ALL {
        for metric in Metric::NUMERIC {
            let params = params(Element::F16, 1).quantization(Some(quantization));
            let mut half = |_| f16::from_f32(rng.normal());
            let data: Vec<Vector> = (0..600).map(|_| Vector::F16((0..64).map(&mut half).collect())).collect();
            let (graph, _) = built(metric, params, 64, &data, 2);
            let view = graph.view();
            let mut right = 0;
            for vector in &data[..50] {
                let mut out = [Neighbor::default(); 10];
                let search_params = SearchParams::new(10).ef_search(200).rerank(4.0);
                search(&view, vector.elements(), &search_params, &mut Scratch::new(), &mut out).unwrap();
                let exact = exactly(view.rows(), vector.elements(), 10);
                right += out
                    .iter()
                    .filter(|found| exact.iter().any(|exact| bits(&[*exact]) == bits(&[**found])))
                    .count();
            }
            assert!(right >= 475, "{quantization}, {metric}: {right} of 500");
        }
    }
}

#[test]
fn an_f16_graph_takes_f32_and_both_as_queries() {
    for metric in Metric::NUMERIC {
        let mut by_half = Hnsw::new(metric, 3, params(Element::F16, 1)).unwrap();
        let mut by_float = Hnsw::new(metric, 3, params(Element::F16, 1)).unwrap();
        for id in 0..40 {
            let half = [id % 7 - 3, id % 5, 1 + id / 9].map(|element| f16::from_f32(element as f32 / 8.0));
            by_half.insert(&half).unwrap();
            by_float.insert(&half.map(f16::to_f32)).unwrap();
        }
        assert!(Snapshot::of(&by_half.view()) == Snapshot::of(&by_float.view()), "{metric}");
        let query = [0.25, -0.5, 3.0].map(f16::from_f32);
        let found = |query: Elements<'_>| {
            let mut out = [Neighbor::default(); 7];
            search(
                &by_half.view(),
                query,
                &SearchParams::new(7).ef_search(40),
                &mut Scratch::new(),
                &mut out,
            )
            .unwrap();
            bits(&out)
        };
        assert_eq!(found((&query).into()), found((&query.map(f16::to_f32)).into()), "{metric}");
    }
}

#[test]
fn vectors_of_the_wrong_element_are_refused() {
    for (element, metric) in pairs() {
        let mut graph = Hnsw::new(metric, 64, params(element, 1)).unwrap();
        let mut rng = Rng(1);
        graph.insert(Vector::small(element, 64, &mut rng).elements()).unwrap();
        for other in Element::ALL {
            let vector = Vector::small(other, 64, &mut rng);
            let fits = other == element || (element, other) == (Element::F16, Element::F32);
            let expected =
                if fits { None } else { Some(VectorError::Element { expected: element, found: other }) };
            let inserted = graph.insert(vector.elements()).err();
            assert_eq!(inserted, expected.map(InsertError::Vector), "{element}, {other}");
            let mut out = [Neighbor::default()];
            let params = SearchParams::new(1).ef_search(1);
            let searched =
                search(&graph.view(), vector.elements(), &params, &mut Scratch::new(), &mut out).err();
            assert_eq!(searched, expected.map(SearchError::Query), "{element}, {other}");
        }
    }
}

#[test]
fn values_that_no_row_can_hold_are_refused() {
    let refused = |metric, element, dim, vector: Elements<'_>| {
        Hnsw::new(metric, dim, params(element, 1)).unwrap().insert(vector).err()
    };
    let vector = |error| Some(InsertError::Vector(error));
    let (l2, cosine) = (Metric::SquaredEuclidean, Metric::Cosine);
    let range = vector(VectorError::Range { position: 1 });
    assert_eq!(refused(l2, Element::F16, 2, (&[1.0f32, 65_520.0]).into()), range);
    assert_eq!(refused(l2, Element::F16, 2, (&[1.0f32, 65_519.0]).into()), None);
    assert_eq!(refused(cosine, Element::F16, 2, (&[1.0f32, 1e30]).into()), None);
    let infinite = vector(VectorError::NotFinite { position: 0 });
    assert_eq!(refused(l2, Element::F16, 1, (&[f16::INFINITY]).into()), infinite);
    let zero = vector(VectorError::ZeroVector);
    assert_eq!(refused(cosine, Element::F16, 2, (&[f16::ZERO, f16::NEG_ZERO]).into()), zero);
    assert_eq!(refused(cosine, Element::I8, 2, (&[0i8, 0]).into()), zero);
    assert_eq!(refused(cosine, Element::U8, 2, (&[0u8, 0]).into()), zero);
    assert_eq!(refused(l2, Element::U8, 2, (&[0u8, 0]).into()), None);
    let beyond = vector(VectorError::BitsBeyond { expected: 70, found: 71 });
    assert_eq!(refused(Metric::Hamming, Element::Bits, 70, (&[0u64, 1 << 6]).into()), beyond);
    assert_eq!(refused(Metric::Hamming, Element::Bits, 70, (&[0u64, 1 << 5]).into()), None);
    assert_eq!(refused(Metric::Jaccard, Element::Bits, 64, (&[u64::MAX]).into()), None);
    let short = vector(VectorError::Dimension { expected: 70, found: 64 });
    assert_eq!(refused(Metric::Hamming, Element::Bits, 70, (&[0u64]).into()), short);
}

#[test]
fn metrics_and_codes_that_an_element_does_not_have_are_refused() {
    for element in Element::ALL {
        for metric in Metric::ALL {
            let error = Hnsw::new(metric, 8, params(element, 1)).map(drop).err();
            let known = element.metrics().contains(&metric);
            assert_eq!(error, (!known).then_some(ParamsError::Metric { element, found: metric }));
            let rows = Rows::absent(element, metric, 8, 0).map(drop).err();
            assert_eq!(rows, (!known).then_some(ViewError::Metric { element, found: metric }));
        }
        let coded = params(element, 1).quantization(Some(Quantization::Sq8));
        let error = (!element.can_be_coded()).then_some(ParamsError::Quantization { found: element });
        assert_eq!(coded.validate().err(), error);
    }
    let fill = |_: &mut [f32]| Ok::<(), Infallible>(());
    let go_on = |_| ControlFlow::Continue(());
    let error = Hnsw::build(Metric::Cosine, 2, params(Element::U8, 1), 3, fill, &Serial, go_on).map(drop);
    let expected = VectorError::Element { expected: Element::U8, found: Element::F32 };
    assert_eq!(error, Err(BuildError::Vector { position: 0, error: expected }));
}

/// Beyond 2²⁴ an f32 does not hold every distance: what is rounded to one value is ordered by id.
#[test]
fn large_integer_distances_are_rounded_in_order() {
    let dim = 65_536;
    let mut graph = Hnsw::new(Metric::SquaredEuclidean, dim, params(Element::U8, 1)).unwrap();
    for id in 0..6 {
        let mut vector = vec![255u8; dim];
        vector[0] = 250 + id;
        graph.insert(&vector).unwrap();
    }
    let mut out = [Neighbor::default(); 6];
    let query = vec![0u8; dim];
    search(&graph.view(), &query, &SearchParams::new(6).ef_search(6), &mut Scratch::new(), &mut out).unwrap();
    let exact = |id: u32| (65_535.0 * 65_025.0 + f64::from((250 + id) * (250 + id))) as f32;
    let mut expected: Vec<(f32, u32)> = (0..6).map(|id| (exact(id), id)).collect();
    expected.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
    assert!(out.iter().map(|found| (found.distance, found.id)).eq(expected));
}
