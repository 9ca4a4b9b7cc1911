//! Files read into memory.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use memmap2::{MmapMut, MmapOptions};

/// A file that was read into memory of the process, on large pages where the system has them: a search that jumps through a
/// gigabyte then misses fewer address translations. Nobody else can change it.
#[derive(Debug)]
pub struct Loaded {
    memory: MmapMut,
    len: usize,
}

impl Loaded {
    /// Reads a file.
    ///
    /// # Errors
    /// If the operating system refuses, or the file ends early.
    pub fn read(path: &Path) -> io::Result<Self> {
        let mut file = File::open(path)?;
        let metadata = file.metadata()?;
        if metadata.is_dir() {
            return Err(io::ErrorKind::IsADirectory.into());
        }
        let len = usize::try_from(metadata.len()).map_err(|_| io::ErrorKind::OutOfMemory)?;
        // No byte cannot be mapped; one can.
        let mut memory = MmapOptions::new().len(len.max(1)).map_anon()?;
        // An advice: a system that does not take it has small pages.
        #[cfg(target_os = "linux")]
        let _ = memory.advise(memmap2::Advice::HugePage);
        file.read_exact(&mut memory[..len])?;
        Ok(Self { memory, len })
    }
}

impl AsRef<[u8]> for Loaded {
    fn as_ref(&self) -> &[u8] {
        &self.memory[..self.len]
    }
}
