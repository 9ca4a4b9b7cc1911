//! The scalar types that vectors are made of, and which pairs of them have kernels.

use core::fmt::Debug;

use half::{bf16, f16};

use crate::cpu::{Isa, Kernels, Variant};
use crate::{Metric, bits, float, int8};

/// A scalar type whose vectors can be compared with rows of `R`: see the [table](crate#elements) of
/// pairs. A `u64` is 64 packed bits. Sealed: the set of elements is part of the file format.
pub trait Element<R = Self>: Copy + Send + Sync + 'static + sealed::Sealed<R> {
    /// The type of a distance: f32 for floating-point elements and bits, f64 for integers. An f64
    /// holds sums of integers exactly.
    type Value: Copy + PartialOrd + Debug + Default + Send + Sync + 'static;
}

pub(crate) mod sealed {
    use super::{Element, Metric, Variant};

    pub trait Sealed<R>: Sized {
        /// Every implementation of a metric on this target, best first. Empty if the element does
        /// not have the metric.
        fn variants(metric: Metric) -> &'static [Variant<Self, R, Self::Value>]
        where
            Self: Element<R>;
    }
}

/// For each pair of a query's element and a row's: the type of a distance, and where the kernels
/// are.
macro_rules! elements {
    ($($query:ty, $row:ty => $value:ty, $variants:path;)*) => {
        $(
            impl Element<$row> for $query {
                type Value = $value;
            }

            impl sealed::Sealed<$row> for $query {
                fn variants(metric: Metric) -> &'static [Variant<$query, $row, $value>] {
                    $variants(metric)
                }
            }
        )*

        /// What every element and metric resolves to on this machine, within the cap of `VEX_SIMD`:
        /// one item for each metric that a pair of elements has.
        ///
        /// # Panics
        /// If `VEX_SIMD` names no instruction set.
        pub fn resolved() -> impl Iterator<Item = Resolved> {
            let pairs: [fn(Metric) -> Option<Resolved>; 9] = [$(|metric| {
                let kernels = Kernels::best($variants(metric) as &[Variant<$query, $row, $value>])?;
                Some(Resolved {
                    query: stringify!($query),
                    row: stringify!($row),
                    metric,
                    isa: kernels.isa(),
                    name: kernels.name(),
                })
            }),*];
            pairs.into_iter().flat_map(|resolve| Metric::ALL.into_iter().filter_map(resolve))
        }
    };
}

/// One item of [`resolved`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Resolved {
    /// The element of queries.
    pub query: &'static str,
    /// The element of rows.
    pub row: &'static str,
    /// How they are compared.
    pub metric: Metric,
    /// The instruction set that runs.
    pub isa: Isa,
    /// The instructions that run: see [`Distance::name`](crate::Distance::name).
    pub name: &'static str,
}

elements! {
    f32, f32 => f32, float::variants;
    f16, f16 => f32, float::f16_variants;
    bf16, bf16 => f32, float::variants;
    f32, f16 => f32, float::variants;
    f32, bf16 => f32, float::variants;
    i8, i8 => f64, int8::variants;
    u8, u8 => f64, int8::variants;
    // A quantized query and the codes of quantized rows.
    i8, u8 => f64, int8::code_variants;
    u64, u64 => f32, bits::variants;
}
