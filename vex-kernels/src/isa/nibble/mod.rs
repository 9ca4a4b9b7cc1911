//! The kernels of packed 4-bit codes: one generic body, compiled for every instruction set.
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

macro_rules! instances {
    ($($(#[$cfg:meta])* $($module:ident)::+, $level:ident, $name:literal, $($capability:ident)+;)*) => {
        /// Every implementation of [`NibbleProduct`](crate::NibbleProduct), best first.
        pub(crate) fn nibble_products() -> &'static [Variant<[i8; 128], [u8; 64], i32>] {
            &[$(
                $(#[$cfg])*
                Variant {
                    level: Level::$level,
                    name: $name,
                    needs: |capabilities| $(capabilities.$capability)&&+,
                    kernels: Kernels {
                        distance: $($module)::+::dot,
                        distance_batch_4: $($module)::+::dot_batch_4,
                        prepare: |_| 0,
                        // SAFETY: called as `distance` is.
                        bound: |query, _, row| unsafe { $($module)::+::dot(query, row) },
                        // SAFETY: called as `distance_batch_4` is.
                        bound_batch_4: |query, _, rows| unsafe { $($module)::+::dot_batch_4(query, rows) },
                    },
                },
            )*]
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
    ($isa:ty $(, $features:literal)?) => {
        $(#[target_feature(enable = $features)])?
        pub(in $crate::isa::nibble) unsafe fn dot(query: &[[i8; 128]], codes: &[[u8; 64]]) -> i32 {
            // SAFETY: runs only where the capability was found, and it covers every feature of the token.
            let isa = unsafe { <$isa>::assume_available() };
            $crate::nibble::dot(isa, query, codes)
        }

        $(#[target_feature(enable = $features)])?
        pub(in $crate::isa::nibble) unsafe fn dot_batch_4(query: &[[i8; 128]], rows: [&[[u8; 64]]; 4]) -> [i32; 4] {
            // SAFETY: as in `dot`.
            let isa = unsafe { <$isa>::assume_available() };
            $crate::nibble::dot_batch_4(isa, query, rows)
        }
    };
}
use compile_nibbles;
