//! The faults that a full scan can find.

use core::fmt;

use vex_graph::{CopyLinks, NodeId};

use crate::Tag;

/// A file that opens, but is damaged or breaks the rules of the format.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub enum VerifyError {
    /// A section is damaged.
    Checksum {
        /// The section.
        section: Tag,
        /// The offset of the section in the file.
        offset: u64,
        /// The checksum in the section table.
        expected: u32,
        /// The checksum of the section.
        found: u32,
    },
    /// A byte between sections is not zero.
    Padding {
        /// The offset of the byte in the file.
        offset: u64,
        /// The byte.
        found: u8,
    },
    /// The padding of a vector is not zero. Either a scalar between the end of the vector and the
    /// end of its row is not zero. Or the last word of a vector of bits has bits beyond its
    /// elements.
    VectorPadding {
        /// The vector's node.
        node: NodeId,
        /// The position in the row.
        position: usize,
    },
    /// An element is NaN or infinite.
    NotFinite {
        /// The vector's node.
        node: NodeId,
        /// The position in the vector.
        position: usize,
    },
    /// The metric is cosine, and a vector of integers is zero.
    ZeroVector {
        /// The vector's node.
        node: NodeId,
    },
    /// The metric is cosine, and a vector does not have unit length.
    NotUnitLength {
        /// The vector's node.
        node: NodeId,
        /// The square of its length.
        found: f64,
    },
    /// A correction term of a code is NaN or infinite.
    Terms {
        /// The code's node.
        node: NodeId,
    },
    /// An element of the mean, around which vectors are coded, is NaN or infinite.
    Mean {
        /// The position of the element.
        position: usize,
    },
    /// A chain of copies is wrong at a node. The copies that the node names as the next and the
    /// previous one do not name it, or their ids do not ascend. Or a node without a chain is not
    /// deleted.
    Copies {
        /// The node.
        node: NodeId,
        /// The nodes that it names.
        found: CopyLinks,
    },
    /// A copy of another node has links of its own, or is the entry point.
    LinkedCopy {
        /// The node.
        node: NodeId,
    },
    /// The vector of a copy differs from that of the node before it.
    UnequalCopy {
        /// The node.
        node: NodeId,
        /// The node before it.
        previous: NodeId,
    },
    /// There is a section of copies, but no node is a copy.
    NoCopies,
    /// An id of a deleted node belongs to no node.
    Tombstone {
        /// The number of nodes: ids must be less.
        expected: u32,
        /// The id.
        found: NodeId,
    },
    /// There is a section of deleted nodes, but no node is deleted.
    NoTombstones,
    /// A link leads to a node that is not on the level.
    Link {
        /// The level.
        level: usize,
        /// The node with the link.
        node: NodeId,
        /// The number of nodes on the level: ids must be less.
        expected: u32,
        /// The id that the link leads to.
        found: NodeId,
    },
    /// There is a link after the end of its row.
    LinkAfterEnd {
        /// The level.
        level: usize,
        /// The node with the link.
        node: NodeId,
        /// The id that the link leads to.
        found: NodeId,
    },
    /// A node links to itself.
    SelfLink {
        /// The level.
        level: usize,
        /// The node.
        node: NodeId,
    },
    /// A node has the same link twice.
    DuplicateLink {
        /// The level.
        level: usize,
        /// The node with the links.
        node: NodeId,
        /// The id that the links lead to.
        found: NodeId,
    },
}

impl fmt::Display for VerifyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Checksum { section, offset, expected, found } => write!(
                f,
                "section {section} at byte {offset} is damaged: expected checksum {expected:08x}, found {found:08x}"
            ),
            Self::Padding { offset, found } => {
                write!(f, "padding at byte {offset}: expected zero, found {found}")
            }
            Self::VectorPadding { node, position } => {
                write!(f, "vector {node}: expected zero padding, found something else at position {position}")
            }
            Self::NotFinite { node, position } => {
                write!(
                    f,
                    "vector {node}: expected finite elements, found NaN or infinity at position {position}"
                )
            }
            Self::ZeroVector { node } => {
                write!(f, "vector {node}: expected a direction for the cosine metric, found all zeros")
            }
            Self::NotUnitLength { node, found } => {
                write!(f, "vector {node}: expected unit length for the cosine metric, found {found} squared")
            }
            Self::Terms { node } => {
                write!(f, "code {node}: expected finite terms, found NaN or infinity")
            }
            Self::Mean { position } => {
                write!(f, "mean: expected finite elements, found NaN or infinity at position {position}")
            }
            Self::Copies { node, found: [next, previous] } => {
                write!(
                    f,
                    "node {node}: expected its place in a chain of copies, found {next} after it and {previous} before it"
                )
            }
            Self::LinkedCopy { node } => write!(f, "node {node}: expected no links of a copy, found some"),
            Self::UnequalCopy { node, previous } => {
                write!(f, "node {node}: expected the vector of node {previous}, of which it is a copy")
            }
            Self::NoCopies => write!(f, "copies: expected at least one, found none"),
            Self::Tombstone { expected, found } => {
                write!(f, "tombstones: expected ids below {expected}, found {found}")
            }
            Self::NoTombstones => write!(f, "tombstones: expected at least one, found none"),
            Self::Link { level, node, expected, found } => {
                write!(
                    f,
                    "node {node} on level {level}: expected links to ids below {expected}, found {found}"
                )
            }
            Self::LinkAfterEnd { level, node, found } => {
                write!(
                    f,
                    "node {node} on level {level}: expected no link after the end of its row, found {found}"
                )
            }
            Self::SelfLink { level, node } => write!(f, "node {node} on level {level} links to itself"),
            Self::DuplicateLink { level, node, found } => {
                write!(f, "node {node} on level {level} links to {found} twice")
            }
        }
    }
}

impl core::error::Error for VerifyError {}
