//! AArch64 Advanced SIMD, with the dot product of bytes or without: a line is one 128-bit register of 16 elements.

use core::arch::aarch64::{int8x16_t, int32x4_t, uint8x16_t};

use pulp::aarch64::Neon as Token;

use super::tail;
use crate::integer::{Integer, Integers};

#[derive(Clone, Copy)]
struct Neon<const DOTPROD: bool>(Token);

impl<const DOTPROD: bool> Neon<DOTPROD> {
    /// # Safety
    /// This machine has every feature of `pulp::aarch64::Neon`, and those of `dotprod` if that is asked for.
    #[inline(always)]
    unsafe fn assume_available() -> Self {
        // SAFETY: the caller's promise.
        Self(unsafe { Token::new_unchecked() })
    }

    #[inline(always)]
    fn signed(self, mut sums: int32x4_t, x: int8x16_t, y: int8x16_t) -> int32x4_t {
        if DOTPROD {
            // The directive is for builds without optimization, which do not inline this to where the assembler knows the feature.
            // SAFETY: `DOTPROD` promises the instruction; it only adds to its output, and neither saturates nor sets a flag. There is no stable intrinsic.
            unsafe {
                core::arch::asm!(".arch_extension dotprod", "sdot {sums:v}.4s, {x:v}.16b, {y:v}.16b", sums = inout(vreg) sums, x = in(vreg) x,
                    y = in(vreg) y, options(pure, nomem, nostack, preserves_flags));
            }
            return sums;
        }
        let neon = self.0.neon;
        // 128² fits 16 bits; a second product on top of it would not.
        let low = neon.vmull_s8(neon.vget_low_s8(x), neon.vget_low_s8(y));
        neon.vpadalq_s16(neon.vpadalq_s16(sums, low), neon.vmull_high_s8(x, y))
    }

    #[inline(always)]
    fn unsigned(self, mut sums: int32x4_t, x: uint8x16_t, y: uint8x16_t) -> int32x4_t {
        if DOTPROD {
            // SAFETY: as in `signed`.
            unsafe {
                core::arch::asm!(".arch_extension dotprod", "udot {sums:v}.4s, {x:v}.16b, {y:v}.16b", sums = inout(vreg) sums, x = in(vreg) x,
                    y = in(vreg) y, options(pure, nomem, nostack, preserves_flags));
            }
            return sums;
        }
        let neon = self.0.neon;
        let low = neon.vmull_u8(neon.vget_low_u8(x), neon.vget_low_u8(y));
        bytemuck::cast(
            neon.vpadalq_u16(neon.vpadalq_u16(bytemuck::cast(sums), low), neon.vmull_high_u8(x, y)),
        )
    }

    /// Unsigned to signed by subtracting 128.
    #[inline(always)]
    fn bias(self, line: uint8x16_t) -> int8x16_t {
        bytemuck::cast(self.0.neon.veorq_u8(line, self.0.neon.vdupq_n_u8(0x80)))
    }
}

impl<const DOTPROD: bool> Integers for Neon<DOTPROD> {
    type Block<T: Integer> = [T; 16];
    type Line = uint8x16_t;
    type Sums = int32x4_t;
    const SUMS_AT_ONCE: usize = 20;

    #[inline(always)]
    fn correction<X: Integer, Y: Integer>() -> i64 {
        if X::SIGNED != Y::SIGNED { 128 } else { 0 }
    }

    #[inline(always)]
    fn lines<T: Integer>(slice: &[T]) -> (&[[T; 16]], &[T]) {
        slice.as_chunks()
    }

    #[inline(always)]
    fn zero(self) -> int32x4_t {
        bytemuck::Zeroable::zeroed()
    }

    #[inline(always)]
    fn load<T: Integer>(self, line: &[T; 16]) -> uint8x16_t {
        bytemuck::cast(*line)
    }

    #[inline(always)]
    fn load_tail<T: Integer>(self, whole: &[T], tail: &[T]) -> uint8x16_t {
        match whole.last_chunk::<16>() {
            Some(last) => {
                let mask = bytemuck::cast(*tail::last_bytes::<16>(tail.len()));
                self.0.neon.vandq_u8(bytemuck::cast(*last), mask)
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
        let ones = self.0.neon.vdupq_n_u8(1);
        match X::SIGNED {
            true => self.signed(sums, bytemuck::cast(x), bytemuck::cast(ones)),
            false => self.unsigned(sums, x, ones),
        }
    }

    #[inline(always)]
    fn difference<T: Integer>(self, a: uint8x16_t, b: uint8x16_t) -> uint8x16_t {
        match T::SIGNED {
            true => bytemuck::cast(self.0.neon.vabdq_s8(bytemuck::cast(a), bytemuck::cast(b))),
            false => self.0.neon.vabdq_u8(a, b),
        }
    }

    #[inline(always)]
    fn add(self, a: int32x4_t, b: int32x4_t) -> int32x4_t {
        self.0.neon.vaddq_s32(a, b)
    }

    #[inline(always)]
    fn total(self, sums: int32x4_t) -> i32 {
        self.0.neon.vaddvq_s32(sums)
    }
}

pub(super) mod plain {
    crate::isa::int::compile_integers!(super::Neon<false>, "neon");
}

pub(super) mod dotprod {
    crate::isa::int::compile_integers!(super::Neon<true>, "neon,dotprod");
}
