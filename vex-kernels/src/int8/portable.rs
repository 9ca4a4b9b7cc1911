//! Plain loops for any target. A "register" is one element, and the compiler vectorizes the loops
//! with what the target guarantees.

use super::ops::{Integer, IntegerOps};
use crate::cpu::Portable;

impl IntegerOps for Portable {
    type Elements<T: Integer> = T;
    type Register = i32;
    type Sums = i32;
    const SUMS_AT_ONCE: usize = 1;

    #[inline(always)]
    fn registers<T: Integer>(slice: &[T]) -> (&[T], &[T]) {
        (slice, &[])
    }

    #[inline(always)]
    fn load<T: Integer>(self, element: &T) -> i32 {
        element.widen()
    }

    /// There are no tails, since no length ends inside one element.
    #[inline(always)]
    fn load_tail<T: Integer>(self, _: &[T], _: &[T]) -> i32 {
        0
    }

    #[inline(always)]
    fn products<X: Integer, Y: Integer>(self, sums: i32, x: i32, y: i32) -> i32 {
        sums + x * y
    }

    #[inline(always)]
    fn difference<T: Integer>(self, a: i32, b: i32) -> i32 {
        a - b
    }

    #[inline(always)]
    fn add(self, a: i32, b: i32) -> i32 {
        a + b
    }

    #[inline(always)]
    fn total(self, sums: i32) -> i32 {
        sums
    }
}
