//! The scalar types that vectors are made of, and which pairs of them have kernels.

use core::fmt::Debug;

use half::{bf16, f16};

use crate::isa::{Isa, Variant, bit_variants, code_variants, f16_variants, float_variants, integer_variants};
use crate::kernel::LINE;
use crate::{Distance, Level, Metric};

/// A scalar type whose vectors can be compared with rows of `R`. Sealed: the set of elements is part of the file format.
pub trait Element<R = Self>: Copy + Send + Sync + 'static + sealed::Sealed<R> {
    /// What a distance is: f32 for floating-point elements and bits; f64 for integers, whose sums it holds exactly.
    type Value: Copy + PartialOrd + Debug + Default + Send + Sync + 'static;
}

pub(crate) mod sealed {
    use super::{Element, Metric, Variant};

    pub trait Sealed<R>: Sized {
        /// Every implementation of a metric on this target, best first; none if the element does not know the metric.
        fn variants(metric: Metric) -> &'static [Variant<Self, R, Self::Value>]
        where
            Self: Element<R>;
    }
}

/// Pairs of a query's element and a row's: what their distance is, and where their kernels are.
macro_rules! elements {
    ($($query:ty, $row:ty => $value:ty, $variants:path;)*) => {$(
        impl Element<$row> for $query {
            type Value = $value;
        }

        impl sealed::Sealed<$row> for $query {
            fn variants(metric: Metric) -> &'static [Variant<$query, $row, $value>] {
                $variants(metric)
            }
        }
    )*

        /// What every element and metric resolves to on this machine, as far as `VEX_SIMD` allows.
        pub fn resolved() -> impl Iterator<Item = Resolved> {
            let pairs: [fn(Metric) -> Option<Resolved>; 9] = [$(|metric| {
                let distance = Distance::<$query, $row>::try_new(metric)?;
                Some(Resolved {
                    query: stringify!($query),
                    row: stringify!($row),
                    metric,
                    level: distance.level(),
                    name: distance.name(),
                })
            }),*];
            pairs.into_iter().flat_map(|resolve| Metric::ALL.into_iter().filter_map(resolve))
        }
    };
}

/// One line of [`resolved`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Resolved {
    /// The element of queries.
    pub query: &'static str,
    /// The element of rows.
    pub row: &'static str,
    /// How they are compared.
    pub metric: Metric,
    /// The level of the instruction set that runs.
    pub level: Level,
    /// The instructions that run: see [`Distance::name`].
    pub name: &'static str,
}

elements! {
    f32, f32 => f32, float_variants;
    f16, f16 => f32, f16_variants;
    bf16, bf16 => f32, float_variants;
    f32, f16 => f32, float_variants;
    f32, bf16 => f32, float_variants;
    i8, i8 => f64, integer_variants;
    u8, u8 => f64, integer_variants;
    // A quantised query and the codes of quantised rows.
    i8, u8 => f64, code_variants;
    u64, u64 => f32, bit_variants;
}

/// A floating-point element: widened to f32 as it is loaded, which is exact, and computed with as f32.
pub(crate) trait Float: Copy + 'static {
    /// Whether two vectors of this element are loaded by [pairs](Self::load_pair) of lines.
    const IN_PAIRS: bool = false;

    fn load<I: Isa>(isa: I, line: &[Self; LINE]) -> I::Line;
    /// The elements of a slice of fewer than sixteen; what is absent reads as zero.
    fn load_partial<I: Isa>(isa: I, slice: &[Self]) -> I::Line;

    /// Two lines, in the order that is fastest to load: two vectors of one element need only have the same.
    #[inline(always)]
    fn load_pair<I: Isa>(isa: I, pair: &[Self; 2 * LINE]) -> [I::Line; 2] {
        let lines = pair.as_chunks().0;
        [Self::load(isa, &lines[0]), Self::load(isa, &lines[1])]
    }

    /// The elements of a slice of fewer than 32, in the order of [`load_pair`](Self::load_pair).
    #[inline(always)]
    fn load_partial_pair<I: Isa>(isa: I, slice: &[Self]) -> [I::Line; 2] {
        match slice.split_first_chunk() {
            Some((first, rest)) => [Self::load(isa, first), Self::load_partial(isa, rest)],
            None => [Self::load_partial(isa, slice), isa.zero()],
        }
    }
}

macro_rules! floats {
    ($($float:ty, $load:ident, $load_partial:ident;)*) => {$(
        impl Float for $float {
            #[inline(always)]
            fn load<I: Isa>(isa: I, line: &[Self; LINE]) -> I::Line {
                isa.$load(line)
            }

            #[inline(always)]
            fn load_partial<I: Isa>(isa: I, slice: &[Self]) -> I::Line {
                isa.$load_partial(slice)
            }
        }
    )*};
}

floats! {
    f32, load, load_partial;
    f16, load_f16, load_partial_f16;
}

impl Float for bf16 {
    const IN_PAIRS: bool = true;

    #[inline(always)]
    fn load<I: Isa>(isa: I, line: &[Self; LINE]) -> I::Line {
        isa.load_bf16(line)
    }

    #[inline(always)]
    fn load_partial<I: Isa>(isa: I, slice: &[Self]) -> I::Line {
        isa.load_partial_bf16(slice)
    }

    #[inline(always)]
    fn load_pair<I: Isa>(isa: I, pair: &[Self; 2 * LINE]) -> [I::Line; 2] {
        isa.load_bf16_pair(pair)
    }

    #[inline(always)]
    fn load_partial_pair<I: Isa>(isa: I, slice: &[Self]) -> [I::Line; 2] {
        isa.load_partial_bf16_pair(slice)
    }
}
