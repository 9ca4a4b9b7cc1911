//! The folder of a collection. Tests put a simulated disk in its place, which loses its power.
//!
//! ```text
//! notes.vexdb/
//!   lock              locked by the one handle that may write
//!   store.redb        everything small that changes: see `store.rs`
//!   journal           what the store may have lost in a crash: see `journal.rs`
//!   <16 digits>.vex   sealed segments, never changed; the store has the list of them
//!   .*.tmp            files that are being made
//! ```

use std::fmt::Debug;
use std::fs::{self, File, TryLockError};
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use redb::backends::FileBackend;
use redb::{Builder, DatabaseError, ReadOnlyDatabase, StorageBackend};
use vex::{Index, Loaded, MappedIndex, OpenError, Output, SaveError, SharedIndex};

use crate::journal::is_recovered;
use crate::{Error, Result};

/// The name of the store.
pub(crate) const STORE: &str = "store.redb";

/// The name of the store while it is made.
pub(crate) const NEW_STORE: &str = ".store.redb.tmp";

/// A file that says that a backup is being written, whose store comes last.
pub(crate) const BACKUP: &str = ".backup.tmp";

/// The name of the store's journal.
pub(crate) const JOURNAL: &str = "journal";

const LOCK: &str = "lock";

/// What a collection asks of its folder. Each file is written once, except for the store and its
/// journal.
pub(crate) trait Disk: Debug + Send + Sync + 'static {
    /// The path of the folder, for messages.
    fn path(&self) -> &Path;

    /// Whether a path, at which nothing need be, is in the folder.
    fn is_around(&self, path: &Path) -> bool;

    /// The names of all files that may be the collection's.
    fn names(&self) -> io::Result<Vec<String>>;

    /// Opens a file to write to it. If it is missing, it may be created. Its name is on the medium
    /// then.
    fn open_file(&self, name: &str, creates: bool) -> io::Result<Box<dyn StorageBackend>>;

    /// Opens a store that another process may write to.
    fn open_store_to_read(&self, builder: &Builder) -> Result<ReadOnlyDatabase, DatabaseError>;

    /// Renames a file, whose bytes are on the medium, and waits until the name is on it as well.
    fn rename(&self, from: &str, to: &str) -> io::Result<()>;

    /// Writes a segment, which is on the medium afterwards with its name, or not there at all.
    fn save_segment(&self, name: &str, index: &Index) -> Result<(), SaveError>;

    /// Opens a segment.
    fn open_segment(&self, name: &str) -> Result<SharedIndex, OpenError>;

    /// Checks every byte of a segment.
    fn verify_segment(&self, name: &str) -> Result<()>;

    /// The bytes of a file.
    fn read(&self, name: &str) -> io::Result<Box<dyn Read>>;

    /// Writes a copy of a segment, which is on the medium afterwards, or not there at all.
    fn copy_segment(&self, name: &str, bytes: &mut dyn Read) -> Result<(), SaveError>;

    /// The bytes that a file takes.
    fn bytes(&self, name: &str) -> io::Result<u64>;

    /// Removes a file. After a power cut it may be there again.
    fn remove(&self, name: &str) -> io::Result<()>;
}

/// A folder of the file system.
#[derive(Debug)]
pub(crate) struct Folder {
    /// The path as the caller spells it, for messages.
    path: PathBuf,
    /// The path from the root, which stays right when the program goes to another folder.
    root: PathBuf,
    /// Locked as long as the folder is open for writing.
    _lock: Option<File>,
}

impl Folder {
    /// Makes the folder of a new collection if it is missing.
    pub(crate) fn create(path: &Path) -> Result<()> {
        let io = |error| Error::Io { path: path.to_owned(), error };
        match fs::create_dir(path) {
            Ok(()) => {
                let parent = path.parent().filter(|parent| !parent.as_os_str().is_empty());
                sync_folder(parent.unwrap_or(Path::new("."))).map_err(io)
            }
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => match fs::metadata(path) {
                Ok(found) if found.is_dir() => Ok(()),
                Ok(_) => Err(Error::NotACollection {
                    path: path.to_owned(),
                    expected: "a folder",
                    found: "a file".to_owned(),
                }),
                Err(error) => Err(io(error)),
            },
            Err(error) => Err(io(error)),
        }
    }

