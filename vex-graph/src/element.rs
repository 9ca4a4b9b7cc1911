//! Elements: the numbers that vectors consist of.

use core::fmt;
use core::ops::Range;

use vex_kernels::{Metric, f16};

use crate::{MAX_DIM, MAX_NORM, NameError, Norm, VectorError};

/// The type of the elements of a graph's vectors.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "lowercase"))]
pub enum Element {
    /// IEEE 754 binary32.
    #[default]
    F32,
    /// IEEE 754 binary16. Vectors may come as `f32`, and are rounded to f16. Queries are best
    /// `f32`, which are not rounded.
    F16,
    /// Integers from −128 to 127.
    I8,
    /// Integers from 0 to 255.
    U8,
    /// Bits, 64 to a `u64`: element i is bit i mod 64 of word ⌊i / 64⌋. Bits beyond the last
    /// element are zero.
    Bits,
}

impl Element {
    /// Every element.
    pub const ALL: [Self; 5] = [Self::F32, Self::F16, Self::I8, Self::U8, Self::Bits];

    /// The name used by the command line and in reports.
    pub fn name(self) -> &'static str {
        match self {
            Self::F32 => "f32",
            Self::F16 => "f16",
            Self::I8 => "i8",
            Self::U8 => "u8",
            Self::Bits => "bits",
        }
    }

    /// The element with this [`name`](Self::name), or `None`.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|element| element.name() == name)
    }

    /// The metrics by which vectors of it can be compared.
    pub fn metrics(self) -> &'static [Metric] {
        match self {
            Self::Bits => &Metric::BITS,
            _ => &Metric::NUMERIC,
        }
    }

    /// Whether vectors of it can be coded: those of floating-point elements can.
    pub fn can_be_coded(self) -> bool {
        matches!(self, Self::F32 | Self::F16)
    }

    /// Bytes of the scalar that holds an element. A scalar of bits holds 64 of them.
    pub const fn scalar_bytes(self) -> usize {
        match self {
            Self::F32 => 4,
            Self::F16 => 2,
            Self::I8 | Self::U8 => 1,
            Self::Bits => 8,
        }
    }

    /// Scalars of a vector of `dim` elements: one for each element, or of bits one for each 64.
    pub const fn scalars(self, dim: usize) -> usize {
        match self {
            Self::Bits => dim.div_ceil(64),
            _ => dim,
        }
    }

    /// Scalars from the start of one row to the start of the next. Rows begin on cache lines of 64
    /// bytes, as in the owned graph and the file.
    pub const fn row_stride(self, dim: usize) -> usize {
        self.scalars(dim).next_multiple_of(64 / self.scalar_bytes())
    }
}

impl fmt::Display for Element {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl core::str::FromStr for Element {
    type Err = NameError;

    fn from_str(name: &str) -> Result<Self, NameError> {
        Self::from_name(name).ok_or(NameError::new("f32, f16, i8, u8 or bits"))
    }
}

/// Borrowed elements of any type: a vector, or the rows of many.
///
/// References to slices, arrays and `Vec`s of a [`Scalar`] are converted where a vector is asked
/// for. Nothing is copied.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Elements<'a> {
    /// [`Element::F32`]
    F32(&'a [f32]),
    /// [`Element::F16`]
    F16(&'a [f16]),
    /// [`Element::I8`]
    I8(&'a [i8]),
    /// [`Element::U8`]
    U8(&'a [u8]),
    /// [`Element::Bits`]
    Bits(&'a [u64]),
}

/// Runs the same code with elements of any type. The type is matched once.
macro_rules! each {
    ($enum:ident, $value:expr, $inner:pat => $body:expr) => {
        match $value {
            $enum::F32($inner) => $body,
            $enum::F16($inner) => $body,
            $enum::I8($inner) => $body,
            $enum::U8($inner) => $body,
            $enum::Bits($inner) => $body,
        }
    };
}
#[cfg(feature = "alloc")]
pub(crate) use each;

impl<'a> Elements<'a> {
    /// No elements of a type.
    pub fn none(element: Element) -> Self {
        match element {
            Element::F32 => Self::F32(&[]),
            Element::F16 => Self::F16(&[]),
            Element::I8 => Self::I8(&[]),
            Element::U8 => Self::U8(&[]),
            Element::Bits => Self::Bits(&[]),
        }
    }

    /// The type of the elements.
    pub fn element(self) -> Element {
        match self {
            Self::F32(_) => Element::F32,
            Self::F16(_) => Element::F16,
            Self::I8(_) => Element::I8,
            Self::U8(_) => Element::U8,
            Self::Bits(_) => Element::Bits,
        }
    }

    /// The elements, if they are of f32.
    pub fn as_f32(self) -> Option<&'a [f32]> {
        match self {
            Self::F32(elements) => Some(elements),
            _ => None,
        }
    }

    /// How many elements there are: of bits, 64 in each word.
    pub fn dim(self) -> usize {
        match self {
            Self::Bits(words) => 64 * words.len(),
            _ => self.len(),
        }
    }

    /// How many scalars there are.
    pub fn len(self) -> usize {
        each!(Self, self, scalars => scalars.len())
    }

    /// Whether there are none.
    pub fn is_empty(self) -> bool {
        self.len() == 0
    }

    /// Some of the scalars.
    pub(crate) fn slice(self, range: Range<usize>) -> Self {
        each!(Self, self, scalars => (&scalars[range]).into())
    }
}

impl<'a, S: Scalar> From<&'a [S]> for Elements<'a> {
    fn from(scalars: &'a [S]) -> Self {
        S::elements(scalars)
    }
}

impl<'a, S: Scalar, const N: usize> From<&'a [S; N]> for Elements<'a> {
    fn from(scalars: &'a [S; N]) -> Self {
        S::elements(scalars)
    }
}

#[cfg(feature = "alloc")]
impl<'a, S: Scalar> From<&'a alloc::vec::Vec<S>> for Elements<'a> {
    fn from(scalars: &'a alloc::vec::Vec<S>) -> Self {
        S::elements(scalars)
    }
}

/// The types that slices of elements consist of: `f32`, `f16`, `i8`, `u8`, and `u64` for 64 bits.
/// Sealed, since the elements are part of the file format.
pub trait Scalar: sealed::Sealed {}

pub(crate) mod sealed {
    use core::fmt::Debug;

