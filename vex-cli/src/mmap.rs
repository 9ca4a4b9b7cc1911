//! Indexes in mapped files.

use std::path::Path;

use vex::{MappedIndex, OpenError};

/// Opens an index in place.
#[allow(unsafe_code)]
pub(crate) fn open(path: &Path) -> Result<MappedIndex, OpenError> {
    // SAFETY: neither this command nor the library changes a file in place. Both replace it by a
    // rename, which leaves the mapped file as it is. The user must keep other programs from writing
    // to the file meanwhile, as with every program that maps files; `vex search --help` says so.
    unsafe { MappedIndex::open(path) }
}

/// Opens an index in place, with everything except the vectors read into memory.
#[allow(unsafe_code)]
pub(crate) fn open_near(path: &Path) -> Result<MappedIndex, OpenError> {
    // SAFETY: as in `open`.
    unsafe { MappedIndex::open_near(path) }
}
