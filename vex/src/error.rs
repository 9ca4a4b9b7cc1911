//! What can go wrong, one type for each operation.

use std::io;
use std::path::PathBuf;

use thiserror::Error;

/// A key that is in the index already.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("key {key} is in the index already")]
pub struct DuplicateKey {
    /// The key.
    pub key: u64,
}

/// A vector that was not inserted. The index is as it was.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum InsertError {
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

/// An index that was not built. `E` is the error of the source of the vectors.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum BuildError<E: std::fmt::Debug + std::fmt::Display> {
    /// Two vectors have one key.
    #[error(transparent)]
    DuplicateKey(#[from] DuplicateKey),
    /// A vector cannot be indexed, its source failed, a parameter is out of range, memory ran out, or the build was cancelled.
    #[error(transparent)]
    Graph(#[from] vex_graph::BuildError<E>),
    /// The keys did not fit into memory.
    #[error(transparent)]
    OutOfMemory(#[from] vex_graph::OutOfMemory),
    /// The build would need more memory than is allowed.
    #[error(transparent)]
    MemoryLimit(#[from] vex_graph::MemoryLimitExceeded),
    /// The threads could not be started.
    #[error("could not start {threads} threads: {error}")]
    Threads {
        /// How many were asked for.
        threads: usize,
        /// Why not.
        error: rayon::ThreadPoolBuildError,
    },
}

/// A batch of queries that was not searched for.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum BatchError {
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
    #[error("could not start {threads} threads: {error}")]
    Threads {
        /// How many were asked for.
        threads: usize,
        /// Why not.
        error: rayon::ThreadPoolBuildError,
    },
}

/// A file that was not opened.
#[derive(Debug, Error)]
#[error("{}: {problem}", path.display())]
pub struct OpenError {
    /// The file.
    pub path: PathBuf,
    /// What is wrong with it.
    #[source]
    pub problem: OpenProblem,
}

/// Why a file was not opened.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum OpenProblem {
    /// The operating system refused.
    #[error(transparent)]
    Io(#[from] io::Error),
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
    Graph(#[from] vex_graph::BuildError<std::convert::Infallible>),
    /// The index does not fit into memory.
    #[error(transparent)]
    OutOfMemory(#[from] vex_graph::OutOfMemory),
}

/// An index that was not found to be right.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum VerifyProblem {
    /// The file is damaged.
    #[error(transparent)]
    Verify(#[from] vex_format::VerifyError),
    /// The threads could not be started.
    #[error("could not start {threads} threads: {error}")]
    Threads {
        /// How many were asked for.
        threads: usize,
        /// Why not.
        error: rayon::ThreadPoolBuildError,
    },
}

/// An index that was not saved. What was at the path is as it was, but for [`SaveProblem::NotDurable`].
#[derive(Debug, Error)]
#[error("{}: {problem}", path.display())]
pub struct SaveError {
    /// Where it was to be saved.
    pub path: PathBuf,
    /// Why it was not.
    #[source]
    pub problem: SaveProblem,
}

/// Why an index was not saved.
#[derive(Debug, Error)]
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
    /// The code of a vector has correction terms that a reader refuses. Only the vectors of older files can be so long.
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
    /// Another writer is saving to the same path.
    #[error("locked by another writer")]
    Locked,
    /// The new file is there, complete and under its name, but the folder could not be flushed: after a power failure there may
    /// be the old file.
    #[error("saved, but the folder could not be flushed: {0}")]
    NotDurable(#[source] io::Error),
}