    use super::{Element, Elements, Metric, VectorError};

    pub trait Sealed:
        vex_kernels::Element<Self, Value: Rank> + Copy + Debug + Default + PartialEq + Send + Sync + 'static
    {
        const ELEMENT: Element;

        /// Whether rows have unit length under cosine. The inner product then ranks as the cosine
        /// does, for a third of the arithmetic. Integers cannot be scaled.
        const IS_SCALED: bool;

        fn elements(scalars: &[Self]) -> Elements<'_>;

        /// Checks the values of a vector of the right length.
        fn check(metric: Metric, dim: usize, vector: &[Self]) -> Result<(), VectorError>;

        /// |v|², the same bits on every machine.
        fn square(vector: &[Self]) -> f64;

        /// |v|, if vectors are scaled by it.
        fn norm(vector: &[Self]) -> f64;

        /// The element times a factor, if vectors are scaled by it.
        fn times(self, factor: f32) -> Self;
    }

    /// The result of a kernel as a rank. Distances between integers are exact up to 2²⁴ and are
    /// rounded beyond.
    pub trait Rank: Copy {
        fn rank(self) -> f32;
    }

    impl Rank for f32 {
        #[inline(always)]
        fn rank(self) -> f32 {
            self
        }
    }

    impl Rank for f64 {
        #[inline(always)]
        fn rank(self) -> f32 {
            self as f32
        }
    }
}

/// A floating-point element.
pub(crate) trait Float: Scalar {
    /// The same value.
    fn widen(self) -> f32;
    /// The nearest value.
    fn round(wide: f32) -> Self;
}

impl Float for f32 {
    #[inline(always)]
    fn widen(self) -> f32 {
        self
    }

    #[inline(always)]
    fn round(wide: f32) -> Self {
        wide
    }
}

impl Float for f16 {
    #[inline(always)]
    fn widen(self) -> f32 {
        self.to_f32()
    }

    #[inline(always)]
    fn round(wide: f32) -> Self {
        Self::from_f32(wide)
    }
}

macro_rules! floats {
    ($($float:ty, $element:ident;)*) => {$(
        impl Scalar for $float {}

        impl sealed::Sealed for $float {
            const ELEMENT: Element = Element::$element;
            const IS_SCALED: bool = true;

            fn elements(scalars: &[Self]) -> Elements<'_> {
                Elements::$element(scalars)
            }

            fn check(metric: Metric, _: usize, vector: &[Self]) -> Result<(), VectorError> {
                check_floats(metric, vector)
            }

            fn square(vector: &[Self]) -> f64 {
                square(vector)
            }

            fn norm(vector: &[Self]) -> f64 {
                norm(vector)
            }

            fn times(self, factor: f32) -> Self {
                <Self as Float>::round(self.widen() * factor)
            }
        }
    )*};
}

floats! {
    f32, F32;
    f16, F16;
}

