//! How much memory a graph takes, computed before it is built.

use vex_kernels::Metric;

use crate::construct::{Squares, Tree, bulk, finding_bytes, level, reordering_bytes, workspace_bytes};
use crate::random::draw;
use crate::storage::{CodeRows, Copies, LevelLinks, Vectors, bytes};
use crate::{Element, Hnsw, MAX_LEVELS, MemoryLimitExceeded, NodeId, Params, ParamsError};

/// The bytes that [`Hnsw::build`](crate::Hnsw::build) allocates. All are exact except the
/// [peak](Self::peak). If some vectors are equal, the graph holds 8 bytes more for each node, which
/// the peak includes in any case.
///
/// Numbers that no `usize` holds are the largest `usize`. Chapter 8 (`docs/8-memory.md` in the
/// repository) adds up an example.
///
/// ```
/// use vex_graph::{MemoryPlan, Metric, Params};
///
/// let plan = MemoryPlan::of(&Params::default(), Metric::Cosine, 384, 100_000)?;
/// assert_eq!(plan.vectors, 100_000 * 384 * 4 + 60);
/// assert!(plan.graph() < 180 << 20);
/// assert!(plan.check(1 << 20, 1).is_err());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct MemoryPlan {
    /// The vectors, and the padding that aligns them.
    pub vectors: usize,
    /// The codes, their correction terms and their mean.
    pub codes: usize,
    /// The links of all levels.
    pub links: usize,
    /// The squared length of each vector, by inner product alone.
    pub squares: usize,
    /// The tree that keeps every node reachable when the graph changes.
    pub tree: usize,
    /// The order of the nodes, which comes with the graph.
    pub order: usize,
    params: Params,
    metric: Metric,
    dim: usize,
    level_counts: [usize; MAX_LEVELS],
}

impl MemoryPlan {
    /// The plan of a build of `count` vectors of `dim` elements.
    ///
    /// # Errors
    /// If a parameter or the dimension is out of range, the elements do not have the metric, or
    /// they have no codes and `params` asks for codes.
    ///
    /// # Complexity
    /// Linear in `count`: the levels of all nodes are drawn. No allocation.
    pub fn of(params: &Params, metric: Metric, dim: usize, count: usize) -> Result<Self, ParamsError> {
        params.validate()?;
        Vectors::new(params.element, metric, dim)?;
        let mut level_counts = [0; MAX_LEVELS];
        for position in 0..count as u64 {
            let level = level(draw(params.seed, position), params.m);
            level_counts[..=level].iter_mut().for_each(|count| *count += 1);
        }
        // An empty graph has a base, which is empty.
        let levels = level_counts.iter().filter(|count| **count > 0).count().max(1);
        let rows = (0..levels).map(|index| LevelLinks::exact_bytes(params.width(index), level_counts[index]));
        Ok(Self {
            vectors: Vectors::exact_bytes(params.element, dim, count),
            codes: params.quantization.map_or(0, |kind| CodeRows::exact_bytes(kind, dim, count)),
            links: rows.fold(bytes::<LevelLinks>(levels), usize::saturating_add),
            squares: Squares::exact_bytes(metric, count),
            tree: Tree::exact_bytes(count),
            order: bytes::<NodeId>(count),
            params: *params,
            metric,
            dim,
            level_counts,
        })
    }

    /// The bytes that the graph holds once it is built, unless some of its vectors are equal.
    pub fn graph(&self) -> usize {
        [self.vectors, self.codes, self.links, self.squares, self.tree]
            .into_iter()
            .fold(0, usize::saturating_add)
    }

