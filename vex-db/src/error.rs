//! What can go wrong.

use std::io;
use std::path::PathBuf;

use vex::graph::InsertError;
use vex::{BuildError, OpenError, SaveError, SearchError};

use crate::bytes::Damaged;
use crate::{FilterError, RowError, SchemaError};

/// A result with an [`Error`].
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Why something could not be done. After an error the collection is as it was, except for
/// [`Failed`](Self::Failed).
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// There is no collection at this path.
    #[error("{}: no collection there", path.display())]
    Missing {
        /// The path.
        path: PathBuf,
    },
    /// There is a collection at this path already.
    #[error("{}: there is a collection already", path.display())]
    Exists {
        /// The path.
        path: PathBuf,
    },
    /// The path is a file, or a folder with other files.
    #[error("{}: expected a collection or an empty folder, found {found}", path.display())]
    NotACollection {
        /// The path.
        path: PathBuf,
        /// What is there.
        found: String,
    },
    /// Another handle has the collection open for writing, in this process or in another.
    #[error("{}: another process or handle has it open for writing", path.display())]
    Locked {
        /// The path.
        path: PathBuf,
    },
    /// The collection was written by a later version.
    #[error("the collection has version {found}, and this program reads up to {expected}")]
    Version {
        /// The latest version that is read.
        expected: u64,
        /// The version of the collection.
        found: u64,
    },
    /// The schema cannot be used, or is not that of the collection.
    #[error(transparent)]
    Schema(#[from] SchemaError),
    /// A row does not fit the schema.
    #[error("row {id:?}: {error}")]
    Row {
        /// The id.
        id: String,
        /// Why.
        #[source]
        error: RowError,
    },
    /// A vector cannot be indexed.
    #[error("row {id:?}: {error}")]
    Vector {
        /// The id.
        id: String,
        /// Why.
        #[source]
        error: InsertError,
    },
    /// A query cannot be searched for.
    #[error(transparent)]
    Query(#[from] SearchError),
    /// A filter does not fit the schema.
    #[error(transparent)]
    Filter(#[from] FilterError),
    /// A field was asked for that the collection does not have.
    #[error("no field {field:?} in the collection")]
    UnknownField {
        /// The name.
        field: String,
    },
    /// No row has this id.
    #[error("no row {id:?}")]
    NoRow {
        /// The id.
        id: String,
    },
    /// The store is not what this crate wrote.
    #[error("damaged: {part}")]
    Damaged {
        /// The part.
        part: String,
    },
    /// A segment cannot be opened.
    #[error(transparent)]
    Segment(#[from] OpenError),
    /// A segment cannot be saved.
    #[error(transparent)]
    Save(#[from] SaveError),
    /// A segment cannot be built.
    #[error(transparent)]
    Build(#[from] BuildError),
    /// A file or folder cannot be used.
    #[error("{}: {error}", path.display())]
    Io {
        /// The path.
        path: PathBuf,
        /// Why.
        #[source]
        error: io::Error,
    },
    /// The store cannot be read or written.
    #[error("store: {0}")]
    Store(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// A commit failed while it was written, so it is unknown whether it is there. The collection
    /// must be opened again, which finds either the state before the commit or the one after it.
    #[error("an earlier commit failed: open the collection again")]
    Failed,
}

impl Error {
    pub(crate) fn damaged(part: impl Into<String>) -> impl FnOnce(Damaged) -> Self {
        |_| Self::Damaged { part: part.into() }
    }
}

/// The errors of the store, by operation.
macro_rules! from_store {
    ($($Error:ident),*) => {$(
        impl From<redb::$Error> for Error {
            fn from(error: redb::$Error) -> Self {
                Self::Store(Box::new(redb::Error::from(error)))
            }
        }
    )*};
}

from_store!(
    CommitError,
    CompactionError,
    DatabaseError,
    SetDurabilityError,
    StorageError,
    TableError,
    TransactionError
);