macro_rules! integers {
    ($($integer:ty, $element:ident;)*) => {$(
        impl Scalar for $integer {}

        impl sealed::Sealed for $integer {
            const ELEMENT: Element = Element::$element;
            const IS_SCALED: bool = false;

            fn elements(scalars: &[Self]) -> Elements<'_> {
                Elements::$element(scalars)
            }

            fn check(metric: Metric, _: usize, vector: &[Self]) -> Result<(), VectorError> {
                if metric == Metric::Cosine && vector.iter().all(|element| *element == 0) {
                    return Err(VectorError::ZeroVector);
                }
                Ok(())
            }

            /// Exact: no sum reaches 2⁵³.
            fn square(vector: &[Self]) -> f64 {
                let squares = vector.iter().map(|element| i64::from(*element).pow(2));
                squares.sum::<i64>() as f64
            }

            fn norm(_: &[Self]) -> f64 {
                1.0
            }

            fn times(self, _: f32) -> Self {
                self
            }
        }
    )*};
}

integers! {
    i8, I8;
    u8, U8;
}

impl Scalar for u64 {}

impl sealed::Sealed for u64 {
    const ELEMENT: Element = Element::Bits;
    const IS_SCALED: bool = false;

    fn elements(scalars: &[Self]) -> Elements<'_> {
        Elements::Bits(scalars)
    }

    /// Kernels compare whole words, so bits beyond the last element must be zero.
    fn check(_: Metric, dim: usize, vector: &[Self]) -> Result<(), VectorError> {
        match (vector.last(), dim % 64) {
            (Some(last), used @ 1..) if last >> used != 0 => Err(VectorError::BitsBeyond {
                expected: dim,
                found: dim - used + 64 - last.leading_zeros() as usize,
            }),
            _ => Ok(()),
        }
    }

    fn square(vector: &[Self]) -> f64 {
        vector.iter().map(|word| u64::from(word.count_ones())).sum::<u64>() as f64
    }

    fn norm(_: &[Self]) -> f64 {
        1.0
    }

    fn times(self, _: f32) -> Self {
        self
    }
}

/// Checks that a vector can be indexed or searched for.
pub(crate) fn check<S: Scalar>(metric: Metric, dim: usize, vector: &[S]) -> Result<(), VectorError> {
    if vector.len() != S::ELEMENT.scalars(dim) {
        return Err(VectorError::Dimension { expected: dim, found: S::elements(vector).dim() });
    }
    S::check(metric, dim, vector)
}

fn check_floats<F: Float>(metric: Metric, vector: &[F]) -> Result<(), VectorError> {
    // The largest magnitude, as bits. One pass without a branch finds NaN, infinity and all zeros.
    let magnitudes = vector.iter().map(|element| element.widen().to_bits() & (u32::MAX >> 1));
    let largest = magnitudes.fold(0, u32::max);
    if largest >= f32::INFINITY.to_bits() {
        let position = vector.iter().position(|element| !element.widen().is_finite()).unwrap_or(0);
        return Err(VectorError::NotFinite { position });
    }
    if metric == Metric::Cosine {
        return if largest == 0 { Err(VectorError::ZeroVector) } else { Ok(()) };
    }
    // Vectors of elements up to this size cannot reach the limit, however many elements they have.
    // Nearly every vector is done here.
    const SURELY_SHORT: f32 = (MAX_NORM / SQRT_MAX_DIM) as f32;
    if largest > SURELY_SHORT.to_bits() {
        let found = norm(vector);
        if found > MAX_NORM {
            return Err(VectorError::TooLong { found: Norm::new(found) });
        }
    }
    Ok(())
}

/// √[`MAX_DIM`]
const SQRT_MAX_DIM: f64 = 256.0;
const _: () = assert!(SQRT_MAX_DIM * SQRT_MAX_DIM == MAX_DIM as f64);

/// |v| in f64, where no square of an f32 overflows or underflows.
pub(crate) fn norm<F: Float>(vector: &[F]) -> f64 {
    libm::sqrt(square(vector))
}

/// |v|² in f64.
#[inline(always)]
pub(crate) fn square<F: Float>(vector: &[F]) -> f64 {
    // Four sums, since a single one would wait for each addition. Their order is fixed, so the bits
    // are.
    let square = |element: &F| f64::from(element.widen()) * f64::from(element.widen());
    let mut sums = [0.0f64; 4];
    let (fours, rest) = vector.as_chunks::<4>();
    for four in fours {
        for (sum, element) in sums.iter_mut().zip(four) {
            *sum += square(element);
        }
    }
    for (sum, element) in sums.iter_mut().zip(rest) {
        *sum += square(element);
    }
    (sums[0] + sums[1]) + (sums[2] + sums[3])
}
