//! The products that a search by codes is made of.

use core::fmt;

use crate::cpu::{Isa, Kernels, Variant};
use crate::{int8, packed};

/// Σ qᵢ cᵢ between a query in 8 bits an element and codes of kind `C`, exactly, as an `i32`.
///
/// A search by codes spends its time on this product. So this type gives the sum itself, where
/// [`Distance<i8, u8>`](crate::Distance) gives the negated sum as an f64. Queries and codes are
/// slices of the units that the kind of code counts in: see [`Code8`], [`Code4`] and [`Code2`].
///
/// # Length
/// Up to [`MAX_LEN`](Self::MAX_LEN), which is 65,536 elements of any kind. The largest product of
/// two elements is −128 · 255, and 65,536 · 128 · 255 = 2,139,095,040 < 2³¹. So no sum overflows.
///
/// # Complexity
/// A product takes time linear in the length. No call allocates.
///
/// # Examples
/// ```
/// use vex_kernels::{Code8, Product};
///
/// let product = Product::<Code8>::new();
/// assert_eq!(product.dot(&[1, -2, 127], &[10, 20, 255]), 10 - 40 + 127 * 255);
/// let rows = [[0, 0, 1], [0, 1, 0], [1, 0, 0], [255, 255, 255]];
/// let four = product.dot_batch_4(&[1, -2, 127], rows.each_ref().map(|row| &row[..]));
/// assert_eq!(four, [127, -2, 1, 32_130]);
/// ```
pub struct Product<C: Code> {
    kernels: Kernels<C::Query, C::Row, i32>,
}

/// A kind of code. Sealed: kinds of code are part of the file format.
pub trait Code: sealed::Sealed {
    /// The unit that a query is a slice of.
    type Query: 'static;
    /// The unit that the codes of a row are a slice of.
    type Row: 'static;
    /// The length of the longest slices, in units: 65,536 elements.
    const MAX_LEN: usize;
}

mod sealed {
    use super::{Code, Variant};

    pub trait Sealed {
        /// Every implementation on this target, best first.
        fn variants() -> &'static [Variant<Self::Query, Self::Row, i32>]
        where
            Self: Code;
    }
}

macro_rules! codes {
    ($($(#[$doc:meta])* $code:ident: $query:ty, $row:ty, $max:expr, $variants:path;)*) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, Debug)]
        pub enum $code {}

        impl Code for $code {
            type Query = $query;
            type Row = $row;
            const MAX_LEN: usize = $max;
        }

        impl sealed::Sealed for $code {
            fn variants() -> &'static [Variant<$query, $row, i32>] {
                $variants()
            }
        }
    )*};
}

