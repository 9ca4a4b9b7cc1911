//! The owned graph: it grows, and lends itself out as a view.
//!
//! | a graph comes from | ids | links | copies are found |
//! |---|---|---|---|
//! | [`Hnsw::insert`] | in the order of inserts | node by node, by vectors | by the search of each insert |
//! | [`Hnsw::build`] | by level, then reordered | in batches, by codes if the graph has any | all, by hashes |
//! | [`Hnsw::from_view`] | those of the view | those of the view, repaired | those of the view, checked |
//!
//! All three end with the same invariants: see the head of the crate.

use alloc::vec::Vec;
use core::ops::ControlFlow;

use vex_kernels::Metric;

use crate::construct::{Executor, Linker, Squares, Tree, Workspace, bulk, find_copies, level, with_vectors};
use crate::distance::codes::centre;
use crate::random::draw;
use crate::storage::{CodeRows, Copies, LevelLinks, Tombstones, Vectors, reserve_exact};
use crate::{
    BuildError, Codes, Elements, GraphView, InsertError, LevelView, MAX_LEVELS, MAX_NODES, NodeId,
    OutOfMemory, Params, ParamsError, Quantization, Scalar, TERMINATOR,
};

/// A graph that grows from nothing moves the mean of its codes when its count reaches a power of
/// two in this range. Beyond the range, the mean of so many vectors is near enough, and to code all
/// of them again would take long.
const CENTRED_AT: core::ops::RangeInclusive<usize> = 16..=4096;

/// A graph that owns its memory.
///
/// [`MemoryPlan`](crate::MemoryPlan) says beforehand how much memory a graph takes. Chapters 3 and
/// 4 (`docs/3-build.md` and `docs/4-changes.md` in the repository) explain how it is built and
/// changed.
///
/// ```
/// use vex_graph::{Hnsw, Metric, Neighbor, Params, Scratch, SearchParams, search};
///
/// let mut graph = Hnsw::new(Metric::SquaredEuclidean, 2, Params::default())?;
/// for vector in [[0.0, 0.0], [5.0, 5.0], [1.0, 0.0]] {
///     graph.insert(&vector)?;
/// }
/// let mut found = [Neighbor::default(); 2];
/// search(&graph.view(), &[0.9, 0.0], &SearchParams::new(2).ef_search(10), &mut Scratch::new(), &mut found)?;
/// assert_eq!([found[0].id, found[1].id], [2, 0]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct Hnsw {
    pub(crate) params: Params,
    pub(crate) vectors: Vectors,
    pub(crate) squares: Squares,
    pub(crate) codes: Option<CodeRows>,
    /// Base first. Empty before the first node, so that an empty graph needs no memory.
    pub(crate) levels: Vec<LevelLinks>,
    pub(crate) tree: Tree,
    pub(crate) entry: NodeId,
    pub(crate) tombstones: Tombstones,
    pub(crate) workspace: Workspace,
    pub(crate) memory_limit: usize,
}

impl Hnsw {
    /// An empty graph for vectors of `dim` elements. It allocates nothing before the first insert.
    ///
    /// # Errors
    /// If a parameter or the dimension is out of range, the elements do not have the metric, or
    /// they have no codes and `params` asks for codes.
    pub fn new(metric: Metric, dim: usize, params: Params) -> Result<Self, ParamsError> {
        params.validate()?;
        Ok(Self {
            params,
            vectors: Vectors::new(params.element, metric, dim)?,
            squares: Squares::default(),
            codes: None,
            levels: Vec::new(),
            tree: Tree::default(),
            entry: TERMINATOR,
            tombstones: Tombstones::default(),
            workspace: Workspace::default(),
            memory_limit: usize::MAX,
        })
    }

