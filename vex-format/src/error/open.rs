//! Why bytes cannot be opened.

use core::fmt;

use vex_graph::ViewError;

use crate::Tag;

/// Bytes that cannot be opened as an index.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum OpenError {
    /// The file is little-endian and searched in place, which is impossible in this machine's byte
    /// order.
    BigEndianHost,
    /// The file does not begin with the magic bytes: it is not an index.
    Magic {
        /// Its first bytes.
        found: [u8; 8],
    },
    /// The file ends before its header or its section table does.
    TooShort {
        /// The fewest bytes that are needed.
        expected: u64,
        /// The bytes that there are.
        found: u64,
    },
    /// The file has another major version.
    Version {
        /// The major version that this crate reads.
        expected: u16,
        /// The major version of the file.
        found: u16,
    },
    /// The header is damaged.
    HeaderChecksum {
        /// The checksum in the header.
        expected: u32,
        /// The checksum of the header.
        found: u32,
    },
    /// The file needs features that this version does not know.
    Features {
        /// The incompatible feature bits that are unknown.
        found: u32,
    },
    /// A field has a value that it cannot have.
    Field {
        /// The field.
        field: Field,
        /// The offset of the field in the file.
        offset: u64,
        /// The smallest and the largest value that the field can have in this file.
        expected: (u64, u64),
        /// Its value.
        found: u64,
    },
    /// The length of the file is not that in its header.
    Length {
        /// The length in the header.
        expected: u64,
        /// The bytes that there are.
        found: u64,
    },
    /// The bytes do not begin on a multiple of 64.
    Misaligned {
        /// The alignment that is needed.
        expected: usize,
        /// The bytes from the last multiple of it to the start.
        found: usize,
    },
    /// The trailer does not repeat the header, so the file was not written to its end.
    Trailer {
        /// The offset of the trailer.
        offset: u64,
        /// The trailer that belongs to the header.
        expected: [u8; 16],
        /// The trailer that was found.
        found: [u8; 16],
    },
    /// The section table is damaged.
    TableChecksum {
        /// The checksum in the header.
        expected: u32,
        /// The checksum of the table.
        found: u32,
    },
    /// A known section is in the wrong place, or comes twice.
    SectionOrder {
        /// The offset of its row in the section table.
        offset: u64,
        /// The section that belongs there, or `None` after the last.
        expected: Option<Tag>,
        /// The section that is there.
        found: Tag,
    },
    /// The file has an unknown section that cannot be skipped.
    UnknownSection {
        /// The offset of its row in the section table.
        offset: u64,
        /// The section.
        found: Tag,
    },
    /// A section is missing.
    MissingSection {
        /// The section.
        expected: Tag,
    },
    /// The section of build parameters is damaged. It is the only section that opening reads.
    MetaChecksum {
        /// The checksum in the section table.
        expected: u32,
        /// The checksum of the section.
        found: u32,
    },
    /// A size or an offset is beyond what this machine can address.
    TooLarge {
        /// The offset of the number in the file.
        offset: u64,
    },
    /// The sections are not those of a graph.
    Graph(ViewError),
}

impl From<ViewError> for OpenError {
    fn from(error: ViewError) -> Self {
        Self::Graph(error)
    }
}