codes! {
    /// 8-bit codes: for each element of the vector one of the query, −128 to 127, and a byte of the
    /// code, 0 to 255.
    Code8: i8, u8, 65_536, int8::code_products;

    /// 4-bit codes, 0 to 15, two to a byte. Elements of the query are −128 to 127.
    ///
    /// # Layout
    /// Codes come in whole cache lines of 64 bytes, at any address. A cache line holds 128
    /// elements. Byte j of cache line k has element 128 k + j in its low four bits, and element 128
    /// k + 64 + j in its high ones. So a register of codes unpacks to two registers of elements,
    /// and each meets neighboring elements of the query. A vector that ends inside a cache line is
    /// padded with zeros, in the query or in the codes.
    ///
    /// # Examples
    /// ```
    /// use vex_kernels::{Code4, Product};
    ///
    /// let (mut query, mut codes) = ([[0; 128]], [[0; 64]]);
    /// (query[0][3], query[0][64 + 3]) = (-128, 100);
    /// codes[0][3] = 7 << 4 | 15;
    /// let product = Product::<Code4>::new();
    /// assert_eq!(product.dot(&query, &codes), -128 * 15 + 100 * 7);
    /// let four = product.dot_batch_4(&query, [&codes, &codes, &[[0; 64]], &[[1; 64]]]);
    /// assert_eq!(four, [-1220, -1220, 0, -128]);
    /// ```
    Code4: [i8; 128], [u8; 64], 512, packed::code_4_products;

    /// 2-bit codes, 0 to 3, four to a byte. Elements of the query are −128 to 127.
    ///
    /// # Layout
    /// A cache line of 64 bytes holds 256 elements. From its lowest bits to its highest, byte j of
    /// cache line k has the elements 256 k + j, 256 k + 128 + j, 256 k + 64 + j and 256 k + 192 +
    /// j. So every second pair of bits makes a cache line of [`Code4`]. A vector that ends inside a
    /// cache line is padded with zeros, in the query or in the codes.
    ///
    /// # Examples
    /// ```
    /// use vex_kernels::{Code2, Product};
    ///
    /// let (mut query, mut codes) = ([[0; 256]], [[0; 64]]);
    /// (query[0][3], query[0][64 + 3], query[0][128 + 3]) = (-128, 100, 5);
    /// codes[0][3] = 1 << 4 | 2 << 2 | 3;
    /// let product = Product::<Code2>::new();
    /// assert_eq!(product.dot(&query, &codes), -128 * 3 + 100 * 1 + 5 * 2);
    /// let four = product.dot_batch_4(&query, [&codes, &codes, &[[0; 64]], &[[1; 64]]]);
    /// assert_eq!(four, [-274, -274, 0, -128]);
    /// ```
    Code2: [i8; 256], [u8; 64], 256, packed::code_2_products;
}

impl<C: Code> Product<C> {
    /// The length of the longest slices, in units of the kind of code: 65,536 elements.
    pub const MAX_LEN: usize = C::MAX_LEN;

    /// Resolves the product for the best instruction set that this machine has and `VEX_SIMD`
    /// allows.
    ///
    /// # Panics
    /// If `VEX_SIMD` names no instruction set.
    #[expect(clippy::new_without_default, reason = "it asks the machine")]
    pub fn new() -> Self {
        match Kernels::best(C::variants()) {
            Some(kernels) => Self { kernels },
            None => unreachable!("every machine has the portable one"),
        }
    }

    /// Resolves the product for exactly `isa`, whatever `VEX_SIMD` says. Returns `None` where this
    /// machine lacks it.
    pub fn with_isa(isa: Isa) -> Option<Self> {
        Self::all().find(|product| product.isa() == isa)
    }

    /// Every implementation that this machine can run, best first, whatever `VEX_SIMD` says.
    pub fn all() -> impl Iterator<Item = Self> {
        Kernels::all(C::variants()).map(|kernels| Self { kernels })
    }

    /// The instruction set that runs.
    pub fn isa(&self) -> Isa {
        self.kernels.isa()
    }

    /// The instructions that run: the instruction set, and what is needed beyond it, as in
    /// `avx512+vnni`.
    pub fn name(&self) -> &'static str {
        self.kernels.name()
    }

    /// Σ qᵢ cᵢ of a query and the code of one vector, slices of one length.
    ///
    /// # Panics
    /// If the lengths differ or exceed [`MAX_LEN`](Self::MAX_LEN).
    #[inline]
    pub fn dot(&self, query: &[C::Query], codes: &[C::Row]) -> i32 {
        assert!(query.len() <= Self::MAX_LEN, "a longer sum may not fit");
        self.kernels.distance(query, codes)
    }

    /// The products with four rows, in less time than four calls of [`dot`](Self::dot).
    ///
    /// # Panics
    /// If a row's length differs from the query's or exceeds [`MAX_LEN`](Self::MAX_LEN).
    #[inline]
    pub fn dot_batch_4(&self, query: &[C::Query], rows: [&[C::Row]; 4]) -> [i32; 4] {
        assert!(query.len() <= Self::MAX_LEN, "a longer sum may not fit");
        self.kernels.distance_batch_4(query, rows)
    }
}

// Not derived: that would ask the same of `C`.
impl<C: Code> Clone for Product<C> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<C: Code> Copy for Product<C> {}

impl<C: Code> fmt::Debug for Product<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Product").field("name", &self.name()).finish()
    }
}
