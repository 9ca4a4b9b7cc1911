//! A folder in memory that fails on demand, and whose power can be cut.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::io::{self, ErrorKind, Write};
use std::path::{Path, PathBuf};

use super::FileSystem;
use super::place::Place;
use crate::SaveProblem;

/// The bytes that a device writes as a whole.
const SECTOR: usize = 512;
/// The most bytes that one write takes. So a file takes several writes, each of which is short.
const WRITE: usize = 4096;

/// The fault of a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fault {
    /// The step has no effect.
    Refused(ErrorKind),
    /// The step has its effect, but reports an error.
    Done(ErrorKind),
    /// A write takes only a part of the bytes.
    Short,
    /// The power is cut: neither this step nor any later one has an effect.
    Cut,
}

#[derive(Clone, Debug, Default)]
pub(super) struct Simulated(RefCell<State>);

#[derive(Clone, Debug, Default)]
struct State {
    /// Names as programs see them, and as they are on the medium.
    names: BTreeMap<PathBuf, usize>,
    names_on_medium: BTreeMap<PathBuf, usize>,
    /// The changes of names that no sync of the folder has reached.
    changes: Vec<Change>,
    files: Vec<Contents>,
    steps: usize,
    fault: Option<(usize, Fault)>,
}

#[derive(Clone, Debug)]
enum Change {
    Create(PathBuf, usize),
    Rename(PathBuf, PathBuf, usize),
    Remove(PathBuf),
}

#[derive(Clone, Debug, Default)]
struct Contents {
    bytes: Vec<u8>,
    on_medium: Vec<u8>,
    /// A sync failed: the system treats the bytes that it could not write as written.
    is_lost: bool,
}

/// The part of the unsynced data that survives a power cut.
#[derive(Clone, Copy, Debug)]
pub(super) enum Left {
    Nothing,
    All,
    /// Any part, in any order, torn within a sector. The number is the seed of the choice.
    Some(u64),
}

impl Simulated {
    /// A folder with one file, or none. The file is on the medium.
    pub(super) fn with(file: Option<(&Path, &[u8])>) -> Self {
        let mut state = State::default();
        if let Some((path, bytes)) = file {
            state.files.push(Contents { bytes: bytes.to_vec(), on_medium: bytes.to_vec(), is_lost: false });
            state.names.insert(path.to_owned(), 0);
            state.names_on_medium.insert(path.to_owned(), 0);
        }
        Self(state.into())
    }

    /// The folder with a fault at a step, counted from 0 now.
    pub(super) fn with_fault(self, step: usize, fault: Fault) -> Self {
        let mut state = self.0.into_inner();
        (state.steps, state.fault) = (0, Some((step, fault)));
        Self(state.into())
    }

    pub(super) fn steps(&self) -> usize {
        self.0.borrow().steps
    }

    pub(super) fn read(&self, path: &Path) -> Option<Vec<u8>> {
        let state = self.0.borrow();
        state.names.get(path).map(|file| state.files[*file].bytes.clone())
    }

    pub(super) fn names(&self) -> Vec<PathBuf> {
        self.0.borrow().names.keys().cloned().collect()
    }

    /// The folder as it is after a power cut.
    pub(super) fn after_cut(&self, left: Left) -> Self {
        let state = self.0.borrow();
        let mut random = match left {
            Left::Some(seed) => seed,
            _ => 0,
        };
        // 0: as on the medium; 1: as written; 2: neither.
        let mut draw = |ways: u64| match left {
            Left::Nothing => 0,
            Left::All => 1,
            Left::Some(_) => next(&mut random) % ways,
        };
        let mut names = state.names_on_medium.clone();
        for change in &state.changes {
            if draw(2) == 1 {
                change.apply(&mut names);
            }
        }
        let survive = |file: &Contents| {
            let mut bytes = file.on_medium.clone();
            for (sector, written) in file.bytes.chunks(SECTOR).enumerate() {
                let start = sector * SECTOR;
                if file.on_medium.get(start..start + written.len()) == Some(written) {
                    continue;
                }
                let way = draw(3);
                if way > 0 {
                    bytes.resize(bytes.len().max(start + written.len()), 0);
                    bytes[start..start + written.len()].copy_from_slice(written);
                }
                if way == 2 {
                    let torn = draw(written.len() as u64 + 1) as usize;
                    bytes[start + torn..start + written.len()].fill(0xA5);
                }
            }
            Contents { on_medium: bytes.clone(), bytes, is_lost: false }
        };
        let files = state.files.iter().map(survive).collect();
        let state = State { names_on_medium: names.clone(), names, files, ..State::default() };
        Self(state.into())
    }

