//! The contents of a file besides the graph and the keys.

use vex_graph::Params;

/// The contents of a file besides the graph and the keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Meta {
    /// The parameters that the graph was built with. `m` must be that of the graph. The type of the
    /// elements and the kind of codes are taken from the graph.
    pub params: Params,
    /// The caller's name for the file. The format gives it no meaning.
    pub segment_id: [u8; 16],
    /// The highest sequence number that went into the file. The format gives it no meaning.
    pub sequence: u64,
    /// How the file stores the vectors.
    pub store: Store,
}

impl Meta {
    /// For a graph that was built with `params`: no name, sequence number 0, all vectors.
    pub const fn new(params: Params) -> Self {
        Self { params, segment_id: [0; 16], sequence: 0, store: Store::All }
    }

    /// Sets [`segment_id`](field@Self::segment_id).
    pub const fn segment_id(mut self, segment_id: [u8; 16]) -> Self {
        self.segment_id = segment_id;
        self
    }

    /// Sets [`sequence`](field@Self::sequence).
    pub const fn sequence(mut self, sequence: u64) -> Self {
        self.sequence = sequence;
        self
    }

    /// Sets [`store`](field@Self::store).
    pub const fn store(mut self, store: Store) -> Self {
        self.store = store;
        self
    }
}

/// How a file stores the vectors. Chapter 8 (`docs/8-memory.md` in the repository) adds up what
/// files take.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "lowercase"))]
#[non_exhaustive]
pub enum Store {
    /// All vectors, as they are.
    #[default]
    All,
    /// Vectors of f32 as f16, in half the bytes: each element is rounded to 11 bits. Vectors of f16
    /// as they are. Others cannot be stored so, nor elements beyond 65,504.
    F16,
    /// No vectors, for the smallest file: searches use the codes alone, which there must be.
    /// Distances are approximate, and nothing can be inserted.
    None,
}
