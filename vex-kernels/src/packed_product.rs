//! The products that search through packed codes is made of.

use core::fmt;

use crate::Level;
use crate::isa::{Capabilities, Kernels, Packed};
use crate::level::cap;
use crate::nibble::{Fours, Packing, Twos};

/// Products with codes of which each line meets `$query` elements of the query.
macro_rules! product {
    ($(#[$doc:meta])* $name:ident, $packing:ty, $query:literal) => {
        $(#[$doc])*
        #[derive(Clone, Copy)]
        pub struct $name {
            level: Level,
            name: &'static str,
            kernels: Kernels<[i8; $query], [u8; 64], i32>,
        }

        impl $name {
            #[doc = concat!("The longest vectors, in lines of ", $query, " elements.")]
            pub const MAX_LINES: usize = <$packing>::MAX_LINES;

            /// Resolves the product for the best that this machine has and `VEX_SIMD` allows.
            #[expect(clippy::new_without_default, reason = "it asks the machine")]
            pub fn new() -> Self {
                let cap = cap();
                match Self::all().find(|product| product.level <= cap) {
                    Some(product) => product,
                    None => unreachable!("every machine has the portable level"),
                }
            }

            /// Resolves the product for exactly `level`, whatever `VEX_SIMD` says, or `None` where this machine lacks it.
            pub fn with_level(level: Level) -> Option<Self> {
                Self::all().find(|product| product.level == level)
            }

            /// Every implementation that this machine can run, best first, whatever `VEX_SIMD` says.
            pub fn all() -> impl Iterator<Item = Self> {
                let capabilities = Capabilities::detect();
                <$packing>::variants().iter().filter_map(move |variant| {
                    let kernels = variant.resolve(&capabilities)?;
                    Some(Self { level: variant.level(), name: variant.name(), kernels })
                })
            }

            /// The level of the instruction set that runs.
            pub fn level(&self) -> Level {
                self.level
            }

            /// The instructions that run: the level, and what they need beyond it, as in `avx512+vnni`.
            pub fn name(&self) -> &'static str {
                self.name
            }

            /// Σ qᵢ cᵢ
            ///
            /// # Panics
            /// If the numbers of lines differ or exceed [`MAX_LINES`](Self::MAX_LINES).
            #[inline]
            pub fn dot(&self, query: &[[i8; $query]], codes: &[[u8; 64]]) -> i32 {
                self.kernels.distance(query, codes)
            }

            /// The products with four rows, in less time than four calls of [`dot`](Self::dot).
            ///
            /// # Panics
            /// If a row's number of lines differs from the query's or exceeds [`MAX_LINES`](Self::MAX_LINES).
            #[inline]
            pub fn dot_batch_4(&self, query: &[[i8; $query]], rows: [&[[u8; 64]]; 4]) -> [i32; 4] {
                self.kernels.distance_batch_4(query, rows)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.debug_struct(stringify!($name)).field("name", &self.name).finish()
            }
        }
    };
}

product! {
    /// Σ qᵢ cᵢ between an 8-bit query and packed 4-bit codes, exactly, as an `i32`.
    ///
    /// # Layout
    /// A line of 64 bytes holds 128 elements: byte j of line k has element 128 k + j in its low four bits and element
    /// 128 k + 64 + j in its high ones. So a register of codes gives two of elements, each of which meets neighboring elements of
    /// the query, and no vector ends inside a line. What a vector lacks to whole lines is zeros in the query or in the codes.
    ///
    /// # Length
    /// Up to [`MAX_LINES`](Self::MAX_LINES) = 512 lines, which are 65,536 elements as of [`CodeProduct`](crate::CodeProduct).
    /// No sum overflows: 65,536 · 15 · 128 = 125,829,120 < 2³¹.
    ///
    /// # Examples
    /// ```
    /// use vex_kernels::NibbleProduct;
    ///
    /// let (mut query, mut codes) = ([[0; 128]], [[0; 64]]);
    /// (query[0][3], query[0][64 + 3]) = (-128, 100);
    /// codes[0][3] = 7 << 4 | 15;
    /// let product = NibbleProduct::new();
    /// assert_eq!(product.dot(&query, &codes), -128 * 15 + 100 * 7);
    /// assert_eq!(product.dot_batch_4(&query, [&codes, &codes, &[[0; 64]], &[[1; 64]]]), [-1220, -1220, 0, -128]);
    /// ```
    NibbleProduct, Fours, 128
}

product! {
    /// Σ qᵢ cᵢ between an 8-bit query and packed 2-bit codes, exactly, as an `i32`.
    ///
    /// # Layout
    /// A line of 64 bytes holds 256 elements: byte j of line k has element 256 k + j in its lowest two bits, element
    /// 256 k + 128 + j in the next two, then 256 k + 64 + j, and 256 k + 192 + j in its highest. So every second pair of bits makes a
    /// line of [`NibbleProduct`]. What a vector lacks to whole lines is zeros in the query or in the codes.
    ///
    /// # Length
    /// Up to [`MAX_LINES`](Self::MAX_LINES) = 256 lines, which are 65,536 elements as of [`CodeProduct`](crate::CodeProduct).
    ///
    /// # Examples
    /// ```
    /// use vex_kernels::CrumbProduct;
    ///
    /// let (mut query, mut codes) = ([[0; 256]], [[0; 64]]);
    /// (query[0][3], query[0][64 + 3], query[0][128 + 3]) = (-128, 100, 5);
    /// codes[0][3] = 1 << 4 | 2 << 2 | 3;
    /// let product = CrumbProduct::new();
    /// assert_eq!(product.dot(&query, &codes), -128 * 3 + 100 * 1 + 5 * 2);
    /// assert_eq!(product.dot_batch_4(&query, [&codes, &codes, &[[0; 64]], &[[1; 64]]]), [-274, -274, 0, -128]);
    /// ```
    CrumbProduct, Twos, 256
}
