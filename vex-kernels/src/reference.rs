//! The specification: plain loops in f64 over the elements as they are.
//!
//! Slow on purpose. The tests hold every kernel against these within the published bound.

/// Σ(aᵢ − bᵢ)² in f64.
pub fn squared_euclidean(a: &[f32], b: &[f32]) -> f64 {
    pairs(a, b).map(|(a, b)| (a - b) * (a - b)).sum()
}

/// −Σ aᵢ bᵢ in f64.
pub fn inner_product(a: &[f32], b: &[f32]) -> f64 {
    -pairs(a, b).map(|(a, b)| a * b).sum::<f64>()
}

/// 1 − Σ aᵢ bᵢ / (|a| |b|) in f64, clamped to [0, 2]; 1 if either norm is zero.
pub fn cosine(a: &[f32], b: &[f32]) -> f64 {
    let norms = libm::sqrt(inner_product(a, a) * inner_product(b, b));
    if norms == 0.0 {
        return 1.0;
    }
    let distance = 1.0 + inner_product(a, b) / norms;
    if distance.is_nan() { distance } else { distance.clamp(0.0, 2.0) }
}

/// Σ|aᵢ bᵢ| in f64: the magnitude that the inner product's error bound is relative to.
pub fn absolute_products(a: &[f32], b: &[f32]) -> f64 {
    pairs(a, b).map(|(a, b)| (a * b).abs()).sum()
}

fn pairs<'a>(a: &'a [f32], b: &'a [f32]) -> impl Iterator<Item = (f64, f64)> + 'a {
    assert_eq!(a.len(), b.len(), "vectors of one length");
    a.iter().zip(b).map(|(a, b)| (f64::from(*a), f64::from(*b)))
}
