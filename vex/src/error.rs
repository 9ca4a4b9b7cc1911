//! What can go wrong, one type for each operation.

mod any;

use std::convert::Infallible;
use std::io;
use std::path::{Path, PathBuf};

use crate::generation::Generation;
use crate::regular::NotRegular;
pub use any::{Error, Result};

/// A key that is in the index already.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("key {key} is in the index already")]
pub struct DuplicateKey {
    /// The key.
    pub key: u64,
}

/// The index was opened from a file with features that this version does not know. A change would
/// break them, so the index can only be searched.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "expected read-only compatible features that this version knows, found {features:08x}: \
     the index may be searched, but not changed or saved"
)]
pub struct ReadOnly {
    /// The mask of the file's read-only compatible features.
    pub features: u32,
}

/// Why an index takes no change. The index is as it was.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ChangeError {
    /// The index was opened from a file that this version may not change.
    #[error(transparent)]
    ReadOnly(#[from] ReadOnly),
    /// The changes of the index can be counted no further.
    #[error("expected a sequence number below {}, found that", u64::MAX)]
    SequenceEnd,
}

/// A vector was not deleted. The index is as it was.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum DeleteError {
    /// The index takes no change.
    #[error(transparent)]
    Change(#[from] ChangeError),
    /// The mark of the deleted vector did not fit into memory.
    #[error(transparent)]
    OutOfMemory(#[from] vex_graph::OutOfMemory),
}

/// A vector was not inserted. The index is as it was.
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

/// One vector of many was not inserted. The vectors before it are in the index.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
#[error("vector {position}: {error}")]
pub struct ExtendError {
    /// The number of the vector, counted from 0.
    pub position: usize,
    /// Why the vector was not inserted.
    pub error: InsertError,
}

/// Threads were not started.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ThreadsError {
    /// No thread was asked for. At least one is needed.
    #[error("expected at least 1 thread, found 0")]
    None,
    /// The operating system refused.
    #[error("could not start {threads} threads: {error}")]
    Start {
        /// The number of threads that were asked for.
        threads: usize,
        /// The reason.
        error: rayon::ThreadPoolBuildError,
    },
}

/// An index was not built. `E` is the error of the source of the vectors.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BuildError<E: std::fmt::Debug + std::fmt::Display = Infallible> {
    /// The index that was to be built again takes no change.
    #[error(transparent)]
    Change(#[from] ChangeError),
    /// Two vectors have one key.
    #[error("row {}: expected every key once, found key {key} of row {} again", rows[1], rows[0])]
    DuplicateKey {
        /// The key.
        key: u64,
        /// The positions of the two vectors, counted from 0.
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
    /// Memory ran out while searches checked the codes: see [`Coding`](crate::Coding).
    #[error("could not check the codes")]
    Codes(#[source] vex_graph::SearchError),
}

impl<E: std::fmt::Debug + std::fmt::Display> BuildError<E> {
    /// Replaces the error of the source of the vectors.
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

/// Some queries were not searched for.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ManyError {
    /// A query cannot be searched for.
    #[error("query {position}: {error}")]
    Query {
        /// The number of the query, counted from 0.
        position: usize,
        /// Why it cannot be searched for.
        error: vex_graph::SearchError,
    },
    /// The results did not fit into memory.
    #[error(transparent)]
    OutOfMemory(#[from] vex_graph::OutOfMemory),
    /// The threads could not be started.
    #[error(transparent)]
    Threads(#[from] ThreadsError),
}

/// A file was not opened.
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
    /// The file is a pipe, a socket or a device.
    #[error(transparent)]
    NotRegular(#[from] NotRegular),
    /// The file is not an index, or is one that this version cannot read.
    #[error(transparent)]
    Format(#[from] vex_format::OpenError),
    /// The file is damaged.
    #[error(transparent)]
    Verify(#[from] vex_format::VerifyError),
    /// Two nodes have one key.
    #[error(transparent)]
    DuplicateKey(#[from] DuplicateKey),
    /// The file describes a graph that cannot be built.
    #[error(transparent)]
    Graph(#[from] vex_graph::BuildError<Infallible>),
    /// The index does not fit into memory.
    #[error(transparent)]
    OutOfMemory(#[from] vex_graph::OutOfMemory),
}

/// The bytes of an index were not verified.
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

/// An index was not saved. The file at the path is as it was, except after
/// [`SaveProblem::NotDurable`].
#[derive(Debug, thiserror::Error)]
#[error("could not save {}", path.display())]
pub struct SaveError {
    /// The path of the file.
    pub path: PathBuf,
    /// Why it was not saved.
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
    /// A vector is beyond the range of f16, as which it was to be stored.
    #[error(
        "key {key}: expected elements of at most 65504 for f16, found a larger one at position {position}"
    )]
    Range {
        /// The vector's key.
        key: u64,
        /// The position of the element in the vector.
        position: usize,
    },
    /// The correction terms of a vector's code are so large that a reader refuses them. Only
    /// vectors from older files can be so long.
    #[error(
        "key {key}: expected a vector of length up to {:e}, found a longer one, whose code cannot be saved",
        vex_graph::MAX_NORM
    )]
    Terms {
        /// The vector's key.
        key: u64,
    },
    /// The index cannot be written in this format.
    #[error(transparent)]
    Format(vex_format::WriteError),
    /// Another writer writes the same file.
    #[error("locked by another writer")]
    Locked,
    /// There is something at the path that is not a regular file.
    #[error("expected a regular file or a new name, found {}", .0.found)]
    NotRegular(NotRegular),
    /// The folder is missing, or takes no new file.
    #[error("folder {}: {error}", folder.display())]
    Folder {
        /// The folder.
        folder: PathBuf,
        /// The reason.
        error: io::Error,
    },
    /// A folder has the name that the temporary file needs.
    #[error("expected to write through {}, found a folder", temporary.display())]
    Obstructed {
        /// The temporary file.
        temporary: PathBuf,
    },
    /// In spite of the lock, another program has removed the temporary file or put its own in its
    /// place.
    #[error("another program has removed the temporary file")]
    Displaced,
    /// The path holds another file than this index was opened from or last saved as. The changes in
    /// that file would be lost.
    #[error(
        "expected what this index was opened from or saved as ({expected}), found {}",
        found.map_or("another file".to_owned(), |found| format!("another index ({found})"))
    )]
    Conflict {
        /// The generation that this index opened or saved at the path. If it did neither, the
        /// generation that it was opened from.
        expected: Generation,
        /// The generation of the file there now, if that is an index.
        found: Option<Generation>,
    },
    /// The index was opened from a file that this version may not write back.
    #[error(transparent)]
    ReadOnly(#[from] ReadOnly),
    /// The new file is complete and has its name, but the folder could not be flushed. A power
    /// failure may bring the old file back.
    #[error("the new file is there, but its folder could not be flushed")]
    NotDurable(#[source] io::Error),
}

// This error is its own message, so it is not the cause as well: that would say the same again.
impl From<NotRegular> for SaveProblem {
    fn from(error: NotRegular) -> Self {
        Self::NotRegular(error)
    }
}

/// A copy of a path for an error. The error may be that memory ran out, so the copy is empty if
/// there is no room for it.
pub(crate) fn owned(path: &Path) -> PathBuf {
    let mut copy = PathBuf::new();
    if copy.try_reserve_exact(path.as_os_str().len()).is_ok() {
        copy.push(path);
    }
    copy
}
