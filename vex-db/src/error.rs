//! What can go wrong.

use std::any::Any;
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;

use vex::graph::InsertError;
use vex::{BuildError, OpenError, OpenProblem, SaveError, SearchError};

use crate::bytes::Damaged;
use crate::{FilterError, RowError, SchemaError};

/// A result with an [`Error`].
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Why something could not be done. After an error the collection is as it was, except for
/// [`Failed`](Self::Failed) and the commit before it, whose outcome is unknown until then.
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
    #[error("{}: expected {expected}, found {found}", path.display())]
    NotACollection {
        /// The path.
        path: PathBuf,
        /// What could be there.
        expected: &'static str,
        /// What is there.
        found: String,
    },
    /// A copy was to be written into the folder of its collection.
    #[error("{}: the copy would be in the folder of its collection", path.display())]
    BackupInside {
        /// The path of the copy.
        path: PathBuf,
    },
    /// Another handle has the collection open for writing, in this process or in another.
    #[error("{}: another process or handle has it open for writing", path.display())]
    Locked {
        /// The path.
        path: PathBuf,
    },
    /// The collection was written by another version.
    #[error("the collection has version {found}, and this program reads version {expected}")]
    Version {
        /// The version that is read.
        expected: u64,
        /// The version of the collection.
        found: u64,
    },
    /// The schema cannot be used, or is not that of the collection.
    #[error(transparent)]
    Schema(#[from] SchemaError),
    /// Maintenance was given no thread.
    #[error("threads: expected 1 or more, found 0")]
    NoThreads,
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
    /// A named vector cannot be indexed.
    #[error("row {id:?}: vector {vector}: {error}")]
    NamedVector {
        /// The id.
        id: String,
        /// The name of the vector.
        vector: String,
        /// Why.
        #[source]
        error: InsertError,
    },
    /// The collection has no vector of this name.
    #[error("no vector {vector:?} in the collection, which has {}", human_list(.known, "none with a name"))]
    UnknownVector {
        /// The name.
        vector: String,
        /// The names that there are.
        known: Vec<String>,
    },
    /// A row that others should be like has no vector of this name.
    #[error("row {id:?}: no vector {vector:?}")]
    NoVector {
        /// The id.
        id: String,
        /// The name.
        vector: String,
    },
    /// A query cannot be searched for.
    #[error(transparent)]
    Query(#[from] SearchError),
    /// A filter does not fit the schema.
    #[error(transparent)]
    Filter(#[from] FilterError),
    /// A field was asked for that the collection does not have.
    #[error("no field {field:?} in the collection, which has {}", human_list(.known, "none"))]
    UnknownField {
        /// The name.
        field: String,
        /// The fields that there are.
        known: Vec<String>,
    },
    /// No row has this id.
    #[error("no row {id:?}")]
    NoRow {
        /// The id.
        id: String,
    },
    /// Rows like no row were asked for.
    #[error("recommend: expected one or more ids of rows to be like, found none")]
    NothingLiked,
    /// The store is not what this crate wrote.
    #[error("damaged: {part}")]
    Damaged {
        /// The part.
        part: String,
    },
    /// The writer has replaced a segment since the snapshot was taken. A new snapshot has what took
    /// its place.
    #[error("{}: replaced since by the writer: take a new snapshot", path.display())]
    Gone {
        /// The file.
        path: PathBuf,
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
    /// A commit failed while it was written, with [`Store`](Self::Store), so it is unknown whether
    /// it is there. When all handles and snapshots are gone, the collection can be opened again.
    /// Then it has either the state before the commit or the one after it.
    #[error("an earlier commit failed: open the collection again")]
    Failed,
}

impl Error {
    /// Whether a file was not there.
    pub(crate) fn is_missing_file(&self) -> bool {
        match self {
            Self::Segment(error) => {
                matches!(&error.problem, OpenProblem::Io(error) if error.kind() == io::ErrorKind::NotFound)
            }
            Self::Io { error, .. } => error.kind() == io::ErrorKind::NotFound,
            _ => false,
        }
    }

    /// Runs something that reads the store. The crate of the store trusts its pages, and panics at
    /// some that are damaged.
    pub(crate) fn caught<T>(run: impl FnOnce() -> Result<T>) -> Result<T> {
        // What a panic leaves is not used. A transaction is undone, and a handle whose commit
        // panics has no other.
        catch_unwind(AssertUnwindSafe(run)).unwrap_or_else(|panic| {
            Err(Self::Damaged {
                part: format!("the store, or a fault of this program: {}", message(&*panic)),
            })
        })
    }

    pub(crate) fn damaged(part: impl Into<String>) -> impl FnOnce(Damaged) -> Self {
        |_| Self::Damaged { part: part.into() }
    }
}

/// Names for a message.
pub(crate) fn human_list(names: &[String], none: &str) -> String {
    if names.is_empty() { none.to_owned() } else { names.join(", ") }
}

/// What a panic said.
fn message(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
    text.or_else(|| panic.downcast_ref().cloned()).unwrap_or_else(|| "a panic".to_owned())
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
