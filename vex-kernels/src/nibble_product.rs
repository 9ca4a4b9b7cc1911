//! The product that search through codes of four bits is made of.

use core::fmt;

use crate::Level;
use crate::isa::{Capabilities, Kernels, nibble_products};
use crate::level::cap;

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
#[derive(Clone, Copy)]
pub struct NibbleProduct {
    level: Level,
    name: &'static str,
    kernels: Kernels<[i8; 128], [u8; 64], i32>,
}

impl NibbleProduct {
    /// The longest vectors, in lines of 128 elements.
    pub const MAX_LINES: usize = crate::nibble::MAX_LINES;

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
        nibble_products().iter().filter_map(move |variant| {
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
    pub fn dot(&self, query: &[[i8; 128]], codes: &[[u8; 64]]) -> i32 {
        self.kernels.distance(query, codes)
    }

    /// The products with four rows, in less time than four calls of [`dot`](Self::dot).
    ///
    /// # Panics
    /// If a row's number of lines differs from the query's or exceeds [`MAX_LINES`](Self::MAX_LINES).
    #[inline]
    pub fn dot_batch_4(&self, query: &[[i8; 128]], rows: [&[[u8; 64]]; 4]) -> [i32; 4] {
        self.kernels.distance_batch_4(query, rows)
    }
}

impl fmt::Debug for NibbleProduct {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("NibbleProduct").field("name", &self.name).finish()
    }
}
