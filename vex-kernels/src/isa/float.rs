//! The kernels of floating-point elements: one generic body, compiled for every instruction set.

use core::marker::PhantomData;

use super::{Kernels, Variant};
use crate::element::Float;
use crate::metric::{self, Rule};
use crate::{Level, Metric};

macro_rules! variants {
    ($(#[$doc:meta])* $name:ident, $all:ident) => {
        $(#[$doc])*
        pub(crate) fn $name<Q: Float, R: Float>(metric: Metric) -> &'static [Variant<Q, R, f32>] {
            use metric::{BoundCosine, Cosine, InnerProduct, SquaredEuclidean};
            match metric {
                Metric::SquaredEuclidean => Instances::<Q, R, SquaredEuclidean, 1, SquaredEuclidean, 1>::$all,
                Metric::InnerProduct => Instances::<Q, R, InnerProduct, 1, InnerProduct, 1>::$all,
                Metric::Cosine => Instances::<Q, R, Cosine, 3, BoundCosine, 2>::$all,
                Metric::Hamming | Metric::Jaccard => &[],
            }
        }
    };
}

variants! {
    /// Every implementation of a metric between queries of `Q` and rows of `R`, best first.
    float_variants, ALL
}

variants! {
    /// The same between vectors of f16, for which registers of 256 bits may be faster than those of 512.
    f16_variants, WITH_HALVED_LINES
}

/// The instances of one metric: `F` keeps `N` sums for two vectors, `B` keeps `M` for a bound query and a row.
struct Instances<Q, R, F, const N: usize, B, const M: usize>(PhantomData<(Q, R, F, B)>);

macro_rules! instances {
    ($all:ident: $($(#[$cfg:meta])* $module:ident $level:ident $name:literal if $needs:expr;)*) => {
        impl<Q: Float, R: Float, F: Rule<N>, const N: usize, B: Rule<M>, const M: usize>
            Instances<Q, R, F, N, B, M>
        {
            const $all: &'static [Variant<Q, R, f32>] = &[$(
                $(#[$cfg])*
                Variant {
                    level: Level::$level,
                    name: $name,
                    needs: $needs,
                    kernels: Kernels {
                        distance: super::$module::distance::<Q, R, F, N>,
                        distance_batch_4: super::$module::distance_batch_4::<Q, R, B, M>,
                        prepare: super::$module::prepare::<Q, B, M>,
                        bound: super::$module::bound::<Q, R, B, M>,
                        bound_batch_4: super::$module::bound_batch_4::<Q, R, B, M>,
                    },
                },
            )*];
        }
    };
}

instances! { ALL:
    #[cfg(all(target_arch = "x86_64", target_feature = "sse2"))]
    avx512 Avx512 "avx512" if |machine| machine.avx512();
    #[cfg(all(target_arch = "x86_64", target_feature = "sse2"))]
    avx2 Avx2 "avx2" if |machine| machine.avx2();
    #[cfg(target_arch = "aarch64")]
    neon Neon "neon" if |machine| machine.neon();
    portable Scalar "scalar" if |machine| machine.portable();
}

instances! { WITH_HALVED_LINES:
    #[cfg(all(target_arch = "x86_64", target_feature = "sse2"))]
    avx512vl Avx512 "avx512vl" if |machine| machine.avx512() && machine.halves_512();
    #[cfg(all(target_arch = "x86_64", target_feature = "sse2"))]
    avx512 Avx512 "avx512" if |machine| machine.avx512();
    // Second best, not out of the question: so that it is tested on every machine that can run it.
    #[cfg(all(target_arch = "x86_64", target_feature = "sse2"))]
    avx512vl Avx512 "avx512vl" if |machine| machine.avx512() && !machine.halves_512();
    #[cfg(all(target_arch = "x86_64", target_feature = "sse2"))]
    avx2 Avx2 "avx2" if |machine| machine.avx2();
    #[cfg(target_arch = "aarch64")]
    neon Neon "neon" if |machine| machine.neon();
    portable Scalar "scalar" if |machine| machine.portable();
}

/// Compiles the generic body for one instruction set: `$isa` is its [`Isa`](super::Isa), `$features` what its functions
/// are compiled with. To call them is sound only where those exist.
macro_rules! compile_float {
    ($isa:ident) => {
        $crate::isa::float::compile_float! { @each $isa, () }
    };
    ($isa:ident, $features:literal) => {
        $crate::isa::float::compile_float! { @each $isa, (#[target_feature(enable = $features)]) }

        /// See [`Level::run`](crate::Level::run).
        #[target_feature(enable = $features)]
        pub(super) unsafe fn run<W: $crate::Work>(work: W) -> W::Output {
            work.run()
        }
    };
    (@each $isa:ident, ($($attribute:tt)*)) => {
        /// See [`Level::hadamard`](crate::Level::hadamard).
        $($attribute)*
        pub(super) unsafe fn hadamard(vector: &mut [f32]) {
            // SAFETY: as below.
            $crate::hadamard::hadamard(unsafe { $isa::assume_available() }, vector);
        }
        $crate::isa::float::compile_float! { @distances $isa, ($($attribute)*) }
    };
    (@distances $isa:ident, ($($attribute:tt)*)) => {
        $crate::isa::float::compile_float! { @function $isa, ($($attribute)*),
            distance<Q, R>(a: &[Q], b: &[R]) -> f32 { |isa| kernel::distance::<$isa, Q, R, F, N>(isa, a, b, 0.0) }
        }
        $crate::isa::float::compile_float! { @function $isa, ($($attribute)*),
            distance_batch_4<Q, R>(query: &[Q], rows: [&[R]; 4]) -> [f32; 4] {
                // What depends on the query alone is the same for all four.
                |isa| kernel::distance_batch_4::<$isa, Q, R, F, N>(isa, query, rows, F::prepare(isa, query))
            }
        }
        $crate::isa::float::compile_float! { @function $isa, ($($attribute)*),
            prepare<Q>(query: &[Q]) -> f32 { |isa| F::prepare(isa, query) }
        }
        $crate::isa::float::compile_float! { @function $isa, ($($attribute)*),
            bound<Q, R>(query: &[Q], prepared: f32, row: &[R]) -> f32 {
                |isa| kernel::distance::<$isa, Q, R, F, N>(isa, query, row, prepared)
            }
        }
        $crate::isa::float::compile_float! { @function $isa, ($($attribute)*),
            bound_batch_4<Q, R>(query: &[Q], prepared: f32, rows: [&[R]; 4]) -> [f32; 4] {
                |isa| kernel::distance_batch_4::<$isa, Q, R, F, N>(isa, query, rows, prepared)
            }
        }
    };
    (@function $isa:ident, ($($attribute:tt)*),
        $name:ident<$($element:ident),*>($($argument:ident: $type:ty),*) -> $value:ty { |$token:ident| $body:expr }
    ) => {
        $($attribute)*
        pub(super) unsafe fn $name<$($element: $crate::element::Float,)* F: $crate::metric::Rule<N>, const N: usize>(
            $($argument: $type),*
        ) -> $value {
            #[allow(unused_imports)]
            use $crate::kernel;
            // SAFETY: runs only where the capability was found, and it covers every feature of the token.
            let $token = unsafe { $isa::assume_available() };
            $body
        }
    };
}
pub(super) use compile_float;
