//! The header: 128 bytes that describe the file and the sizes of its parts.
//!
//! `Header::decode` checks every field against its range and against the other fields, in this
//! order:
//!
//! 1. magic, major version, length and checksum of the header
//! 2. incompatible features that this version does not know
//! 3. the other fields
//!
//! So a foreign file, a later version and damage have errors of their own.

use core::ops::RangeInclusive;

use vex_graph::{Element, MAX_DIM, MAX_LEVELS, MAX_NODES, Metric, NodeId, Params, Quantization, TERMINATOR};

use crate::checksum::{BLOCK_LOG2, crc32c};
use crate::codes::{self, Kind};
use crate::{Field, OpenError};

/// The major version of the format. A file of another major version cannot be read.
pub const MAJOR: u16 = 1;

/// The minor version that is written. A file of any minor version can be read if its feature masks
/// allow that.
pub const MINOR: u16 = 0;

/// Sections begin on multiples of this many bytes, which is a cache line. So must the file in
/// memory.
pub const ALIGNMENT: usize = 64;

/// The most sections a file can have.
pub(crate) const MAX_SECTIONS: usize = 32;

pub(crate) const MAGIC: [u8; 8] = [0x89, b'V', b'E', b'X', b'\r', b'\n', 0x1A, b'\n'];
pub(crate) const HEADER_BYTES: usize = 128;
pub(crate) const TRAILER_BYTES: usize = 16;

/// Feature bits that this version understands.
const INCOMPATIBLE: u32 = CODES_ONLY | TOMBSTONES | COPIES;
const READ_ONLY_COMPATIBLE: u32 = 0;

/// Compatible: the kind of the codes, if there are codes.
const SQ8: u32 = 1;
const SQ4: u32 = 2;
const SQ2X2: u32 = 4;
/// Incompatible: there are codes instead of vectors.
const CODES_ONLY: u32 = 1;
/// Incompatible: some nodes are deleted, and a search must not return them.
const TOMBSTONES: u32 = 2;
/// Incompatible: some nodes are copies, which have the vectors of others and are found through
/// them.
const COPIES: u32 = 4;

/// The checked fields of a header: every value is in its range and agrees with the others.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Header {
    /// The major version.
    pub major: u16,
    /// The minor version.
    pub minor: u16,
    /// Feature bits that a reader and a writer may ignore.
    pub compatible: u32,
    /// Feature bits that a reader may ignore, and a writer may not.
    pub read_only_compatible: u32,
    /// Feature bits that a reader must know.
    pub incompatible: u32,
    /// The number of sections.
    pub sections: usize,
    /// Bytes from the magic to the end of the trailer.
    pub file_length: u64,
    /// The caller's name for the file.
    pub segment_id: [u8; 16],
    /// The highest sequence number that went into the file.
    pub sequence: u64,
    /// Elements of a vector.
    pub dim: usize,
    /// Scalars from one vector to the next. A scalar is an element, or a word of 64 bits.
    pub stride: usize,
    /// The number of nodes, deleted ones and copies included.
    pub count: usize,
    /// The type of the elements.
    pub element: Element,
    /// The kind of codes, if there are codes.
    pub quantization: Option<Quantization>,
    /// The rule by which vectors are compared.
    pub metric: Metric,
    /// The kind of index.
    pub kind: Kind,
    /// The number of levels, the base level included.
    pub levels: usize,
    /// The most links of a node above the base level. On the base level a node has up to twice as
    /// many.
    pub m: usize,
    /// The entry point of a search, or [`TERMINATOR`] if there are no vectors.
    pub entry: NodeId,
    /// Level l holds the nodes below `level_count[l]`: none from `levels` on.
    pub level_count: [u32; MAX_LEVELS],
    /// The [`crc32c`] of the section table.
    pub table_checksum: u32,
    /// The [`crc32c`] of all fields above. Through the section table it covers every section, so
    /// files that differ have different checksums.
    pub checksum: u32,
}

impl Header {
    /// Bytes of a header: 128.
    pub const BYTES: usize = HEADER_BYTES;

    /// Reads the header at the start of `bytes`, which may end there. So a file can be checked
    /// before all of it is read. Whether the file has [`file_length`](Self::file_length) bytes is
    /// not checked.
    ///
    /// # Errors
    /// If the bytes are not the start of an index of this version, end before the header does, or
    /// are damaged.
    ///
    /// # Complexity
    /// Constant: 128 bytes are read, at any address.
    pub fn read(bytes: &[u8]) -> Result<Self, OpenError> {
        Self::decode(bytes)
    }

