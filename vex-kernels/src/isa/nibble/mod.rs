//! The kernels of packed codes of four and of two bits: one generic body, compiled for every instruction set.
//!
//! A new instruction set is a file that implements [`Nibbles`](crate::nibble::Nibbles), a capability, and a row below.

#[cfg(all(target_arch = "x86_64", target_feature = "sse2"))]
mod avx2;
#[cfg(all(target_arch = "x86_64", target_feature = "sse2"))]
mod avx2_vnni;
#[cfg(all(target_arch = "x86_64", target_feature = "sse2"))]
mod avx512;
#[cfg(all(target_arch = "x86_64", target_feature = "sse2"))]
mod avx512_vnni;
#[cfg(target_arch = "aarch64")]
mod neon;
mod portable;

use super::{Kernels, Variant};
use crate::Level;
use crate::nibble::{Fours, Packing, Twos};

macro_rules! instances {
    ($($(#[$cfg:meta])* $($module:ident)::+, $level:ident, $name:literal, $($capability:ident)+;)*) => {
        impl Packed for Fours {
            fn variants() -> &'static [Variant<[i8; 128], [u8; 64], i32>] {
                &[$($(#[$cfg])* variant!(nibbles, $($module)::+, $level, $name, $($capability)+),)*]
            }
        }

        impl Packed for Twos {
            fn variants() -> &'static [Variant<[i8; 256], [u8; 64], i32>] {
                &[$($(#[$cfg])* variant!(crumbs, $($module)::+, $level, $name, $($capability)+),)*]
            }
        }
    };
}

/// A packing and its kernels.
pub(crate) trait Packed: Packing {
    /// Every implementation, best first.
    fn variants() -> &'static [Variant<Self::Query, [u8; 64], i32>];
}

macro_rules! variant {
    ($packing:ident, $($module:ident)::+, $level:ident, $name:literal, $($capability:ident)+) => {
        Variant {
            level: Level::$level,
            name: $name,
            needs: |capabilities| $(capabilities.$capability())&&+,
            kernels: Kernels {
                distance: $($module)::+::$packing::dot,
                distance_batch_4: $($module)::+::$packing::dot_batch_4,
                prepare: |_| 0,
                // SAFETY: called as `distance` is.
                bound: |query, _, row| unsafe { $($module)::+::$packing::dot(query, row) },
                // SAFETY: called as `distance_batch_4` is.
                bound_batch_4: |query, _, rows| unsafe { $($module)::+::$packing::dot_batch_4(query, rows) },
            },
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

/// Compiles the body for one instruction set: `$isa` is its [`Nibbles`](crate::nibble::Nibbles), `$features` what its functions
/// are compiled with. To call them is sound only where those exist.
macro_rules! compile_nibbles {
    ($isa:ident $(, $features:literal)?) => {
        pub(in $crate::isa::nibble) mod nibbles {
            $crate::isa::nibble::compile_packing!(super::$isa, $crate::nibble::Fours, [i8; 128] $(, $features)?);
        }

        pub(in $crate::isa::nibble) mod crumbs {
            $crate::isa::nibble::compile_packing!(super::$isa, $crate::nibble::Twos, [i8; 256] $(, $features)?);
        }
    };
}
use compile_nibbles;

macro_rules! compile_packing {
    ($isa:ty, $packing:ty, $query:ty $(, $features:literal)?) => {
        $(#[target_feature(enable = $features)])?
        pub(in $crate::isa::nibble) unsafe fn dot(query: &[$query], codes: &[[u8; 64]]) -> i32 {
            // SAFETY: runs only where the capability was found, and it covers every feature of the token.
            let isa = unsafe { <$isa>::assume_available() };
            $crate::nibble::dot::<_, $packing>(isa, query, codes)
        }

        $(#[target_feature(enable = $features)])?
        pub(in $crate::isa::nibble) unsafe fn dot_batch_4(query: &[$query], rows: [&[[u8; 64]]; 4]) -> [i32; 4] {
            // SAFETY: as in `dot`.
            let isa = unsafe { <$isa>::assume_available() };
            $crate::nibble::dot_batch_4::<_, $packing>(isa, query, rows)
        }
    };
}
use compile_packing;
