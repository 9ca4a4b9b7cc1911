//! The name of one state of an index.

use std::fmt;

use vex_format::Header;

/// The state of an index in a file. Two files with equal generations have the same bytes, as far as
/// a checksum can tell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Generation {
    /// Counts the changes of the index: each insert, replacement and delete.
    pub sequence: u64,
    /// The checksum of the header, which covers the checksums of all sections.
    pub checksum: u32,
}

impl Generation {
    pub(crate) fn of(header: &Header) -> Self {
        Self { sequence: header.sequence, checksum: header.checksum }
    }
}

impl fmt::Display for Generation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "sequence {}, checksum {:08x}", self.sequence, self.checksum)
    }
}
