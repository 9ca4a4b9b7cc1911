//! One error that all others become.

use std::fmt::{Debug, Display};
use std::io;

use super::{
    BuildError, DeleteError, ExtendError, InsertError, ManyError, OpenError, OpenProblem, SaveError,
    SaveProblem, VerifyProblem,
};

/// A result whose error is any of this crate's.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Any error of this crate. The error of every operation converts into it, so that `?` works in a
/// function with several operations.
///
/// Each operation has an error of its own, whose type lists what can go wrong there. A message does
/// not repeat its [cause](std::error::Error::source). [`chain`](Self::chain) prints the causes too,
/// as `{:#}` of the crate anyhow does. A `main` that returns this error prints it by `Debug`.
///
/// # Examples
/// ```
/// use vex::{Error, Index};
///
/// fn two() -> vex::Result<Index> {
///     let mut index = Index::builder(2).build()?;
///     index.insert(1, [0.0, 1.0])?;
///     index.insert(2, [1.0, 0.0])?;
///     index.searcher().search([0.0, 0.5], 1)?;
///     Ok(index)
/// }
///
/// assert_eq!(two()?.len(), 2);
/// let error = Error::from(Index::open("missing.vex").unwrap_err());
/// assert!(matches!(error, Error::Open(_)));
/// println!("{}", error.chain()); // could not open missing.vex: No such file or directory ...
/// # Ok::<(), Error>(())
/// ```
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// Parameters that no index can be built with.
    #[error(transparent)]
    Params(#[from] vex_graph::ParamsError),
    /// An index was not built, compacted, or given other codes.
    #[error(transparent)]
    Build(BuildError<Box<dyn std::error::Error + Send + Sync>>),
    /// A vector was not inserted.
    #[error(transparent)]
    Insert(#[from] InsertError),
    /// One of many vectors was not inserted.
    #[error(transparent)]
    Extend(#[from] ExtendError),
    /// A vector was not deleted.
    #[error(transparent)]
    Delete(#[from] DeleteError),
    /// A query was not searched for.
    #[error(transparent)]
    Search(#[from] vex_graph::SearchError),
    /// Some queries were not searched for.
    #[error(transparent)]
    Many(#[from] ManyError),
    /// A file was not opened.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// Bytes are not an index.
    #[error(transparent)]
    Bytes(#[from] OpenProblem),
    /// The bytes of an index were not verified.
    #[error(transparent)]
    Verify(#[from] VerifyProblem),
    /// An index was not saved.
    #[error(transparent)]
    Save(#[from] SaveError),
    /// The bytes of an index were not written.
    #[error(transparent)]
    Write(#[from] SaveProblem),
    /// Memory ran out.
    #[error(transparent)]
    OutOfMemory(#[from] vex_graph::OutOfMemory),
    /// More memory would be needed than the limit allows.
    #[error(transparent)]
    MemoryLimit(#[from] vex_graph::MemoryLimitExceeded),
    /// The operating system refused.
    #[error(transparent)]
    Io(#[from] io::Error),
}

impl Error {
    /// The message, and those of all causes, each after a colon.
    pub fn chain(&self) -> impl Display {
        let mut text = self.to_string();
        let mut cause = std::error::Error::source(self);
        while let Some(error) = cause {
            text = format!("{text}: {error}");
            cause = error.source();
        }
        text
    }
}

impl<E> From<BuildError<E>> for Error
where
    E: Debug + Display + Into<Box<dyn std::error::Error + Send + Sync>>,
{
    fn from(error: BuildError<E>) -> Self {
        Self::Build(error.map_source(Into::into))
    }
}

impl From<vex_format::OpenError> for Error {
    fn from(error: vex_format::OpenError) -> Self {
        Self::Bytes(error.into())
    }
}

impl From<vex_format::VerifyError> for Error {
    fn from(error: vex_format::VerifyError) -> Self {
        Self::Verify(error.into())
    }
}
