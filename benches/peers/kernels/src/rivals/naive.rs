//! The loop as it is first written: one sum, in order, which no compiler may reorder.

use crate::contender::{self, Contender};
use crate::element::{Bits, Element, Metric};

pub(super) fn contender<E>(metric: Metric) -> Option<Box<dyn Contender<E>>>
where
    E: Element,
    f32: From<E::Query> + From<E::Row>,
{
    fn pairs<Q: Copy, R: Copy>(a: &[Q], b: &[R]) -> impl Iterator<Item = (f32, f32)>
    where
        f32: From<Q> + From<R>,
    {
        a.iter().zip(b).map(|(a, b)| (f32::from(*a), f32::from(*b)))
    }
    match metric {
        Metric::InnerProduct => contender::single(
            "baseline",
            |a: &[E::Query], b: &[E::Row]| -pairs(a, b).map(|(a, b)| a * b).sum::<f32>(),
            f64::from,
        ),
        Metric::SquaredEuclidean => contender::single(
            "baseline",
            |a: &[E::Query], b: &[E::Row]| pairs(a, b).map(|(a, b)| (a - b) * (a - b)).sum::<f32>(),
            f64::from,
        ),
        Metric::Cosine => contender::single(
            "baseline",
            |a: &[E::Query], b: &[E::Row]| {
                let (mut dot, mut aa, mut bb) = (0.0, 0.0, 0.0);
                for (a, b) in pairs(a, b) {
                    dot += a * b;
                    aa += a * a;
                    bb += b * b;
                }
                1.0 - dot / f32::sqrt(aa * bb)
            },
            f64::from,
        ),
        Metric::Hamming | Metric::Jaccard => None,
    }
}

pub(super) fn bits(metric: Metric) -> Option<Box<dyn Contender<Bits>>> {
    fn count(a: &[u64], b: &[u64], rule: impl Fn(u64, u64) -> u64) -> u32 {
        a.iter().zip(b).map(|(a, b)| rule(*a, *b).count_ones()).sum()
    }
    match metric {
        Metric::Hamming => {
            contender::single("baseline", |a: &[u64], b: &[u64]| count(a, b, |a, b| a ^ b), f64::from)
        }
        Metric::Jaccard => contender::single(
            "baseline",
            |a: &[u64], b: &[u64]| {
                let both = count(a, b, |a, b| a & b);
                1.0 - f64::from(both) / f64::from(count(a, b, |a, b| a | b))
            },
            |distance| distance,
        ),
        _ => None,
    }
}