    /// Opens a folder for writing, which one handle at a time may do. If another has it open, this
    /// waits until that one is closed, or fails.
    pub(crate) fn lock(path: &Path, waits: bool) -> Result<Self> {
        let io = |error| Error::Io { path: path.to_owned(), error };
        let name = path.join(LOCK);
        let lock =
            File::options().read(true).write(true).create(true).truncate(false).open(&name).map_err(io)?;
        if waits {
            lock.lock().map_err(io)?;
        } else {
            lock.try_lock().map_err(|error| match error {
                TryLockError::WouldBlock => Error::Locked { path: path.to_owned() },
                TryLockError::Error(error) => io(error),
            })?;
        }
        Ok(Self { path: path.to_owned(), root: absolute(path)?, _lock: Some(lock) })
    }

    /// Opens a folder for reading.
    pub(crate) fn to_read(path: &Path) -> Result<Self> {
        Ok(Self { path: path.to_owned(), root: absolute(path)?, _lock: None })
    }

    /// Whether the store may lack what its journal has, since no writer has opened it after a crash.
    /// To ask takes no right to write.
    pub(crate) fn needs_recovery(&self) -> io::Result<bool> {
        match File::open(self.root.join(JOURNAL)) {
            Ok(file) if file.metadata()?.len() == 0 => Ok(false),
            Ok(file) => Ok(!is_recovered(&FileBackend::new(file).map_err(io::Error::other)?)?),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
            Err(error) => Err(error),
        }
    }

    fn read_segment(&self, name: &str) -> Result<MappedIndex<Loaded>, OpenError> {
        let spell = |OpenError { problem, .. }| OpenError { path: self.path.join(name), problem };
        MappedIndex::read(self.root.join(name)).map_err(spell)
    }

    /// An error with the path as the caller spells it.
    fn spell_save(&self, name: &str, error: SaveError) -> SaveError {
        SaveError { path: self.path.join(name), problem: error.problem }
    }

    /// As [`look`](Self::look), for a collection that is to be there.
    pub(crate) fn find(path: &Path) -> Result<()> {
        match Self::look(path) {
            Ok(Found::Collection) => Ok(()),
            Ok(Found::Nothing) => Err(Error::Missing { path: path.to_owned() }),
            Err(Error::NotACollection { path, found, .. }) => {
                Err(Error::NotACollection { path, expected: "a collection", found })
            }
            Err(error) => Err(error),
        }
    }

    /// What is in the folder of a path. Says nothing of a collection that has no store yet.
    pub(crate) fn look(path: &Path) -> Result<Found> {
        let io = |error| Error::Io { path: path.to_owned(), error };
        let expected = "a collection or an empty folder";
        let other = |found: String| Err(Error::NotACollection { path: path.to_owned(), expected, found });
        match fs::metadata(path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Found::Nothing),
            Err(error) => return Err(io(error)),
            Ok(found) if !found.is_dir() => return other("a file".to_owned()),
            Ok(_) => (),
        }
        let (mut has_store, mut is_backup, mut segment, mut foreign) = (false, false, None, None);
        for entry in fs::read_dir(path).map_err(io)? {
            let name = entry.map_err(io)?.file_name();
            match name.to_str() {
                Some(STORE) => has_store = true,
                Some(LOCK | JOURNAL) => (),
                Some(BACKUP | NEW_STORE) => is_backup = true,
                Some(name) if is_temporary(name) => (),
                Some(name) if is_segment(name) => segment = Some(name.into()),
                _ => foreign = Some(name),
            }
        }
        // Segments without a store are what a backup leaves that was cut short, or a collection
        // that has lost its store: somebody may still want them.
        let foreign = foreign.or(segment.filter(|_| !is_backup));
        match (has_store, foreign) {
            (true, _) => Ok(Found::Collection),
            (false, None) => Ok(Found::Nothing),
            (false, Some(name)) => other(format!("a folder with {}", name.to_string_lossy())),
        }
    }
}

/// What is at a path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Found {
    /// Nothing, or an empty folder, or what a creation left that was cut short.
    Nothing,
    Collection,
}

