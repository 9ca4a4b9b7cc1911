//! What the vectors are made of, and by which rule they are compared.

use bytemuck::Pod;
use clap::ValueEnum;
use half::{bf16, f16};
use serde::{Deserialize, Serialize};
use vex_kernels::reference;

use crate::random::Random;

/// A rule of the tables. Vex's own by the same name, where it has it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ValueEnum)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Metric {
    InnerProduct,
    SquaredEuclidean,
    Cosine,
    Hamming,
    Jaccard,
}

impl Metric {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Metric::InnerProduct => "inner-product",
            Metric::SquaredEuclidean => "squared-euclidean",
            Metric::Cosine => "cosine",
            Metric::Hamming => "hamming",
            Metric::Jaccard => "jaccard",
        }
    }

    /// 64-byte operations for a pair of lines; two can start in a cycle.
    fn operations(self) -> f64 {
        match self {
            Metric::InnerProduct => 1.0,
            Metric::SquaredEuclidean => 2.0,
            Metric::Cosine => 3.0,
            // The exclusive or and the count; the intersection and the union with a count each.
            Metric::Hamming => 2.0,
            Metric::Jaccard => 4.0,
        }
    }
}

/// The kind of a pair of vectors: query and row may differ, as in u8 against i8.
pub(crate) trait Element: 'static {
    const NAME: &'static str;
    /// How far a result may be from the reference, relative to the magnitude of what is summed.
    const TOLERANCE: f64;
    type Query: Pod;
    type Row: Pod;

    const METRICS: &'static [Metric] = &[Metric::InnerProduct, Metric::SquaredEuclidean, Metric::Cosine];

    /// How many values store `dim` dimensions.
    fn stored(dim: usize) -> usize {
        dim
    }

    fn query(random: &mut Random) -> Self::Query;
    fn row(random: &mut Random) -> Self::Row;

    /// The distance as it should be, and the magnitude that errors are relative to.
    fn reference(metric: Metric, query: &[Self::Query], row: &[Self::Row]) -> (f64, f64);

    /// Cycles that the loads from the first-level cache take, or the arithmetic where it takes longer: two
    /// 64-byte loads and two 64-byte operations a cycle. `rows` rows share one query.
    fn limit(metric: Metric, dim: usize, rows: usize) -> f64 {
        let lines = |bytes: usize| bytes as f64 / 64.0;
        let query = lines(Self::stored(dim) * size_of::<Self::Query>());
        let row = lines(Self::stored(dim) * size_of::<Self::Row>());
        let loads = (query / rows as f64 + row) / 2.0;
        // Elements of two bytes and fewer have instructions of their own, which differ: only loads count.
        let operations = if size_of::<Self::Row>() == 4 { row * metric.operations() / 2.0 } else { 0.0 };
        loads.max(operations)
    }
}

macro_rules! numeric {
    ($name:ident, $label:literal, $tolerance:literal, $query:ty, $row:ty, $sample_query:expr, $sample_row:expr) => {
        pub(crate) struct $name;

        impl Element for $name {
            const NAME: &'static str = $label;
            const TOLERANCE: f64 = $tolerance;
            type Query = $query;
            type Row = $row;

            fn query(random: &mut Random) -> $query {
                let sample: fn(&mut Random) -> $query = $sample_query;
                sample(random)
            }

            fn row(random: &mut Random) -> $row {
                let sample: fn(&mut Random) -> $row = $sample_row;
                sample(random)
            }

            fn reference(metric: Metric, query: &[$query], row: &[$row]) -> (f64, f64) {
                // Every element type is a subset of f32.
                let query: Vec<f32> = query.iter().map(|x| f32::from(*x)).collect();
                let row: Vec<f32> = row.iter().map(|x| f32::from(*x)).collect();
                match metric {
                    Metric::InnerProduct => {
                        let distance = reference::inner_product(&query, &row);
                        (distance, distance.abs().max(reference::absolute_products(&query, &row) / 16.0))
                    }
                    Metric::SquaredEuclidean => {
                        let distance = reference::squared_euclidean(&query, &row);
                        (distance, distance)
                    }
                    Metric::Cosine => (reference::cosine(&query, &row), 1.0),
                    Metric::Hamming | Metric::Jaccard => unreachable!("a rule for bits"),
                }
            }
        }
    };
}

numeric!(F32, "f32", 1e-3, f32, f32, |r| r.unit(), |r| r.unit());
// Some rivals sum halves in halves: a wrong call would be off by far more than that.
numeric!(F16, "f16", 2e-2, f16, f16, |r| f16::from_f32(r.unit()), |r| f16::from_f32(r.unit()));
numeric!(Bf16, "bf16", 2e-2, bf16, bf16, |r| bf16::from_f32(r.unit()), |r| bf16::from_f32(r.unit()));
numeric!(I8, "i8", 1e-3, i8, i8, |r| r.next() as i8, |r| r.next() as i8);
numeric!(U8, "u8", 1e-3, u8, u8, |r| r.next() as u8, |r| r.next() as u8);
// Codes of seven bits: no rival multiplies u8 by i8, and with these their i8 by i8 must give the same.
numeric!(U8I8, "u8xi8", 1e-3, i8, u8, |r| r.next() as i8, |r| (r.next() & 127) as u8);

/// One bit a dimension, in whole words of 64 for all.
pub(crate) struct Bits;

impl Element for Bits {
    const NAME: &'static str = "bits";
    const TOLERANCE: f64 = 1e-3;
    type Query = u64;
    type Row = u64;

    const METRICS: &'static [Metric] = &[Metric::Hamming, Metric::Jaccard];

    fn stored(dim: usize) -> usize {
        dim.div_ceil(64)
    }

    fn query(random: &mut Random) -> u64 {
        random.next()
    }

    fn row(random: &mut Random) -> u64 {
        random.next()
    }

    fn reference(metric: Metric, query: &[u64], row: &[u64]) -> (f64, f64) {
        let count = |rule: fn(u64, u64) -> u64| -> f64 {
            query.iter().zip(row).map(|(a, b)| f64::from(rule(*a, *b).count_ones())).sum()
        };
        match metric {
            Metric::Hamming => {
                let distance = count(|a, b| a ^ b);
                (distance, distance)
            }
            Metric::Jaccard => (1.0 - count(|a, b| a & b) / count(|a, b| a | b), 1.0),
            _ => unreachable!("a rule for numbers"),
        }
    }
}
