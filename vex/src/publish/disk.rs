//! The steps of a publication in the file system of the machine.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, ErrorKind, Write};
use std::path::{Path, PathBuf};

use super::FileSystem;
use super::place::Place;
use crate::error::owned;
use crate::regular::expect_regular;
use crate::{SaveProblem, paths};

#[derive(Debug)]
pub(super) struct Disk;

/// A file that is locked until this value is dropped, or the process ends. When it is dropped and
/// the file still has its name, the file is removed.
#[derive(Debug)]
pub(super) struct LockedFile {
    file: File,
    path: PathBuf,
    /// The permissions that the file was created with, if they were changed since.
    #[cfg(unix)]
    created_with: Option<u32>,
}

/// How often `create` tries to get the name, if others take it each time.
const TRIES: usize = 64;

impl FileSystem for Disk {
    type File = LockedFile;

    /// The owner of the name is who holds the lock of the file with that name. So a writer locks
    /// first, and then checks that the name still leads to the locked file. Between the two steps
    /// another writer may have renamed or removed the file.
    fn create(&self, place: &Place) -> Result<LockedFile, SaveProblem> {
        let path = &place.temporary;
        let named = paths::copy(path)?;
        for _ in 0..TRIES {
            match options(place).create_new(true).open(path) {
                Ok(file) => {
                    if let Err(error) = lock(&file) {
                        // On a file system without locks, no other writer would remove the file.
                        if !matches!(error, SaveProblem::Locked) {
                            let _ = fs::remove_file(path);
                        }
                        return Err(error);
                    }
                    if is_named(&file, path)? {
                        return LockedFile::new(file, named, place);
                    }
                }
                Err(error) if error.kind() == ErrorKind::AlreadyExists => clear(place)?,
                Err(error) => return Err(error.into()),
            }
        }
        // Each time another writer had the name, or somebody plants files.
        Err(SaveProblem::Locked)
    }

    #[cfg(unix)]
    fn dress(&self, file: &LockedFile, target: &Path) -> io::Result<()> {
        unix::dress(file, target)
    }

    /// On other systems a new file inherits its permissions from the folder.
    #[cfg(not(unix))]
    fn dress(&self, _: &LockedFile, _: &Path) -> io::Result<()> {
        Ok(())
    }

    fn sync(&self, file: &LockedFile) -> io::Result<()> {
        file.file.sync_all()
    }

    fn is_named(&self, file: &LockedFile, path: &Path) -> io::Result<bool> {
        is_named(&file.file, path)
    }

    fn rename(&self, from: &Path, to: &Path) -> Result<(), SaveProblem> {
        // The first check was before the work, which may have taken hours.
        if let Ok(replaced) = fs::symlink_metadata(to) {
            expect_regular(&replaced)?;
        }
        Ok(fs::rename(from, to)?)
    }

    #[cfg(unix)]
    fn sync_folder(&self, folder: &Path) -> io::Result<()> {
        File::open(folder)?.sync_all()
    }

    /// On other systems a folder cannot be opened as a file.
    #[cfg(not(unix))]
    fn sync_folder(&self, _: &Path) -> io::Result<()> {
        Ok(())
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        fs::remove_file(path)
    }
}

impl LockedFile {
    #[cfg(unix)]
    fn new(file: File, path: PathBuf, place: &Place) -> Result<Self, SaveProblem> {
        // From here on, dropping the value removes the file if something fails.
        let mut file = Self { file, path, created_with: None };
        file.created_with = unix::make_own(&file.file)?;
        unix::check_sticky(&file.file, place)?;
        Ok(file)
    }

    #[cfg(not(unix))]
    fn new(file: File, path: PathBuf, _: &Place) -> Result<Self, SaveProblem> {
        Ok(Self { file, path })
    }
}

impl Drop for LockedFile {
    fn drop(&mut self) {
        // The file is still locked. If this fails, the next writer removes it.
        if is_named(&self.file, &self.path).unwrap_or(false) {
            let _ = fs::remove_file(&self.path);
        }
    }
}

impl Write for LockedFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.file.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

fn lock(file: &File) -> Result<(), SaveProblem> {
    match file.try_lock() {
        Ok(()) => Ok(()),
        Err(TryLockError::WouldBlock) => Err(SaveProblem::Locked),
        Err(TryLockError::Error(error)) => Err(error.into()),
    }
}

/// Removes whatever has the name of the temporary file, unless a writer holds its lock.
fn clear(place: &Place) -> Result<(), SaveProblem> {
    let path = &place.temporary;
    let found = match fs::symlink_metadata(path) {
        Ok(found) => found,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(error.into()),
    };
    if found.is_dir() {
        return Err(SaveProblem::Obstructed { temporary: owned(path) });
    }
    // A link or a pipe belongs to no writer, so it is removed without being opened.
    if found.is_file() {
        match open_leftover(path) {
            Ok(file) => {
                lock(&file)?;
                // The file is not reused, since unknown processes may have it open.
                return if is_named(&file, path)? { remove(path) } else { Ok(()) };
            }
            // The file belongs to another user, or its permissions forbid all. Nobody can see
            // whether it is locked. If it is, its writer notices that its file is gone.
            Err(error) if error.kind() == ErrorKind::PermissionDenied => (),
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
            // Something else has the name now.
            Err(_) if !fs::symlink_metadata(path).is_ok_and(|found| found.is_file()) => return Ok(()),
            Err(error) => return Err(error.into()),
        }
    }
    remove(path)
}

