//! What the kernels of 8-bit integers ask of an instruction set.

use bytemuck::{Pod, Zeroable};

use crate::cpu::sqrt;

/// An element of 8 bits.
pub(crate) trait Integer: Pod {
    #[cfg_attr(
        not(any(all(target_arch = "x86_64", target_feature = "sse2"), target_arch = "aarch64")),
        allow(dead_code)
    )]
    const SIGNED: bool;

    fn widen(self) -> i32;
}

impl Integer for i8 {
    const SIGNED: bool = true;

    #[inline(always)]
    fn widen(self) -> i32 {
        self.into()
    }
}

impl Integer for u8 {
    const SIGNED: bool = false;

    #[inline(always)]
    fn widen(self) -> i32 {
        self.into()
    }
}

/// A register of elements, and the operations on it. `Self` proves that the instruction set exists.
///
/// Some instruction sets multiply unsigned bytes by signed ones alone. Their
/// [`products`](Self::products) shift one side by 128 into the other's range. The body then adds
/// the multiple of a sum of elements that is missing.
pub(crate) trait IntegerOps: Copy {
    /// The elements of a register as they lie in memory. Their number divides the number of
    /// elements in a stretch.
    type Elements<T: Integer>: Copy;
    /// The elements in a register, as the arithmetic takes them.
    type Register: Copy;
    /// Lanes of 32 bits.
    type Sums: Copy + Zeroable;
    /// How many sums to keep at once: about as many as the hardware's registers hold.
    const SUMS_AT_ONCE: usize;

    /// The factor c of the term c · Σx that [`products`](Self::products) lacks, where x is its
    /// first argument.
    #[inline(always)]
    fn correction<X: Integer, Y: Integer>() -> i64 {
        0
    }

    /// The slice as whole registers, and the elements that are left.
    fn registers<T: Integer>(slice: &[T]) -> (&[Self::Elements<T>], &[T]);

    #[inline(always)]
    fn zero(self) -> Self::Sums {
        Self::Sums::zeroed()
    }

    fn load<T: Integer>(self, register: &Self::Elements<T>) -> Self::Register;
    /// Loads `tail`, which is the end of `whole` and shorter than a register. The places of its
    /// elements in the register depend on the two lengths alone. The other places are zero.
    fn load_tail<T: Integer>(self, whole: &[T], tail: &[T]) -> Self::Register;
    /// sums + x · y, except for the [`correction`](Self::correction).
    fn products<X: Integer, Y: Integer>(
        self,
        sums: Self::Sums,
        x: Self::Register,
        y: Self::Register,
    ) -> Self::Sums;
    /// sums + x. Called only for instruction sets that have a correction.
    #[inline(always)]
    fn elements<X: Integer>(self, sums: Self::Sums, _x: Self::Register) -> Self::Sums {
        sums
    }
    /// a − b or b − a, as elements that [`products`](Self::products) takes for u8. Called only for
    /// instruction sets that have no correction between elements of one type.
    #[inline(always)]
    fn difference<T: Integer>(self, a: Self::Register, _b: Self::Register) -> Self::Register {
        a
    }
    fn add(self, a: Self::Sums, b: Self::Sums) -> Self::Sums;
    /// The sum of all lanes.
    fn total(self, sums: Self::Sums) -> i32;

    /// The sums of all lanes of four rows.
    #[inline(always)]
    fn totals(self, [a, b, c, d]: [Self::Sums; 4]) -> [i32; 4] {
        [self.total(a), self.total(b), self.total(c), self.total(d)]
    }

    /// The cosines of four pairs of vectors. `dots` are their inner products, and `norms` the
    /// products of their squared norms. A cosine is the inner product over the root of that.
    #[inline(always)]
    fn cosines(self, dots: [f64; 4], norms: [f64; 4]) -> [f64; 4] {
        let mut cosines = [0.0; 4];
        for i in 0..4 {
            cosines[i] = dots[i] / sqrt(norms[i]);
        }
        cosines
    }
}
