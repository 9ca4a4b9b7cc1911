//! DiskANN's vector crate: the handle of `distance_comparer`, with the length told beforehand, as DiskANN does.
//!
//! It compiles kernels of their own for 100, 128, 384 and 768 dimensions. Its AVX-512 level (which it calls V4)
//! runs f32 inner products and squared distances in 256-bit registers.

use diskann_vector::distance::{
    Cosine, DistanceProvider, InnerProduct, Metric as Rule, Specialize, SquaredL2,
};
use diskann_vector::{AsUnaligned, UnalignedSlice};
use diskann_wide::Architecture;
use diskann_wide::arch::x86_64::{V3, V4};
use diskann_wide::arch::{Dispatched2, FTarget2};
use diskann_wide::lifetime::AddLifetime;

use super::Level;
use crate::contender::{self, Contender};
use crate::element::{Element, Metric};

pub(super) fn contender<E, T>(metric: Metric, dim: usize, level: Level) -> Option<Box<dyn Contender<E>>>
where
    E: Element<Query = T, Row = T>,
    T: DistanceProvider<T> + Sync + 'static,
    InnerProduct: Run<T>,
    SquaredL2: Run<T>,
    Cosine: Run<T>,
{
    match level {
        Level::Avx512 => {
            // What its own dispatch looks at.
            let found = if V4::new_checked().is_some() { "V4" } else { "V3" };
            let rule = match metric {
                Metric::InnerProduct => Rule::InnerProduct,
                Metric::SquaredEuclidean => Rule::L2,
                Metric::Cosine => Rule::Cosine,
                Metric::Hamming | Metric::Jaccard => return None,
            };
            let distance = T::distance_comparer(rule, Some(dim));
            contender::single(found, move |a, b| distance.call(a, b), f64::from)
        }
        Level::Avx2 => match metric {
            Metric::InnerProduct => at_v3::<E, T, InnerProduct>(dim),
            Metric::SquaredEuclidean => at_v3::<E, T, SquaredL2>(dim),
            Metric::Cosine => at_v3::<E, T, Cosine>(dim),
            Metric::Hamming | Metric::Jaccard => None,
        },
        Level::Scalar => None,
    }
}

/// A rule that runs at AVX2 on vectors of `T`, of any length or of one known beforehand.
pub(super) trait Run<T: 'static>:
    for<'a, 'b> diskann_wide::arch::Target2<V3, f32, UnalignedSlice<'a, T>, UnalignedSlice<'b, T>>
    + for<'a, 'b> FTarget2<V3, f32, UnalignedSlice<'a, T>, UnalignedSlice<'b, T>>
    + Default
    + 'static
{
}

impl<T: 'static, F> Run<T> for F where
    F: for<'a, 'b> diskann_wide::arch::Target2<V3, f32, UnalignedSlice<'a, T>, UnalignedSlice<'b, T>>
        + for<'a, 'b> FTarget2<V3, f32, UnalignedSlice<'a, T>, UnalignedSlice<'b, T>>
        + Default
        + 'static
{
}

struct Slice<T>(std::marker::PhantomData<T>);

impl<T: 'static> AddLifetime for Slice<T> {
    type Of<'a> = UnalignedSlice<'a, T>;
}

/// `distance_comparer` cannot be held to AVX2: this does what it does there, lengths known beforehand included.
fn at_v3<E, T, F>(dim: usize) -> Option<Box<dyn Contender<E>>>
where
    E: Element<Query = T, Row = T>,
    T: 'static,
    F: Run<T>,
{
    let v3 = V3::new_checked()?;
    // Bytes have fewer lengths of their own; giving them all four can only help.
    let distance: Dispatched2<f32, Slice<T>, Slice<T>> = match dim {
        100 => v3.dispatch2::<Specialize<100, F>, f32, Slice<T>, Slice<T>>(),
        128 => v3.dispatch2::<Specialize<128, F>, f32, Slice<T>, Slice<T>>(),
        384 => v3.dispatch2::<Specialize<384, F>, f32, Slice<T>, Slice<T>>(),
        768 => v3.dispatch2::<Specialize<768, F>, f32, Slice<T>, Slice<T>>(),
        _ => v3.dispatch2::<F, f32, Slice<T>, Slice<T>>(),
    };
    contender::single(
        "V3",
        move |a: &[T], b: &[T]| distance.call(a.as_unaligned(), b.as_unaligned()),
        f64::from,
    )
}
