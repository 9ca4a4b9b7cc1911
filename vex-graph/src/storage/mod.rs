//! Owned memory: every allocation of the crate is made here and can fail.

mod aligned;
mod codes;
mod copies;
mod links;
mod tombstones;
mod vectors;

pub(crate) use aligned::AlignedVec;
pub(crate) use codes::CodeRows;
pub(crate) use copies::Copies;
pub(crate) use links::LevelLinks;
pub(crate) use tombstones::Tombstones;
pub use vectors::Vectors;

use alloc::vec::Vec;

use crate::{NodeId, OutOfMemory};

/// Makes room for `additional` more elements, or fails with the size that was asked for. Grows
/// geometrically.
pub(crate) fn reserve<T>(vec: &mut Vec<T>, additional: usize) -> Result<(), OutOfMemory> {
    vec.try_reserve(additional)
        .map_err(|_| OutOfMemory { bytes: bytes::<T>(vec.len().saturating_add(additional)) })
}

/// Makes room for exactly `additional` more elements, if no more will follow.
pub(crate) fn reserve_exact<T>(vec: &mut Vec<T>, additional: usize) -> Result<(), OutOfMemory> {
    vec.try_reserve_exact(additional)
        .map_err(|_| OutOfMemory { bytes: bytes::<T>(vec.len().saturating_add(additional)) })
}

/// Bytes that an array holds.
pub(crate) fn held<T>(vec: &Vec<T>) -> usize {
    bytes::<T>(vec.capacity())
}

/// Bytes of the new memory to which [`reserve`] would move an array to make room for one more
/// element. 0 if there is room.
pub(crate) fn growth<T>(vec: &Vec<T>) -> usize {
    if vec.len() < vec.capacity() { 0 } else { bytes::<T>((2 * vec.capacity()).max(4)) }
}

pub(crate) fn bytes<T>(len: usize) -> usize {
    len.saturating_mul(size_of::<T>())
}

/// Swaps each row i with row `swaps[i]`, in ascending order of i. No `swaps[i]` is less than i.
/// Rows are `width` elements, back to back.
pub(crate) fn swap_rows<T>(rows: &mut [T], width: usize, swaps: &[NodeId]) {
    for (row, other) in swaps.iter().enumerate().filter(|(row, other)| *row < **other as usize) {
        let (head, tail) = rows.split_at_mut(*other as usize * width);
        head[row * width..][..width].swap_with_slice(&mut tail[..width]);
    }
}
