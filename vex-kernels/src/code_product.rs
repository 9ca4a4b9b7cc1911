//! The product that quantised search is made of.

use core::fmt;

use crate::Level;
use crate::isa::{Capabilities, Kernels, code_products};
use crate::level::cap;

/// Σ qᵢ cᵢ between a quantised query and the codes of quantised rows, exactly, as an `i32`.
///
/// It is what the search through codes spends its time on, so it gives the sum itself, where
/// [`Distance<i8, u8>`](crate::Distance) gives its negation as an f64, of vectors of any length.
///
/// # Length
/// Up to [`MAX_LEN`](Self::MAX_LEN) = 65,536 elements: a product is between −128 · 255 and 127 · 255, and
/// 65,536 · 128 · 255 = 2,139,095,040 < 2³¹, so that no sum overflows.
///
/// # Examples
/// ```
/// use vex_kernels::CodeProduct;
///
/// let product = CodeProduct::new();
/// assert_eq!(product.dot(&[1, -2, 127], &[10, 20, 255]), 10 - 40 + 127 * 255);
/// let rows = [[0, 0, 1], [0, 1, 0], [1, 0, 0], [255, 255, 255]];
/// assert_eq!(product.dot_batch_4(&[1, -2, 127], rows.each_ref().map(|row| &row[..])), [127, -2, 1, 32_130]);
/// ```
#[derive(Clone, Copy)]
pub struct CodeProduct {
    level: Level,
    name: &'static str,
    kernels: Kernels<i8, u8, i32>,
}

impl CodeProduct {
    /// The longest vectors.
    pub const MAX_LEN: usize = 65_536;

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
        code_products().iter().filter_map(move |variant| {
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
    /// If the lengths differ or exceed [`MAX_LEN`](Self::MAX_LEN).
    #[inline]
    pub fn dot(&self, query: &[i8], codes: &[u8]) -> i32 {
        assert!(query.len() <= Self::MAX_LEN, "a longer sum may not fit");
        self.kernels.distance(query, codes)
    }

    /// The products with four rows, in less time than four calls of [`dot`](Self::dot).
    ///
    /// # Panics
    /// If a row's length differs from the query's or exceeds [`MAX_LEN`](Self::MAX_LEN).
    #[inline]
    pub fn dot_batch_4(&self, query: &[i8], rows: [&[u8]; 4]) -> [i32; 4] {
        assert!(query.len() <= Self::MAX_LEN, "a longer sum may not fit");
        self.kernels.distance_batch_4(query, rows)
    }
}

impl fmt::Debug for CodeProduct {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CodeProduct").field("name", &self.name).finish()
    }
}