    /// Copies a view into an owned graph that can grow. `params.m`, `params.element` and
    /// `params.quantization` are taken from the view. A node that is deleted in the view is deleted
    /// in the copy, and its slot is free.
    ///
    /// Contents that only a damaged file has are left out:
    /// - links that lead nowhere, back to the same node, or twice to another;
    /// - nodes of a level that are not on the level below;
    /// - copies that are linked, or whose vector differs from their original's.
    ///
    /// Nodes that cannot be reached from the entry point are linked again.
    ///
    /// # Errors
    /// If the view has no vectors, memory runs out or `params` are out of range.
    ///
    /// # Complexity
    /// One pass over all arrays, and all links followed once. Each node that is linked again costs
    /// an [`insert`](Self::insert).
    pub fn from_view(
        view: &GraphView<'_>,
        params: Params,
    ) -> Result<Self, BuildError<core::convert::Infallible>> {
        if !view.rows().are_stored() {
            return Err(BuildError::VectorsNotStored);
        }
        let quantization = view.codes().map(Codes::quantization);
        let params = Params { m: view.m(), element: view.element(), quantization, ..params };
        let mut graph = Self::new(view.metric(), view.dim(), params)?;
        graph.vectors.extend_from_rows(view.rows())?;
        graph.squares = Squares::of(view.rows())?;
        graph.codes = view.codes().map(|codes| CodeRows::copy_of(codes, view.metric())).transpose()?;
        reserve_exact(&mut graph.levels, view.levels().len())?;
        for index in 0..view.levels().len() {
            let links = LevelLinks::copy_of(view, index, graph.levels.last())?;
            if index > 0 && links.count() == 0 {
                break;
            }
            graph.levels.push(links);
        }
        // The view's entry point may be on a level that was dropped.
        let top = graph.levels.last().map(LevelLinks::view).unwrap_or_default();
        let entry = view.entry().filter(|entry| top.row(*entry).is_some());
        graph.entry = entry.or_else(|| top.ids().next()).unwrap_or(TERMINATOR);
        graph.tree = Tree::of(&graph.view())?;
        graph.tombstones = Tombstones::copy_of(view.tombstones(), view.count())?;
        graph.tree.copies = graph.copies_of(view)?;
        // A copy is reached through its original. A link that leads to it does not make it a child.
        for id in (0..view.count() as NodeId).filter(|id| view.is_copy(*id)) {
            if graph.tree.copies.is_copy(id) {
                graph.tree.set_parent(id, TERMINATOR);
            }
        }
        // Nodes that got no parent are linked again, except copies.
        graph.mend()?;
        Ok(graph)
    }

    /// The chains of the view from which this graph was copied.
    fn copies_of(&self, view: &GraphView<'_>) -> Result<Copies, OutOfMemory> {
        let rows = self.vectors.rows();
        let is_linked = |id| id == self.entry || self.levels.iter().any(|level| !level.links(id).is_empty());
        let is_deleted = |id| self.tombstones.contains(id);
        let is_kept = |original: NodeId, copy: NodeId| match copy == original {
            true => is_deleted(copy) && !is_linked(copy),
            false => !is_deleted(copy) && !is_linked(copy) && rows.row(original) == rows.row(copy),
        };
        let mut copies = Copies::renumbered(view.chains(), |id| id, is_kept)?;
        // A view may have other tombstones than the graph from which it was made.
        for id in self.tombstones.set().iter().filter(|id| view.is_copy(*id) && !is_linked(*id)) {
            copies.prepare(self.count())?;
            copies.park(id);
        }
        Ok(copies)
    }

    /// Links nodes again that cannot be reached from the entry point, so that every node can.
    fn mend(&mut self) -> Result<(), OutOfMemory> {
        let mut orphans = Vec::new();
        reserve_exact(&mut orphans, self.tree.orphans(self.view().entry()).count())?;
        let copies = &self.tree.copies;
        orphans.extend(self.tree.orphans(self.view().entry()).filter(|id| !copies.is_copy(*id)));
        let Self { params, vectors, squares, levels, tree, entry, workspace, .. } = self;
        let rows = vectors.rows();
        let mut linker = Linker { params, levels, tree, entry };
        for id in orphans {
            // A search does not find nodes that cannot be reached. So the node gets links and a
            // parent that can.
            workspace.begin();
            with_vectors!(&rows, squares, space => linker.relink(space, id, false, workspace))?;
        }
        self.workspace = Workspace::default();
        Ok(())
    }

