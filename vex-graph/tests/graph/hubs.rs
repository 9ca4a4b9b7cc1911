//! The inner product of vectors of very different lengths, where a few long ones are near to all
//! others.

use std::ops::ControlFlow;

use vex_graph::{Element, Elements, GraphView, Hnsw, Metric, Params, Scalar, Scratch, SearchParams, search};

use crate::invariants::assert_invariants;
use crate::support::{Rng, Snapshot, Threads, built, inserted};

const COUNT: usize = 4_000;
const DIM: usize = 64;

/// Vectors where some are deleted: more than a search among deleted nodes with 64 candidates would
/// scan.
const MANY: usize = 8_326;
/// The longest of these.
const GONE: usize = 200;

/// Vectors and queries.
type Set = (Vec<Vec<f32>>, Vec<Vec<f32>>);

/// Vectors of lengths that are distributed log-normally, of any direction or around a `common` one,
/// and queries of like directions.
fn skewed(common: f32, sigma: f32, seed: u64) -> Set {
    skewed_of(COUNT, common, sigma, seed)
}

fn skewed_of(count: usize, common: f32, sigma: f32, seed: u64) -> Set {
    let mut rng = Rng(seed);
    let mut vector = |common: f32, sigma: f32| -> Vec<f32> {
        let length = (sigma * rng.normal()).exp();
        (0..DIM).map(|_| length * (common + rng.normal())).collect()
    };
    let base = (0..count).map(|_| vector(common, sigma)).collect();
    (base, (0..100).map(|_| vector(0.3 * common, 0.0)).collect())
}

/// Of any direction: many short vectors are near to no query.
fn isotropic(seed: u64) -> Set {
    skewed(0.0, 1.0, seed)
}

/// Around a common direction, as ratings and embeddings are: the longest are near to most queries.
fn positive(seed: u64) -> Set {
    skewed(1.0, 0.7, seed)
}

fn product(a: &[f32], b: &[f32]) -> f64 {
    a.iter().zip(b).map(|(a, b)| f64::from(*a) * f64::from(*b)).sum()
}

/// What share of the ten nearest is found, or of others as near. Nodes that are deleted count as
/// absent.
fn recall(view: &GraphView<'_>, queries: &[Vec<f32>], ef: usize) -> f64 {
    let Elements::F32(elements) = view.rows().elements() else { unreachable!() };
    let rows: Vec<&[f32]> = elements.chunks(view.rows().stride()).collect();
    let mut scratch = Scratch::new();
    let mut hits = 0;
    for query in queries {
        let products: Vec<f64> = rows.iter().map(|row| product(row, query)).collect();
        let live = (0..view.count()).filter(|id| !view.tombstones().contains(*id as u32));
        let mut best: Vec<f64> = live.map(|id| products[id]).collect();
        best.sort_unstable_by(|a, b| b.total_cmp(a));
        let least = best[9] - 1e-5 * best[9].abs();
        let mut out = [vex_graph::Neighbor::default(); 10];
        let stats =
            search(view, query, &SearchParams::new(10).ef_search(ef), &mut scratch, &mut out).unwrap();
        assert_eq!(stats.found, 10);
        assert!(out.iter().all(|neighbor| !view.tombstones().contains(neighbor.id)));
        hits += out.iter().filter(|neighbor| products[neighbor.id as usize] >= least).count();
    }
    hits as f64 / (10 * queries.len()) as f64
}

fn longest(view: &GraphView<'_>) -> Vec<u32> {
    let length = |id: &u32| match view.rows().row(*id) {
        Elements::F32(row) => product(row, row),
        _ => unreachable!(),
    };
    let mut ids: Vec<u32> = (0..view.count() as u32).collect();
    ids.sort_unstable_by(|a, b| length(b).total_cmp(&length(a)));
    ids.truncate(GONE);
    ids
}

#[test]
fn hubs_cost_no_recall_however_the_graph_was_made() {
    for (name, set) in [("isotropic", isotropic as fn(u64) -> Set), ("positive", positive)] {
        for (m, seed) in [(16, 1), (16, 2), (48, 3)] {
            let (base, queries) = set(seed);
            let params = Params::new().m(m).ef_construction(100).seed(seed);
            let (at_once, _) = built(Metric::InnerProduct, params, &base, &Threads(2));
            let one_by_one = inserted(Metric::InnerProduct, params, &base);
            assert_invariants(&at_once.view());
            assert_invariants(&one_by_one.view());
            let [a, b] = [&one_by_one, &at_once].map(|graph| recall(&graph.view(), &queries, 64));
            println!("{name}, m {m}, seed {seed}: inserted {a:.4}, built {b:.4}");
            assert!(a >= 0.98 && b >= a - 0.01, "{name}, m {m}, seed {seed}: inserted {a}, built {b}");
        }
    }
}

