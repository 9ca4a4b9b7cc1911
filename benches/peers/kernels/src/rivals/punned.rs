//! What simsimd and numkong have in common: C functions of two pointers, found by type and metric.

use std::ffi::c_void;

/// An element type by the number that both libraries give it.
#[derive(Clone, Copy, PartialEq, Eq)]
#[repr(u32)]
pub(crate) enum Type {
    Bits = 1 << 1,
    I8 = 1 << 2,
    U8 = 1 << 6,
    F32 = 1 << 11,
    F16 = 1 << 12,
    Bf16 = 1 << 13,
}

/// A dense kernel: two vectors, their length, and where the result goes.
pub(super) type Kernel = unsafe extern "C" fn(*const c_void, *const c_void, u64, *mut c_void);

/// Calls `kernel` on two vectors of `length` dimensions and returns what it wrote.
#[inline(always)]
pub(super) fn call<Q, R, O: Default>(kernel: Kernel, query: &[Q], row: &[R], length: usize) -> O {
    assert!(size_of_val(query) == size_of_val(row), "vectors of one length");
    let mut result = O::default();
    // SAFETY: the library found this kernel for the element and, as its documentation says, it reads `length`
    // dimensions of both and writes one `O`.
    unsafe { kernel(query.as_ptr().cast(), row.as_ptr().cast(), length as u64, (&raw mut result).cast()) };
    result
}
