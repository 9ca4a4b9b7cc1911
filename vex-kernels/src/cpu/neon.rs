//! Tokens of AArch64.

use core::arch::aarch64::{int8x16_t, int32x4_t, uint8x16_t};

use pulp::aarch64::Neon as Simd;

use super::token::tokens;

tokens! {
    /// Advanced SIMD.
    Neon(Simd), Neon "neon", Neon, ["neon"];

    /// Advanced SIMD with dot products of bytes.
    NeonDotprod(Simd), Neon "neon+dotprod", Neon Dotprod, ["neon" "dotprod"];
}

impl NeonDotprod {
    /// Adds four products of signed bytes to each 32-bit lane. Nothing saturates.
    #[inline(always)]
    pub(crate) fn dot(self, mut sums: int32x4_t, x: int8x16_t, y: int8x16_t) -> int32x4_t {
        // The directive is for builds without optimization. They do not inline this function into
        // one for which the assembler knows the feature. Inline assembly, because there is no
        // stable intrinsic.
        // SAFETY: `Self` exists only where the instruction does. It only adds to its output, and
        // neither saturates nor sets a flag.
        unsafe {
            core::arch::asm!(".arch_extension dotprod", "sdot {sums:v}.4s, {x:v}.16b, {y:v}.16b",
                sums = inout(vreg) sums, x = in(vreg) x, y = in(vreg) y,
                options(pure, nomem, nostack, preserves_flags));
        }
        sums
    }

    /// Adds four products of unsigned bytes to each 32-bit lane. Nothing saturates.
    #[inline(always)]
    pub(crate) fn dot_unsigned(self, mut sums: int32x4_t, x: uint8x16_t, y: uint8x16_t) -> int32x4_t {
        // SAFETY: as in `dot`.
        unsafe {
            core::arch::asm!(".arch_extension dotprod", "udot {sums:v}.4s, {x:v}.16b, {y:v}.16b",
                sums = inout(vreg) sums, x = in(vreg) x, y = in(vreg) y,
                options(pure, nomem, nostack, preserves_flags));
        }
        sums
    }
}
