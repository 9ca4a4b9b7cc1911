//! Files read into memory.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::ops::Range;
use std::path::Path;

use memmap2::{MmapMut, MmapOptions};

/// A file that was read into memory of the process. Nobody else can change it.
///
/// The memory has large pages where the system has them: a search that jumps through a gigabyte
/// then misses fewer address translations.
#[derive(Debug)]
pub struct Loaded {
    memory: MmapMut,
    len: usize,
}

impl Loaded {
    /// Reads a file, all of it. What it holds is not checked.
    ///
    /// # Errors
    /// If the operating system refuses, the file is not a regular one, it ends early, or memory
    /// runs out.
    pub fn read(path: &Path) -> io::Result<Self> {
        Self::read_around(&crate::regular::open_io(path)?, 0..0)
    }

    /// Reads an open file except a hole, in which there are zeros that take no memory.
    pub(crate) fn read_around(mut file: &File, hole: Range<usize>) -> io::Result<Self> {
        let metadata = file.metadata()?;
        if metadata.is_dir() {
            return Err(io::ErrorKind::IsADirectory.into());
        }
        let len = usize::try_from(metadata.len()).map_err(|_| io::ErrorKind::OutOfMemory)?;
        if hole.start > hole.end || hole.end > len {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        // A mapping has at least one byte.
        let mut memory = MmapOptions::new().len(len.max(1)).map_anon()?;
        // This is a hint. A system that ignores it has small pages.
        #[cfg(target_os = "linux")]
        let _ = memory.advise(memmap2::Advice::HugePage);
        file.rewind()?;
        file.read_exact(&mut memory[..hole.start])?;
        file.seek(SeekFrom::Start(hole.end as u64))?;
        file.read_exact(&mut memory[hole.end..len])?;
        Ok(Self { memory, len })
    }
}

impl AsRef<[u8]> for Loaded {
    fn as_ref(&self) -> &[u8] {
        &self.memory[..self.len]
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    #[test]
    fn what_is_around_a_hole_is_read() {
        let mut file = tempfile::tempfile().unwrap();
        let bytes: Vec<u8> = (1..=200).collect();
        file.write_all(&bytes).unwrap();
        for hole in [0..0, 0..200, 64..128, 128..200, 7..8, 200..200] {
            let loaded = Loaded::read_around(&file, hole.clone()).unwrap();
            let expected = |i| if hole.contains(&i) { 0 } else { bytes[i] };
            assert!(loaded.as_ref().iter().copied().eq((0..200).map(expected)), "{hole:?}");
        }
        let error = Loaded::read_around(&file, 100..201).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::UnexpectedEof);
    }
}
