//! AArch64 Advanced SIMD, with the dot product of bytes or without: a register has 128 bits for 16
//! elements.

use core::arch::aarch64::{int8x16_t, int32x4_t, uint8x16_t};
use core::ops::Deref;

use pulp::aarch64::Neon as Simd;

use super::ops::{Integer, IntegerOps};
use super::tail;
use crate::cpu::{Neon, NeonDotprod};

/// How sixteen pairs of bytes are multiplied and added to four lanes.
trait Products: Copy + Deref<Target = Simd> {
    fn signed(self, sums: int32x4_t, x: int8x16_t, y: int8x16_t) -> int32x4_t;
    fn unsigned(self, sums: int32x4_t, x: uint8x16_t, y: uint8x16_t) -> int32x4_t;

    /// Makes unsigned bytes signed by subtracting 128.
    #[inline(always)]
    fn bias(self, register: uint8x16_t) -> int8x16_t {
        bytemuck::cast(self.neon.veorq_u8(register, self.neon.vdupq_n_u8(0x80)))
    }
}

impl Products for NeonDotprod {
    #[inline(always)]
    fn signed(self, sums: int32x4_t, x: int8x16_t, y: int8x16_t) -> int32x4_t {
        self.dot(sums, x, y)
    }

    #[inline(always)]
    fn unsigned(self, sums: int32x4_t, x: uint8x16_t, y: uint8x16_t) -> int32x4_t {
        self.dot_unsigned(sums, x, y)
    }
}

impl Products for Neon {
    #[inline(always)]
    fn signed(self, sums: int32x4_t, x: int8x16_t, y: int8x16_t) -> int32x4_t {
        let neon = self.neon;
        // The product 128² fits 16 bits, but the sum of two such products does not. So every
        // product is widened before it is added.
        let low = neon.vmull_s8(neon.vget_low_s8(x), neon.vget_low_s8(y));
        neon.vpadalq_s16(neon.vpadalq_s16(sums, low), neon.vmull_high_s8(x, y))
    }

    #[inline(always)]
    fn unsigned(self, sums: int32x4_t, x: uint8x16_t, y: uint8x16_t) -> int32x4_t {
        let neon = self.neon;
        let low = neon.vmull_u8(neon.vget_low_u8(x), neon.vget_low_u8(y));
        bytemuck::cast(
            neon.vpadalq_u16(neon.vpadalq_u16(bytemuck::cast(sums), low), neon.vmull_high_u8(x, y)),
        )
    }
}

impl<I: Products> IntegerOps for I {
    type Elements<T: Integer> = [T; 16];
    type Register = uint8x16_t;
    type Sums = int32x4_t;
    const SUMS_AT_ONCE: usize = 20;

    #[inline(always)]
    fn correction<X: Integer, Y: Integer>() -> i64 {
        if X::SIGNED != Y::SIGNED { 128 } else { 0 }
    }

    #[inline(always)]
    fn registers<T: Integer>(slice: &[T]) -> (&[[T; 16]], &[T]) {
        slice.as_chunks()
    }

    #[inline(always)]
    fn load<T: Integer>(self, register: &[T; 16]) -> uint8x16_t {
        bytemuck::cast(*register)
    }

    #[inline(always)]
    fn load_tail<T: Integer>(self, whole: &[T], tail: &[T]) -> uint8x16_t {
        match whole.last_chunk::<16>() {
            Some(last) => {
                let mask = bytemuck::cast(*tail::last_bytes::<16>(tail.len()));
                self.neon.vandq_u8(bytemuck::cast(*last), mask)
            }
            None => bytemuck::cast(tail::short(tail)),
        }
    }

    #[inline(always)]
    fn products<X: Integer, Y: Integer>(self, sums: int32x4_t, x: uint8x16_t, y: uint8x16_t) -> int32x4_t {
        match (X::SIGNED, Y::SIGNED) {
            (true, true) => self.signed(sums, bytemuck::cast(x), bytemuck::cast(y)),
            (false, false) => self.unsigned(sums, x, y),
            (true, false) => self.signed(sums, bytemuck::cast(x), self.bias(y)),
            (false, true) => self.signed(sums, self.bias(x), bytemuck::cast(y)),
        }
    }

    #[inline(always)]
    fn elements<X: Integer>(self, sums: int32x4_t, x: uint8x16_t) -> int32x4_t {
        let ones = self.neon.vdupq_n_u8(1);
        match X::SIGNED {
            true => self.signed(sums, bytemuck::cast(x), bytemuck::cast(ones)),
            false => self.unsigned(sums, x, ones),
        }
    }

    #[inline(always)]
    fn difference<T: Integer>(self, a: uint8x16_t, b: uint8x16_t) -> uint8x16_t {
        match T::SIGNED {
            true => bytemuck::cast(self.neon.vabdq_s8(bytemuck::cast(a), bytemuck::cast(b))),
            false => self.neon.vabdq_u8(a, b),
        }
    }

    #[inline(always)]
    fn add(self, a: int32x4_t, b: int32x4_t) -> int32x4_t {
        self.neon.vaddq_s32(a, b)
    }

    #[inline(always)]
    fn total(self, sums: int32x4_t) -> i32 {
        self.neon.vaddvq_s32(sums)
    }
}
