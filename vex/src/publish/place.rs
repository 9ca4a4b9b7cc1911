//! Where a file is to be, and by which name it is written before it is there.

use std::ffi::{OsStr, OsString};
use std::fs::{self, Metadata};
use std::io;
use std::path::{Path, PathBuf};

use crate::SaveProblem;
use crate::regular::{FileKind, NotRegular, expect_regular};

/// The longest name that file systems take, in bytes.
const LONGEST_NAME: usize = 255;

/// Links that are followed, as many as Linux follows.
const MOST_LINKS: usize = 40;

/// The place of a file.
#[derive(Debug)]
pub(super) struct Place {
    /// The file's name once no link is left to follow.
    pub(super) target: PathBuf,
    /// The folder of the target.
    pub(super) folder: PathBuf,
    /// The same as the caller or a link spells it, for messages.
    pub(super) named: PathBuf,
    /// Where it is written. The name of a target says which temporary file is its own, so that there is one at most, and two
    /// writers meet there.
    pub(super) temporary: PathBuf,
    /// What is replaced, if anything is. Where there are no permissions, nobody asks.
    #[cfg_attr(not(unix), allow(dead_code))]
    pub(super) replaced: Option<Metadata>,
}

impl Place {
    /// Finds the place of a file.
    pub(super) fn of(path: &Path) -> Result<Self, SaveProblem> {
        check_folder(folder_of(path))?;
        if ends_with_separator(path) {
            return Err(NotRegular { found: FileKind::Folder }.into());
        }
        let (file, replaced) = match fs::metadata(path) {
            Ok(metadata) => {
                expect_regular(&metadata)?;
                // Names where the system keeps the open files of a process lead to files that may have none any more.
                (path.canonicalize()?, Some(metadata))
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => (follow(path)?, None),
            Err(error) => return Err(error.into()),
        };
        let named = folder_of(&file).to_owned();
        let folder = check_folder(&named)?;
        let named = if replaced.is_some() { folder_of(path).to_owned() } else { named };
        let name = file.file_name().ok_or(io::Error::from(io::ErrorKind::InvalidFilename))?;
        Ok(Self::at(&folder, name, named, replaced))
    }

    /// The place of a file in a folder.
    pub(super) fn at(folder: &Path, name: &OsStr, named: PathBuf, replaced: Option<Metadata>) -> Self {
        let (target, temporary) = (folder.join(name), folder.join(temporary(name)));
        Self { target, folder: folder.to_owned(), named, temporary, replaced }
    }
}

/// The folder of a file. That of a bare name is the current one.
fn folder_of(path: &Path) -> &Path {
    path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

/// Checks that a folder is there, and returns its one name.
fn check_folder(folder: &Path) -> Result<PathBuf, SaveProblem> {
    let check = || match folder.metadata()?.is_dir() {
        true => folder.canonicalize(),
        false => Err(io::ErrorKind::NotADirectory.into()),
    };
    check().map_err(|error| SaveProblem::Folder { folder: folder.to_owned(), error })
}

fn ends_with_separator(path: &Path) -> bool {
    let last = path.as_os_str().as_encoded_bytes().last();
    last.is_some_and(|byte| std::path::is_separator(char::from(*byte)))
}

/// Where links lead at whose end there is nothing.
fn follow(path: &Path) -> Result<PathBuf, SaveProblem> {
    let mut path = path.to_owned();
    for _ in 0..=MOST_LINKS {
        match fs::symlink_metadata(&path) {
            Ok(metadata) if metadata.is_symlink() => path = path.with_file_name(fs::read_link(&path)?),
            // It has come since.
            Ok(metadata) => {
                expect_regular(&metadata)?;
                return Ok(path);
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(path),
            Err(error) => return Err(error.into()),
        }
    }
    // The system has followed them without an end, or somebody changes them all the time.
    Err(io::Error::from(io::ErrorKind::InvalidFilename).into())
}

/// The name of the temporary file of a name.
fn temporary(name: &OsStr) -> OsString {
    let (before, after) = (".vex-", ".tmp");
    let mut temporary = OsString::from(before);
    if before.len() + name.len() + after.len() <= LONGEST_NAME {
        temporary.push(name);
    } else {
        // What distinguishes long names may be where they are cut.
        let hash = format!("-{:016x}", fnv1a(name.as_encoded_bytes()));
        let room = LONGEST_NAME - before.len() - hash.len() - after.len();
        let text = name.to_string_lossy();
        let end = (0..=room.min(text.len())).rev().find(|end| text.is_char_boundary(*end)).unwrap_or(0);
        temporary.push(&text[..end]);
        temporary.push(hash);
    }
    temporary.push(after);
    temporary
}

/// The hash of Fowler, Noll and Vo, which every version of this library must compute alike.
fn fnv1a(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xCBF2_9CE4_8422_2325, |hash, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01B3)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn temporary_names_fit_and_tell_long_names_apart() {
        assert_eq!(temporary("index.vex".as_ref()), ".vex-index.vex.tmp");
        for letter in ["a", "é", "語", "😀"] {
            for len in [240, 246, 247, 248, 254, 255] {
                let name = letter.repeat(len / letter.len()) + &"b".repeat(len % letter.len());
                assert_eq!(name.len(), len);
                let found = temporary(name.as_ref());
                assert_eq!(found, temporary(name.as_ref()));
                assert!(found.len() <= LONGEST_NAME, "{len}: {}", found.len());
                let mut other = name.into_bytes();
                *other.last_mut().unwrap() = b'c';
                let other = String::from_utf8_lossy(&other).into_owned();
                assert_ne!(found, temporary(other.as_ref()), "{len}");
            }
        }
        // Another version of the library must find the same name.
        let long = format!(".vex-{}-dff658324c99c7bf.tmp", "x".repeat(229));
        assert_eq!(temporary("x".repeat(255).as_ref()).to_str(), Some(&*long));
    }
}
