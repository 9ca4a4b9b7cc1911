//! Node ids and what limits them.

/// A node: a dense index, 0 to `count − 1`.
pub type NodeId = u32;

/// The most nodes a graph can hold, 2³¹ − 1: a candidate packs its id and one flag into 32 bits.
pub const MAX_NODES: usize = (1 << 31) - 1;

/// The most levels a graph can have, the base included. Nodes that would be on a higher level are
/// on the highest.
pub const MAX_LEVELS: usize = 8;

/// Ends a row of links that is not full. It is larger than [`MAX_NODES`], so it is no id. One
/// comparison of an id with the node count thus finds a wrong id and the end of the row.
pub const TERMINATOR: u32 = u32::MAX;