    /// Takes a step. `effect` is the effect of the step when nothing goes wrong.
    fn step<T>(&self, effect: impl FnOnce(&mut State) -> io::Result<T>) -> io::Result<T> {
        let mut state = self.0.borrow_mut();
        let step = state.steps;
        state.steps += 1;
        match state.fault {
            Some((at, Fault::Cut)) if step >= at => Err(ErrorKind::Other.into()),
            Some((at, Fault::Refused(kind))) if step == at => Err(kind.into()),
            Some((at, Fault::Done(kind))) if step == at => {
                effect(&mut state)?;
                Err(kind.into())
            }
            _ => effect(&mut state),
        }
    }
}

impl Change {
    fn apply(&self, names: &mut BTreeMap<PathBuf, usize>) {
        match self {
            Change::Create(path, file) => drop(names.insert(path.clone(), *file)),
            Change::Rename(from, to, file) => {
                names.retain(|name, named| name != from || named != file);
                names.insert(to.clone(), *file);
            }
            Change::Remove(path) => drop(names.remove(path)),
        }
    }
}

impl State {
    fn change(&mut self, change: Change) {
        change.apply(&mut self.names);
        self.changes.push(change);
    }
}

impl<'a> FileSystem for &'a Simulated {
    type File = SimulatedFile<'a>;

    fn create(&self, place: &Place) -> Result<Self::File, SaveProblem> {
        let path = &place.temporary;
        if self.0.borrow().names.contains_key(path) {
            self.remove(path)?;
        }
        let file = self.step(|state| {
            state.files.push(Contents::default());
            let file = state.files.len() - 1;
            state.change(Change::Create(path.to_owned(), file));
            Ok(file)
        })?;
        Ok(SimulatedFile { folder: self, file })
    }

    fn dress(&self, _: &Self::File, _: &Path) -> io::Result<()> {
        Ok(())
    }

    fn is_named(&self, file: &Self::File, path: &Path) -> io::Result<bool> {
        Ok(self.0.borrow().names.get(path) == Some(&file.file))
    }

    fn sync(&self, file: &Self::File) -> io::Result<()> {
        let synced = self.step(|state| {
            let contents = &mut state.files[file.file];
            if !contents.is_lost {
                contents.on_medium.clone_from(&contents.bytes);
            }
            Ok(())
        });
        self.0.borrow_mut().files[file.file].is_lost |= synced.is_err();
        synced
    }

    fn rename(&self, from: &Path, to: &Path) -> Result<(), SaveProblem> {
        let renamed = self.step(|state| {
            let file = *state.names.get(from).ok_or(ErrorKind::NotFound)?;
            state.change(Change::Rename(from.to_owned(), to.to_owned(), file));
            Ok(())
        });
        Ok(renamed?)
    }

    fn sync_folder(&self, _: &Path) -> io::Result<()> {
        self.step(|state| {
            state.names_on_medium = state.names.clone();
            state.changes.clear();
            Ok(())
        })
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        self.step(|state| {
            state.names.get(path).ok_or(ErrorKind::NotFound)?;
            state.change(Change::Remove(path.to_owned()));
            Ok(())
        })
    }
}

pub(super) struct SimulatedFile<'a> {
    folder: &'a Simulated,
    file: usize,
}

impl Write for SimulatedFile<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.folder.step(|state| {
            let is_short = state.fault == Some((state.steps - 1, Fault::Short));
            let most = if is_short { 777 } else { WRITE };
            let taken = &bytes[..bytes.len().min(most)];
            state.files[self.file].bytes.extend_from_slice(taken);
            Ok(taken.len())
        })
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// SplitMix64.
fn next(state: &mut u64) -> u64 {
    *state = state.wrapping_add(0x9E37_79B9_7F4A_7C15);
    let mut z = *state;
    z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ (z >> 31)
}
