//! The kernels of integer elements: one generic body, compiled for every instruction set.
//!
//! A new instruction set is a file that implements [`Integers`](crate::integer::Integers), a capability, and a row below.

#[cfg(all(target_arch = "x86_64", target_feature = "sse2"))]
pub(super) mod avx2;
#[cfg(all(target_arch = "x86_64", target_feature = "sse2"))]
mod avx2_vnni;
#[cfg(all(target_arch = "x86_64", target_feature = "sse2"))]
pub(super) mod avx512;
#[cfg(all(target_arch = "x86_64", target_feature = "sse2"))]
mod avx512_vnni;
#[cfg(target_arch = "aarch64")]
mod neon;
mod portable;
mod tail;

use core::marker::PhantomData;

use super::{Kernels, Variant};
use crate::integer::Integer;
use crate::metric::{IntegerCosine, IntegerInnerProduct, IntegerRule, IntegerSquaredEuclidean, Product};
use crate::{Level, Metric};

/// Every implementation of a metric between vectors of one integer type, best first.
pub(crate) fn integer_variants<T: Integer>(metric: Metric) -> &'static [Variant<T, T, f64>] {
    match metric {
        Metric::SquaredEuclidean => Instances::<T, T, IntegerSquaredEuclidean, 1, 2>::ALL,
        Metric::InnerProduct => Instances::<T, T, IntegerInnerProduct, 1, 1>::ALL,
        Metric::Cosine => Instances::<T, T, IntegerCosine, 2, 3>::ALL,
        Metric::Hamming | Metric::Jaccard => &[],
    }
}

/// A query against codes. Codes of a scale and an offset of their own have no other metric.
pub(crate) fn code_variants(metric: Metric) -> &'static [Variant<i8, u8, f64>] {
    match metric {
        Metric::InnerProduct => Instances::<i8, u8, IntegerInnerProduct, 1, 1>::ALL,
        _ => &[],
    }
}

/// Every implementation of [`CodeProduct`](crate::CodeProduct), best first.
pub(crate) fn code_products() -> &'static [Variant<i8, u8, i32>] {
    Instances::<i8, u8, Product, 1, 1>::ALL
}

/// The instances of one metric: `F` keeps `N` sums of a query and `M` of each row.
struct Instances<Q, R, F, const N: usize, const M: usize>(PhantomData<(Q, R, F)>);

macro_rules! instances {
    ($($(#[$cfg:meta])* $($module:ident)::+, $level:ident, $name:literal, $($capability:ident)+;)*) => {
        impl<Q: Integer, R: Integer, F: IntegerRule<N, M>, const N: usize, const M: usize>
            Instances<Q, R, F, N, M>
        {
            const ALL: &'static [Variant<Q, R, F::Value>] = &[$(
                $(#[$cfg])*
                Variant {
                    level: Level::$level,
                    name: $name,
                    needs: |capabilities| $(capabilities.$capability())&&+,
                    kernels: Kernels {
                        distance: $($module)::+::distance::<Q, R, F, N, M>,
                        distance_batch_4: $($module)::+::distance_batch_4::<Q, R, F, N, M>,
                        prepare: $($module)::+::prepare::<Q, R, F, N, M>,
                        bound: $($module)::+::bound::<Q, R, F, N, M>,
                        bound_batch_4: $($module)::+::bound_batch_4::<Q, R, F, N, M>,
                    },
                },
            )*];
        }
    };
}

instances! {
    #[cfg(all(target_arch = "x86_64", target_feature = "sse2"))]
    avx512_vnni, Avx512, "avx512+vnni", avx512 avx512_vnni;
    #[cfg(all(target_arch = "x86_64", target_feature = "sse2"))]
    avx512, Avx512, "avx512", avx512;
    #[cfg(all(target_arch = "x86_64", target_feature = "sse2"))]
    avx2_vnni, Avx2, "avx2+vnni", avx2 avx_vnni;
    #[cfg(all(target_arch = "x86_64", target_feature = "sse2"))]
    avx2, Avx2, "avx2", avx2;
    #[cfg(target_arch = "aarch64")]
    neon::dotprod, Neon, "neon+dotprod", neon dotprod;
    #[cfg(target_arch = "aarch64")]
    neon::plain, Neon, "neon", neon;
    portable, Scalar, "scalar", portable;
}

/// Compiles the generic body for one instruction set: `$isa` is its [`Integers`](crate::integer::Integers), `$features` what
/// its functions are compiled with. To call them is sound only where those exist.
macro_rules! compile_integers {
    ($isa:ty $(, $features:literal)?) => {
        $crate::isa::int::compile_integers! { @each $isa, ($(#[target_feature(enable = $features)])?) }
    };
    (@each $isa:ty, ($($attribute:tt)*)) => {
        $crate::isa::int::compile_integers! { @function $isa, ($($attribute)*),
            distance(a: &[Q], b: &[R]) -> F::Value { |isa| integer::distances::<_, Q, R, F, N, M, 1>(isa, a, [b])[0] }
        }
        $crate::isa::int::compile_integers! { @function $isa, ($($attribute)*),
            distance_batch_4(query: &[Q], rows: [&[R]; 4]) -> [F::Value; 4] {
                |isa| integer::distances::<_, Q, R, F, N, M, 4>(isa, query, rows)
            }
        }
        $crate::isa::int::compile_integers! { @function $isa, ($($attribute)*),
            prepare(query: &[Q]) -> F::Value { |isa| integer::prepare::<_, Q, R, F, N, M>(isa, query) }
        }
        $crate::isa::int::compile_integers! { @function $isa, ($($attribute)*),
            bound(query: &[Q], prepared: F::Value, row: &[R]) -> F::Value {
                |isa| integer::bound_distances::<_, Q, R, F, N, M, 1>(isa, query, prepared, [row])[0]
            }
        }
        $crate::isa::int::compile_integers! { @function $isa, ($($attribute)*),
            bound_batch_4(query: &[Q], prepared: F::Value, rows: [&[R]; 4]) -> [F::Value; 4] {
                |isa| integer::bound_distances::<_, Q, R, F, N, M, 4>(isa, query, prepared, rows)
            }
        }
    };
    (@function $isa:ty, ($($attribute:tt)*),
        $name:ident($($argument:ident: $type:ty),*) -> $value:ty { |$token:ident| $body:expr }
    ) => {
        $($attribute)*
        pub(in $crate::isa::int) unsafe fn $name<
            Q: $crate::integer::Integer,
            R: $crate::integer::Integer,
            F: $crate::metric::IntegerRule<N, M>,
            const N: usize,
            const M: usize,
        >(
            $($argument: $type),*
        ) -> $value {
            use $crate::integer;
            // SAFETY: runs only where the capability was found, and it covers every feature of the token.
            let $token = unsafe { <$isa>::assume_available() };
            $body
        }
    };
}
use compile_integers;
