//! An index that is changed: locked, opened, changed in memory, and saved in one step.

use std::path::{Path, PathBuf};
use std::time::Instant;

use serde::Serialize;
use vex::graph::BuildError;
use vex::{Index, OpenError, OpenProblem, Output, ReadOnly, SaveOptions};

use crate::error::Failure;
use crate::io::{FileError, Names, Problem, open_output};
use crate::{human, mmap, progress};

/// The arguments of a command that changes an index.
#[derive(Debug, clap::Args)]
pub(super) struct Changing {
    /// The index
    pub(super) index: PathBuf,
    /// Write the changed index here, and leave INDEX as it is [default: INDEX]
    #[arg(short, long, value_name = "INDEX")]
    output: Option<PathBuf>,
    /// Print a JSON object
    #[arg(long)]
    pub(super) json: bool,
}

/// An index in memory, and the file that is locked for it.
pub(super) struct Change {
    pub(super) index: Index,
    output: Output,
    /// Whether the output is another file than the index came from, and may hold anything.
    overwrite: bool,
    started: Instant,
}

/// How a change was saved.
#[derive(Serialize)]
pub(super) struct Saved {
    pub(super) count: usize,
    pub(super) index_bytes: u64,
    pub(super) seconds: f64,
}

impl Changing {
    /// The file that is written.
    pub(super) fn target(&self) -> &Path {
        self.output.as_deref().unwrap_or(&self.index)
    }

    /// Locks the output, and opens the index. `inputs` are other files that the command reads.
    ///
    /// # Errors
    /// If the index cannot be opened, this version may not change it, or it has no vectors. If the
    /// output cannot be written.
    pub(super) fn open(&self, inputs: &[&Path]) -> Result<Change, Failure> {
        let started = Instant::now();
        let path = &*self.index;
        // The header says at once whether the index can be changed at all.
        let mapped = mmap::open(path)?;
        let header = mapped.header();
        if header.is_read_only() {
            return Err(Failure::refused(path, ReadOnly { features: header.read_only_compatible }));
        }
        if !header.stores_vectors() {
            return Err(Failure::NoVectors { path: path.to_owned() });
        }
        drop(mapped);
        check_no_names(path)?;
        check_no_names(self.target())?;
        let output = open_output(self.target(), inputs)?;
        let overwrite = !output.replaces(path);
        let clock = progress::clock("opening");
        let index = Index::open(path).map_err(|error| match error {
            OpenError { path, problem: OpenProblem::Graph(BuildError::VectorsNotStored) } => {
                Failure::NoVectors { path }
            }
            error => error.into(),
        })?;
        clock.finish_and_clear();
        Ok(Change { index, output, overwrite, started })
    }
}

/// Fails if an index has text ids beside it, which would no longer be those of the changed index.
pub(super) fn check_no_names(index: &Path) -> Result<(), Failure> {
    let path = Names::path_of(index);
    if path.exists() { Err(Failure::HasNames { path }) } else { Ok(()) }
}

impl Change {
    /// Saves the changed index in place of the old one, or at the output.
    pub(super) fn save(self) -> Result<Saved, Failure> {
        let clock = progress::clock("saving");
        let target = self.output.path().to_owned();
        let count = self.index.len();
        self.index.save_output(self.output, SaveOptions::default().overwrite(self.overwrite))?;
        clock.finish_and_clear();
        let metadata = target.metadata().map_err(|error| FileError::new(&target, Problem::Open(error)))?;
        let seconds = self.started.elapsed().as_secs_f64();
        Ok(Saved { count, index_bytes: metadata.len(), seconds })
    }
}

impl Saved {
    /// The end of a report: what is there now.
    pub(super) fn describe(&self) -> String {
        let vectors = human::plural(self.count as u64, "vector");
        let time = human::time(std::time::Duration::from_secs_f64(self.seconds));
        format!("{vectors}, {} in {time}", human::bytes(self.index_bytes))
    }
}
