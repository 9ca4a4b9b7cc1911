//! The code that fuzz targets share.

pub mod hostile;

use std::fs;
use std::path::{Path, PathBuf};

use libfuzzer_sys::fuzzer_mutate;
use support::seal;
use tempfile::TempDir;

/// The lowest offset at which the sections of an index begin.
const SECTIONS: usize = 512;

/// Mutates the bytes of an index. Checksums are made to fit again, since a fuzzer does not find
/// them. The length mostly stays, since a file of another length is refused before the rest is
/// read.
pub fn mutate_index(data: &mut [u8], size: usize, max_size: usize, seed: u32) -> usize {
    let split = SECTIONS.min(size);
    let size = match seed % 8 {
        0 => return fuzzer_mutate(data, size, max_size),
        1 => fuzzer_mutate(data, size, max_size),
        2..=4 if split > 0 => {
            fuzzer_mutate(&mut data[..split], split, split);
            size
        }
        _ if split < size => {
            let (start, end) = window(split, size, seed / 8);
            fuzzer_mutate(&mut data[start..end], end - start, end - start);
            size
        }
        _ => fuzzer_mutate(data, size, max_size),
    };
    seal(&mut data[..size]);
    size
}

/// A part of `start..end` with at least one byte.
fn window(start: usize, end: usize, seed: u32) -> (usize, usize) {
    let from = start + seed as usize % (end - start);
    (from, end.min(from + 64))
}

/// Reads an input as numbers. After its end come zeros.
pub struct Script<'a>(pub &'a [u8]);

impl Script<'_> {
    /// Whether there is nothing left.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The next byte.
    pub fn byte(&mut self) -> u8 {
        let Some((first, rest)) = self.0.split_first() else { return 0 };
        self.0 = rest;
        *first
    }

    /// The next byte, as a number below `end`.
    pub fn below(&mut self, end: usize) -> usize {
        usize::from(self.byte()) % end
    }

    /// The next two bytes, as a number.
    pub fn word(&mut self) -> usize {
        usize::from(self.byte()) << 8 | usize::from(self.byte())
    }

    /// A small number in steps of a quarter, so that distances are exact and ties are frequent.
    pub fn element(&mut self) -> f32 {
        f32::from(self.byte() as i8) / 4.0
    }
}

/// A file for readers that take a path. It is written again for every input.
pub struct InputFile {
    // Deletes the file when it is dropped.
    _folder: TempDir,
    path: PathBuf,
}

impl InputFile {
    /// A file of this name in a folder of its own.
    pub fn new(name: &str) -> Self {
        let folder = TempDir::new().expect("a folder for inputs");
        let path = folder.path().join(name);
        Self { _folder: folder, path }
    }

    /// The file, with these bytes.
    pub fn write(&self, bytes: &[u8]) -> &Path {
        fs::write(&self.path, bytes).expect("room for an input");
        &self.path
    }
}
