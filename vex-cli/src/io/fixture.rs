//! Files for the tests of the formats.

use std::path::{Path, PathBuf};

use tempfile::TempDir;

/// A file in a folder of its own, both gone when dropped.
pub(crate) struct Fixture {
    folder: TempDir,
    path: PathBuf,
}

impl Fixture {
    /// A file of these bytes.
    pub(crate) fn new(name: &str, bytes: &[u8]) -> Self {
        let folder = TempDir::new().unwrap();
        let path = folder.path().join(name);
        std::fs::write(&path, bytes).unwrap();
        Self { folder, path }
    }

    /// An `.npy` file of version 1.0 with this dictionary, unpadded.
    pub(crate) fn npy(name: &str, dict: &str, elements: &[u8]) -> Self {
        let len = u16::try_from(dict.len()).unwrap().to_le_bytes();
        Self::new(name, &[b"\x93NUMPY\x01\x00", &len[..], dict.as_bytes(), elements].concat())
    }

    /// The file's name.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// How many other files are in its folder.
    pub(crate) fn neighbors(&self) -> usize {
        let entries = std::fs::read_dir(self.folder.path()).unwrap();
        entries.filter(|entry| entry.as_ref().unwrap().path() != self.path).count()
    }
}
