//! The operations on floats for x86-64.

mod avx512;
mod by256;

use pulp::x86::V3;

use super::ops::LANES;

/// [`FloatOps::align_stack`](super::ops::FloatOps::align_stack), to a cache line.
#[inline(always)]
fn align_stack() {
    #[repr(align(64))]
    struct CacheLine(u8);
    // A value on the stack that has this alignment, and whose address is taken so that it must
    // exist.
    let line = CacheLine(0);
    core::hint::black_box(&line.0);
}

/// The mask of the first `len` of sixteen lanes.
#[inline(always)]
fn first_lanes(len: usize) -> u16 {
    ((1u32 << len.min(LANES)) - 1) as u16
}

/// All four cosines at once take as long as one.
#[inline(always)]
fn cosines(v3: V3, dots: [f32; 4], norms: [f64; 4]) -> [f64; 4] {
    let v = v3.avx;
    let (dots, norms) = (v._mm256_cvtps_pd(bytemuck::cast(dots)), bytemuck::cast(norms));
    bytemuck::cast(v._mm256_mul_pd(v._mm256_div_pd(dots, norms), v._mm256_sqrt_pd(norms)))
}
