//! The files that an index comes from. A save replaces no file that the index has not seen.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use vex_format::Header;
use vex_graph::OutOfMemory;

use crate::error::{ChangeError, ReadOnly};
use crate::generation::Generation;
use crate::reserve::reserve;
use crate::{OpenProblem, SaveProblem, paths, regular};

/// How many files are remembered with the generation that the index left there. The oldest is
/// forgotten first.
const MOST_FILES: usize = 64;

/// The files that an index was opened from and saved to.
#[derive(Debug, Default)]
pub(crate) struct Lineage {
    /// The generation that was opened. `None` if the index was built.
    opened: Option<Generation>,
    /// Features of the opened file that this version does not know.
    features: u32,
    /// The generation that was last opened from each file, or saved to it. Behind a lock, since a
    /// save has a shared reference to the index.
    files: Mutex<Vec<(PathBuf, Generation)>>,
}

impl Lineage {
    /// The lineage of an index that was opened from `path`.
    pub(crate) fn opened(path: &Path, header: &Header) -> io::Result<Self> {
        let generation = Generation::of(header);
        let features = if header.is_read_only() { header.read_only_compatible } else { 0 };
        let lineage = Self { opened: Some(generation), features, files: Mutex::default() };
        match paths::canonicalize(path) {
            Ok(path) => {
                lineage.reserve()?;
                lineage.saved(path, generation);
            }
            Err(error) if error.kind() == io::ErrorKind::OutOfMemory => return Err(error),
            // The path is unknown, so the generation alone is compared.
            Err(_) => (),
        }
        Ok(lineage)
    }

    /// The lineage of a copy of the index.
    pub(crate) fn try_clone(&self) -> Result<Self, OutOfMemory> {
        let files = self.files.lock().unwrap_or_else(PoisonError::into_inner);
        let mut copies = Vec::new();
        reserve(&mut copies, files.len())?;
        for (path, generation) in &*files {
            let bytes = path.as_os_str().len();
            copies.push((paths::copy(path).map_err(|_| OutOfMemory { bytes })?, *generation));
        }
        Ok(Self { opened: self.opened, features: self.features, files: Mutex::new(copies) })
    }

    /// Checks that the index may be written back.
    pub(crate) fn check_writable(&self) -> Result<(), ReadOnly> {
        if self.features == 0 { Ok(()) } else { Err(ReadOnly { features: self.features }) }
    }

    /// The sequence number after a change.
    pub(crate) fn after(&self, sequence: u64) -> Result<u64, ChangeError> {
        self.check_writable()?;
        sequence.checked_add(1).ok_or(ChangeError::SequenceEnd)
    }

    /// Checks that a save to `target`, a path without links, replaces a known file or none. An
    /// index that was built replaces any file the first time.
    pub(crate) fn check_target(&self, target: &Path) -> Result<(), SaveProblem> {
        let files = self.files.lock().unwrap_or_else(PoisonError::into_inner);
        let here = files.iter().find(|(path, _)| path == target).map(|(_, generation)| *generation);
        let Some(expected) = here.or(self.opened) else { return Ok(()) };
        let found = match generation_at(target) {
            Ok(found) => found,
            Err(OpenProblem::Io(error)) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
            Err(OpenProblem::Io(error)) => return Err(error.into()),
            Err(_) => None,
        };
        // The index has all changes of every generation that it opened or saved, so none is lost.
        let known = files.iter().map(|(_, generation)| *generation).chain(self.opened);
        if found.is_some_and(|found| known.into_iter().any(|known| known == found)) {
            return Ok(());
        }
        Err(SaveProblem::Conflict { expected, found })
    }

    /// Makes room for all files that will be remembered. A save does this first, since a file that
    /// is saved must be remembered.
    pub(crate) fn reserve(&self) -> io::Result<()> {
        let mut files = self.files.lock().unwrap_or_else(PoisonError::into_inner);
        let additional = MOST_FILES - files.len();
        Ok(files.try_reserve_exact(additional)?)
    }

    /// Remembers that `target` now holds this generation. The room was [reserved](Self::reserve).
    pub(crate) fn saved(&self, target: PathBuf, generation: Generation) {
        let mut files = self.files.lock().unwrap_or_else(PoisonError::into_inner);
        files.retain(|(path, _)| *path != target);
        if files.len() == MOST_FILES {
            files.remove(0);
        }
        files.push((target, generation));
    }
}

/// The generation of a file. `None` if the file is not an index.
fn generation_at(path: &Path) -> Result<Option<Generation>, OpenProblem> {
    let file = regular::open(path)?;
    match regular::read_header(&file, file.metadata()?.len()) {
        Ok(header) => Ok(Some(Generation::of(&header))),
        Err(OpenProblem::Format(_)) => Ok(None),
        Err(problem) => Err(problem),
    }
}
