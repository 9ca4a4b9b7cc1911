//! cfavml 0.3: the kernel of the level, called without its dispatch.
//!
//! On a stable compiler AVX2 with FMA is the best it has. Its AVX-512, behind feature gates of an unstable
//! compiler, is a contender of its own: only the feature `cfavml-avx512` compiles it.

use cfavml::danger::export_distance_ops::{
    generic_avx2fma_cosine, generic_avx2fma_dot, generic_avx2fma_squared_euclidean,
};
#[cfg(feature = "cfavml-avx512")]
use cfavml::danger::export_distance_ops::{
    generic_avx512_cosine, generic_avx512_dot, generic_avx512_squared_euclidean,
};

use super::Level;
use crate::contender::{self, Contender};
use crate::element::{F32, Metric};

macro_rules! call {
    ($level:literal, $kernel:ident) => {
        contender::single(
            $level,
            |a: &[f32], b: &[f32]| {
                assert!(a.len() == b.len(), "vectors of one length");
                // SAFETY: the processor has been asked, and the lengths agree.
                unsafe { $kernel(a.len(), a, b) }
            },
            f64::from,
        )
    };
    ($level:literal, - $kernel:ident) => {
        contender::single(
            $level,
            |a: &[f32], b: &[f32]| {
                assert!(a.len() == b.len(), "vectors of one length");
                // SAFETY: the processor has been asked, and the lengths agree.
                unsafe { $kernel(a.len(), a, b) }
            },
            |product| -f64::from(product),
        )
    };
}

/// What a stable compiler makes of it.
pub(super) fn stable(metric: Metric, level: Level) -> Option<Box<dyn Contender<F32>>> {
    if level == Level::Scalar || !is_x86_feature_detected!("avx2") || !is_x86_feature_detected!("fma") {
        return None;
    }
    match metric {
        Metric::InnerProduct => call!("avx2+fma", -generic_avx2fma_dot),
        Metric::SquaredEuclidean => call!("avx2+fma", generic_avx2fma_squared_euclidean),
        Metric::Cosine => call!("avx2+fma", generic_avx2fma_cosine),
        Metric::Hamming | Metric::Jaccard => None,
    }
}

#[cfg(feature = "cfavml-avx512")]
pub(super) fn avx512(metric: Metric, level: Level) -> Option<Box<dyn Contender<F32>>> {
    if level != Level::Avx512 || !is_x86_feature_detected!("avx512f") || !is_x86_feature_detected!("avx512bw")
    {
        return None;
    }
    match metric {
        Metric::InnerProduct => call!("avx512", -generic_avx512_dot),
        Metric::SquaredEuclidean => call!("avx512", generic_avx512_squared_euclidean),
        Metric::Cosine => call!("avx512", generic_avx512_cosine),
        Metric::Hamming | Metric::Jaccard => None,
    }
}

#[cfg(not(feature = "cfavml-avx512"))]
pub(super) fn avx512(_metric: Metric, _level: Level) -> Option<Box<dyn Contender<F32>>> {
    None
}
