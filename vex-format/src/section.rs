//! Sections: what a file holds beside its header, and the table that says where.

use core::fmt;

use crate::Header;
use crate::header::{array, u32_at, u64_at};

/// Sections begin on multiples of this many bytes, and so must the file in memory: a cache line.
pub const ALIGNMENT: usize = 64;

/// The most sections a file can have.
pub(crate) const MAX_SECTIONS: usize = 32;

pub(crate) const ENTRY_BYTES: usize = 32;

/// The bytes of the section of build parameters.
pub(crate) const META_BYTES: usize = 32;

const SKIPPABLE: u32 = 1;

/// The name of a section: four bytes, by custom ASCII.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Tag(pub [u8; 4]);

impl Tag {
    /// The vectors.
    pub const VECTORS: Tag = Tag(*b"VECS");
    /// The keys.
    pub const KEYS: Tag = Tag(*b"KEYS");
    /// The build parameters.
    pub const META: Tag = Tag(*b"META");

    /// The links of a level, 0 to 7.
    pub const fn links(level: usize) -> Tag {
        Tag([b'L', b'N', b'K', b'0' + level as u8])
    }

    /// Whether this version of the format knows the section.
    pub(crate) fn is_known(self) -> bool {
        matches!(self, Tag::VECTORS | Tag::KEYS | Tag::META)
            || matches!(self.0, [b'L', b'N', b'K', b'0'..=b'7'])
    }
}

impl fmt::Display for Tag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.escape_ascii().fmt(f)
    }
}

impl fmt::Debug for Tag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Tag({self})")
    }
}

/// A row of the section table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Section {
    /// The section's name.
    pub tag: Tag,
    /// Bit 0: a reader that does not know the section may skip it. The other bits are zero.
    pub flags: u32,
    /// Where it begins in the file.
    pub offset: u64,
    /// Its bytes, without the padding that follows.
    pub length: u64,
    /// Bytes of one of its scalars.
    pub element_size: u32,
    /// Its checksum: see [`checksum_of_blocks`](crate::checksum_of_blocks).
    pub checksum: u32,
}

impl Section {
    /// Whether a reader that does not know the section may skip it.
    pub fn is_skippable(&self) -> bool {
        self.flags & SKIPPABLE != 0
    }

    /// The flags that this version understands in a section that it does not.
    pub(crate) const MAX_FLAGS: u64 = SKIPPABLE as u64;

    pub(crate) fn decode(entry: &[u8; ENTRY_BYTES]) -> Self {
        Self {
            tag: Tag(array(entry, 0)),
            flags: u32_at(entry, 4),
            offset: u64_at(entry, 8),
            length: u64_at(entry, 16),
            element_size: u32_at(entry, 24),
            checksum: u32_at(entry, 28),
        }
    }

    #[cfg(feature = "alloc")]
    pub(crate) fn encode(&self) -> [u8; ENTRY_BYTES] {
        let mut entry = [0; ENTRY_BYTES];
        entry[..4].copy_from_slice(&self.tag.0);
        entry[4..8].copy_from_slice(&self.flags.to_le_bytes());
        entry[8..16].copy_from_slice(&self.offset.to_le_bytes());
        entry[16..24].copy_from_slice(&self.length.to_le_bytes());
        entry[24..28].copy_from_slice(&self.element_size.to_le_bytes());
        entry[28..].copy_from_slice(&self.checksum.to_le_bytes());
        entry
    }
}

/// What a section of this version holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Content {
    Vectors,
    Keys,
    Links(usize),
    Meta,
}

impl Content {
    /// The sections that a file with this header has, in their order. Reader and writer both go by this.
    pub(crate) fn of(header: &Header) -> impl Iterator<Item = Content> + use<> {
        let links = (0..header.levels).map(Content::Links);
        [Content::Vectors, Content::Keys].into_iter().chain(links).chain([Content::Meta])
    }

    pub(crate) fn tag(self) -> Tag {
        match self {
            Content::Vectors => Tag::VECTORS,
            Content::Keys => Tag::KEYS,
            Content::Links(level) => Tag::links(level),
            Content::Meta => Tag::META,
        }
    }

    pub(crate) fn element_size(self, header: &Header) -> u32 {
        match self {
            Content::Vectors => header.element.size(),
            Content::Keys => 8,
            Content::Links(_) => 4,
            Content::Meta => 1,
        }
    }

    /// Bytes of the section, or `None` if they are more than 2⁶⁴ − 1.
    pub(crate) fn length(self, header: &Header) -> Option<u64> {
        let elements = match self {
            Content::Vectors => (header.count as u64).checked_mul(header.stride as u64),
            Content::Keys => Some(header.count as u64),
            Content::Links(level) => {
                u64::from(header.level_count[level]).checked_mul(width(header, level) as u64)
            }
            Content::Meta => Some(META_BYTES as u64),
        };
        elements?.checked_mul(self.element_size(header).into())
    }
}

/// Ids in a row of links.
pub(crate) fn width(header: &Header, level: usize) -> usize {
    if level == 0 { 2 * header.m } else { header.m }
}

/// Where the section after one that ends at `end` begins.
pub(crate) fn aligned(end: u64) -> Option<u64> {
    end.checked_next_multiple_of(ALIGNMENT as u64)
}
