//! The operations on 8-bit integers for x86-64.

mod avx2;
mod avx2_vnni;
mod avx512;
mod avx512_vnni;

use pulp::x86::V3;

use super::ops::Integer;

/// The correction of VNNI, which multiplies unsigned bytes by signed ones alone.
#[inline(always)]
fn bias_correction<X: Integer, Y: Integer>() -> i64 {
    match (X::SIGNED, Y::SIGNED) {
        (true, true) => -128,
        (false, false) => 128,
        _ => 0,
    }
}

/// All four cosines at once take as long as one.
#[inline(always)]
fn cosines(v3: V3, dots: [f64; 4], norms: [f64; 4]) -> [f64; 4] {
    let roots = v3.avx._mm256_sqrt_pd(bytemuck::cast(norms));
    bytemuck::cast(v3.avx._mm256_div_pd(bytemuck::cast(dots), roots))
}
