//! simsimd 6.5, through its own search for the best kernel.
//!
//! The crate's Rust functions look a static pointer up on every call; `simsimd_find_kernel_punned`, which the
//! C library offers for this and usearch uses, resolves it once, says which instruction set it found, and
//! can be held to one. That is the library at its best.

use std::ffi::c_void;

use super::Level;
use super::punned::{self, Kernel, Type};
use crate::contender::{self, Contender};
use crate::element::{Element, Metric};

// Links the C library.
use simsimd as _;

unsafe extern "C" {
    fn simsimd_capabilities() -> u32;
    fn simsimd_find_kernel_punned(
        kind: u32,
        datatype: u32,
        supported: u32,
        allowed: u32,
        kernel: *mut *mut c_void,
        capability: *mut u32,
    );
}

const CAPABILITIES: [(u32, &str); 8] = [
    (1, "serial"),
    (1 << 10, "haswell"),
    (1 << 11, "skylake"),
    (1 << 12, "ice"),
    (1 << 13, "genoa"),
    (1 << 14, "sapphire"),
    (1 << 15, "turin"),
    (1 << 16, "sierra"),
];
/// Serial, Haswell and Sierra: 256 bits.
const UP_TO_AVX2: u32 = 1 | 1 << 10 | 1 << 16;

pub(super) fn contender<E: Element>(ty: Type, metric: Metric, level: Level) -> Option<Box<dyn Contender<E>>> {
    let kind = match metric {
        Metric::InnerProduct => b'i',
        Metric::SquaredEuclidean => b'e',
        Metric::Cosine => b'c',
        Metric::Hamming => b'h',
        Metric::Jaccard => b'j',
    };
    let allowed = match level {
        Level::Avx512 => i32::MAX as u32,
        Level::Avx2 => UP_TO_AVX2,
        Level::Scalar => return None,
    };
    let (kernel, found) = find(kind, ty, allowed)?;
    let level = CAPABILITIES.iter().find(|(bit, _)| *bit == found).map_or("unknown", |(_, name)| name);
    let sign = if metric == Metric::InnerProduct { -1.0 } else { 1.0 };
    let value = move |distance: f64| sign * distance;
    // It counts bits in bytes, everything else in dimensions.
    if ty == Type::Bits {
        let call = move |a: &[E::Query], b: &[E::Row]| punned::call(kernel, a, b, size_of_val(a));
        return contender::single(level, call, value);
    }
    contender::single(level, move |a: &[E::Query], b: &[E::Row]| punned::call(kernel, a, b, a.len()), value)
}

fn find(kind: u8, ty: Type, allowed: u32) -> Option<(Kernel, u32)> {
    let (mut kernel, mut found) = (std::ptr::null_mut(), 0);
    // SAFETY: it only reads what the processor has.
    let supported = unsafe { simsimd_capabilities() };
    // SAFETY: both outputs are ours to write.
    unsafe {
        simsimd_find_kernel_punned(kind.into(), ty as u32, supported, allowed, &mut kernel, &mut found)
    };
    if kernel.is_null() {
        return None;
    }
    // SAFETY: a dense kernel of this signature, since all five metrics are dense.
    Some((unsafe { std::mem::transmute::<*mut c_void, Kernel>(kernel) }, found))
}
