//! Indexes in mapped files.

use std::path::Path;

use vex::{MappedIndex, OpenError};

/// Opens an index in place.
#[allow(unsafe_code)]
pub(crate) fn open(path: &Path) -> Result<MappedIndex, OpenError> {
    // SAFETY: the library does not change a file in place. It replaces a file by a rename, which
    // leaves the mapped one as it is. The user must keep other programs from writing to the file
    // meanwhile, as with every program that maps files; `MappedIndex.open` says so.
    unsafe { MappedIndex::open(path) }
}

/// Opens an index in place, with everything except the vectors read into memory.
#[allow(unsafe_code)]
pub(crate) fn open_near(path: &Path) -> Result<MappedIndex, OpenError> {
    // SAFETY: as in `open`.
    unsafe { MappedIndex::open_near(path) }
}
