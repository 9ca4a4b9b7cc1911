//! Bytes that begin on a multiple of 64, as an index must.

#[cfg(feature = "alloc")]
pub use owned::AlignedBytes;

/// Includes an index in the program, aligned so that it can be opened in place. `include_bytes!`
/// guarantees no alignment. Yields a `&'static [u8]`. The path is relative to the file with the
/// call.
///
/// The file is included when the program is compiled. It takes no time and no further memory when
/// the program runs.
///
/// ```
/// use vex_format::{Image, include_index};
///
/// static INDEX: &[u8] =
///     include_index!(concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/fixtures/v1.0-cosine.vex"));
///
/// let image = Image::open(INDEX)?;
/// assert_eq!(image.graph().count(), 20);
/// # Ok::<(), vex_format::OpenError>(())
/// ```
#[macro_export]
macro_rules! include_index {
    ($path:expr $(,)?) => {{
        static ALIGNED: &$crate::Aligned<[u8]> = &$crate::Aligned::new(*include_bytes!($path));
        ALIGNED.bytes()
    }};
}

/// Bytes on a 64-byte boundary, into which [`include_index!`](crate::include_index) puts the file.
#[derive(Clone, Copy, Debug)]
#[repr(C, align(64))]
pub struct Aligned<B: ?Sized> {
    bytes: B,
}

impl<const N: usize> Aligned<[u8; N]> {
    /// Moves the bytes into aligned memory. In a constant or a `static` that happens when the
    /// program is compiled.
    pub const fn new(bytes: [u8; N]) -> Self {
        Self { bytes }
    }
}

impl Aligned<[u8]> {
    /// The bytes.
    pub const fn bytes(&self) -> &[u8] {
        &self.bytes
    }
}

#[cfg(feature = "alloc")]
mod owned {
    use alloc::vec::Vec;
    use core::fmt;
    use core::ops::{Deref, DerefMut};

    use vex_graph::OutOfMemory;

    use crate::header::ALIGNMENT;

    /// A buffer of bytes on a 64-byte boundary, into which an index can be read. It is used as a
    /// slice, and takes 63 bytes more than its length.
    ///
    /// ```
    /// use std::io::Read;
    /// use vex_format::{AlignedBytes, Image};
    ///
    /// let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/fixtures/v1.0-cosine.vex");
    /// let mut file = std::fs::File::open(path)?;
    /// let mut bytes = AlignedBytes::zeroed(file.metadata()?.len() as usize)?;
    /// file.read_exact(&mut bytes)?;
    /// assert_eq!(Image::open(&bytes)?.graph().count(), 20);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub struct AlignedBytes {
        /// Longer than the buffer, since its start is rounded up to the boundary. It never grows,
        /// since that would move the bytes.
        storage: Vec<u8>,
        start: usize,
        len: usize,
    }

    impl AlignedBytes {
        /// A buffer of `len` zeros.
        ///
        /// # Errors
        /// If there is not enough memory.
        pub fn zeroed(len: usize) -> Result<Self, OutOfMemory> {
            let bytes = len.saturating_add(ALIGNMENT - 1);
            let mut storage = Vec::new();
            storage.try_reserve_exact(bytes).map_err(|_| OutOfMemory { bytes })?;
            storage.resize(bytes, 0);
            let start = storage.as_ptr().addr().wrapping_neg() % ALIGNMENT;
            Ok(Self { storage, start, len })
        }

        /// A buffer with a copy of these bytes.
        ///
        /// # Errors
        /// If there is not enough memory.
        pub fn copy_of(bytes: &[u8]) -> Result<Self, OutOfMemory> {
            let mut copy = Self::zeroed(bytes.len())?;
            copy.copy_from_slice(bytes);
            Ok(copy)
        }
    }

    impl Deref for AlignedBytes {
        type Target = [u8];

        fn deref(&self) -> &[u8] {
            &self.storage[self.start..self.start + self.len]
        }
    }

    impl DerefMut for AlignedBytes {
        fn deref_mut(&mut self) -> &mut [u8] {
            &mut self.storage[self.start..self.start + self.len]
        }
    }

    impl AsRef<[u8]> for AlignedBytes {
        fn as_ref(&self) -> &[u8] {
            self
        }
    }

    impl fmt::Debug for AlignedBytes {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.debug_struct("AlignedBytes").field("len", &self.len).finish_non_exhaustive()
        }
    }

    #[cfg(test)]
    mod tests {
        use super::*;

        #[test]
        fn buffers_of_any_length_are_aligned() {
            for len in [0, 1, 63, 64, 65, 4096] {
                let bytes = AlignedBytes::zeroed(len).unwrap();
                assert_eq!((bytes.len(), bytes.as_ptr().addr() % ALIGNMENT), (len, 0));
            }
        }

        #[test]
        fn more_memory_than_there_is_is_an_error() {
            assert_eq!(AlignedBytes::zeroed(usize::MAX).unwrap_err(), OutOfMemory { bytes: usize::MAX });
        }
    }
}
