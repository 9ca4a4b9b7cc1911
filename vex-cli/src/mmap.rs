//! Indexes in mapped files.

use std::path::Path;

use vex::{MappedIndex, OpenError};

/// Opens an index where its bytes are.
#[allow(unsafe_code)]
pub(crate) fn open(path: &Path) -> Result<MappedIndex, OpenError> {
    // SAFETY: this command never changes a file in place, nor does the library: both replace it by a
    // rename, which leaves the mapped one as it is. That no other program writes into the file
    // meanwhile is for the user to see to, as with every program that maps files; `vex search
    // --help` says so.
    unsafe { MappedIndex::open(path) }
}

/// The same, with all but the vectors read into memory.
#[allow(unsafe_code)]
pub(crate) fn open_near(path: &Path) -> Result<MappedIndex, OpenError> {
    // SAFETY: as above.
    unsafe { MappedIndex::open_near(path) }
}
