//! Vectors of every type of element, and the distances between them in plain loops.

// Two test binaries share this file, and neither needs all of it.
#![allow(dead_code)]

use vex_graph::{Element, Elements, Metric, f16};
use vex_kernels::reference;

use crate::support::Rng;

#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Vector {
    F32(Vec<f32>),
    F16(Vec<f16>),
    I8(Vec<i8>),
    U8(Vec<u8>),
    Bits(Vec<u64>),
}

impl Vector {
    /// Small whole numbers, of which every sum is exact in f32, or bits; none of them zero. Many
    /// are at equal distances.
    pub(crate) fn small(element: Element, dim: usize, rng: &mut Rng) -> Self {
        let mut numbers: Vec<i8> = (0..dim).map(|_| rng.below(15) as i8).collect();
        if numbers.iter().all(|number| *number == 0) {
            numbers[0] = 1;
        }
        let signed = numbers.iter().enumerate().map(|(i, number)| if i % 3 == 1 { -number } else { *number });
        match element {
            Element::F32 => Self::F32(signed.map(f32::from).collect()),
            Element::F16 => Self::F16(signed.map(f16::from).collect()),
            Element::I8 => Self::I8(signed.map(|number| number * 9).collect()),
            Element::U8 => Self::U8(numbers.iter().map(|number| *number as u8 * 18).collect()),
            Element::Bits => {
                let bit = |(i, number): (usize, &i8)| u64::from(*number > 6) << i;
                Self::Bits(numbers.chunks(64).map(|word| word.iter().enumerate().map(bit).sum()).collect())
            }
        }
    }

    pub(crate) fn elements(&self) -> Elements<'_> {
        match self {
            Self::F32(vector) => vector.into(),
            Self::F16(vector) => vector.into(),
            Self::I8(vector) => vector.into(),
            Self::U8(vector) => vector.into(),
            Self::Bits(vector) => vector.into(),
        }
    }
}

/// The distance between a vector and a row, as an index reports it; under cosine of floating-point
/// elements to about that.
pub(crate) fn distance(metric: Metric, a: Elements<'_>, b: Elements<'_>) -> f64 {
    match (a, b) {
        (Elements::I8(a), Elements::I8(b)) => integers(metric, a, b),
        (Elements::U8(a), Elements::U8(b)) => integers(metric, a, b),
        (Elements::Bits(a), Elements::Bits(b)) if metric == Metric::Hamming => {
            reference::hamming(a, b) as f64
        }
        (Elements::Bits(a), Elements::Bits(b)) => reference::jaccard(a, b),
        (a, b) => floats(metric, &widened(a), &widened(b)),
    }
}

fn widened(elements: Elements<'_>) -> Vec<f32> {
    match elements {
        Elements::F32(elements) => elements.to_vec(),
        Elements::F16(elements) => elements.iter().map(|element| element.to_f32()).collect(),
        _ => panic!("integers"),
    }
}

fn floats(metric: Metric, a: &[f32], b: &[f32]) -> f64 {
    match metric {
        Metric::SquaredEuclidean => reference::squared_euclidean(a, b),
        Metric::InnerProduct => reference::inner_product(a, b),
        _ => reference::cosine(a, b),
    }
}

fn integers<T: Copy + Into<i64>>(metric: Metric, a: &[T], b: &[T]) -> f64 {
    match metric {
        Metric::SquaredEuclidean => reference::squared_euclidean_of_integers(a, b) as f64,
        Metric::InnerProduct => reference::inner_product_of_integers(a, b) as f64,
        _ => reference::cosine_of_integers(a, b),
    }
}