impl fmt::Display for OpenError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::BigEndianHost => {
                f.write_str("an index cannot be searched in place on a big-endian machine")
            }
            Self::Magic { found } => {
                write!(f, "not a Vex index: expected the magic bytes of one, found {found:02x?}")
            }
            Self::TooShort { expected, found } => {
                write!(f, "the file is cut off: expected at least {expected} bytes, found {found}")
            }
            Self::Version { expected, found } => {
                write!(f, "expected a file of format version {expected}, found version {found}")
            }
            Self::HeaderChecksum { expected, found } => {
                write!(f, "the header is damaged: expected checksum {expected:08x}, found {found:08x}")
            }
            Self::Features { found } => {
                write!(f, "the file needs a newer version of Vex: unknown feature bits {found:#010x}")
            }
            Self::Field { field, offset, expected: (min, max), found } if min == max => {
                write!(f, "{field} at byte {offset}: expected {min}, found {found}")
            }
            Self::Field { field, offset, expected: (min, max), found } => {
                write!(f, "{field} at byte {offset}: expected {min} to {max}, found {found}")
            }
            Self::Length { expected, found } if found < expected => {
                write!(f, "the file is cut off: expected {expected} bytes, found {found}")
            }
            Self::Length { expected, found } => {
                write!(f, "the file is too long: expected {expected} bytes, found {found}")
            }
            Self::Misaligned { expected, found } => {
                write!(f, "expected bytes on a multiple of {expected}, found them {found} beyond one")
            }
            Self::Trailer { offset, .. } => {
                write!(
                    f,
                    "the file was not written to its end: its trailer at byte {offset} is not its header's"
                )
            }
            Self::TableChecksum { expected, found } => {
                write!(f, "the section table is damaged: expected checksum {expected:08x}, found {found:08x}")
            }
            Self::SectionOrder { offset, expected: Some(expected), found } => {
                write!(f, "section table at byte {offset}: expected section {expected}, found {found}")
            }
            Self::SectionOrder { offset, expected: None, found } => {
                write!(f, "section table at byte {offset}: expected no more sections, found {found}")
            }
            Self::UnknownSection { offset, found } => {
                write!(f, "the file needs a newer version of Vex: unknown section {found} at byte {offset}")
            }
            Self::MissingSection { expected } => write!(f, "section {expected} is missing"),
            Self::MetaChecksum { expected, found } => {
                write!(
                    f,
                    "the build parameters are damaged: expected checksum {expected:08x}, found {found:08x}"
                )
            }
            Self::TooLarge { offset } => {
                write!(f, "the size at byte {offset} is more than this machine can address")
            }
            Self::Graph(error) => error.fmt(f),
        }
    }
}

impl core::error::Error for OpenError {}

/// A number in the file that has a range. Offsets are those of the header, in bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Field {
    /// Bytes of the header, at offset 12.
    HeaderLength,
    /// The compatible features that name a kind of codes, at offset 16.
    Codes,
    /// The base-2 logarithm of the alignment of sections, at offset 28.
    AlignLog2,
    /// The base-2 logarithm of the bytes of a checksum's block, at offset 29.
    BlockLog2,
    /// The number of sections, at offset 30.
    SectionCount,
    /// Bytes of the file, at offset 32.
    FileLength,
    /// Elements of a vector, at offset 64.
    Dim,
    /// Scalars from one vector to the next, at offset 68.
    Stride,
    /// The number of nodes, at offset 72.
    Count,
    /// The code of the element type, at offset 76.
    Element,
    /// The code of the metric, at offset 77.
    Metric,
    /// The code of the kind of index, at offset 78.
    Kind,
    /// The number of levels, at offset 79.
    Levels,
    /// The most links of a node above the base level, at offset 80.
    M,
    /// The most links of a node on the base level, at offset 82.
    M0,
    /// The id of the entry point, at offset 84.
    Entry,
    /// The number of nodes on a level, from offset 88 on.
    LevelCount,
    /// The flags of a section, in its row of the section table.
    SectionFlags,
    /// The offset of a section in the file, in its row of the section table.
    SectionOffset,
    /// Bytes of a section, in its row of the section table.
    SectionLength,
    /// Bytes of a scalar of a section, in its row of the section table.
    SectionElementSize,
    /// The candidates of an insert, in the section of build parameters.
    EfConstruction,
    /// The flags in the section of build parameters.
    BuildFlags,
    /// The reserved bytes in the section of build parameters, which are zero.
    Reserved,
}

impl fmt::Display for Field {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::HeaderLength => "header length",
            Self::Codes => "features of the codes",
            Self::AlignLog2 => "binary logarithm of the alignment",
            Self::BlockLog2 => "binary logarithm of the block size",
            Self::SectionCount => "number of sections",
            Self::FileLength => "file length",
            Self::Dim => "dimension",
            Self::Stride => "vector stride",
            Self::Count => "number of vectors",
            Self::Element => "element code",
            Self::Metric => "metric code",
            Self::Kind => "index kind",
            Self::Levels => "number of levels",
            Self::M => "m",
            Self::M0 => "m0",
            Self::Entry => "entry point",
            Self::LevelCount => "number of nodes of a level",
            Self::SectionFlags => "section flags",
            Self::SectionOffset => "section offset",
            Self::SectionLength => "section length",
            Self::SectionElementSize => "element size of a section",
            Self::EfConstruction => "ef_construction",
            Self::BuildFlags => "build flags",
            Self::Reserved => "reserved bytes",
        })
    }
}
