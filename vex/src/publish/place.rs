//! Where a file is to be, and the name of its temporary file.

use std::ffi::{OsStr, OsString};
use std::fmt::Write;
use std::fs::{self, Metadata};
use std::io;
use std::path::{Path, PathBuf};

use crate::error::owned;
use crate::regular::{FileKind, NotRegular, expect_regular};
use crate::{SaveProblem, paths};

/// The longest name that file systems take, in bytes.
const LONGEST_NAME: usize = 255;

/// The most links that are followed, as many as Linux follows.
const MOST_LINKS: usize = 40;

/// The place of a file, without links.
#[derive(Debug)]
pub(super) struct Place {
    /// The file's path after all links were followed.
    pub(super) target: PathBuf,
    /// The folder of the target.
    pub(super) folder: PathBuf,
    /// The folder as the caller or a link spells it, for messages.
    pub(super) named: PathBuf,
    /// The temporary file. Its name follows from that of the target: so there is one at most, and
    /// two writers meet there.
    pub(super) temporary: PathBuf,
    /// The file that is replaced, if there is one. Only Unix reads its permissions.
    #[cfg_attr(not(unix), allow(dead_code))]
    pub(super) replaced: Option<Metadata>,
}

impl Place {
    /// Follows the links of a path, and checks that its folder and file can be used.
    pub(super) fn of(path: &Path) -> Result<Self, SaveProblem> {
        check_folder(folder_of(path))?;
        if ends_with_separator(path) {
            return Err(NotRegular { found: FileKind::Folder }.into());
        }
        let (file, replaced) = match fs::metadata(path) {
            Ok(metadata) => {
                expect_regular(&metadata)?;
                // A path such as `/dev/fd/3` names an open file of a process, which may have no
                // name in a folder any more.
                (paths::canonicalize(path)?, Some(metadata))
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => (follow(path)?, None),
            Err(error) => return Err(error.into()),
        };
        let folder = check_folder(folder_of(&file))?;
        let named = paths::copy(folder_of(if replaced.is_some() { path } else { &file }))?;
        let name = file.file_name().ok_or(io::Error::from(io::ErrorKind::InvalidFilename))?;
        Ok(Self::at(folder, name, named, replaced)?)
    }

    /// The place of a file in a folder.
    pub(super) fn at(
        folder: PathBuf,
        name: &OsStr,
        named: PathBuf,
        replaced: Option<Metadata>,
    ) -> io::Result<Self> {
        let target = paths::join(&folder, name.as_ref())?;
        let temporary = paths::join(&folder, temporary(name)?.as_ref())?;
        Ok(Self { target, folder, named, temporary, replaced })
    }
}

/// The folder of a file. For a name without a folder, that is the current one.
fn folder_of(path: &Path) -> &Path {
    path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

/// Checks that a folder is there, and returns its absolute path without links.
fn check_folder(folder: &Path) -> Result<PathBuf, SaveProblem> {
    let check = || match folder.metadata()?.is_dir() {
        true => paths::canonicalize(folder),
        false => Err(io::ErrorKind::NotADirectory.into()),
    };
    check().map_err(|error: io::Error| match error.kind() {
        io::ErrorKind::OutOfMemory => error.into(),
        _ => SaveProblem::Folder { folder: owned(folder), error },
    })
}

fn ends_with_separator(path: &Path) -> bool {
    let last = path.as_os_str().as_encoded_bytes().last();
    last.is_some_and(|byte| std::path::is_separator(char::from(*byte)))
}

/// The end of a chain of links, where there is no file yet.
fn follow(path: &Path) -> Result<PathBuf, SaveProblem> {
    let mut path = paths::copy(path)?;
    for _ in 0..=MOST_LINKS {
        match fs::symlink_metadata(&path) {
            Ok(metadata) if metadata.is_symlink() => {
                let folder = path.parent().unwrap_or(Path::new(""));
                path = paths::join(folder, &paths::read_link(&path)?)?;
            }
            // The file was created since.
            Ok(metadata) => {
                expect_regular(&metadata)?;
                return Ok(path);
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(path),
            Err(error) => return Err(error.into()),
        }
    }
    // The links form a circle, or somebody changes them all the time.
    Err(io::Error::from(io::ErrorKind::InvalidFilename).into())
}

/// The name of the temporary file of a target.
fn temporary(name: &OsStr) -> io::Result<OsString> {
    let (before, after) = (".vex-", ".tmp");
    let mut temporary = OsString::new();
    temporary.try_reserve_exact((before.len() + name.len() + after.len()).min(LONGEST_NAME))?;
    temporary.push(before);
    if before.len() + name.len() + after.len() <= LONGEST_NAME {
        temporary.push(name);
    } else {
        // Long names may differ only in the part that is cut off, so the name gets a hash of the
        // whole. A name that is not text cannot be cut at any byte: its temporary file is named by
        // the hash alone.
        let hash_len = "-0123456789abcdef".len();
        let room = LONGEST_NAME - before.len() - hash_len - after.len();
        let text = name.to_str().unwrap_or_default();
        let end = (0..=room.min(text.len())).rev().find(|end| text.is_char_boundary(*end)).unwrap_or(0);
        temporary.push(&text[..end]);
        // The memory was reserved above.
        write!(temporary, "-{:016x}", fnv1a(name.as_encoded_bytes())).map_err(|_| io::ErrorKind::Other)?;
    }
    temporary.push(after);
    Ok(temporary)
}

/// The hash FNV-1a. Every version of this library must compute the same names.
fn fnv1a(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xCBF2_9CE4_8422_2325, |hash, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01B3)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name_of(name: &str) -> OsString {
        temporary(name.as_ref()).unwrap()
    }

    #[test]
    fn temporary_names_fit_and_distinguish_long_names() {
        assert_eq!(name_of("index.vex"), ".vex-index.vex.tmp");
        for letter in ["a", "é", "語", "😀"] {
            for len in [240, 246, 247, 248, 254, 255] {
                let name = letter.repeat(len / letter.len()) + &"b".repeat(len % letter.len());
                assert_eq!(name.len(), len);
                let found = name_of(&name);
                assert_eq!(found, name_of(&name));
                assert!(found.len() <= LONGEST_NAME, "{len}: {}", found.len());
                let mut other = name.into_bytes();
                *other.last_mut().unwrap() = b'c';
                let other = String::from_utf8_lossy(&other).into_owned();
                assert_ne!(found, name_of(&other), "{len}");
            }
        }
        // Another version of the library must compute the same name.
        let long = format!(".vex-{}-dff658324c99c7bf.tmp", "x".repeat(229));
        assert_eq!(name_of(&"x".repeat(255)).to_str(), Some(&*long));
    }
}
