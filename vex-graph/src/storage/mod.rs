//! Owned memory: every allocation of the crate goes through here and can fail.

mod aligned;
mod codes;
mod links;
mod tombstones;
mod vectors;

pub(crate) use aligned::AlignedVec;
pub(crate) use codes::CodeRows;
pub(crate) use links::LevelLinks;
pub(crate) use tombstones::Tombstones;
pub use vectors::Vectors;

use alloc::vec::Vec;

use crate::OutOfMemory;

/// Makes room for `additional` more elements, or fails with the size that was asked for. Grows geometrically.
pub(crate) fn reserve<T>(vec: &mut Vec<T>, additional: usize) -> Result<(), OutOfMemory> {
    vec.try_reserve(additional)
        .map_err(|_| OutOfMemory { bytes: bytes::<T>(vec.len().saturating_add(additional)) })
}

/// Makes room for exactly `additional` more elements, where the size is known to be the last.
pub(crate) fn reserve_exact<T>(vec: &mut Vec<T>, additional: usize) -> Result<(), OutOfMemory> {
    vec.try_reserve_exact(additional)
        .map_err(|_| OutOfMemory { bytes: bytes::<T>(vec.len().saturating_add(additional)) })
}

/// Bytes that an array holds.
pub(crate) fn held<T>(vec: &Vec<T>) -> usize {
    bytes::<T>(vec.capacity())
}

/// Bytes of the new place of an array that [`reserve`] would move to make room for one more element.
pub(crate) fn growth<T>(vec: &Vec<T>) -> usize {
    if vec.len() < vec.capacity() { 0 } else { bytes::<T>((2 * vec.capacity()).max(4)) }
}

pub(crate) fn bytes<T>(len: usize) -> usize {
    len.saturating_mul(size_of::<T>())
}
