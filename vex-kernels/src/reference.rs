//! The specification: plain loops in f64 over the elements as they are.
//!
//! Slow on purpose. The tests compare every kernel with these functions, within the
//! [published bound](crate#error-bound).
//!
//! Each function takes two vectors of one length, and time linear in the length. It panics if the
//! lengths differ. Bits come 64 to a word. The functions of integers sum in `i64`, which the sums
//! must fit: those of 8-bit elements do.

/// Σ(aᵢ − bᵢ)² in f64.
pub fn squared_euclidean(a: &[f32], b: &[f32]) -> f64 {
    pairs(a, b).map(|(a, b)| (a - b) * (a - b)).sum()
}

/// −Σ aᵢ bᵢ in f64.
pub fn inner_product(a: &[f32], b: &[f32]) -> f64 {
    -pairs(a, b).map(|(a, b)| a * b).sum::<f64>()
}

/// 1 − Σ aᵢ bᵢ / (|a| |b|) in f64, clamped to [0, 2]. It is 1 if either norm is zero.
pub fn cosine(a: &[f32], b: &[f32]) -> f64 {
    let norms = libm::sqrt(inner_product(a, a) * inner_product(b, b));
    if norms == 0.0 {
        return 1.0;
    }
    let distance = 1.0 + inner_product(a, b) / norms;
    if distance.is_nan() { distance } else { distance.clamp(0.0, 2.0) }
}

/// Σ|aᵢ bᵢ| in f64: the magnitude that the error bound of the inner product refers to.
pub fn absolute_products(a: &[f32], b: &[f32]) -> f64 {
    pairs(a, b).map(|(a, b)| (a * b).abs()).sum()
}

/// |a ⊕ b|, the number of bits that differ.
pub fn hamming(a: &[u64], b: &[u64]) -> u64 {
    words(a, b).map(|(a, b)| u64::from((a ^ b).count_ones())).sum()
}

/// 1 − |a ∧ b| / |a ∨ b| in f64. It is 0 if both are empty.
pub fn jaccard(a: &[u64], b: &[u64]) -> f64 {
    let both: u64 = words(a, b).map(|(a, b)| u64::from((a & b).count_ones())).sum();
    let either: u64 = words(a, b).map(|(a, b)| u64::from((a | b).count_ones())).sum();
    if either == 0 { 0.0 } else { (either - both) as f64 / either as f64 }
}

fn words<'a>(a: &'a [u64], b: &'a [u64]) -> impl Iterator<Item = (u64, u64)> + 'a {
    assert_eq!(a.len(), b.len(), "vectors of one length");
    a.iter().copied().zip(b.iter().copied())
}

fn pairs<'a>(a: &'a [f32], b: &'a [f32]) -> impl Iterator<Item = (f64, f64)> + 'a {
    assert_eq!(a.len(), b.len(), "vectors of one length");
    a.iter().zip(b).map(|(a, b)| (f64::from(*a), f64::from(*b)))
}

/// Σ(aᵢ − bᵢ)² of integers, exactly.
pub fn squared_euclidean_of_integers<Q: Copy + Into<i64>, R: Copy + Into<i64>>(a: &[Q], b: &[R]) -> i64 {
    integers(a, b).map(|(a, b)| (a - b) * (a - b)).sum()
}

/// −Σ aᵢ bᵢ of integers, exactly.
pub fn inner_product_of_integers<Q: Copy + Into<i64>, R: Copy + Into<i64>>(a: &[Q], b: &[R]) -> i64 {
    -integers(a, b).map(|(a, b)| a * b).sum::<i64>()
}

/// 1 − Σ aᵢ bᵢ / (|a| |b|), clamped to [0, 2]. It is 1 if either norm is zero. The sums are exact.
/// The product of the norms, its root, the quotient and the difference are each rounded once to
/// f64.
pub fn cosine_of_integers<Q: Copy + Into<i64>, R: Copy + Into<i64>>(a: &[Q], b: &[R]) -> f64 {
    let norms = inner_product_of_integers(a, a) as f64 * inner_product_of_integers(b, b) as f64;
    if norms == 0.0 {
        return 1.0;
    }
    (1.0 + inner_product_of_integers(a, b) as f64 / libm::sqrt(norms)).clamp(0.0, 2.0)
}

fn integers<'a, Q: Copy + Into<i64>, R: Copy + Into<i64>>(
    a: &'a [Q],
    b: &'a [R],
) -> impl Iterator<Item = (i64, i64)> + 'a {
    assert_eq!(a.len(), b.len(), "vectors of one length");
    a.iter().zip(b).map(|(a, b)| ((*a).into(), (*b).into()))
}