    /// Builds a graph of `count` vectors at once. That is faster than one insert after the other,
    /// and runs on as many workers as `executor` has. Ids are sorted by level, and neighbors lie
    /// together in memory. The result depends on the vectors and the parameters alone.
    ///
    /// `fill` writes the next vector, in order, into the slice that it gets. The slice has a scalar
    /// for each of the `dim` elements, or a word for 64 bits. `progress` gets the number of nodes
    /// that are linked, and may cancel the build. That is an error:
    /// [`build_partial`](Self::build_partial) keeps the part. The graph comes with the order of its
    /// nodes: `order[id]` is the position at which the vector of node `id` was read.
    ///
    /// Vectors of f16 may be written as `f16` or as `f32`, all others as what they are.
    ///
    /// Nodes are inserted in a random order, drawn from the seed. Nodes of one batch do not see
    /// each other, and in sorted input they would be each other's neighbors.
    ///
    /// # Errors
    /// If a parameter is out of range, a vector cannot be indexed, `fill` fails, `progress`
    /// cancels, or memory runs out. Also if `count` exceeds
    /// [`MAX_NODES`](crate::MAX_NODES).
    ///
    /// # Complexity
    /// All vectors are read before the first is linked. The links of each take a search with
    /// `ef_construction` candidates, so time grows a little faster than `count`. `progress` is
    /// called after each batch of at most 512 nodes.
    /// [`MemoryPlan::peak`](crate::MemoryPlan::peak) bounds the memory.
    pub fn build<S: Scalar, E>(
        metric: Metric,
        dim: usize,
        params: Params,
        count: usize,
        fill: impl FnMut(&mut [S]) -> Result<(), E>,
        executor: &dyn Executor,
        progress: impl FnMut(usize) -> ControlFlow<()>,
    ) -> Result<(Self, Vec<u32>), BuildError<E>> {
        let source = source(dim, fill);
        Self::new(metric, dim, params)?.build_from(count, source, executor, Part::Dropped, progress)
    }

    /// [Builds](Self::build) a graph, and keeps the part that is linked when `progress` cancels.
    /// Its vectors are a random choice of all, and `order` shows which. The others can be inserted
    /// later.
    ///
    /// # Errors
    /// If a parameter is out of range, a vector cannot be indexed, `fill` fails, or memory runs
    /// out. Also if `count` exceeds [`MAX_NODES`](crate::MAX_NODES).
    pub fn build_partial<S: Scalar, E>(
        metric: Metric,
        dim: usize,
        params: Params,
        count: usize,
        fill: impl FnMut(&mut [S]) -> Result<(), E>,
        executor: &dyn Executor,
        progress: impl FnMut(usize) -> ControlFlow<()>,
    ) -> Result<(Self, Vec<u32>), BuildError<E>> {
        let source = source(dim, fill);
        Self::new(metric, dim, params)?.build_from(count, source, executor, Part::Kept, progress)
    }

    /// Builds in this empty graph. `source` writes the vector of a position to a node. When
    /// `progress` cancels, `part` decides about the nodes that are linked.
    ///
    /// ```text
    /// draw a random number for each position; sort by it      levels follow from the numbers
    /// read the vectors, each into the row of its node
    /// find copies; code the vectors; link all nodes in batches
    /// drop the nodes that were not linked, if any
    /// reorder the nodes
    /// ```
    ///
    /// Only this function depends on the caller's types. So programs do not compile the other steps
    /// again.
    pub(crate) fn build_from<E>(
        mut self,
        count: usize,
        mut source: impl FnMut(&mut Vectors, NodeId, usize) -> Result<(), BuildError<E>>,
        executor: &dyn Executor,
        part: Part,
        mut progress: impl FnMut(usize) -> ControlFlow<()>,
    ) -> Result<(Self, Vec<u32>), BuildError<E>> {
        if count > MAX_NODES {
            return Err(BuildError::Full { capacity: MAX_NODES });
        }
        self.vectors.extend_zeroed(count)?;
        let draws = draws(self.params.seed, count)?;
        for (position, id) in ids(&draws)?.into_iter().enumerate() {
            source(&mut self.vectors, id, position)?;
        }
        let mut is_broken_off = false;
        let linked = self.link_all(&draws, executor, &mut |linked| {
            progress(linked).map_break(|()| is_broken_off = true)
        })?;
        if is_broken_off && part == Part::Dropped {
            return Err(BuildError::Cancelled { linked });
        }
        self.truncate(linked);
        let mut order = Vec::new();
        reserve_exact(&mut order, linked)?;
        order.extend(draws[..linked].iter().map(|(_, position)| *position));
        drop(draws);
        // The draws are freed first: reordering needs memory of its own.
        self.reorder(&mut order)?;
        Ok((self, order))
    }

