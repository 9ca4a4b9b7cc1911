//! Sets on which codes mislead, and the parameters that their graphs have.

use vex_graph::{Metric, Params, Quantization};

use crate::support::Rng;

/// A set, and queries for the part of it that is hard.
pub(crate) struct Set {
    pub(crate) name: &'static str,
    pub(crate) metric: Metric,
    pub(crate) base: Vec<Vec<f32>>,
    pub(crate) queries: Vec<Vec<f32>>,
}

pub(crate) const QUERIES: usize = 50;

pub(crate) fn normal(rng: &mut Rng, dim: usize, scale: f32) -> Vec<f32> {
    (0..dim).map(|_| scale * rng.normal()).collect()
}

pub(crate) fn around(rng: &mut Rng, centre: &[f32], scale: f32) -> Vec<f32> {
    centre.iter().map(|element| element + scale * rng.normal()).collect()
}

/// One absurd vector among all others.
pub(crate) fn outlier(count: usize, dim: usize) -> Set {
    let mut rng = Rng(1);
    let mut base: Vec<_> = (0..count).map(|_| normal(&mut rng, dim, 1.0)).collect();
    base[count / 2] = (0..dim).map(|at| if at % 2 == 0 { 1e8 } else { -1e8 }).collect();
    let queries = (0..QUERIES).map(|_| normal(&mut rng, dim, 1.0)).collect();
    Set { name: "outlier", metric: Metric::SquaredEuclidean, base, queries }
}

/// One element whose values are not scaled as the others are.
pub(crate) fn wild_element(count: usize, dim: usize) -> Set {
    let mut rng = Rng(2);
    let vector = |rng: &mut Rng| {
        let mut vector = normal(rng, dim, 1.0);
        vector[7] = 1e4 * rng.below(20) as f32;
        vector
    };
    let base = (0..count).map(|_| vector(&mut rng)).collect();
    let queries = (0..QUERIES).map(|_| vector(&mut rng)).collect();
    Set { name: "wild element", metric: Metric::SquaredEuclidean, base, queries }
}

/// Most vectors are spread out, a few are in one tight cluster, which the queries are for.
pub(crate) fn minority(count: usize, dim: usize) -> Set {
    let mut rng = Rng(3);
    let centre = normal(&mut rng, dim, 3.0);
    let vector = |rng: &mut Rng| match rng.below(20) {
        0 => around(rng, &centre, 1e-3),
        _ => normal(rng, dim, 1.0),
    };
    let base = (0..count).map(|_| vector(&mut rng)).collect();
    let queries = (0..QUERIES).map(|_| around(&mut rng, &centre, 1e-3)).collect();
    Set { name: "minority", metric: Metric::SquaredEuclidean, base, queries }
}

/// Near copies of one vector among vectors of few intrinsic dimensions, as embeddings have.
pub(crate) fn near_copies(count: usize, dim: usize) -> Set {
    let mut rng = Rng(4);
    let axes: Vec<_> = (0..16).map(|_| normal(&mut rng, dim, 1.0)).collect();
    let vector = |rng: &mut Rng| {
        let mut vector = normal(rng, dim, 0.3);
        for axis in &axes {
            let weight = rng.normal();
            vector.iter_mut().zip(axis).for_each(|(element, axis)| *element += weight * axis);
        }
        vector
    };
    let mut base: Vec<_> = (0..count).map(|_| vector(&mut rng)).collect();
    let page = base[17].clone();
    base.extend((0..300).map(|_| around(&mut rng, &page, 0.01)));
    let queries = (0..QUERIES).map(|_| around(&mut rng, &page, 0.01)).collect();
    Set { name: "near copies", metric: Metric::Cosine, base, queries }
}

/// Two sources far apart: their mean is far from both.
pub(crate) fn two_groups(count: usize, dim: usize) -> Set {
    let mut rng = Rng(5);
    let centre = vec![1000.0; dim];
    let vector = |rng: &mut Rng, at: usize| match at % 2 {
        0 => around(rng, &centre, 1.0),
        _ => normal(rng, dim, 1.0),
    };
    let base = (0..count).map(|at| vector(&mut rng, at)).collect();
    let queries = (0..QUERIES).map(|at| vector(&mut rng, at)).collect();
    Set { name: "two groups", metric: Metric::SquaredEuclidean, base, queries }
}

/// Vectors of all lengths from 1e-6 to 1e6. Short ones are near to all others, and between any two.
pub(crate) fn scales(count: usize, dim: usize) -> Set {
    let mut rng = Rng(10);
    let vector = |rng: &mut Rng| {
        let scale = 10f32.powf(6.0 * rng.signed());
        normal(rng, dim, scale)
    };
    let base = (0..count).map(|_| vector(&mut rng)).collect();
    let queries = (0..QUERIES).map(|_| vector(&mut rng)).collect();
    Set { name: "scales", metric: Metric::SquaredEuclidean, base, queries }
}

/// Vectors with few elements that are not zero. Most have none in common, and short ones are
/// between all.
pub(crate) fn sparse(count: usize, dim: usize) -> Set {
    let mut rng = Rng(11);
    let vector = |rng: &mut Rng| {
        let mut vector = vec![0.0; dim];
        for _ in 0..4 {
            vector[rng.below(dim)] = rng.normal().abs();
        }
        vector
    };
    let base = (0..count).map(|_| vector(&mut rng)).collect();
    let queries = (0..QUERIES).map(|_| vector(&mut rng)).collect();
    Set { name: "sparse", metric: Metric::SquaredEuclidean, base, queries }
}

/// All vectors are in tight clusters.
pub(crate) fn tight(count: usize, dim: usize) -> Set {
    let mut rng = Rng(6);
    let centres: Vec<_> = (0..50).map(|_| normal(&mut rng, dim, 1.0)).collect();
    let base = (0..count).map(|at| around(&mut rng, &centres[at % 50], 1e-3)).collect();
    let queries = (0..QUERIES).map(|at| around(&mut rng, &centres[at], 1e-3)).collect();
    Set { name: "tight clusters", metric: Metric::SquaredEuclidean, base, queries }
}

pub(crate) const SETS: [fn(usize, usize) -> Set; 8] =
    [outlier, wild_element, minority, near_copies, two_groups, scales, sparse, tight];

pub(crate) const CODES: [Option<Quantization>; 3] =
    [Some(Quantization::Sq8), Some(Quantization::Sq4), Some(Quantization::Sq2x2)];

pub(crate) fn params(quantization: Option<Quantization>) -> Params {
    Params::new().ef_construction(100).seed(7).quantization(quantization)
}
