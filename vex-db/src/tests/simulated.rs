//! A folder in memory, which writes down each operation, fails on demand, and can lose its power.
//!
//! What a power cut leaves: operations before the last sync of a file, or of the folder for names,
//! are there. Of those after it, any may be there, in any order, and a write may be torn between
//! sectors of 512 bytes.

use std::collections::BTreeMap;
use std::io;
use std::ops::Bound;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard};

use redb::{BackendError, Builder, DatabaseError, ReadOnlyDatabase, StorageBackend};
use vex::{Index, MappedIndex, OpenError, OpenProblem, SaveError, SaveProblem, SharedIndex, Store};

use crate::disk::{Disk, STORE};

/// What is on a medium.
#[derive(Clone, Debug, Default)]
pub(crate) struct Image {
    files: BTreeMap<u64, Vec<u8>>,
    pub(crate) names: BTreeMap<String, u64>,
}

/// An operation on a file, which has a number, or on the names of the folder.
#[derive(Clone, Debug)]
pub(crate) enum Op {
    Write { file: u64, at: u64, bytes: Arc<[u8]> },
    SetLen { file: u64, len: u64 },
    Sync { file: u64 },
    Name { name: String, file: u64 },
    Rename { from: String, to: String, file: u64 },
    Unname { name: String },
    SyncFolder,
}

impl Image {
    pub(crate) fn apply(&mut self, op: &Op) {
        match op {
            Op::Write { file, at, bytes } => {
                let (file, at) = (self.files.entry(*file).or_default(), *at as usize);
                let end = at + bytes.len();
                if file.len() < end {
                    file.resize(end, 0);
                }
                file[at..end].copy_from_slice(bytes);
            }
            Op::SetLen { file, len } => self.files.entry(*file).or_default().resize(*len as usize, 0),
            Op::Name { name, file } => {
                self.names.insert(name.clone(), *file);
                self.files.entry(*file).or_default();
            }
            Op::Rename { from, to, file } => {
                self.names.remove(from);
                self.names.insert(to.clone(), *file);
                self.files.entry(*file).or_default();
            }
            Op::Unname { name } => {
                self.names.remove(name);
            }
            Op::Sync { .. } | Op::SyncFolder => (),
        }
    }
}

impl Op {
    /// Whether this sync waits for `other`.
    pub(crate) fn syncs(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Sync { file }, Self::Write { file: other, .. } | Self::SetLen { file: other, .. }) => {
                file == other
            }
            (Self::SyncFolder, Self::Name { .. } | Self::Rename { .. } | Self::Unname { .. }) => true,
            _ => false,
        }
    }

    pub(crate) fn is_sync(&self) -> bool {
        matches!(self, Self::Sync { .. } | Self::SyncFolder)
    }

    /// The sectors of a write for which `keeps` is true, or the whole operation.
    pub(crate) fn torn(&self, mut keeps: impl FnMut() -> bool) -> Vec<Self> {
        let Self::Write { file, at, bytes } = self else { return vec![self.clone()] };
        let sectors = bytes.chunks(512).zip((*at..).step_by(512));
        sectors
            .filter(|_| keeps())
            .map(|(bytes, at)| Self::Write { file: *file, at, bytes: bytes.into() })
            .collect()
    }
}

/// How operations fail.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    /// The operation of this number fails, and those after it do not.
    Once(usize),
    /// The operation of this number fails, and all after it.
    From(usize),
}

#[derive(Debug, Default)]
struct Inside {
    image: Image,
    log: Vec<Op>,
    next_file: u64,
    steps: usize,
    fault: Option<Fault>,
}

/// A machine with one folder.
#[derive(Clone, Debug, Default)]
pub(crate) struct Machine(Arc<Mutex<Inside>>);

impl Machine {
    /// A machine that starts with this medium.
    pub(crate) fn with(image: Image) -> Self {
        let next_file = image.files.keys().last().map_or(0, |last| last + 1);
        Self(Arc::new(Mutex::new(Inside { image, next_file, ..Inside::default() })))
    }

    /// What processes see now.
    pub(crate) fn image(&self) -> Image {
        self.inside().image.clone()
    }

    /// The operations since the beginning.
    pub(crate) fn log(&self) -> Vec<Op> {
        self.inside().log.clone()
    }

    pub(crate) fn log_len(&self) -> usize {
        self.inside().log.len()
    }

    /// Lets operations fail, counted from now.
    pub(crate) fn fail(&self, fault: Option<Fault>) {
        let mut inside = self.inside();
        (inside.steps, inside.fault) = (0, fault);
    }

    /// How many operations there were since [`fail`](Self::fail) was called.
    pub(crate) fn steps(&self) -> usize {
        self.inside().steps
    }

    fn inside(&self) -> MutexGuard<'_, Inside> {
        self.0.lock().unwrap()
    }

    fn run(&self, op: Op) -> io::Result<()> {
        let mut inside = self.inside();
        let step = inside.steps;
        inside.steps += 1;
        let fails = match inside.fault {
            Some(Fault::Once(at)) => step == at,
            Some(Fault::From(at)) => step >= at,
            None => false,
        };
        if fails {
            return Err(io::Error::other("this operation was told to fail"));
        }
        inside.image.apply(&op);
        inside.log.push(op);
        Ok(())
    }

    /// The file of a name, or a new one.
    fn file(&self, name: &str, creates: bool) -> io::Result<u64> {
        let found = self.inside().image.names.get(name).copied();
        match found {
            Some(file) => Ok(file),
            None if creates => {
                let file = {
                    let mut inside = self.inside();
                    inside.next_file += 1;
                    inside.next_file - 1
                };
                self.run(Op::Name { name: name.to_owned(), file })?;
                Ok(file)
            }
            None => Err(io::ErrorKind::NotFound.into()),
        }
    }
}

