//! CRC-32C, and the checksum of a section.
//!
//! The checksum of a section is the CRC-32C of an array: the CRC-32C of each of its blocks of 64
//! KiB. So blocks can be checked in any order and on several threads. FORMAT.md says which errors
//! it finds.

/// The bytes of a block, the unit of a section's checksum: 64 KiB.
pub const BLOCK_BYTES: usize = 1 << BLOCK_LOG2;

/// The base-2 logarithm of [`BLOCK_BYTES`], as the header has it.
pub(crate) const BLOCK_LOG2: u8 = 16;

/// The CRC-32C (Castagnoli) of these bytes, as iSCSI computes it: that of `b"123456789"` is
/// `0xE3069283`. With the feature `std` by the instructions that the machine has, else byte by
/// byte with a table of 1 KiB.
pub fn crc32c(bytes: &[u8]) -> u32 {
    let mut digest = Digest::new();
    digest.update(bytes);
    digest.finish()
}

/// The checksum of a section, from the [`crc32c`] of each of its blocks in order. A block has
/// [`BLOCK_BYTES`], and the last block may be shorter.
///
/// ```
/// use vex_format::{BLOCK_BYTES, Image, checksum_of_blocks, crc32c, include_index};
///
/// static INDEX: &[u8] =
///     include_index!(concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/fixtures/v1.0-cosine.vex"));
///
/// let image = Image::open(INDEX)?;
/// for section in image.sections() {
///     let blocks = image.section_bytes(&section).chunks(BLOCK_BYTES).map(crc32c);
///     assert_eq!(checksum_of_blocks(blocks), section.checksum);
/// }
/// # Ok::<(), vex_format::OpenError>(())
/// ```
pub fn checksum_of_blocks(blocks: impl IntoIterator<Item = u32>) -> u32 {
    let mut digest = Digest::new();
    blocks.into_iter().for_each(|block| digest.update(&block.to_le_bytes()));
    digest.finish()
}

/// The checksum of a section, from its bytes.
pub(crate) fn section_checksum(bytes: &[u8]) -> u32 {
    checksum_of_blocks(bytes.chunks(BLOCK_BYTES).map(crc32c))
}

/// The checksum of a section, from bytes that come in pieces.
#[cfg(feature = "alloc")]
pub(crate) struct SectionDigest {
    blocks: Digest,
    block: Digest,
    filled: usize,
}

#[cfg(feature = "alloc")]
impl SectionDigest {
    pub(crate) fn new() -> Self {
        Self { blocks: Digest::new(), block: Digest::new(), filled: 0 }
    }

    pub(crate) fn update(&mut self, mut bytes: &[u8]) {
        while !bytes.is_empty() {
            let (now, later) = bytes.split_at(bytes.len().min(BLOCK_BYTES - self.filled));
            self.block.update(now);
            self.filled += now.len();
            if self.filled == BLOCK_BYTES {
                self.close_block();
            }
            bytes = later;
        }
    }

    pub(crate) fn finish(mut self) -> u32 {
        if self.filled > 0 {
            self.close_block();
        }
        self.blocks.finish()
    }

    fn close_block(&mut self) {
        self.blocks.update(&self.block.finish().to_le_bytes());
        self.block = Digest::new();
        self.filled = 0;
    }
}

#[cfg(feature = "std")]
pub(crate) use detected::Digest;
#[cfg(not(feature = "std"))]
pub(crate) use table::Digest;

#[cfg(feature = "std")]
mod detected {
    use crc_fast::CrcAlgorithm::Crc32Iscsi;

    pub(crate) struct Digest(crc_fast::Digest);

    impl Digest {
        pub(crate) fn new() -> Self {
            Self(crc_fast::Digest::new(Crc32Iscsi))
        }

        pub(crate) fn update(&mut self, bytes: &[u8]) {
            self.0.update(bytes);
        }

        pub(crate) fn finish(&self) -> u32 {
            self.0.finalize() as u32
        }
    }
}

/// One table of 1 KiB. Without the standard library, flash memory is scarcer than the time of a
/// full scan.
#[cfg(any(not(feature = "std"), test))]
mod table {
    pub(crate) struct Digest(u32);

    impl Digest {
        pub(crate) const fn new() -> Self {
            Self(u32::MAX)
        }

        pub(crate) fn update(&mut self, bytes: &[u8]) {
            for byte in bytes {
                self.0 = TABLE[usize::from(self.0 as u8 ^ byte)] ^ (self.0 >> 8);
            }
        }

        pub(crate) const fn finish(&self) -> u32 {
            !self.0
        }
    }

    /// The polynomial of Castagnoli, with its bits reversed.
    const POLYNOMIAL: u32 = 0x82F6_3B78;

    static TABLE: [u32; 256] = {
        let mut table = [0; 256];
        let mut byte = 0;
        while byte < 256 {
            let mut crc = byte as u32;
            let mut bit = 0;
            while bit < 8 {
                crc = (crc >> 1) ^ (POLYNOMIAL * (crc & 1));
                bit += 1;
            }
            table[byte] = crc;
            byte += 1;
        }
        table
    };
}

#[cfg(test)]
mod tests {
    use super::*;

    fn noise<const N: usize>() -> [u8; N] {
        core::array::from_fn(|i| (i as u32).wrapping_mul(0x9E37_79B9).to_le_bytes()[3])
    }

    #[test]
    fn check_value_of_the_catalogue_is_met() {
        assert_eq!(crc32c(b"123456789"), 0xE306_9283);
        assert_eq!(crc32c(b""), 0);
    }

    #[test]
    fn table_and_instructions_agree_at_every_length() {
        let bytes = noise::<1500>();
        for len in 0..bytes.len() {
            let mut table = table::Digest::new();
            table.update(&bytes[..len]);
            assert_eq!(table.finish(), crc32c(&bytes[..len]), "{len} bytes");
        }
    }

    #[cfg(feature = "alloc")]
    #[test]
    fn pieces_of_any_size_give_the_checksum_of_the_whole() {
        let bytes = noise::<{ 2 * BLOCK_BYTES + 100 }>();
        for len in [0, 1, BLOCK_BYTES - 1, BLOCK_BYTES, BLOCK_BYTES + 1, bytes.len()] {
            for piece in [7, 4096, BLOCK_BYTES, bytes.len()] {
                let mut digest = SectionDigest::new();
                bytes[..len].chunks(piece).for_each(|piece| digest.update(piece));
                assert_eq!(digest.finish(), section_checksum(&bytes[..len]), "{len} bytes by {piece}");
            }
        }
    }
}