#[test]
fn without_the_longest_vectors_the_rest_is_found() {
    for (name, common, sigma) in [("isotropic", 0.0, 1.0), ("positive", 1.0, 0.7)] {
        for (is_built, m, seed) in [(true, 16, 4), (false, 16, 5), (true, 48, 6)] {
            let (base, queries) = skewed_of(MANY, common, sigma, seed);
            let params = Params::new().m(m).ef_construction(200).seed(seed);
            let mut graph = match is_built {
                true => built(Metric::InnerProduct, params, &base, &Threads(2)).0,
                false => inserted(Metric::InnerProduct, params, &base),
            };
            for id in longest(&graph.view()) {
                graph.delete(id).unwrap();
            }
            let (fresh, _) = graph.compact(&Threads(2), |_| ControlFlow::Continue(())).unwrap();
            let (rest, fresh) = (recall(&graph.view(), &queries, 64), recall(&fresh.view(), &queries, 64));
            println!("{name}, m {m}, built {is_built}: {rest:.4}, rebuilt {fresh:.4}");
            assert!(rest >= 0.96 && rest >= fresh - 0.02, "{name}, m {m}: {rest}, rebuilt {fresh}");

            // Short ones in their places: the slots of hubs are as good as any others.
            let (others, _) = skewed_of(MANY, common, sigma, seed + 100);
            for vector in others.iter().take(GONE) {
                graph.insert(vector).unwrap();
            }
            assert_invariants(&graph.view());
            let (fresh, _) = graph.compact(&Threads(2), |_| ControlFlow::Continue(())).unwrap();
            let (again, fresh) = (recall(&graph.view(), &queries, 64), recall(&fresh.view(), &queries, 64));
            println!("{name}, m {m}, built {is_built}: replaced {again:.4}, rebuilt {fresh:.4}");
            assert!(again >= fresh - 0.02, "{name}, m {m}: replaced {again}, rebuilt {fresh}");
        }
    }
}

#[test]
fn bytes_do_not_depend_on_threads() {
    for set in [isotropic(7), positive(7)] {
        let params = Params::new().ef_construction(40).seed(7);
        let of = |threads| {
            let (graph, order) = built(Metric::InnerProduct, params, &set.0, &Threads(threads));
            (Snapshot::of(&graph.view()), order)
        };
        let one = of(1);
        assert!([2, 3].into_iter().all(|threads| of(threads) == one));
    }
}

/// No distance depends on the largest length of the set.
#[test]
fn one_vector_of_absurd_length_costs_nothing() {
    let (mut base, queries) = positive(8);
    let params = Params::new().ef_construction(100).seed(8);
    let usual = recall(&built(Metric::InnerProduct, params, &base, &Threads(2)).0.view(), &queries, 64);
    for factor in [1e6, 1e11] {
        base[COUNT / 2].iter_mut().for_each(|element| *element *= factor);
        let absurd = recall(&built(Metric::InnerProduct, params, &base, &Threads(2)).0.view(), &queries, 64);
        println!("usual {usual:.4}, absurd {absurd:.4}");
        assert!(absurd >= usual - 0.01, "usual {usual}, absurd {absurd}");
    }
}

#[test]
fn zero_vectors_hide_no_other() {
    let (mut base, queries) = positive(9);
    base.iter_mut().step_by(2).for_each(|vector| vector.fill(0.0));
    let params = Params::new().ef_construction(100).seed(9);
    let (at_once, _) = built(Metric::InnerProduct, params, &base, &Threads(2));
    let one_by_one = inserted(Metric::InnerProduct, params, &base);
    let [a, b] = [&one_by_one, &at_once].map(|graph| recall(&graph.view(), &queries, 64));
    assert!(a >= 0.97 && b >= 0.97, "inserted {a}, built {b}");
}