    /// Links the nodes, whose vectors are stored, until `progress` cancels. Returns how many are
    /// linked. The codes that the graph keeps are made here, too.
    fn link_all(
        &mut self,
        draws: &[(u64, u32)],
        executor: &dyn Executor,
        progress: &mut dyn FnMut(usize) -> ControlFlow<()>,
    ) -> Result<usize, OutOfMemory> {
        let params = self.params;
        let level_of = |id: NodeId| level(draws[id as usize].0, params.m);
        let top = draws.first().map_or(0, |(draw, _)| level(*draw, params.m));
        reserve_exact(&mut self.levels, top + 1)?;
        // Sorted by their draws, the nodes of each level are the first so many.
        for index in 0..=top {
            let mut links = LevelLinks::new(params.width(index));
            links.reserve_exact(draws.partition_point(|(draw, _)| level(*draw, params.m) >= index), 0)?;
            self.levels.push(links);
        }
        self.tree.reserve_exact(draws.len())?;
        let Self { vectors, squares, codes, levels, tree, entry, workspace, .. } = self;
        let rows = vectors.rows();
        tree.copies = find_copies(&rows)?;
        *squares = Squares::of(&rows)?;
        let linker = Linker { params: &params, levels, tree, entry };
        let linked;
        (linked, *codes) = bulk::link(linker, &rows, squares, level_of, workspace, executor, progress)?;
        // The workspace is freed: a graph that is only searched holds what its plan says.
        *workspace = Workspace::default();
        Ok(linked)
    }

    /// Drops all nodes except the first `count`, which do not link to the others.
    fn truncate(&mut self, count: usize) {
        self.vectors.truncate(count);
        self.tree.copies.truncate(count);
        self.squares.truncate(count);
        if let Some(codes) = &mut self.codes {
            codes.truncate(count);
        }
    }

