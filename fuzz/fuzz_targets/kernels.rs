//! Bytes as vectors: every kernel of this machine is within the published bound of the reference.
#![no_main]

use libfuzzer_sys::fuzz_target;
use vex_fuzz::Script;
use vex_kernels::{Distance, Element, Metric, reference};

fuzz_target!(|input: &[u8]| {
    let mut script = Script(input);
    let kind = script.byte();
    let half = script.0.len() / 2;
    let (a, b) = (&script.0[..half], &script.0[half..2 * half]);
    match kind % 4 {
        0 => floats(&elements(a, f32::from_le_bytes), &elements(b, f32::from_le_bytes)),
        1 => integers(&elements(a, i8::from_le_bytes), &elements(b, i8::from_le_bytes)),
        2 => integers(a, b),
        _ => bits(&elements(a, u64::from_le_bytes), &elements(b, u64::from_le_bytes)),
    }
});

fn elements<T, const N: usize>(bytes: &[u8], decode: impl Fn([u8; N]) -> T) -> Vec<T> {
    bytes.as_chunks().0.iter().map(|bytes| decode(*bytes)).collect()
}

/// The results of every kernel for two vectors, alone and as each of four.
fn computed<T: Element<T>>(metric: Metric, a: &[T], b: &[T]) -> Vec<(&'static str, T::Value)> {
    let one = |kernel: Distance<T>| {
        let four = kernel.distance_batch_4(a, [b; 4]);
        let all = [kernel.distance(a, b), kernel.bind(a).distance(b), four[0], four[1], four[2], four[3]];
        all.map(|value| (kernel.name(), value))
    };
    Distance::all(metric).flat_map(one).collect()
}

/// Checks the bound of the documentation, which holds if nothing overflows.
fn floats(a: &[f32], b: &[f32]) {
    if a.iter().chain(b).any(|element| !element.is_finite()) {
        return;
    }
    let u = 2f64.powi(-24);
    let gamma = |k: usize| k as f64 * u / (1.0 - k as f64 * u);
    let m = a.len().div_ceil(64) + 6;
    let underflow = a.len() as f64 * 2f64.powi(-149);
    let squares = |x: &[f32]| reference::absolute_products(x, x);
    let is_normal = |x: &f32| *x == 0.0 || x * x >= f32::MIN_POSITIVE;
    let products = reference::absolute_products(a, b);
    let euclidean = reference::squared_euclidean(a, b);
    let largest = f64::from(f32::MAX) / 2.0;

    let check = |metric, exact: f64, bound: f64| {
        for (kernel, found) in computed(metric, a, b) {
            let error = (f64::from(found) - exact).abs();
            assert!(error <= bound, "{kernel}: {metric} of {a:?} and {b:?} is {found}, not {exact}");
        }
    };
    if products < largest {
        check(Metric::InnerProduct, reference::inner_product(a, b), gamma(m) * products + underflow);
    }
    if euclidean < largest {
        check(Metric::SquaredEuclidean, euclidean, gamma(m + 2) * euclidean + underflow);
    }
    if squares(a).max(squares(b)) < largest && a.iter().chain(b).all(is_normal) {
        check(Metric::Cosine, reference::cosine(a, b), 2.0 * gamma(m) + 5.0 * u);
    }
}

/// Sums of integers are exact, and the cosine has one value.
fn integers<T: Element<T, Value = f64> + Copy + Into<i64>>(a: &[T], b: &[T]) {
    for metric in Metric::NUMERIC {
        let exact = match metric {
            Metric::SquaredEuclidean => reference::squared_euclidean_of_integers(a, b) as f64,
            Metric::InnerProduct => reference::inner_product_of_integers(a, b) as f64,
            _ => reference::cosine_of_integers(a, b),
        };
        for (kernel, found) in computed(metric, a, b) {
            assert_eq!(found, exact, "{kernel}: {metric}");
        }
    }
}

fn bits(a: &[u64], b: &[u64]) {
    for (kernel, found) in computed(Metric::Hamming, a, b) {
        assert_eq!(u64::from(found as u32), reference::hamming(a, b), "{kernel}");
    }
    for (kernel, found) in computed(Metric::Jaccard, a, b) {
        assert_eq!(found, reference::jaccard(a, b) as f32, "{kernel}");
    }
}