impl Machine {
    /// The steps of `vex::Output`, which has tests of its own on such a disk.
    fn save_bytes(&self, name: &str, bytes: &[u8]) -> Result<(), SaveError> {
        let save = || -> io::Result<()> {
            let temporary = format!(".vex-{name}.tmp");
            let file = self.file(&temporary, true)?;
            let write = || -> io::Result<()> {
                for (bytes, at) in bytes.chunks(1 << 16).zip((0..).step_by(1 << 16)) {
                    self.run(Op::Write { file, at, bytes: bytes.into() })?;
                }
                self.run(Op::Sync { file })?;
                self.run(Op::Rename { from: temporary.clone(), to: name.to_owned(), file })
            };
            let written = write();
            if written.is_err() {
                let _ = self.run(Op::Unname { name: temporary.clone() });
            }
            written?;
            self.run(Op::SyncFolder)
        };
        save().map_err(|error| SaveError { path: name.into(), problem: SaveProblem::Io(error) })
    }
}

/// An open file.
#[derive(Debug)]
struct File {
    machine: Machine,
    file: u64,
}

impl StorageBackend for File {
    fn len(&self) -> io::Result<u64> {
        Ok(self.machine.inside().image.files[&self.file].len() as u64)
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        let inside = self.machine.inside();
        let (file, at) = (&inside.image.files[&self.file], offset as usize);
        let bytes = file.get(at..at + out.len()).ok_or(io::ErrorKind::UnexpectedEof)?;
        out.copy_from_slice(bytes);
        Ok(())
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        self.machine.run(Op::SetLen { file: self.file, len })
    }

    fn sync_data(&self) -> io::Result<()> {
        self.machine.run(Op::Sync { file: self.file })
    }

    fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        self.machine.run(Op::Write { file: self.file, at: offset, bytes: data.into() })
    }

    // One process is on the machine, so every lock is free.

    fn try_lock_range(&self, _: Bound<u64>, _: Bound<u64>) -> Result<bool, BackendError> {
        Ok(true)
    }

    fn try_lock_shared_range(&self, _: Bound<u64>, _: Bound<u64>) -> Result<bool, BackendError> {
        Ok(true)
    }

    fn lock_range(&self, _: Bound<u64>, _: Bound<u64>) -> Result<(), BackendError> {
        Ok(())
    }

    fn lock_shared_range(&self, _: Bound<u64>, _: Bound<u64>) -> Result<(), BackendError> {
        Ok(())
    }

    fn unlock_range(&self, _: Bound<u64>, _: Bound<u64>) -> Result<(), BackendError> {
        Ok(())
    }

    fn query_lock_range(&self, _: Bound<u64>, _: Bound<u64>) -> Result<bool, BackendError> {
        Ok(false)
    }
}

impl Disk for Machine {
    fn path(&self) -> &Path {
        Path::new("simulated")
    }

    fn is_around(&self, _: &Path) -> bool {
        false
    }

    fn names(&self) -> io::Result<Vec<String>> {
        Ok(self.inside().image.names.keys().cloned().collect())
    }

    fn open_file(&self, name: &str, creates: bool) -> io::Result<Box<dyn StorageBackend>> {
        let file = self.file(name, creates)?;
        if creates {
            self.run(Op::SyncFolder)?;
        }
        Ok(Box::new(File { machine: self.clone(), file }))
    }

    fn open_store_to_read(&self, builder: &Builder) -> Result<ReadOnlyDatabase, DatabaseError> {
        let file = self.file(STORE, false).map_err(|error| DatabaseError::Storage(error.into()))?;
        builder.open_read_only_with_backend(File { machine: self.clone(), file })
    }

    fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        let file = self.file(from, false)?;
        self.run(Op::Rename { from: from.to_owned(), to: to.to_owned(), file })?;
        self.run(Op::SyncFolder)
    }

    fn save_segment(&self, name: &str, index: &Index) -> Result<(), SaveError> {
        let mut bytes = Vec::new();
        index.save_to(&mut bytes, Store::All).unwrap();
        self.save_bytes(name, &bytes)
    }

    fn open_segment(&self, name: &str) -> Result<SharedIndex, OpenError> {
        let open = || -> Result<SharedIndex, OpenProblem> {
            let file = self.file(name, false).map_err(OpenProblem::Io)?;
            Ok(MappedIndex::from_bytes(&self.inside().image.files[&file])?.into())
        };
        open().map_err(|problem| OpenError { path: name.into(), problem })
    }

    fn verify_segment(&self, name: &str) -> crate::Result<()> {
        let file = self.file(name, false).unwrap();
        let index = MappedIndex::from_bytes(&self.inside().image.files[&file]).unwrap();
        index.verify().map_err(|error| crate::Error::Damaged { part: error.to_string() })
    }

    fn read(&self, name: &str) -> io::Result<Box<dyn io::Read>> {
        let file = self.file(name, false)?;
        Ok(Box::new(io::Cursor::new(self.inside().image.files[&file].clone())))
    }

    fn copy_segment(&self, name: &str, bytes: &mut dyn io::Read) -> Result<(), SaveError> {
        let mut copy = Vec::new();
        bytes.read_to_end(&mut copy).unwrap();
        self.save_bytes(name, &copy)
    }

    fn bytes(&self, name: &str) -> io::Result<u64> {
        let file = self.file(name, false)?;
        Ok(self.inside().image.files[&file].len() as u64)
    }

    fn remove(&self, name: &str) -> io::Result<()> {
        self.file(name, false)?;
        self.run(Op::Unname { name: name.to_owned() })
    }
}