    /// Inserts a vector and returns its node: the lowest that is [deleted](Self::delete), or the
    /// next id. (Algorithm 1 of Malkov & Yashunin, 2016.)
    ///
    /// Nodes are compared by vectors. The vector is coded if the graph has codes. While the graph
    /// is small, the mean of its codes is moved as it grows.
    ///
    /// # Errors
    /// If the vector cannot be indexed, the graph is full, or memory runs out or would exceed its
    /// [limit](Self::limit_memory). The graph is then as it was.
    ///
    /// # Complexity
    /// A search with `ef_construction` candidates on each level of the node. Then its links are
    /// selected, and each node that it links to may select its row again. An array that is full
    /// moves to one that is half as large again, or twice as large. With codes, the inserts that
    /// make 16, 32, 64 and so on up to 4,096 nodes code all vectors again.
    pub fn insert<'v>(&mut self, vector: impl Into<Elements<'v>>) -> Result<NodeId, InsertError> {
        let vector = vector.into();
        if let Some(id) = self.tombstones.lowest() {
            self.replace(id, vector)?;
            self.tombstones.remove_lowest();
            return Ok(id);
        }
        self.check_limit(self.level_of(self.count()))?;
        let id = self.vectors.push(vector)?;
        // Linking undoes its own changes. The vector and its square are left.
        if let Err(error) = self.link_last(id) {
            self.vectors.truncate(id as usize);
            self.squares.truncate(id as usize);
            return Err(error.into());
        }
        Ok(id)
    }

    /// The level of a node that is appended.
    fn level_of(&self, id: usize) -> usize {
        level(draw(self.params.seed, id as u64), self.params.m)
    }

    /// Links and codes the node `id`, whose vector was just appended.
    fn link_last(&mut self, id: NodeId) -> Result<(), OutOfMemory> {
        let may_be_copy = self.has_room_for_copies();
        let Self { params, vectors, squares, codes, levels, tree, entry, workspace, .. } = self;
        let rows = vectors.rows();
        squares.push(&rows)?;
        let mut mean = None;
        if let Some(quantization) = params.quantization {
            if codes.is_none() {
                *codes = Some(CodeRows::new(quantization, rows.metric(), rows.dim())?);
            }
            codes.as_mut().map_or(Ok(()), |codes| codes.reserve(1))?;
            // The new mean is computed here, where memory may still run out, and used below.
            if CENTRED_AT.contains(&rows.count()) && rows.count().is_power_of_two() {
                mean = Some(centre(&rows)?);
            }
        }
        let level = level(draw(params.seed, id.into()), params.m);
        let mut linker = Linker { params, levels, tree, entry };
        with_vectors!(&rows, squares, space => {
            linker.link_one(space, id, level, may_be_copy, workspace)?;
        });
        if let Some(codes) = codes {
            codes.push(rows.row(id));
            if let Some(mean) = mean {
                codes.encode_around(mean, &rows);
            }
        }
        Ok(())
    }

    /// Codes the vectors again, with other codes or none. The links stay: whatever codes a graph
    /// keeps, a bulk build selects its links as accurately.
    ///
    /// # Errors
    /// If memory runs out, or the vectors cannot be coded. The graph is then as it was.
    ///
    /// # Complexity
    /// A few passes over the vectors. The old and the new codes are in memory together.
    pub fn requantize(
        &mut self,
        quantization: Option<Quantization>,
        executor: &dyn Executor,
    ) -> Result<(), BuildError<core::convert::Infallible>> {
        let params = Params { quantization, ..self.params };
        params.validate()?;
        let rows = self.vectors.rows();
        self.codes = quantization.map(|kind| CodeRows::of_rows(kind, &rows, executor)).transpose()?;
        self.params = params;
        Ok(())
    }

    /// The graph as a search sees it, in constant time.
    #[expect(clippy::missing_panics_doc, reason = "an owned graph keeps the invariants of a view")]
    pub fn view(&self) -> GraphView<'_> {
        let mut views = [LevelView::default(); MAX_LEVELS];
        views[0].width = self.params.m0();
        for (view, level) in views.iter_mut().zip(&self.levels) {
            *view = level.view();
        }
        let views = &views[..self.levels.len().max(1)];
        let codes = self.codes.as_ref().map(CodeRows::view);
        GraphView::new(self.vectors.rows(), codes, self.params.m, self.entry, views)
            .expect("an owned graph keeps the invariants of a view")
            .with_tombstones(self.tombstones.set())
            .with_copies(self.tree.copies.chains().links())
            .expect("an owned graph has links of copies for all nodes")
    }

    /// How many nodes there are, deleted ones and copies included.
    pub fn count(&self) -> usize {
        self.vectors.count()
    }

    /// The parameters of the graph.
    pub fn params(&self) -> &Params {
        &self.params
    }
}

/// What a cancelled build does with the nodes that are linked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Part {
    /// The build fails.
    Dropped,
    /// They become the graph.
    Kept,
}

/// A draw for each position, in ascending order. Sorted so, nodes are sorted by level, highest
/// first, and in random order within one level.
fn draws(seed: u64, count: usize) -> Result<Vec<(u64, u32)>, OutOfMemory> {
    let mut draws = Vec::new();
    reserve_exact(&mut draws, count)?;
    draws.extend((0..count as u32).map(|position| (draw(seed, position.into()), position)));
    draws.sort_unstable();
    Ok(draws)
}

/// The node of each position.
fn ids(draws: &[(u64, u32)]) -> Result<Vec<NodeId>, OutOfMemory> {
    let mut ids = Vec::new();
    reserve_exact(&mut ids, draws.len())?;
    ids.resize(draws.len(), 0);
    for (id, (_, position)) in draws.iter().enumerate() {
        ids[*position as usize] = id as NodeId;
    }
    Ok(ids)
}

/// Takes vectors from `fill`, through memory of its own.
fn source<S: Scalar, E>(
    dim: usize,
    mut fill: impl FnMut(&mut [S]) -> Result<(), E>,
) -> impl FnMut(&mut Vectors, NodeId, usize) -> Result<(), BuildError<E>> {
    let mut vector = Vec::new();
    move |vectors, id, position| {
        if vector.is_empty() {
            let len = S::ELEMENT.scalars(dim);
            reserve_exact(&mut vector, len)?;
            vector.resize(len, S::default());
        }
        fill(&mut vector).map_err(|error| BuildError::Source { position, error })?;
        vectors.set(id, Elements::from(&vector)).map_err(|error| BuildError::Vector { position, error })
    }
}