/// Removes files that were being made when their writer ended.
pub(crate) fn remove_temporary(disk: &dyn Disk) -> Result<()> {
    let remove = || -> io::Result<()> {
        disk.names()?.iter().filter(|name| is_temporary(name)).try_for_each(|name| disk.remove(name))
    };
    remove().map_err(|error| Error::Io { path: disk.path().to_owned(), error })
}

fn absolute(path: &Path) -> Result<PathBuf> {
    std::path::absolute(path).map_err(|error| Error::Io { path: path.to_owned(), error })
}

/// Whether a name is that of a segment: 16 hexadecimal digits and `.vex`.
pub(crate) fn is_segment(name: &str) -> bool {
    let digits = name.strip_suffix(".vex").unwrap_or_default();
    digits.len() == 16 && digits.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}

/// Whether a file is one that was being made.
fn is_temporary(name: &str) -> bool {
    name.starts_with('.') && name.ends_with(".tmp")
}

fn sync_folder(path: &Path) -> io::Result<()> {
    // Only Unix opens folders as files.
    if cfg!(unix) { File::open(path)?.sync_all() } else { Ok(()) }
}

impl Disk for Folder {
    fn path(&self) -> &Path {
        &self.path
    }

    fn is_around(&self, path: &Path) -> bool {
        let parent = path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
        let found = fs::canonicalize(path).or_else(|_| fs::canonicalize(parent));
        matches!((found, fs::canonicalize(&self.root)), (Ok(path), Ok(root)) if path.starts_with(&root))
    }

    fn names(&self) -> io::Result<Vec<String>> {
        let mut names = Vec::new();
        for entry in fs::read_dir(&self.root)? {
            let entry = entry?;
            // Folders and other names are not ours.
            if !entry.file_type().is_ok_and(|kind| kind.is_dir()) {
                names.extend(entry.file_name().into_string().ok());
            }
        }
        names.sort();
        Ok(names)
    }

    fn open_file(&self, name: &str, creates: bool) -> io::Result<Box<dyn StorageBackend>> {
        let (path, mut options) = (self.root.join(name), File::options());
        options.read(true).write(true);
        let file = match options.open(&path) {
            Err(error) if creates && error.kind() == io::ErrorKind::NotFound => {
                options.create_new(true).open(&path)?
            }
            opened => opened?,
        };
        if creates {
            // Whoever created it may have been cut short before this.
            sync_folder(&self.root)?;
        }
        Ok(Box::new(FileBackend::new(file).map_err(io::Error::other)?))
    }

    fn open_store_to_read(&self, builder: &Builder) -> Result<ReadOnlyDatabase, DatabaseError> {
        builder.open_read_only(self.root.join(STORE))
    }

    fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        fs::rename(self.root.join(from), self.root.join(to))?;
        sync_folder(&self.root)
    }

    fn save_segment(&self, name: &str, index: &Index) -> Result<(), SaveError> {
        index.save(self.root.join(name)).map_err(|error| self.spell_save(name, error))
    }

    fn open_segment(&self, name: &str) -> Result<SharedIndex, OpenError> {
        Ok(self.read_segment(name)?.into())
    }

    fn verify_segment(&self, name: &str) -> Result<()> {
        let index = self.read_segment(name)?;
        index.verify().map_err(|error| Error::Damaged { part: format!("segment {name}: {error}") })
    }

    fn read(&self, name: &str) -> io::Result<Box<dyn Read>> {
        Ok(Box::new(File::open(self.root.join(name))?))
    }

    fn copy_segment(&self, name: &str, bytes: &mut dyn Read) -> Result<(), SaveError> {
        let output = Output::create(self.root.join(name));
        let written =
            output.and_then(|output| output.write(|out| io::copy(bytes, &mut &mut *out).map(|_| ())));
        written.map_err(|error| self.spell_save(name, error))
    }

    fn bytes(&self, name: &str) -> io::Result<u64> {
        let metadata = fs::metadata(self.root.join(name))?;
        // The store grows ahead of its contents, by holes that take no space.
        #[cfg(unix)]
        return Ok(metadata.len().min(std::os::unix::fs::MetadataExt::blocks(&metadata) * 512));
        #[cfg(not(unix))]
        Ok(metadata.len())
    }

    fn remove(&self, name: &str) -> io::Result<()> {
        fs::remove_file(self.root.join(name))
    }
}
