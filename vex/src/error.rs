//! What can go wrong, one type for each operation.

mod any;

use std::convert::Infallible;
use std::io;
use std::path::{Path, PathBuf};

use crate::lineage::Generation;
use crate::regular::NotRegular;
pub use any::{Error, Result};

/// A key that is in the index already.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("key {key} is in the index already")]
pub struct DuplicateKey {
    /// The key.
    pub key: u64,
}

/// An index of a file with features that this version does not know and a change would break: it is
/// searched alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "expected read-only compatible features that this version knows, found {features:08x}: \
     the index may be searched, but not changed or saved"
)]
pub struct ReadOnly {
    /// The mask of the file's read-only compatible features.
    pub features: u32,
}

/// Why an index takes no change. It is as it was.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ChangeError {
    /// It was opened from a file that may not be changed.
    #[error(transparent)]
    ReadOnly(#[from] ReadOnly),
    /// Its changes can be counted no further.
    #[error("expected a sequence number below {}, found that", u64::MAX)]
    SequenceEnd,
}

/// A vector that was not deleted. The index is as it was.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum DeleteError {
    /// The index takes no change.
    #[error(transparent)]
    Change(#[from] ChangeError),
    /// The index needs more memory to note what is deleted.
    #[error(transparent)]
    OutOfMemory(#[from] vex_graph::OutOfMemory),
}

/// A vector that was not inserted. The index is as it was.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum InsertError {
    /// The index takes no change.
    #[error(transparent)]
    Change(#[from] ChangeError),
    /// The key is taken.
    #[error(transparent)]
    DuplicateKey(#[from] DuplicateKey),
    /// The vector cannot be indexed, or memory ran out.
    #[error(transparent)]
    Graph(#[from] vex_graph::InsertError),
    /// The vector cannot replace the one that is there, or memory ran out.
    #[error(transparent)]
    Update(#[from] vex_graph::UpdateError),
    /// The keys did not fit into memory.
    #[error(transparent)]
    OutOfMemory(#[from] vex_graph::OutOfMemory),
}

/// A vector of many that was not inserted. Those before it are in the index.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
#[error("vector {position}: {error}")]
pub struct ExtendError {
    /// Which of the vectors it was, counted from 0.
    pub position: usize,
    /// Why it was not inserted.
    pub error: InsertError,
}

/// Threads that were not started.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ThreadsError {
    /// No thread was asked for, and one is needed at least.
    #[error("expected at least 1 thread, found 0")]
    None,
    /// The operating system refused.
    #[error("could not start {threads} threads: {error}")]
    Start {
        /// How many were asked for.
        threads: usize,
        /// Why not.
        error: rayon::ThreadPoolBuildError,
    },
}

/// An index that was not built. `E` is the error of the source of the vectors.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BuildError<E: std::fmt::Debug + std::fmt::Display = Infallible> {
    /// The index that was to be built anew takes no change.
    #[error(transparent)]
    Change(#[from] ChangeError),
    /// Two vectors have one key.
    #[error("row {}: expected every key once, found key {key} of row {} again", rows[1], rows[0])]
    DuplicateKey {
        /// The key.
        key: u64,
        /// Where the vectors are among all, counted from 0.
        rows: [usize; 2],
    },
    /// A vector cannot be indexed, its source failed, a parameter is out of range, memory ran out,
    /// or the build was cancelled.
    #[error(transparent)]
    Graph(#[from] vex_graph::BuildError<E>),
    /// The keys did not fit into memory.
    #[error(transparent)]
    OutOfMemory(#[from] vex_graph::OutOfMemory),
    /// The build would need more memory than is allowed.
    #[error(transparent)]
    MemoryLimit(#[from] vex_graph::MemoryLimitExceeded),
    /// The threads could not be started.
    #[error(transparent)]
    Threads(#[from] ThreadsError),
    /// Memory ran out while a search looked whether the codes do: see [`Coding`](crate::Coding).
    #[error("could not check the codes")]
    Codes(#[source] vex_graph::SearchError),
}

impl<E: std::fmt::Debug + std::fmt::Display> BuildError<E> {
    /// The same with another error of the source of the vectors.
    pub(crate) fn map_source<F: std::fmt::Debug + std::fmt::Display>(
        self,
        map: impl FnOnce(E) -> F,
    ) -> BuildError<F> {
        match self {
            Self::Change(error) => BuildError::Change(error),
            Self::DuplicateKey { key, rows } => BuildError::DuplicateKey { key, rows },
            Self::Graph(error) => BuildError::Graph(error.map_source(map)),
            Self::OutOfMemory(error) => BuildError::OutOfMemory(error),
            Self::MemoryLimit(error) => BuildError::MemoryLimit(error),
            Self::Threads(error) => BuildError::Threads(error),
            Self::Codes(error) => BuildError::Codes(error),
        }
    }
}

/// Queries that were not all searched for.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ManyError {
    /// A query cannot be searched for.
    #[error("query {position}: {error}")]
    Query {
        /// Its number.
        position: usize,
        /// What is wrong.
        error: vex_graph::SearchError,
    },
    /// The results did not fit into memory.
    #[error(transparent)]
    OutOfMemory(#[from] vex_graph::OutOfMemory),
    /// The threads could not be started.
    #[error(transparent)]
    Threads(#[from] ThreadsError),
}

/// A file that was not opened.
#[derive(Debug, thiserror::Error)]
#[error("could not open {}", path.display())]
pub struct OpenError {
    /// The file.
    pub path: PathBuf,
    /// What is wrong with it.
    #[source]
    pub problem: OpenProblem,
}

/// Why a file was not opened.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OpenProblem {
    /// The operating system refused.
    #[error(transparent)]
    Io(#[from] io::Error),
    /// It is a pipe, a socket or a device.
    #[error(transparent)]
    NotRegular(#[from] NotRegular),
    /// The file is no index, or one that this version cannot read.
    #[error(transparent)]
    Format(#[from] vex_format::OpenError),
    /// The file is damaged.
    #[error(transparent)]
    Verify(#[from] vex_format::VerifyError),
    /// Two nodes have one key.
    #[error(transparent)]
    DuplicateKey(#[from] DuplicateKey),
    /// The file asks for a graph that cannot be built.
    #[error(transparent)]
    Graph(#[from] vex_graph::BuildError<Infallible>),
    /// The index does not fit into memory.
    #[error(transparent)]
    OutOfMemory(#[from] vex_graph::OutOfMemory),
}

/// An index that was not found to be right.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum VerifyProblem {
    /// The file is damaged.
    #[error(transparent)]
    Verify(#[from] vex_format::VerifyError),
    /// The threads could not be started.
    #[error(transparent)]
    Threads(#[from] ThreadsError),
}

/// An index that was not saved. What was at the path is as it was, but for
/// [`SaveProblem::NotDurable`].
#[derive(Debug, thiserror::Error)]
#[error("could not save {}", path.display())]
pub struct SaveError {
    /// Where it was to be saved.
    pub path: PathBuf,
    /// Why it was not.
    #[source]
    pub problem: SaveProblem,
}

/// Why an index was not saved.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SaveProblem {
    /// The operating system refused.
    #[error(transparent)]
    Io(#[from] io::Error),
    /// A vector is beyond the range of f16, as which it was to be kept.
    #[error(
        "key {key}: expected elements of at most 65504 for f16, found a larger one at position {position}"
    )]
    Range {
        /// The vector's key.
        key: u64,
        /// Where in the vector.
        position: usize,
    },
    /// The code of a vector has correction terms that a reader refuses. Only the vectors of older
    /// files can be so long.
    #[error(
        "key {key}: expected a vector of length up to {:e}, found a longer one, whose code cannot be saved",
        vex_graph::MAX_NORM
    )]
    Terms {
        /// The vector's key.
        key: u64,
    },
    /// The index has no encoding.
    #[error(transparent)]
    Format(vex_format::WriteError),
    /// Another writer is about to write the same file.
    #[error("locked by another writer")]
    Locked,
    /// What is there is not a file that can be replaced.
    #[error("expected a regular file or a new name, found {}", .0.found)]
    NotRegular(NotRegular),
    /// The folder is missing, or takes no new file.
    #[error("folder {}: {error}", folder.display())]
    Folder {
        /// The folder.
        folder: PathBuf,
        /// Why not.
        error: io::Error,
    },
    /// A folder has the name that the temporary file needs.
    #[error("expected to write through {}, found a folder", temporary.display())]
    Obstructed {
        /// The temporary file.
        temporary: PathBuf,
    },
    /// Another program has removed the temporary file, or put its own in its place, in spite of the
    /// lock.
    #[error("another program has removed the temporary file")]
    Displaced,
    /// Another file is there than this index was opened from or last saved as: somebody else's
    /// changes would be lost.
    #[error(
        "expected what this index was opened from or saved as ({expected}), found {}",
        found.map_or("another file".to_owned(), |found| format!("another index ({found})"))
    )]
    Conflict {
        /// What was opened from there, or saved there; if that was elsewhere, what was opened.
        expected: Generation,
        /// What is there now, if it is an index.
        found: Option<Generation>,
    },
    /// The index was opened from a file that may not be written back.
    #[error(transparent)]
    ReadOnly(#[from] ReadOnly),
    /// The new file is there, complete and under its name, but the folder could not be flushed:
    /// after a power failure there may be the old file.
    #[error("the new file is there, but its folder could not be flushed")]
    NotDurable(#[source] io::Error),
}

// Without this the cause would say the same in other words.
impl From<NotRegular> for SaveProblem {
    fn from(error: NotRegular) -> Self {
        Self::NotRegular(error)
    }
}

/// A path for an error, which may be that memory ran out: as much of it as there is room for, all
/// or nothing.
pub(crate) fn owned(path: &Path) -> PathBuf {
    let mut copy = PathBuf::new();
    if copy.try_reserve_exact(path.as_os_str().len()).is_ok() {
        copy.push(path);
    }
    copy
}
