//! The kernels of packed bits: what an instruction set does with a line of eight words, and the table of variants.

#[cfg(all(target_arch = "x86_64", target_feature = "sse2"))]
mod avx2;
#[cfg(all(target_arch = "x86_64", target_feature = "sse2"))]
mod avx512;
#[cfg(target_arch = "aarch64")]
mod neon;
mod portable;
#[cfg(all(target_arch = "x86_64", target_feature = "sse2"))]
mod vpopcntdq;
mod words;

use core::marker::PhantomData;

use super::{Kernels, Variant};
use crate::bits::{BitRule, WORDS};
use crate::metric::{Hamming, Jaccard};
use crate::{Level, Metric};

#[cfg(test)]
pub(crate) use portable::Portable as PortableBits;
pub(crate) use words::Words;

/// A line of eight words of bits and what the kernels do with it. `Self` is the proof that the instruction set exists.
pub(crate) trait BitIsa: Copy {
    /// Eight words, in as many registers as the instruction set needs.
    type Line: Copy;
    /// A running count of bits, in lanes that no vector can overflow.
    type Count: Copy;
    /// Whether a line of any number of words, eight and none included, is loaded by one instruction.
    const MASKS_LINES: bool = false;
    /// Vectors of fewer words than this are counted word by word: where one instruction counts a word, but none a line.
    const BY_WORD: usize = 0;

    fn zero(self) -> Self::Count;
    fn load(self, line: &[u64; WORDS]) -> Self::Line;
    /// A line of fewer than eight words, or of up to eight where [`MASKS_LINES`](Self::MASKS_LINES); what is absent reads
    /// as zero.
    fn load_partial(self, slice: &[u64]) -> Self::Line;
    fn or(self, a: Self::Line, b: Self::Line) -> Self::Line;
    fn xor(self, a: Self::Line, b: Self::Line) -> Self::Line;
    /// `count` and the bits that are set in `line`.
    fn count(self, count: Self::Count, line: Self::Line) -> Self::Count;
    /// The bits that are set in `word`.
    #[inline(always)]
    fn count_word(self, word: u64) -> u64 {
        word.count_ones().into()
    }
    fn add(self, a: Self::Count, b: Self::Count) -> Self::Count;
    fn sum(self, count: Self::Count) -> u64;

    /// The sums of two counts. No memory holds the 2⁵³ bits up to which an f64 counts exactly.
    #[inline(always)]
    fn sum_pair(self, [a, b]: [Self::Count; 2]) -> [f64; 2] {
        // Signed, as that conversion is one instruction on every target.
        [self.sum(a) as i64 as f64, self.sum(b) as i64 as f64]
    }
}

/// Every implementation of a metric between vectors of packed bits, best first.
pub(crate) fn bit_variants(metric: Metric) -> &'static [Variant<u64, u64, f32>] {
    match metric {
        Metric::Hamming => Instances::<Hamming, 1>::ALL,
        Metric::Jaccard => Instances::<Jaccard, 2>::ALL,
        Metric::SquaredEuclidean | Metric::InnerProduct | Metric::Cosine => &[],
    }
}

/// The instances of one metric, which keeps `N` counts.
struct Instances<F, const N: usize>(PhantomData<F>);

macro_rules! instances {
    ($($(#[$cfg:meta])* $module:ident $level:ident $name:literal $needs:expr;)*) => {
        impl<F: BitRule<N>, const N: usize> Instances<F, N> {
            const ALL: &'static [Variant<u64, u64, f32>] = &[$(
                $(#[$cfg])*
                Variant {
                    level: Level::$level,
                    name: $name,
                    needs: $needs,
                    kernels: Kernels {
                        distance: $module::distance::<F, N>,
                        distance_batch_4: $module::distance_batch_4::<F, N>,
                        prepare: |_| 0.0,
                        bound: $module::bound::<F, N>,
                        bound_batch_4: $module::bound_batch_4::<F, N>,
                    },
                },
            )*];
        }
    };
}

instances! {
    #[cfg(all(target_arch = "x86_64", target_feature = "sse2"))]
    vpopcntdq Avx512 "avx512+vpopcntdq" |capabilities| capabilities.avx512_vpopcntdq();
    #[cfg(all(target_arch = "x86_64", target_feature = "sse2"))]
    avx512 Avx512 "avx512" |capabilities| capabilities.avx512();
    #[cfg(all(target_arch = "x86_64", target_feature = "sse2"))]
    avx2 Avx2 "avx2" |capabilities| capabilities.avx2();
    #[cfg(target_arch = "aarch64")]
    neon Neon "neon" |capabilities| capabilities.neon();
    portable Scalar "scalar" |capabilities| capabilities.portable();
}

/// Compiles the generic body for one instruction set: `$isa` is its [`BitIsa`], `$features` what its functions are compiled
/// with. To call them is sound only where those exist.
macro_rules! compile_bits {
    ($isa:ident $(, $features:literal)?) => {
        $crate::isa::bits::compile_bits! { @each $isa, ($(#[target_feature(enable = $features)])?) }
    };
    (@each $isa:ident, ($($attribute:tt)*)) => {
        $crate::isa::bits::compile_bits! { @function $isa, ($($attribute)*),
            distance(a: &[u64], b: &[u64]) -> f32 { |isa| bits::distance::<$isa, F, N>(isa, a, b) }
        }
        $crate::isa::bits::compile_bits! { @function $isa, ($($attribute)*),
            distance_batch_4(query: &[u64], rows: [&[u64]; 4]) -> [f32; 4] {
                |isa| bits::distance_batch_4::<$isa, F, N>(isa, query, rows)
            }
        }
        $crate::isa::bits::compile_bits! { @function $isa, ($($attribute)*),
            bound(query: &[u64], _prepared: f32, row: &[u64]) -> f32 {
                |isa| bits::distance::<$isa, F, N>(isa, query, row)
            }
        }
        $crate::isa::bits::compile_bits! { @function $isa, ($($attribute)*),
            bound_batch_4(query: &[u64], _prepared: f32, rows: [&[u64]; 4]) -> [f32; 4] {
                |isa| bits::distance_batch_4::<$isa, F, N>(isa, query, rows)
            }
        }
    };
    (@function $isa:ident, ($($attribute:tt)*),
        $name:ident($($argument:ident: $type:ty),*) -> $value:ty { |$token:ident| $body:expr }
    ) => {
        $($attribute)*
        pub(super) unsafe fn $name<F: $crate::bits::BitRule<N>, const N: usize>($($argument: $type),*) -> $value {
            use $crate::bits;
            // SAFETY: runs only where the capability was found, and it covers every feature of the token.
            let $token = unsafe { $isa::assume_available() };
            $body
        }
    };
}
use compile_bits;
