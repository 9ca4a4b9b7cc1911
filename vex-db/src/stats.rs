//! What a collection takes, and what it is made of.

use std::fmt;
use std::io;
use std::sync::PoisonError;

use crate::disk::STORE;
use crate::part::Part;
use crate::{Collection, Error, Result, Snapshot};

/// What a collection is made of.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Stats {
    /// How many rows there are.
    pub rows: u64,
    /// Rows that no segment has yet. A search compares their vectors one by one. If rows have
    /// several vectors, it is that of which most are pending.
    pub pending: usize,
    /// The segments.
    pub segments: Vec<SegmentStats>,
    /// Bytes of the store on disk, without the journal: some 4 MiB at most, and none once the
    /// collection is closed.
    pub store_bytes: u64,
    /// Bytes of memory for pending rows, for columns and for tables of rows, without the segments'
    /// files and the [cache](crate::Options::cache).
    pub memory: usize,
    /// How many commits there were, those of maintenance as well.
    pub commits: u64,
    /// Why maintenance on its own failed last, unless it has succeeded since.
    pub maintenance_error: Option<String>,
}

/// A sealed segment.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct SegmentStats {
    /// Its number. Later segments have greater ones.
    pub number: u64,
    /// The name of its file.
    pub name: String,
    /// The name of the vector that it has. It is empty for the one that every row has.
    pub vector: String,
    /// Rows that are alive.
    pub rows: usize,
    /// Rows that were replaced or deleted since the segment was built.
    pub dead: usize,
    /// Bytes of the file.
    pub bytes: u64,
}

impl Stats {
    /// Bytes of all files.
    pub fn bytes(&self) -> u64 {
        self.store_bytes + self.segments.iter().map(|segment| segment.bytes).sum::<u64>()
    }
}

impl Collection {
    /// What the collection is made of.
    ///
    /// # Errors
    /// If the store or the folder cannot be read.
    pub fn stats(&self) -> Result<Stats> {
        let mut stats = self.snapshot()?.stats()?;
        stats.maintenance_error = self.inner.trouble.iter().find_map(|trouble| {
            let trouble = trouble.lock().unwrap_or_else(PoisonError::into_inner);
            trouble.as_ref().map(|trouble| trouble.error.clone())
        });
        Ok(stats)
    }
}

impl Snapshot {
    /// What the collection is made of at this moment. A file that was replaced since has no bytes.
    ///
    /// # Errors
    /// If the store or the folder cannot be read.
    pub fn stats(&self) -> Result<Stats> {
        let disk = &*self.inner.disk;
        let bytes = |name: &str| match disk.bytes(name) {
            Ok(bytes) => Ok(bytes),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(0),
            Err(error) => Err(Error::Io { path: disk.path().join(name), error }),
        };
        let vectors = self.schema().vector_types();
        let (mut segments, mut memory) = (Vec::new(), 0);
        for slot in &self.state.slots {
            match &slot.part {
                Part::Segment(segment) => {
                    memory += segment.memory();
                    segments.push(SegmentStats {
                        number: segment.number,
                        name: segment.name.clone(),
                        vector: vectors[usize::from(segment.vector)].name.clone(),
                        rows: slot.live_count,
                        dead: segment.count - slot.live_count,
                        bytes: bytes(&segment.name)?,
                    });
                }
                Part::Block(block) => memory += block.memory(),
            }
        }
        Ok(Stats {
            rows: self.len()?,
            pending: (0..).take(vectors.len()).map(|vector| self.state.pending(vector)).max().unwrap_or(0),
            segments,
            store_bytes: bytes(STORE)?,
            memory,
            commits: self.commits(),
            maintenance_error: None,
        })
    }
}

impl fmt::Display for Stats {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "rows      {}", self.rows)?;
        writeln!(f, "pending   {}", self.pending)?;
        writeln!(f, "commits   {}", self.commits)?;
        writeln!(f, "disk      {} bytes, {} of them the store", self.bytes(), self.store_bytes)?;
        writeln!(f, "memory    {} bytes besides segments and cache", self.memory)?;
        if let Some(error) = &self.maintenance_error {
            writeln!(f, "maintenance failed: {error}")?;
        }
        if !self.segments.is_empty() {
            writeln!(f, "{:>10} {:>10} {:>10} {:>14}  file", "segment", "rows", "dead", "bytes")?;
        }
        for SegmentStats { number, name, vector, rows, dead, bytes } in &self.segments {
            writeln!(f, "{number:>10} {rows:>10} {dead:>10} {bytes:>14}  {name}  {vector}")?;
        }
        Ok(())
    }
}
