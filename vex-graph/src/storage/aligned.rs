//! A growable array that begins on a cache line.

use alloc::vec::Vec;

use crate::OutOfMemory;

/// Bytes of a cache line.
const ALIGN: usize = 64;

/// Elements that begin on a cache line. So a row whose size is a multiple of a cache line spans no
/// more of them than it must.
///
/// Safe code cannot ask a `Vec` for an alignment. So this one allocates a little more, and skips
/// elements up to the first cache line.
#[derive(Debug)]
pub(crate) struct AlignedVec<T> {
    /// `skip` unused elements, then the elements. Never reallocated in place, since `skip` would
    /// then be wrong.
    buffer: Vec<T>,
    skip: usize,
}

impl<T: Copy + Default> AlignedVec<T> {
    /// The most elements that may have to be skipped.
    const SLACK: usize = ALIGN / size_of::<T>() - 1;

    /// Bytes that [`reserve_exact`](Self::reserve_exact) of an empty array allocates for `len`
    /// elements.
    pub(crate) const fn exact_bytes(len: usize) -> usize {
        if len == 0 { 0 } else { len.saturating_add(Self::SLACK).saturating_mul(size_of::<T>()) }
    }

    pub(crate) const fn new() -> Self {
        Self { buffer: Vec::new(), skip: 0 }
    }

    pub(crate) fn as_slice(&self) -> &[T] {
        &self.buffer[self.skip..]
    }

    pub(crate) fn as_mut_slice(&mut self) -> &mut [T] {
        &mut self.buffer[self.skip..]
    }

    pub(crate) fn len(&self) -> usize {
        self.buffer.len() - self.skip
    }

    /// Makes room for `additional` more elements. The array grows by half at least, so that many
    /// small steps cost little.
    pub(crate) fn reserve(&mut self, additional: usize) -> Result<(), OutOfMemory> {
        let len = self.len();
        if additional <= self.buffer.capacity() - self.buffer.len() {
            return Ok(());
        }
        self.reallocate(len.saturating_add(additional).max(len + len / 2))
    }

    /// Bytes that the array holds.
    pub(crate) fn held(&self) -> usize {
        super::held(&self.buffer)
    }

    /// Bytes of the new memory to which [`reserve`](Self::reserve) would move the array. 0 if there
    /// is room.
    pub(crate) fn growth(&self, additional: usize) -> usize {
        let len = self.len();
        if additional <= self.buffer.capacity() - self.buffer.len() {
            return 0;
        }
        Self::exact_bytes(len.saturating_add(additional).max(len + len / 2))
    }

    /// Makes room for exactly `additional` more elements.
    pub(crate) fn reserve_exact(&mut self, additional: usize) -> Result<(), OutOfMemory> {
        if additional <= self.buffer.capacity() - self.buffer.len() {
            return Ok(());
        }
        self.reallocate(self.len().saturating_add(additional))
    }

    /// Moves the elements to new memory, which has its own `skip`.
    fn reallocate(&mut self, capacity: usize) -> Result<(), OutOfMemory> {
        let mut buffer = Vec::<T>::new();
        let total = capacity.saturating_add(Self::SLACK);
        buffer.try_reserve_exact(total).map_err(|_| OutOfMemory { bytes: super::bytes::<T>(total) })?;
        let skip = buffer.as_ptr().align_offset(ALIGN);
        assert!(skip <= Self::SLACK, "the size of an element divides a cache line");
        buffer.resize(skip, T::default());
        buffer.extend_from_slice(self.as_slice());
        *self = Self { buffer, skip };
        Ok(())
    }

    /// Appends copies of `value` into room that was reserved.
    pub(crate) fn extend_with(&mut self, count: usize, value: T) {
        self.expect_room(count);
        self.buffer.resize(self.buffer.len() + count, value);
    }

    /// Appends zeros until the array is `len` long, if it is shorter.
    pub(crate) fn extend_to(&mut self, len: usize) -> Result<(), OutOfMemory> {
        let more = len.saturating_sub(self.len());
        self.reserve_exact(more)?;
        self.extend_with(more, T::default());
        Ok(())
    }

    /// Appends a slice into room that was reserved.
    pub(crate) fn extend_from_slice(&mut self, slice: &[T]) {
        self.expect_room(slice.len());
        self.buffer.extend_from_slice(slice);
    }

    /// Panics if there is no room. An append must never reallocate: the new memory would be aligned
    /// by chance alone.
    fn expect_room(&self, count: usize) {
        assert!(count <= self.buffer.capacity() - self.buffer.len(), "room is reserved before it is used");
    }

    pub(crate) fn truncate(&mut self, len: usize) {
        self.buffer.truncate(self.skip + len);
    }
}

impl<T: Copy + Default> Default for AlignedVec<T> {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests {
    use super::{ALIGN, AlignedVec};

    #[test]
    fn stays_aligned_and_keeps_its_elements_while_it_grows() {
        let mut vec = AlignedVec::<u32>::new();
        for i in 0..10_000 {
            vec.reserve(1).unwrap();
            vec.extend_with(1, i);
            assert_eq!(vec.as_slice().as_ptr() as usize % ALIGN, 0);
        }
        assert!(vec.as_slice().iter().copied().eq(0..10_000));
        vec.truncate(3);
        assert_eq!(vec.as_slice(), [0, 1, 2]);
    }

    #[test]
    fn an_impossible_size_is_an_error_and_changes_nothing() {
        let mut vec = AlignedVec::<f32>::new();
        vec.reserve(1).unwrap();
        vec.extend_with(1, 1.0);
        assert!(vec.reserve(usize::MAX / 8).is_err());
        assert!(vec.reserve_exact(usize::MAX).is_err());
        assert_eq!(vec.as_slice(), [1.0]);
    }
}