fn remove(path: &Path) -> Result<(), SaveProblem> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != ErrorKind::NotFound => Err(error.into()),
        _ => Ok(()),
    }
}

/// Opens a file in order to lock it. Some file systems lock only files that are open for writing.
fn open_leftover(path: &Path) -> io::Result<File> {
    match own_flags(OpenOptions::new().write(true)).open(path) {
        Err(error) if error.kind() == ErrorKind::PermissionDenied => {
            own_flags(OpenOptions::new().read(true)).open(path)
        }
        opened => opened,
    }
}

/// Opens for writing. Who could not read the replaced file cannot open the new one either.
fn options(place: &Place) -> OpenOptions {
    let mut options = OpenOptions::new();
    options.write(true);
    own_flags(&mut options);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, unix::first_mode(place.replaced.as_ref()));
    #[cfg(not(unix))]
    let _ = place;
    options
}

/// The open follows no link, and does not wait for another process.
#[cfg(unix)]
fn own_flags(options: &mut OpenOptions) -> &mut OpenOptions {
    std::os::unix::fs::OpenOptionsExt::custom_flags(options, libc::O_NOFOLLOW | libc::O_NONBLOCK)
}

#[cfg(not(unix))]
fn own_flags(options: &mut OpenOptions) -> &mut OpenOptions {
    options
}

/// Whether a name leads to an open file.
#[cfg(unix)]
fn is_named(file: &File, path: &Path) -> io::Result<bool> {
    use std::os::unix::fs::MetadataExt;
    match fs::symlink_metadata(path) {
        Ok(named) => {
            let file = file.metadata()?;
            Ok((named.dev(), named.ino()) == (file.dev(), file.ino()))
        }
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(false),
        Err(error) => Err(error),
    }
}

#[cfg(not(unix))]
fn is_named(file: &File, path: &Path) -> io::Result<bool> {
    use same_file::Handle;
    match Handle::from_path(path) {
        Ok(named) => Ok(named == Handle::from_file(file.try_clone()?)?),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(false),
        Err(error) => Err(error),
    }
}

/// Permissions and owners.
#[cfg(unix)]
mod unix {
    use std::fs::{self, File, Metadata, Permissions};
    use std::io;
    use std::os::unix::fs::{MetadataExt, PermissionsExt, fchown};
    use std::path::Path;

    use super::{LockedFile, Place};
    use crate::SaveProblem;

    const ALL: u32 = 0o777;
    const OWN: u32 = 0o600;
    const GROUP: u32 = 0o070;
    const STICKY: u32 = 0o1000;

    /// The permissions of a temporary file. The system takes away those of the process's mask.
    pub(super) fn first_mode(replaced: Option<&Metadata>) -> u32 {
        replaced.map_or(0o666, |replaced| replaced.mode() & 0o666 | OWN)
    }

    /// Makes sure that the next writer of this user can open and lock the file, even if the mask
    /// takes all permissions away. Returns the old permissions if they had to be changed.
    pub(super) fn make_own(file: &File) -> io::Result<Option<u32>> {
        let mode = file.metadata()?.mode() & ALL;
        if mode & OWN == OWN {
            return Ok(None);
        }
        file.set_permissions(Permissions::from_mode(mode | OWN))?;
        Ok(Some(mode))
    }

    /// In a sticky folder, such as `/tmp`, only an owner replaces a file.
    pub(super) fn check_sticky(file: &File, place: &Place) -> Result<(), SaveProblem> {
        let Some(replaced) = &place.replaced else { return Ok(()) };
        let (folder, own) = (fs::metadata(&place.folder)?, file.metadata()?.uid());
        if folder.mode() & STICKY != 0 && ![0, replaced.uid(), folder.uid()].contains(&own) {
            return Err(io::Error::from(io::ErrorKind::PermissionDenied).into());
        }
        Ok(())
    }

    /// Gives a file the permissions of the file that it replaces, and its owner and group as far as
    /// the system allows that.
    pub(super) fn dress(LockedFile { file, created_with, .. }: &LockedFile, target: &Path) -> io::Result<()> {
        let mut own = file.metadata()?;
        let replaced = fs::symlink_metadata(target).ok().filter(Metadata::is_file);
        let Some(replaced) = replaced else {
            return match created_with {
                Some(mode) => file.set_permissions(Permissions::from_mode(*mode)),
                None => Ok(()),
            };
        };
        if (own.uid(), own.gid()) != (replaced.uid(), replaced.gid()) {
            let given = fchown(file, Some(replaced.uid()), Some(replaced.gid()));
            // A user other than root may still give the file to another group of their own.
            let _ = given.or_else(|_| fchown(file, None, Some(replaced.gid())));
            own = file.metadata()?;
        }
        let mut mode = replaced.mode() & ALL;
        if own.gid() != replaced.gid() {
            // The new group gets only the permissions that all others have, too.
            mode &= !GROUP | (mode << 3);
        }
        if own.mode() & ALL != mode {
            file.set_permissions(Permissions::from_mode(mode))?;
        }
        Ok(())
    }
}
