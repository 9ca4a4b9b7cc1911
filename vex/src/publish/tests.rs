//! Faults and power cuts leave the complete old file, or the complete new one.

use std::fs;
use std::io::{self, ErrorKind, Write};
use std::path::Path;

use super::place::Place;
use super::simulated::{Fault, Left, Simulated};
use super::{FileSystem, Output, publish_on};
use crate::SaveProblem;

const PATH: &str = "folder/index.vex";
const FAULTS: [Fault; 6] = [
    Fault::Refused(ErrorKind::Other),
    Fault::Refused(ErrorKind::StorageFull),
    Fault::Refused(ErrorKind::Interrupted),
    Fault::Done(ErrorKind::Other),
    Fault::Done(ErrorKind::TimedOut),
    Fault::Short,
];
/// The power cuts that are simulated after each step, besides those after which everything or
/// nothing survives.
const TORN: u64 = 60;

/// Bytes of which no two sectors are alike.
fn bytes(len: usize, seed: u8) -> Vec<u8> {
    (0..len).map(|i| (i as u32).wrapping_mul(0x9E37_79B9).to_be_bytes()[0] ^ seed).collect()
}

fn save(files: &impl FileSystem, bytes: &[u8]) -> Result<(), SaveProblem> {
    let path = Path::new(PATH);
    let (folder, name) = (path.parent().unwrap(), path.file_name().unwrap());
    let place = Place::at(folder.to_owned(), name, folder.to_owned(), None)?;
    let file = files.create(&place)?;
    publish_on(files, &place, file, |out| bytes.chunks(1000).try_for_each(|chunk| out.write_all(chunk)))
}

/// Counts the faults and power cuts that were tried, and the wrong states that were found.
#[derive(Debug, Default, PartialEq, Eq)]
struct Found {
    faults: usize,
    cuts: usize,
    wrong: usize,
}

/// Saves with a fault at each step, and with a power cut after each.
fn try_everything(lie: Option<Lie>) -> Found {
    let old = bytes(23_000, 1);
    let mut found = Found::default();
    for old in [None, Some(&old[..])] {
        let run = |step, fault| {
            let folder = Simulated::with(old.map(|old| (Path::new(PATH), old))).with_fault(step, fault);
            (save(&Lying(&folder, lie), &new()), folder)
        };
        let steps = run(usize::MAX, Fault::Cut).1.steps();
        for step in 0..=steps {
            let (result, folder) = run(step, Fault::Cut);
            assert_eq!(result.is_ok(), step == steps, "the cut after step {step} of {steps}");
            found.cut(&folder, old, result.is_ok());
        }
        for (step, fault) in (0..steps).flat_map(|step| FAULTS.map(|fault| (step, fault))) {
            let (result, folder) = run(step, fault);
            found.faults += 1;
            found.wrong += usize::from(!is_right(&folder, old, result.is_ok()));
            found.cut(&folder, old, result.is_ok());
        }
    }
    found
}

impl Found {
    fn cut(&mut self, folder: &Simulated, old: Option<&[u8]>, saved: bool) {
        for left in [Left::Nothing, Left::All].into_iter().chain((0..TORN).map(Left::Some)) {
            self.cuts += 1;
            self.wrong += usize::from(!is_right(&folder.after_cut(left), old, saved));
        }
    }
}

fn new() -> Vec<u8> {
    bytes(30_000, 2)
}

/// Whether the folder holds the old file or the new one, and after a success the new one. The next
/// save must succeed, too, and leave its file alone in the folder.
fn is_right(folder: &Simulated, old: Option<&[u8]>, saved: bool) -> bool {
    let path = Path::new(PATH);
    let there = folder.read(path);
    let whole = there.as_ref() == Some(&new()) || (!saved && there.as_deref() == old);
    let (folder, later) = (folder.clone().with_fault(usize::MAX, Fault::Cut), bytes(9_000, 3));
    let usable =
        save(&&folder, &later).is_ok() && folder.read(path) == Some(later) && folder.names() == [path];
    whole && usable
}

#[test]
fn faults_and_power_cuts_leave_the_old_file_or_the_new_one() {
    let found = try_everything(None);
    eprintln!("{found:?}");
    // Two runs of twelve steps: create, eight writes, sync, rename, sync of the folder. The first
    // power cut comes before them.
    assert_eq!(found, Found { faults: 2 * 12 * 6, cuts: 2 * (13 + 12 * 6) * 62, wrong: 0 });
}

/// A file system that gets one step wrong, if there is a lie.
struct Lying<'a>(&'a Simulated, Option<Lie>);

#[derive(Clone, Copy, Debug)]
enum Lie {
    Sync,
    SyncFolder,
    /// Tries a failed sync again.
    SyncTwice,
    /// Removes the old file before it renames the new one.
    RenameInTwo,
}

impl<'a> FileSystem for Lying<'a> {
    type File = <&'a Simulated as FileSystem>::File;

    fn create(&self, place: &Place) -> Result<Self::File, SaveProblem> {
        self.0.create(place)
    }

    fn dress(&self, file: &Self::File, target: &Path) -> io::Result<()> {
        self.0.dress(file, target)
    }

    fn is_named(&self, file: &Self::File, path: &Path) -> io::Result<bool> {
        self.0.is_named(file, path)
    }

