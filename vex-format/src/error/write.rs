//! Why an index cannot be written.

use core::fmt;

use vex_graph::{Element, MAX_NORM, Metric, NodeId, OutOfMemory, ParamsError};

/// Why an index cannot be written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum WriteError {
    /// The parameters are out of range.
    Params(ParamsError),
    /// The parameters are not those of the graph.
    M {
        /// The `m` of the graph.
        expected: usize,
        /// The `m` of the parameters.
        found: usize,
    },
    /// The number of keys is not that of the nodes.
    Keys {
        /// The number of nodes.
        expected: usize,
        /// The number of keys.
        found: usize,
    },
    /// The file would have neither vectors nor codes.
    NoVectors,
    /// Vectors of this element cannot be stored as f16.
    Element {
        /// The type of the elements.
        found: Element,
    },
    /// An element is too large for f16, which holds up to 65,504.
    Range {
        /// The vector's node.
        node: NodeId,
        /// The position of the element in the vector.
        position: usize,
    },
    /// A correction term of a code is NaN or infinite, which a reader refuses. The vector is longer
    /// than [`MAX_NORM`](vex_graph::MAX_NORM), and comes from a file of an older version.
    Terms {
        /// The code's node.
        node: NodeId,
    },
    /// An element of the mean, around which vectors are coded, is NaN or infinite. A reader refuses
    /// it.
    Mean {
        /// The position of the element.
        position: usize,
    },
    /// The format has no code for the metric.
    Metric {
        /// The metric.
        found: Metric,
    },
    /// The entry point is not a node.
    Entry {
        /// The number of nodes: the entry point must be less.
        expected: usize,
        /// The entry point.
        found: NodeId,
    },
    /// The file would be longer than 2⁶⁴ − 1 bytes.
    TooLarge,
    /// There was no memory to sort the nodes.
    OutOfMemory(OutOfMemory),
}

impl From<ParamsError> for WriteError {
    fn from(error: ParamsError) -> Self {
        Self::Params(error)
    }
}

impl From<OutOfMemory> for WriteError {
    fn from(error: OutOfMemory) -> Self {
        Self::OutOfMemory(error)
    }
}

impl fmt::Display for WriteError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Params(error) => error.fmt(f),
            Self::M { expected, found } => write!(f, "m: expected {expected} as in the graph, found {found}"),
            Self::Keys { expected, found } => write!(f, "expected {expected} keys, found {found}"),
            Self::NoVectors => f.write_str("an index without codes must keep its vectors"),
            Self::Element { found } => write!(f, "f16: expected vectors of f32, found {found}"),
            Self::Range { node, position } => {
                write!(
                    f,
                    "vector {node}: expected elements of at most 65504 for f16, found a larger one at position {position}"
                )
            }
            Self::Terms { node } => {
                write!(
                    f,
                    "vector {node}: expected finite correction terms of its code, found NaN or infinity: is it longer than {MAX_NORM:e}?"
                )
            }
            Self::Mean { position } => {
                write!(f, "codes: expected a finite mean, found NaN or infinity at position {position}")
            }
            Self::Metric { found } => write!(f, "the file format has no code for the metric {found}"),
            Self::Entry { expected, found } => {
                write!(f, "expected an entry point below {expected}, found {found}")
            }
            Self::TooLarge => f.write_str("the file would be longer than a file can be"),
            Self::OutOfMemory(error) => error.fmt(f),
        }
    }
}

impl core::error::Error for WriteError {}
