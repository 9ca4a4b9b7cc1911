//! Errors: what can be wrong with a vector, and with the memory for it.

use core::fmt;

use crate::{Element, MAX_NORM, NodeId, ParamsError};

/// The length of a vector, as errors carry it. Two are the same if their bits are.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Norm(u64);

impl Norm {
    pub(crate) fn new(norm: f64) -> Self {
        Self(norm.to_bits())
    }

    /// The Euclidean length |v|.
    pub fn get(self) -> f64 {
        f64::from_bits(self.0)
    }
}

impl fmt::Debug for Norm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Norm({self})")
    }
}

impl fmt::Display for Norm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::LowerExp::fmt(&self.get(), f)
    }
}

/// A vector that cannot be indexed or searched for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum VectorError {
    /// The vector's length is not the dimension of the index.
    Dimension {
        /// The dimension of the index.
        expected: usize,
        /// The length of the vector.
        found: usize,
    },
    /// The elements are of another type than those of the index.
    Element {
        /// The type in the index.
        expected: Element,
        /// The type of the vector's.
        found: Element,
    },
    /// An element is NaN or infinite.
    NotFinite {
        /// Where in the vector.
        position: usize,
    },
    /// An element is too large for an index of f16, which holds up to 65,504.
    Range {
        /// Where in the vector.
        position: usize,
    },
    /// A bit is set in the last word of a vector of bits that is none of its elements.
    BitsBeyond {
        /// The dimension of the index.
        expected: usize,
        /// The dimension that the bit would belong to.
        found: usize,
    },
    /// The vector is longer than [`MAX_NORM`], and the metric is squared Euclidean or inner
    /// product: distances could overflow.
    TooLong {
        /// Its length.
        found: Norm,
    },
    /// All elements are zero, and the metric is cosine: the vector has no direction.
    ZeroVector,
}

impl fmt::Display for VectorError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Dimension { expected, found } => write!(f, "expected {expected} dimensions, found {found}"),
            Self::Element { expected, found } => write!(f, "expected elements of {expected}, found {found}"),
            Self::Range { position } => {
                write!(
                    f,
                    "expected elements of at most 65504 for f16, found a larger one at position {position}"
                )
            }
            Self::BitsBeyond { expected, found } => {
                write!(f, "expected zeros beyond {expected} bits, found bit {found} set")
            }
            Self::NotFinite { position } => {
                write!(f, "expected finite elements, found NaN or infinity at position {position}")
            }
            Self::TooLong { found } => {
                write!(f, "expected a vector of length up to {MAX_NORM:e}, found one of length {found}")
            }
            Self::ZeroVector => {
                f.write_str("expected a vector with a direction for the cosine metric, found all zeros")
            }
        }
    }
}

impl core::error::Error for VectorError {}

/// A search that could not start.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum SearchError {
    /// The query cannot be searched for.
    Query(VectorError),
    /// A slice of the caller's scratch is too small for this graph and these parameters.
    ScratchTooSmall {
        /// Words of the visited set that are needed, and given.
        visited: (usize, usize),
        /// Candidates that are needed, and given.
        candidates: (usize, usize),
        /// Elements of the coded query that are needed, and given: the shorter of
        /// [`code`](crate::ScratchMut::code) and [`rotated`](crate::ScratchMut::rotated).
        code: (usize, usize),
    },
    /// The index has codes alone, and the search is one that compares vectors. The searches of this
    /// crate do not return it: their answers are then estimates.
    VectorsNotStored,
    /// The scratch could not grow.
    OutOfMemory(OutOfMemory),
}

impl From<VectorError> for SearchError {
    fn from(error: VectorError) -> Self {
        Self::Query(error)
    }
}

impl From<OutOfMemory> for SearchError {
    fn from(error: OutOfMemory) -> Self {
        Self::OutOfMemory(error)
    }
}

impl fmt::Display for SearchError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Query(error) => write!(f, "query: {error}"),
            Self::ScratchTooSmall { visited, candidates, code } => write!(
                f,
                "scratch: expected {} visited words, {} candidates and a code of {}, found {}, {} and {}",
                visited.0, candidates.0, code.0, visited.1, candidates.1, code.1
            ),
            Self::VectorsNotStored => f.write_str("the index has codes and no vectors to compare"),
            Self::OutOfMemory(error) => error.fmt(f),
        }
    }
}

impl core::error::Error for SearchError {}

/// Memory that was asked for and not given. Whatever asked for it is unchanged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OutOfMemory {
    /// The bytes of the allocation that failed.
    pub bytes: usize,
}

impl fmt::Display for OutOfMemory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "could not allocate {} bytes", self.bytes)
    }
}

impl core::error::Error for OutOfMemory {}

/// More memory would be needed than is allowed. Nothing was allocated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MemoryLimitExceeded {
    /// The bytes that are allowed.
    pub limit: usize,
    /// The bytes that would be needed.
    pub needed: usize,
}

impl fmt::Display for MemoryLimitExceeded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "expected to need at most {} bytes of memory, found {}", self.limit, self.needed)
    }
}

impl core::error::Error for MemoryLimitExceeded {}