    fn sync(&self, file: &Self::File) -> io::Result<()> {
        match self.1 {
            Some(Lie::Sync) => Ok(()),
            Some(Lie::SyncTwice) => self.0.sync(file).or_else(|_| self.0.sync(file)),
            _ => self.0.sync(file),
        }
    }

    fn rename(&self, from: &Path, to: &Path) -> Result<(), SaveProblem> {
        if let Some(Lie::RenameInTwo) = self.1 {
            let _ = self.0.remove(to);
        }
        self.0.rename(from, to)
    }

    fn sync_folder(&self, folder: &Path) -> io::Result<()> {
        match self.1 {
            Some(Lie::SyncFolder) => Ok(()),
            _ => self.0.sync_folder(folder),
        }
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        self.0.remove(path)
    }
}

/// Without this test, the one above would prove nothing.
#[test]
fn a_step_that_is_left_out_is_noticed() {
    for lie in [Lie::Sync, Lie::SyncFolder, Lie::SyncTwice, Lie::RenameInTwo] {
        let found = try_everything(Some(lie));
        assert!(found.wrong > 0, "{lie:?}: {found:?}");
    }
}

#[test]
fn a_folder_that_is_not_flushed_is_reported() {
    let folder = Simulated::with(None).with_fault(11, Fault::Refused(ErrorKind::Other));
    let error = save(&&folder, &bytes(30_000, 2)).unwrap_err();
    assert!(matches!(error, SaveProblem::NotDurable(_)), "{error}");
}

fn publish(path: &Path, write: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> Result<(), SaveProblem> {
    Output::create(path).and_then(|output| output.write(write)).map_err(|error| error.problem)
}

fn save_to(path: &Path, bytes: &[u8]) -> Result<(), SaveProblem> {
    publish(path, |out| out.write_all(bytes))
}

#[test]
fn a_second_writer_is_refused_and_the_first_one_ends() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("index.vex");
    let saved = publish(&path, |out| {
        out.write_all(b"first")?;
        let second = save_to(&path, b"second");
        assert!(matches!(second, Err(SaveProblem::Locked)), "{second:?}");
        save_to(&path.with_file_name("another.vex"), b"another").unwrap();
        out.write_all(b" writer")
    });
    saved.unwrap();
    assert_eq!(fs::read(&path).unwrap(), b"first writer");
    save_to(&path, b"third").unwrap();
    assert_eq!(fs::read(&path).unwrap(), b"third");
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 2);
}

#[test]
fn a_writer_that_fails_leaves_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("index.vex");
    save_to(&path, b"old").unwrap();
    let failed = publish(&path, |out| {
        out.write_all(b"new")?;
        Err(ErrorKind::StorageFull.into())
    });
    assert!(matches!(failed, Err(SaveProblem::Io(error)) if error.kind() == ErrorKind::StorageFull));
    assert_eq!(fs::read(&path).unwrap(), b"old");
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
}

#[test]
fn what_a_killed_writer_left_is_removed_and_never_written_to() {
    let folder = tempfile::tempdir().unwrap();
    let (path, left) = (folder.path().join("index.vex"), folder.path().join(".vex-index.vex.tmp"));
    fs::write(&left, b"a part").unwrap();
    let kept = folder.path().join("kept");
    fs::hard_link(&left, &kept).unwrap();
    save_to(&path, b"whole").unwrap();
    assert_eq!((fs::read(&path).unwrap(), fs::read(&kept).unwrap()), (b"whole".to_vec(), b"a part".to_vec()));
    assert!(!left.exists());
}

#[test]
#[cfg(unix)]
fn a_link_with_the_temporary_name_is_not_followed() {
    let folder = tempfile::tempdir().unwrap();
    let (path, link) = (folder.path().join("index.vex"), folder.path().join(".vex-index.vex.tmp"));
    let victim = folder.path().join("victim");
    fs::write(&victim, b"untouched").unwrap();
    std::os::unix::fs::symlink(&victim, &link).unwrap();
    save_to(&path, b"whole").unwrap();
    assert_eq!(
        (fs::read(&path).unwrap(), fs::read(&victim).unwrap()),
        (b"whole".to_vec(), b"untouched".to_vec())
    );
    assert!(!link.exists());
}

#[test]
fn writers_at_once_publish_whole_files_only() {
    const WRITERS: usize = 4;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("index.vex");
    let contents: [Vec<u8>; WRITERS] = std::array::from_fn(|writer| vec![writer as u8; 50_000 + writer]);
    save_to(&path, &contents[0]).unwrap();
    let (path, contents) = (&path, &contents);
    let saved: [usize; 2] = std::thread::scope(|scope| {
        let writers: Vec<_> = contents
            .iter()
            .map(|bytes| {
                scope.spawn(move || {
                    let mut saved = [0; 2];
                    for _ in 0..40 {
                        match save_to(path, bytes) {
                            Ok(()) => saved[0] += 1,
                            Err(SaveProblem::Locked) => saved[1] += 1,
                            Err(error) => panic!("{error}"),
                        }
                        let read = fs::read(path).unwrap();
                        assert!(contents.contains(&read), "{} bytes", read.len());
                    }
                    saved
                })
            })
            .collect();
        writers
            .into_iter()
            .map(|writer| writer.join().unwrap())
            .fold([0; 2], |a, b| [a[0] + b[0], a[1] + b[1]])
    });
    assert!(saved[0] > 0 && saved[0] + saved[1] == WRITERS * 40, "{saved:?}");
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
}
