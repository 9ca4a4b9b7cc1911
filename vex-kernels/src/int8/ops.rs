//! What the kernels of 8-bit integers do with a register of elements, on any instruction set.

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

/// A register of elements and what the kernels do with it. `Self` is the proof that the instruction set
/// exists.
///
/// Some instruction sets multiply unsigned bytes by signed ones alone. Their
/// [`products`](Self::products) shift one side by 128 into the other's range, and the body adds the
/// multiple of a sum of elements that is then missing.
pub(crate) trait IntegerOps: Copy {
    /// The elements of a register as they lie in memory. How many there are divides the elements of a
    /// stretch.
    type Elements<T: Integer>: Copy;
    /// A register in registers.
    type Register: Copy;
    /// Lanes of 32 bits.
    type Sums: Copy + Zeroable;
    /// How many sums to keep at once; about what the registers hold.
    const SUMS_AT_ONCE: usize;

    /// What [`products`](Self::products) lacks for each unit of its first argument's elements: a
    /// multiple of Σx.
    #[inline(always)]
    fn correction<X: Integer, Y: Integer>() -> i64 {
        0
    }

    /// The slice in registers, and what is left.
    fn registers<T: Integer>(slice: &[T]) -> (&[Self::Elements<T>], &[T]);

    #[inline(always)]
    fn zero(self) -> Self::Sums {
        Self::Sums::zeroed()
    }

    fn load<T: Integer>(self, register: &Self::Elements<T>) -> Self::Register;
    /// The elements of `tail`, which is shorter than a register and the end of `whole`. Where they are
    /// in the register depends only on the two lengths; the rest of it is zero.
    fn load_tail<T: Integer>(self, whole: &[T], tail: &[T]) -> Self::Register;
    /// sums + x · y, except for the [`correction`](Self::correction).
    fn products<X: Integer, Y: Integer>(
        self,
        sums: Self::Sums,
        x: Self::Register,
        y: Self::Register,
    ) -> Self::Sums;
    /// sums + x. Asked only by those that have a correction.
    #[inline(always)]
    fn elements<X: Integer>(self, sums: Self::Sums, _x: Self::Register) -> Self::Sums {
        sums
    }
    /// a − b or b − a, as elements that [`products`](Self::products) takes for u8. Asked only by
    /// those that have no correction between elements of one type.
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

    /// The cosines of four pairs of vectors: inner products, by the roots of `norms`, which are the
    /// products of their squared norms.
    #[inline(always)]
    fn cosines(self, dots: [f64; 4], norms: [f64; 4]) -> [f64; 4] {
        let mut cosines = [0.0; 4];
        for i in 0..4 {
            cosines[i] = dots[i] / sqrt(norms[i]);
        }
        cosines
    }
}