/// A vector that was not inserted. The graph is as it was.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum InsertError {
    /// The vector cannot be indexed.
    Vector(VectorError),
    /// The graph holds as many nodes as it can.
    Full {
        /// The most nodes that fit.
        capacity: usize,
    },
    /// More memory would be needed than `Hnsw::limit_memory` allows.
    MemoryLimit(MemoryLimitExceeded),
    /// Memory ran out.
    OutOfMemory(OutOfMemory),
}

impl From<MemoryLimitExceeded> for InsertError {
    fn from(error: MemoryLimitExceeded) -> Self {
        Self::MemoryLimit(error)
    }
}

impl From<VectorError> for InsertError {
    fn from(error: VectorError) -> Self {
        Self::Vector(error)
    }
}

impl From<OutOfMemory> for InsertError {
    fn from(error: OutOfMemory) -> Self {
        Self::OutOfMemory(error)
    }
}

impl fmt::Display for InsertError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Vector(error) => error.fmt(f),
            Self::Full { capacity } => write!(f, "the index is full: it holds {capacity} vectors"),
            Self::MemoryLimit(error) => error.fmt(f),
            Self::OutOfMemory(error) => error.fmt(f),
        }
    }
}

impl core::error::Error for InsertError {}

/// A node that was not deleted. The graph is as it was.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum DeleteError {
    /// There is no such node, or it is deleted already.
    NotFound {
        /// The id given.
        id: NodeId,
    },
    /// Memory ran out.
    OutOfMemory(OutOfMemory),
}

impl From<OutOfMemory> for DeleteError {
    fn from(error: OutOfMemory) -> Self {
        Self::OutOfMemory(error)
    }
}

impl fmt::Display for DeleteError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotFound { id } => write!(f, "expected a node of the graph, found {id}"),
            Self::OutOfMemory(error) => error.fmt(f),
        }
    }
}

impl core::error::Error for DeleteError {}

/// A node whose vector was not replaced. The graph is as it was.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum UpdateError {
    /// There is no such node, or it is deleted.
    NotFound {
        /// The id given.
        id: NodeId,
    },
    /// The vector cannot be indexed, or memory ran out.
    Insert(InsertError),
}

impl From<InsertError> for UpdateError {
    fn from(error: InsertError) -> Self {
        Self::Insert(error)
    }
}

impl fmt::Display for UpdateError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotFound { id } => write!(f, "expected a node of the graph, found {id}"),
            Self::Insert(error) => error.fmt(f),
        }
    }
}

impl core::error::Error for UpdateError {}

/// A graph that was not built. `E` is the error of the source of the vectors.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum BuildError<E> {
    /// A parameter is out of range, or does not fit the elements.
    Params(ParamsError),
    /// A vector cannot be indexed.
    Vector {
        /// Its position in the input.
        position: usize,
        /// What is wrong with it.
        error: VectorError,
    },
    /// The source of the vectors failed.
    Source {
        /// The position that was asked for.
        position: usize,
        /// Its error.
        error: E,
    },
    /// More vectors than a graph can hold.
    Full {
        /// The most nodes that fit.
        capacity: usize,
    },
    /// The view has codes alone, and vectors are needed to link nodes.
    VectorsNotStored,
    /// Memory ran out.
    OutOfMemory(OutOfMemory),
    /// The progress callback cancelled the build.
    Cancelled {
        /// The nodes that were linked by then.
        linked: usize,
    },
}

impl<E> BuildError<E> {
    /// The same with another error of the source of the vectors.
    pub fn map_source<F>(self, map: impl FnOnce(E) -> F) -> BuildError<F> {
        match self {
            Self::Params(error) => BuildError::Params(error),
            Self::Vector { position, error } => BuildError::Vector { position, error },
            Self::Source { position, error } => BuildError::Source { position, error: map(error) },
            Self::Full { capacity } => BuildError::Full { capacity },
            Self::VectorsNotStored => BuildError::VectorsNotStored,
            Self::OutOfMemory(error) => BuildError::OutOfMemory(error),
            Self::Cancelled { linked } => BuildError::Cancelled { linked },
        }
    }
}

impl<E> From<ParamsError> for BuildError<E> {
    fn from(error: ParamsError) -> Self {
        Self::Params(error)
    }
}

impl<E> From<OutOfMemory> for BuildError<E> {
    fn from(error: OutOfMemory) -> Self {
        Self::OutOfMemory(error)
    }
}

impl<E: fmt::Display> fmt::Display for BuildError<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Params(error) => error.fmt(f),
            Self::Vector { position, error } => write!(f, "vector {position}: {error}"),
            Self::Source { error, .. } => error.fmt(f),
            Self::Full { capacity } => write!(f, "an index holds at most {capacity} vectors"),
            Self::VectorsNotStored => {
                f.write_str("the index has codes and no vectors: it can only be searched")
            }
            Self::OutOfMemory(error) => error.fmt(f),
            Self::Cancelled { linked } => write!(f, "cancelled after {linked} vectors"),
        }
    }
}

impl<E: fmt::Debug + fmt::Display> core::error::Error for BuildError<E> {}
