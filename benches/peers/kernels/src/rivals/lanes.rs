//! What a careful programmer gets without a library: sixteen sums that the compiler turns into registers.

use super::Level;
use crate::contender::{self, Contender};
use crate::element::{F32, Metric};

#[inline(always)]
fn sums<const SUMS: usize>(a: &[f32], b: &[f32], step: impl Fn(f32, f32) -> [f32; SUMS]) -> [f32; SUMS] {
    assert!(a.len() == b.len(), "vectors of one length");
    let mut lanes = [[0.0f32; 16]; SUMS];
    let ((a, a_tail), (b, b_tail)) = (a.as_chunks::<16>(), b.as_chunks::<16>());
    for (a, b) in a.iter().zip(b) {
        for i in 0..16 {
            let terms = step(a[i], b[i]);
            for s in 0..SUMS {
                lanes[s][i] += terms[s];
            }
        }
    }
    for (i, (a, b)) in a_tail.iter().zip(b_tail).enumerate() {
        let terms = step(*a, *b);
        for s in 0..SUMS {
            lanes[s][i] += terms[s];
        }
    }
    lanes.map(|lanes| lanes.iter().sum())
}

macro_rules! compiled_for {
    ($name:ident, $($features:literal)?) => {
        mod $name {
            $(#[target_feature(enable = $features)])?
            pub(super) fn inner_product(a: &[f32], b: &[f32]) -> f32 {
                -super::sums(a, b, |a, b| [a * b])[0]
            }

            $(#[target_feature(enable = $features)])?
            pub(super) fn squared_euclidean(a: &[f32], b: &[f32]) -> f32 {
                super::sums(a, b, |a, b| [(a - b) * (a - b)])[0]
            }

            $(#[target_feature(enable = $features)])?
            pub(super) fn cosine(a: &[f32], b: &[f32]) -> f32 {
                let [dot, aa, bb] = super::sums(a, b, |a, b| [a * b, a * a, b * b]);
                1.0 - dot / (aa * bb).sqrt()
            }
        }
    };
}
compiled_for!(avx512, "avx2,fma,avx512f,avx512bw,avx512cd,avx512dq,avx512vl");
compiled_for!(avx2, "avx2,fma");

pub(super) fn contender(metric: Metric, level: Level) -> Option<Box<dyn Contender<F32>>> {
    macro_rules! call {
        ($level:ident :: $kernel:ident) => {
            contender::single(
                stringify!($level),
                // SAFETY: the processor has been asked below.
                |a: &[f32], b: &[f32]| unsafe { $level::$kernel(a, b) },
                f64::from,
            )
        };
    }
    let has_avx2 = is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma");
    let has_avx512 = has_avx2
        && is_x86_feature_detected!("avx512f")
        && is_x86_feature_detected!("avx512bw")
        && is_x86_feature_detected!("avx512cd")
        && is_x86_feature_detected!("avx512dq")
        && is_x86_feature_detected!("avx512vl");
    match (level, metric) {
        (Level::Avx512, Metric::InnerProduct) if has_avx512 => call!(avx512::inner_product),
        (Level::Avx512, Metric::SquaredEuclidean) if has_avx512 => call!(avx512::squared_euclidean),
        (Level::Avx512, Metric::Cosine) if has_avx512 => call!(avx512::cosine),
        (Level::Avx2, Metric::InnerProduct) if has_avx2 => call!(avx2::inner_product),
        (Level::Avx2, Metric::SquaredEuclidean) if has_avx2 => call!(avx2::squared_euclidean),
        (Level::Avx2, Metric::Cosine) if has_avx2 => call!(avx2::cosine),
        _ => None,
    }
}