/// The nearest are then the shortest, to which no product leads.
#[test]
fn queries_against_the_common_direction_find_the_shortest() {
    let (base, mut queries) = positive(10);
    queries.iter_mut().flatten().for_each(|element| *element = -element.abs());
    let params = Params::new().ef_construction(100).seed(10);
    let (at_once, _) = built(Metric::InnerProduct, params, &base, &Threads(2));
    let one_by_one = inserted(Metric::InnerProduct, params, &base);
    let [a, b] = [&one_by_one, &at_once].map(|graph| recall(&graph.view(), &queries, 64));
    assert!(a >= 0.97 && b >= 0.97, "inserted {a}, built {b}");
}

#[test]
fn vectors_of_one_length_are_found_as_by_cosine() {
    let (mut base, queries) = skewed(0.5, 0.0, 11);
    for vector in &mut base {
        let length = product(vector, vector).sqrt() as f32;
        vector.iter_mut().for_each(|element| *element /= length);
    }
    let params = Params::new().ef_construction(100).seed(11);
    let of = |metric| recall(&built(metric, params, &base, &Threads(2)).0.view(), &queries, 64);
    let (product, cosine) = (of(Metric::InnerProduct), of(Metric::Cosine));
    println!("product {product:.4}, cosine {cosine:.4}");
    assert!(product >= cosine - 0.005, "product {product}, cosine {cosine}");
}

#[test]
fn of_few_vectors_all_are_found() {
    for count in [1, 2, 3, 5, 12, 40] {
        let (base, queries) = positive(12);
        let base = &base[..count];
        for m in [4, 16] {
            let params = Params::new().m(m).ef_construction(8).seed(12);
            let (at_once, _) = built(Metric::InnerProduct, params, base, &Threads(2));
            for graph in [at_once, inserted(Metric::InnerProduct, params, base)] {
                assert_invariants(&graph.view());
                let mut out = vec![vex_graph::Neighbor::default(); count];
                let params = SearchParams::new(count).ef_search(count);
                search(&graph.view(), &queries[0], &params, &mut Scratch::new(), &mut out).unwrap();
                out.sort_unstable_by_key(|neighbor| neighbor.id);
                assert!(out.iter().map(|neighbor| neighbor.id).eq(0..count as u32));
            }
        }
    }
}

/// Integers of very different magnitudes: each vector has its own range.
fn integers<S: Scalar + Copy>(element: Element, cast: impl Fn(f32) -> S) {
    let mut rng = Rng(13);
    let mut vector = |length: f32| -> Vec<S> {
        (0..DIM).map(|_| cast((length * (0.5 + rng.normal())).clamp(-128.0, 127.0))).collect()
    };
    let base: Vec<Vec<S>> = (0..COUNT).map(|i| vector(4.0 + 60.0 * (i % 97) as f32 / 97.0)).collect();
    let queries: Vec<Vec<S>> = (0..60).map(|_| vector(30.0)).collect();
    let params = Params::new().ef_construction(100).seed(13).element(element);
    let mut next = base.iter();
    let fill = |to: &mut [S]| -> Result<(), ()> {
        to.copy_from_slice(next.next().unwrap());
        Ok(())
    };
    let go_on = |_| ControlFlow::Continue(());
    let metric = Metric::InnerProduct;
    let (at_once, _) = Hnsw::build(metric, DIM, params, COUNT, fill, &Threads(2), go_on).unwrap();
    let mut one_by_one = Hnsw::new(metric, DIM, params).unwrap();
    for vector in &base {
        one_by_one.insert(vector).unwrap();
    }
    for (name, graph) in [("built", &at_once), ("inserted", &one_by_one)] {
        let view = graph.view();
        assert_invariants(&view);
        let mut hits = 0;
        for query in &queries {
            let mut truth = [vex_graph::Neighbor::default(); 10];
            vex_graph::exact(view.rows(), query, &mut truth).unwrap();
            let mut out = truth;
            search(&view, query, &SearchParams::new(10).ef_search(64), &mut Scratch::new(), &mut out)
                .unwrap();
            hits += out.iter().filter(|neighbor| neighbor.distance <= truth[9].distance).count();
        }
        let recall = hits as f64 / (10 * queries.len()) as f64;
        println!("{element}, {name}: {recall:.4}");
        assert!(recall >= 0.95, "{element}, {name}: {recall}");
    }
}

#[test]
fn integers_have_hubs_too() {
    integers(Element::I8, |x| x as i8);
    integers(Element::U8, |x| (x + 128.0) as u8);
}
