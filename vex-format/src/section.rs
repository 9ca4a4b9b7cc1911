//! Sections: the parts of a file after the header, and the table of their places.

use core::fmt;

use vex_graph::NodeSet;

use crate::Header;
use crate::header::{ALIGNMENT, array, u32_at, u64_at};

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
    /// The codes.
    pub const CODES: Tag = Tag(*b"CODE");
    /// The correction terms, which turn the product of a code into a distance.
    pub const TERMS: Tag = Tag(*b"TERM");
    /// The mean, around which the vectors are coded.
    pub const MEAN: Tag = Tag(*b"MEAN");
    /// The chains of nodes with equal vectors.
    pub const COPIES: Tag = Tag(*b"COPY");
    /// The deleted nodes.
    pub const TOMBSTONES: Tag = Tag(*b"TOMB");
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
        let fixed = [Tag::VECTORS, Tag::CODES, Tag::TERMS, Tag::MEAN, Tag::KEYS, Tag::TOMBSTONES, Tag::META];
        self == Tag::COPIES || fixed.contains(&self) || matches!(self.0, [b'L', b'N', b'K', b'0'..=b'7'])
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
    /// Its offset in the file, in bytes: a multiple of [`ALIGNMENT`].
    pub offset: u64,
    /// Its length in bytes, without the padding that follows.
    pub length: u64,
    /// Bytes of one of its scalars: 1, 2, 4 or 8 in known sections.
    pub element_size: u32,
    /// Its checksum: see [`checksum_of_blocks`](crate::checksum_of_blocks).
    pub checksum: u32,
}

impl Section {
    /// Whether a reader that does not know the section may skip it.
    pub fn is_skippable(&self) -> bool {
        self.flags & SKIPPABLE != 0
    }

    /// The largest valid flags of a section that this version does not know.
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

/// The contents of a section that this version knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Content {
    Vectors,
    Codes,
    Terms,
    Mean,
    Keys,
    Links(usize),
    Copies,
    Tombstones,
    Meta,
}

impl Content {
    /// The sections of a file with this header, in their order. The reader and the writer both use
    /// this list.
    pub(crate) fn of(header: &Header) -> impl Iterator<Item = Content> + use<> {
        let vectors = header.stores_vectors().then_some(Content::Vectors);
        let coded = header.quantization.is_some();
        let codes = [Content::Codes, Content::Terms, Content::Mean].into_iter().filter(move |_| coded);
        let links = (0..header.levels).map(Content::Links);
        let copies = header.has_copies().then_some(Content::Copies);
        let tombstones = header.has_tombstones().then_some(Content::Tombstones);
        vectors
            .into_iter()
            .chain(codes)
            .chain([Content::Keys])
            .chain(links)
            .chain(copies)
            .chain(tombstones)
            .chain([Content::Meta])
    }

    pub(crate) fn tag(self) -> Tag {
        match self {
            Content::Vectors => Tag::VECTORS,
            Content::Codes => Tag::CODES,
            Content::Terms => Tag::TERMS,
            Content::Mean => Tag::MEAN,
            Content::Keys => Tag::KEYS,
            Content::Links(level) => Tag::links(level),
            Content::Copies => Tag::COPIES,
            Content::Tombstones => Tag::TOMBSTONES,
            Content::Meta => Tag::META,
        }
    }

    /// Codes may be skipped if the vectors are there, since a search can use those instead.
    pub(crate) fn flags(self) -> u32 {
        match self {
            Content::Codes | Content::Terms | Content::Mean => SKIPPABLE,
            _ => 0,
        }
    }

    pub(crate) fn element_size(self, header: &Header) -> u32 {
        match self {
            Content::Vectors => header.element.scalar_bytes() as u32,
            Content::Keys | Content::Tombstones => 8,
            Content::Links(_) | Content::Copies | Content::Terms | Content::Mean => 4,
            Content::Meta | Content::Codes => 1,
        }
    }

    /// The length of the section in bytes, or `None` if it is more than 2⁶⁴ − 1.
    pub(crate) fn length(self, header: &Header) -> Option<u64> {
        let count = header.count as u64;
        let row_bytes = header.quantization.map_or(0, |quantization| quantization.row_bytes(header.dim));
        let elements = match self {
            Content::Vectors => count.checked_mul(header.stride as u64),
            Content::Codes => count.checked_mul(row_bytes as u64),
            Content::Terms | Content::Copies => count.checked_mul(2),
            Content::Mean => Some(header.dim as u64),
            Content::Keys => Some(count),
            Content::Links(level) => {
                u64::from(header.level_count[level]).checked_mul(width(header, level) as u64)
            }
            Content::Tombstones => Some(NodeSet::words_for(header.count) as u64),
            Content::Meta => Some(META_BYTES as u64),
        };
        elements?.checked_mul(self.element_size(header).into())
    }
}

/// The ids in a row of links.
pub(crate) fn width(header: &Header, level: usize) -> usize {
    if level == 0 { 2 * header.m } else { header.m }
}

/// The offset of the section after one that ends at `end`.
pub(crate) fn aligned(end: u64) -> Option<u64> {
    end.checked_next_multiple_of(ALIGNMENT as u64)
}