    /// At most this many bytes are allocated at any time of a build with so many workers.
    ///
    /// Beside the graph and its order there are two phases. First come the draws of all levels, the
    /// codes that the build compares, and the workspace of linking. Then comes what reordering
    /// needs. The chains of equal vectors are counted, though most graphs have none.
    pub fn peak(&self, workers: usize) -> usize {
        let Self { params, metric, dim, level_counts, .. } = self;
        let count = level_counts[0];
        let draws = bytes::<(u64, u32)>(count);
        let build = bulk::Plan::new(params.quantization, *metric, *dim, count);
        let kinds = || build.fine.into_iter().chain(build.guide);
        let bytes_of = |kind| CodeRows::exact_bytes(kind, *dim, count);
        // Codes that only the graph has are made after those of the build are dropped.
        let codes = kinds().map(bytes_of).fold(0, usize::saturating_add).max(self.codes);
        let coding =
            kinds().chain(params.quantization).next().map_or(0, |_| CodeRows::coding_bytes(*dim, workers));
        let query_len = kinds().map(|kind| kind.query_len(*dim)).max().unwrap_or(0);
        let linking = workspace_bytes(params, *metric, query_len, level_counts, workers);
        // The vector of the source is allocated all the time. Vectors of f16 may come as f32.
        let element = if params.element == Element::F16 { Element::F32 } else { params.element };
        let vector = element.scalars(*dim).saturating_mul(element.scalar_bytes());
        let linking = [codes, coding, linking].into_iter().fold(0, usize::saturating_add);
        // Copies are found before there are codes.
        let linking = draws.saturating_add(linking.max(finding_bytes(count)));
        let chains = Copies::exact_bytes(count);
        let renumbering = chains.saturating_add(bytes::<[NodeId; 2]>(count));
        let reordering = self.codes.saturating_add(reordering_bytes(params.m0(), count).max(renumbering));
        let parts = [self.order, vector, chains, linking.max(reordering)];
        parts.into_iter().fold(self.graph() - self.codes, usize::saturating_add)
    }

    /// Whether a build with so many workers stays within a limit.
    ///
    /// # Errors
    /// If its [peak](Self::peak) is higher than `limit` bytes.
    pub fn check(&self, limit: usize, workers: usize) -> Result<(), MemoryLimitExceeded> {
        let needed = self.peak(workers);
        if needed > limit { Err(MemoryLimitExceeded { limit, needed }) } else { Ok(()) }
    }
}

impl Hnsw {
    /// Bytes that the graph holds, with the room that its arrays have to grow, but without the
    /// workspace of inserts.
    pub fn memory(&self) -> usize {
        self.parts().map(|[held, _]| held).sum::<usize>()
            + bytes::<LevelLinks>(self.levels.capacity())
            + self.tombstones.held()
    }

    /// Refuses inserts that would need more than `limit` bytes. That counts what the graph
    /// [holds](Self::memory) and, where arrays must move to grow, both the old and the new memory.
    /// An insert that takes a free slot needs none.
    ///
    /// [`compact`](Self::compact) keeps the limit; a view and a file do not. If the chains of equal
    /// vectors would exceed the limit, their nodes are linked like others.
    pub fn limit_memory(&mut self, limit: usize) {
        self.memory_limit = limit;
    }

    /// The limit that [`limit_memory`](Self::limit_memory) set, or the largest number without one.
    pub fn memory_limit(&self) -> usize {
        self.memory_limit
    }

    /// Whether a node may become a copy: there are chains already, or the limit has room for them.
    pub(crate) fn has_room_for_copies(&self) -> bool {
        let count = self.count();
        let has_chains = self.tree.copies.memory()[0] > 0;
        has_chains || self.memory().saturating_add(Copies::exact_bytes(count + 1)) <= self.memory_limit
    }

    /// Checks that one more node stays within the limit.
    pub(crate) fn check_limit(&self, level: usize) -> Result<(), MemoryLimitExceeded> {
        if self.memory_limit == usize::MAX {
            return Ok(());
        }
        let added = (level + 1).saturating_sub(self.levels.len());
        let rows =
            (self.levels.len()..=level).map(|index| LevelLinks::exact_bytes(self.params.width(index), 1));
        // The first insert into a graph with codes makes the arrays for them.
        let first_code = self.params.quantization.filter(|_| self.codes.is_none());
        let code = first_code.map_or(0, |kind| CodeRows::exact_bytes(kind, self.vectors.rows().dim(), 1));
        let grown: usize = self.parts().map(|[_, growth]| growth).sum();
        let levels = if added > 0 { bytes::<LevelLinks>(MAX_LEVELS) } else { 0 };
        let needed = self.memory() + grown + rows.sum::<usize>() + code + levels;
        let limit = self.memory_limit;
        if needed > limit { Err(MemoryLimitExceeded { limit, needed }) } else { Ok(()) }
    }

    /// For each part, the bytes that it holds and the bytes of the memory that it would move to.
    fn parts(&self) -> impl Iterator<Item = [usize; 2]> {
        let codes = self.codes.iter().map(CodeRows::memory);
        let levels = self.levels.iter().map(LevelLinks::memory);
        let squares = self.squares.memory(self.vectors.rows().metric());
        [self.vectors.memory(), squares, self.tree.memory(), self.tree.copies.memory()]
            .into_iter()
            .chain(codes)
            .chain(levels)
    }
}