    /// Whether the file may only be searched, since it has a feature that a change would break.
    pub fn is_read_only(&self) -> bool {
        self.read_only_compatible & !READ_ONLY_COMPATIBLE != 0
    }

    /// Whether the file stores the vectors. If not, it has codes.
    pub fn stores_vectors(&self) -> bool {
        self.incompatible & CODES_ONLY == 0
    }

    /// Whether nodes are deleted.
    pub fn has_tombstones(&self) -> bool {
        self.incompatible & TOMBSTONES != 0
    }

    /// Whether nodes are copies of others.
    pub fn has_copies(&self) -> bool {
        self.incompatible & COPIES != 0
    }

    /// The masks of compatible and incompatible features of a file.
    #[cfg(feature = "alloc")]
    pub(crate) fn features(
        quantization: Option<Quantization>,
        stores_vectors: bool,
        has_tombstones: bool,
        has_copies: bool,
    ) -> (u32, u32) {
        let compatible = match quantization {
            None => 0,
            Some(Quantization::Sq4) => SQ4,
            Some(Quantization::Sq2x2) => SQ2X2,
            Some(_) => SQ8,
        };
        let codes_only = if stores_vectors { 0 } else { CODES_ONLY };
        let tombstones = if has_tombstones { TOMBSTONES } else { 0 };
        let copies = if has_copies { COPIES } else { 0 };
        (compatible, codes_only | tombstones | copies)
    }

    /// Reads the header at the start of `bytes`. The length of the file is not checked.
    pub(crate) fn decode(bytes: &[u8]) -> Result<Self, OpenError> {
        let magic = &bytes[..bytes.len().min(MAGIC.len())];
        if !MAGIC.starts_with(magic) {
            return Err(OpenError::Magic { found: array(magic, 0) });
        }
        let Some(bytes) = bytes.first_chunk::<HEADER_BYTES>() else {
            return Err(OpenError::TooShort { expected: HEADER_BYTES as u64, found: bytes.len() as u64 });
        };
        let major = u16_at(bytes, at::MAJOR);
        if major != MAJOR {
            return Err(OpenError::Version { expected: MAJOR, found: major });
        }
        let header_bytes = HEADER_BYTES as u64;
        // In a header of another length, the checksum would be elsewhere.
        check(bytes, Field::HeaderLength, at::HEADER_LENGTH, 4, header_bytes..=header_bytes)?;
        let (checksum, found) = (u32_at(bytes, at::CHECKSUM), crc32c(&bytes[..at::CHECKSUM]));
        if checksum != found {
            return Err(OpenError::HeaderChecksum { expected: checksum, found });
        }
        let incompatible = u32_at(bytes, at::INCOMPATIBLE);
        if incompatible & !INCOMPATIBLE != 0 {
            return Err(OpenError::Features { found: incompatible & !INCOMPATIBLE });
        }
        let compatible = u32_at(bytes, at::COMPATIBLE);
        let quantization = match compatible & (SQ8 | SQ4 | SQ2X2) {
            0 => None,
            SQ8 => Some(Quantization::Sq8),
            SQ4 => Some(Quantization::Sq4),
            SQ2X2 => Some(Quantization::Sq2x2),
            // Two feature bits that each name a kind of codes.
            several => {
                let (offset, expected) = (at::COMPATIBLE as u64, (0, SQ2X2.into()));
                return Err(OpenError::Field {
                    field: Field::Codes,
                    offset,
                    expected,
                    found: several.into(),
                });
            }
        };
        if quantization.is_none() && incompatible & CODES_ONLY != 0 {
            let (offset, expected) = (at::COMPATIBLE as u64, (SQ8.into(), SQ2X2.into()));
            return Err(OpenError::Field { field: Field::Codes, offset, expected, found: 0 });
        }
        let align_log2 = u64::from(ALIGNMENT.ilog2());
        check(bytes, Field::AlignLog2, at::ALIGN_LOG2, 1, align_log2..=align_log2)?;
        let block_log2 = u64::from(BLOCK_LOG2);
        check(bytes, Field::BlockLog2, at::BLOCK_LOG2, 1, block_log2..=block_log2)?;
        let sections = check(bytes, Field::SectionCount, at::SECTIONS, 2, 1..=MAX_SECTIONS as u64)? as usize;

        let dim = check(bytes, Field::Dim, at::DIM, 4, 1..=MAX_DIM as u64)? as usize;
        // Only floating-point vectors have codes.
        let elements = if quantization.is_some() { 1..=2 } else { 1..=5 };
        let element = code(bytes, Field::Element, at::ELEMENT, elements, codes::element_from_code)?;
        let stride = element.row_stride(dim) as u64;
        let stride = check(bytes, Field::Stride, at::STRIDE, 4, stride..=stride)? as usize;
        let count = check(bytes, Field::Count, at::COUNT, 4, 0..=MAX_NODES as u64)?;
        let metrics = if element == Element::Bits { 4..=5 } else { 1..=3 };
        let metric = code(bytes, Field::Metric, at::METRIC, metrics, codes::metric_from_code)?;
        let kind = code(bytes, Field::Kind, at::KIND, 1..=1, Kind::from_code)?;

        // An empty index has the base level alone, so that it has one encoding.
        let most_levels = if count == 0 { 1 } else { MAX_LEVELS as u64 };
        let levels = check(bytes, Field::Levels, at::LEVELS, 1, 1..=most_levels)? as usize;
        let (m_min, m_max) = Params::M_RANGE.into_inner();
        let m = check(bytes, Field::M, at::M, 2, m_min as u64..=m_max as u64)?;
        check(bytes, Field::M0, at::M0, 2, 2 * m..=2 * m)?;

        // The base level holds every node, no level holds more than the one below it, and the top
        // level holds the entry point.
        let mut range = count..=count;
        let mut level_count = [0; MAX_LEVELS];
        for (level, found) in level_count.iter_mut().enumerate() {
            if level >= levels {
                range = 0..=0;
            }
            let nodes = check(bytes, Field::LevelCount, at::LEVEL_COUNT + 4 * level, 4, range)?;
            range = 1..=nodes;
            *found = nodes as u32;
        }
        let entries = match u64::from(level_count[levels - 1]) {
            0 => u64::from(TERMINATOR)..=u64::from(TERMINATOR),
            top => 0..=top - 1,
        };
        let entry = check(bytes, Field::Entry, at::ENTRY, 4, entries)? as NodeId;

        Ok(Self {
            major,
            minor: u16_at(bytes, at::MINOR),
            compatible,
            read_only_compatible: u32_at(bytes, at::READ_ONLY_COMPATIBLE),
            incompatible,
            sections,
            file_length: u64_at(bytes, at::FILE_LENGTH),
            segment_id: array(bytes, at::SEGMENT_ID),
            sequence: u64_at(bytes, at::SEQUENCE),
            dim,
            stride,
            count: count as usize,
            element,
            quantization,
            metric,
            kind,
            levels,
            m: m as usize,
            entry,
            level_count,
            table_checksum: u32_at(bytes, at::TABLE_CHECKSUM),
            checksum,
        })
    }

    /// The bytes of the header, or `None` if the metric has no code.
    #[cfg(feature = "alloc")]
    pub(crate) fn encode(&self) -> Option<[u8; HEADER_BYTES]> {
        let mut bytes = [0; HEADER_BYTES];
        let mut put = |at: usize, value: &[u8]| bytes[at..at + value.len()].copy_from_slice(value);
        put(0, &MAGIC);
        put(at::MAJOR, &self.major.to_le_bytes());
        put(at::MINOR, &self.minor.to_le_bytes());
        put(at::HEADER_LENGTH, &(HEADER_BYTES as u32).to_le_bytes());
        put(at::COMPATIBLE, &self.compatible.to_le_bytes());
        put(at::READ_ONLY_COMPATIBLE, &self.read_only_compatible.to_le_bytes());
        put(at::INCOMPATIBLE, &self.incompatible.to_le_bytes());
        put(at::ALIGN_LOG2, &[ALIGNMENT.ilog2() as u8, BLOCK_LOG2]);
        put(at::SECTIONS, &(self.sections as u16).to_le_bytes());
        put(at::FILE_LENGTH, &self.file_length.to_le_bytes());
        put(at::SEGMENT_ID, &self.segment_id);
        put(at::SEQUENCE, &self.sequence.to_le_bytes());
        put(at::DIM, &(self.dim as u32).to_le_bytes());
        put(at::STRIDE, &(self.stride as u32).to_le_bytes());
        put(at::COUNT, &(self.count as u32).to_le_bytes());
        put(at::ELEMENT, &[codes::element_code(self.element)]);
        put(at::METRIC, &[codes::metric_code(self.metric)?]);
        put(at::KIND, &[self.kind.code()]);
        put(at::LEVELS, &[self.levels as u8]);
        put(at::M, &(self.m as u16).to_le_bytes());
        put(at::M0, &(2 * self.m as u16).to_le_bytes());
        put(at::ENTRY, &self.entry.to_le_bytes());
        for (level, count) in self.level_count.iter().enumerate() {
            put(at::LEVEL_COUNT + 4 * level, &count.to_le_bytes());
        }
        put(at::TABLE_CHECKSUM, &self.table_checksum.to_le_bytes());
        let checksum = crc32c(&bytes[..at::CHECKSUM]);
        bytes[at::CHECKSUM..].copy_from_slice(&checksum.to_le_bytes());
        Some(bytes)
    }
}

/// The trailer for the bytes of a header.
pub(crate) fn trailer(header: &[u8]) -> [u8; TRAILER_BYTES] {
    let mut bytes = [0; TRAILER_BYTES];
    bytes[..8].copy_from_slice(&array::<8>(header, at::FILE_LENGTH));
    bytes[8..12].copy_from_slice(&array::<4>(header, at::CHECKSUM));
    bytes[12..].copy_from_slice(b"XEV\n");
    bytes
}

/// The `N` bytes at an offset, or zeros if they are not inside of `bytes`.
pub(crate) fn array<const N: usize>(bytes: &[u8], offset: usize) -> [u8; N] {
    let mut array = [0; N];
    if let Some(bytes) = bytes.get(offset..) {
        array.iter_mut().zip(bytes).for_each(|(to, from)| *to = *from);
    }
    array
}

pub(crate) fn u32_at(bytes: &[u8], offset: usize) -> u32 {
    u32::from_le_bytes(array(bytes, offset))
}

pub(crate) fn u64_at(bytes: &[u8], offset: usize) -> u64 {
    u64::from_le_bytes(array(bytes, offset))
}

/// A number in its range, or an error.
pub(crate) fn in_range(
    field: Field,
    offset: u64,
    found: u64,
    expected: RangeInclusive<u64>,
) -> Result<u64, OpenError> {
    if expected.contains(&found) {
        return Ok(found);
    }
    Err(OpenError::Field { field, offset, expected: expected.into_inner(), found })
}

fn u16_at(bytes: &[u8], offset: usize) -> u16 {
    u16::from_le_bytes(array(bytes, offset))
}

/// The number of `width` bytes at an offset, if it is in its range.
fn check(
    bytes: &[u8; HEADER_BYTES],
    field: Field,
    offset: usize,
    width: usize,
    expected: RangeInclusive<u64>,
) -> Result<u64, OpenError> {
    let found = u64_at(bytes, offset) & (u64::MAX >> (64 - 8 * width));
    in_range(field, offset as u64, found, expected)
}

/// The value for the code at an offset, if the code is in its range.
fn code<T>(
    bytes: &[u8; HEADER_BYTES],
    field: Field,
    offset: usize,
    expected: RangeInclusive<u64>,
    meaning: impl Fn(u8) -> Option<T>,
) -> Result<T, OpenError> {
    let found = check(bytes, field, offset, 1, expected.clone())?;
    let (offset, expected) = (offset as u64, expected.into_inner());
    meaning(found as u8).ok_or(OpenError::Field { field, offset, expected, found })
}

/// Offsets of the header's fields, as in FORMAT.md.
mod at {
    pub(super) const MAJOR: usize = 8;
    pub(super) const MINOR: usize = 10;
    pub(super) const HEADER_LENGTH: usize = 12;
    pub(super) const COMPATIBLE: usize = 16;
    pub(super) const READ_ONLY_COMPATIBLE: usize = 20;
    pub(super) const INCOMPATIBLE: usize = 24;
    pub(super) const ALIGN_LOG2: usize = 28;
    pub(super) const BLOCK_LOG2: usize = 29;
    pub(super) const SECTIONS: usize = 30;
    pub(super) const FILE_LENGTH: usize = 32;
    pub(super) const SEGMENT_ID: usize = 40;
    pub(super) const SEQUENCE: usize = 56;
    pub(super) const DIM: usize = 64;
    pub(super) const STRIDE: usize = 68;
    pub(super) const COUNT: usize = 72;
    pub(super) const ELEMENT: usize = 76;
    pub(super) const METRIC: usize = 77;
    pub(super) const KIND: usize = 78;
    pub(super) const LEVELS: usize = 79;
    pub(super) const M: usize = 80;
    pub(super) const M0: usize = 82;
    pub(super) const ENTRY: usize = 84;
    pub(super) const LEVEL_COUNT: usize = 88;
    pub(super) const TABLE_CHECKSUM: usize = 120;
    pub(super) const CHECKSUM: usize = 124;
}
