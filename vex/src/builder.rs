//! How an index is made: parameters first, then either an empty index or a bulk build.

use std::fmt::{Debug, Display};
use std::ops::ControlFlow;

use vex_graph::{Element, Elements, Hnsw, MemoryPlan, Metric, Params, ParamsError, Scalar, VectorError};

use crate::index::SharedKey;
use crate::threads::Threads;
use crate::trace::span;
use crate::{BuildError, Coding, Index};

/// The parameters of a new index. [`Index::builder`] makes one with the defaults. Values are
/// checked when the index is built.
///
/// In the repository, chapter 3 (`docs/3-build.md`) explains builds, and `docs/tuning.md` helps to
/// choose values.
#[derive(Clone, Debug)]
pub struct Builder {
    dim: usize,
    metric: Metric,
    /// Without the codes, which `coding` decides.
    params: Params,
    coding: Coding,
    threads: Option<usize>,
    memory_limit: Option<usize>,
    keep_partial: bool,
}

impl Builder {
    pub(crate) fn new(dim: usize) -> Self {
        Self {
            dim,
            metric: Metric::SquaredEuclidean,
            params: Params::new(),
            coding: Coding::Auto,
            threads: None,
            memory_limit: None,
            keep_partial: false,
        }
    }

    /// The rule by which vectors are compared. The default is [`Metric::SquaredEuclidean`].
    pub fn metric(mut self, metric: Metric) -> Self {
        self.metric = metric;
        self
    }

    /// The type of the elements of a vector. The default is [`Element::F32`]. An index of f16 takes
    /// vectors and queries of f32, too, and rounds the vectors. Any other index takes vectors and
    /// queries of its own type. Integers have no unit length: cosine compares them as they are.
    /// Bits have the metrics Hamming and Jaccard alone.
    ///
    /// # Examples
    /// ```
    /// use vex::{Element, Index, Metric};
    ///
    /// let mut index = Index::builder(100).element(Element::Bits).metric(Metric::Hamming).build()?;
    /// index.insert(7, [0b1011u64, 0])?;
    /// index.insert(8, [u64::MAX, 0])?;
    /// assert_eq!(index.search([0b0011u64, 0], 1)?[0].distance, 1.0);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn element(mut self, element: Element) -> Self {
        self.params.element = element;
        self
    }

    /// Links of a node, 4 to 512: see [`Params::m`]. The default is 16. More links find more, and
    /// cost 8 bytes a node each, and time.
    pub fn m(mut self, m: usize) -> Self {
        self.params.m = m;
        self
    }

    /// Candidates among which an insert selects links: see [`Params::ef_construction`]. The default
    /// is 200. The time of a build grows with this number.
    pub fn ef_construction(mut self, ef_construction: usize) -> Self {
        self.params.ef_construction = ef_construction;
        self
    }

    /// The seed of the random levels and of the order of a bulk build. The default is 0.
    pub fn seed(mut self, seed: u64) -> Self {
        self.params.seed = seed;
        self
    }

    /// Fills rows up with candidates that the diversity heuristic dropped: see
    /// [`Params::keep_pruned`]. The default is no. The memory is the same.
    pub fn keep_pruned(mut self, keep_pruned: bool) -> Self {
        self.params.keep_pruned = keep_pruned;
        self
    }

    /// The codes that searches compare before the vectors: a
    /// [`Quantization`](vex_graph::Quantization), `None` for no codes, or a [`Coding`]. The default
    /// is [`Coding::Auto`].
    ///
    /// A bulk build knows its vectors. `Auto` takes the codes that are fastest at the same recall,
    /// and checks that they distinguish the vectors. If they do not, it takes finer codes or none.
    /// So does `vex build`. An index that [`build`](Self::build) begins has no vectors to judge by,
    /// so there `Auto` means no codes. [`Index::requantize`] codes the vectors that came since.
    ///
    /// Distances are exact with codes, too. Which neighbors are found may differ: see
    /// [`SearchParams::ef_search`](field@vex_graph::SearchParams::ef_search).
    pub fn quantization(mut self, quantization: impl Into<Coding>) -> Self {
        self.coding = quantization.into();
        self
    }

    /// Threads of a bulk build, which end with the build. The default is one for each core. The
    /// index does not depend on the number. A build on 0 threads is refused.
    pub fn threads(mut self, threads: usize) -> Self {
        self.threads = Some(threads);
        self
    }

    /// Keeps the vectors that are linked when the progress callback of
    /// [`build_with`](Self::build_with) cancels the build. They are a random choice of all vectors.
    /// By default a cancelled build fails, so that a part cannot be mistaken for the whole.
    pub fn keep_partial(mut self, keep_partial: bool) -> Self {
        self.keep_partial = keep_partial;
        self
    }

    /// Limits the memory of the graph, in bytes. A build that would need more at any time is
    /// refused before it takes memory. An insert after which the graph would need more is refused,
    /// too. Keys, and the memory of the threads themselves, do not count. See [`MemoryPlan`]. The
    /// default is no limit.
    ///
    /// The index keeps the limit for as long as it lives, through [`compact`](Index::compact) too.
    /// The limit is not saved: an index that was opened has none until [`Index::limit_memory`] sets
    /// one.
    pub fn memory_limit(mut self, bytes: usize) -> Self {
        self.memory_limit = Some(bytes);
        self
    }

    /// The memory that a build of `count` vectors will take. Under [`Coding::Auto`] the plan is an
    /// upper bound: it has the largest codes, since the vectors decide which codes are kept. Keys
    /// do not count.
    ///
    /// # Errors
    /// If a parameter or the dimension is out of range, the elements do not have the metric, or
    /// they have no codes and some were asked for.
    ///
    /// # Complexity
    /// Draws the levels of `count` nodes, and allocates nothing.
    pub fn memory_plan(&self, count: usize) -> Result<MemoryPlan, ParamsError> {
        let of = |codes| MemoryPlan::of(&self.params.quantization(codes), self.metric, self.dim, count);
        // `Coding::refine` drops codes before it makes others, so the largest kind alone counts.
        let mut largest = of(self.coding.first(self.params.element, self.dim))?;
        for codes in self.coding.possible(self.params.element, self.dim).skip(1) {
            let plan = of(codes)?;
            if plan.codes > largest.codes {
                largest = plan;
            }
        }
        Ok(largest)
    }

    fn limited(&self, mut graph: Hnsw) -> Hnsw {
        graph.limit_memory(self.memory_limit.unwrap_or(usize::MAX));
        graph
    }

    /// An empty index. It has no codes unless [some were asked for](Self::quantization). Its graph
    /// allocates nothing before the first insert.
    ///
    /// # Errors
    /// If a parameter or the dimension is out of range, the elements do not have the metric, or
    /// they have no codes and some were asked for.
    pub fn build(self) -> Result<Index, ParamsError> {
        let codes = self.coding.of_none(self.params.element, self.dim);
        let graph = Hnsw::new(self.metric, self.dim, self.params.quantization(codes))?;
        Ok(Index::new(self.limited(graph)))
    }

    /// Builds an index of these keys and vectors, on all threads. If the iterator does not know its
    /// length beforehand, the vectors are collected first.
    ///
    /// # Errors
    /// - A vector cannot be indexed, or a key comes twice. The error names the row.
    /// - A parameter is out of range.
    /// - Memory runs out, or would exceed its limit.
    /// - Threads cannot be started. See [what starting threads needs](crate#memory).
    ///
    /// # Panics
    /// If the iterator ends before the number of vectors that its `size_hint` says exactly.
    ///
    /// # Complexity
    /// About a search of `ef_construction` candidates for each vector, divided among the threads.
    /// With [`Coding::Auto`], also two searches for each of 200 vectors, for each kind of code that
    /// it tries. [`memory_plan`](Self::memory_plan) says how much memory the graph takes.
    ///
    /// # Examples
    /// ```
    /// let vectors = [(10, [0.0, 1.0]), (20, [2.0, 3.0])];
    /// let index = vex::Index::builder(2).build_from(vectors)?;
    /// assert_eq!(index.search([2.0, 2.0], 1)?[0].key, 20);
    ///
    /// // The number of the row as the key.
    /// let rows = vec![vec![0.0, 1.0], vec![2.0, 3.0]];
    /// let index = vex::Index::builder(2).build_from((0..).zip(&rows))?;
    /// assert_eq!(index.search([2.0, 2.0], 1)?[0].key, 1);
    /// # Ok::<(), vex::Error>(())
    /// ```
    pub fn build_from<S: Scalar, V: AsRef<[S]>>(
        self,
        vectors: impl IntoIterator<Item = (u64, V)>,
    ) -> Result<Index, BuildError> {
        let vectors = vectors.into_iter();
        match vectors.size_hint() {
            (count, Some(most)) if count == most => self.build_counted(count, vectors),
            _ => {
                let mut all = Vec::new();
                for vector in vectors {
                    crate::reserve::reserve(&mut all, 1)?;
                    all.push(vector);
                }
                self.build_counted(all.len(), all.into_iter())
            }
        }
    }

    fn build_counted<S: Scalar, V: AsRef<[S]>>(
        self,
        count: usize,
        mut vectors: impl Iterator<Item = (u64, V)>,
    ) -> Result<Index, BuildError> {
        let dim = self.dim;
        let fill = |to: &mut [S]| {
            let (key, vector) = vectors.next().expect("as many vectors as the size hint said");
            let vector = vector.as_ref();
            if vector.len() != to.len() {
                let found = Elements::from(vector).dim();
                return Err(VectorError::Dimension { expected: dim, found });
            }
            to.copy_from_slice(vector);
            Ok(key)
        };
        // The source did not fail here: its vector cannot be indexed.
        self.build_with(count, fill, |_| ControlFlow::Continue(())).map_err(|error| match error {
            BuildError::Graph(vex_graph::BuildError::Source { position, error }) => {
                BuildError::Graph(vex_graph::BuildError::Vector { position, error })
            }
            error => error.map_source(|_| unreachable!("errors of the source were replaced")),
        })
    }

    /// Builds an index of `count` vectors from any source, on all threads.
    ///
    /// `fill` writes the next vector into the slice it gets, and returns the vector's key. The
    /// slice has `dim` elements, or a word for each 64 bits.
    ///
    /// `progress` gets the number of vectors that are linked, and may cancel the build. It is
    /// called on the caller's thread after each batch, which has one vector in the beginning and
    /// 512 in the end. A cancelled build fails, unless [`keep_partial`](Self::keep_partial) was
    /// asked for.
    ///
    /// # Errors
    /// As [`build_from`](Self::build_from), and if `fill` fails or `progress` cancels.
    ///
    /// # Complexity
    /// As [`build_from`](Self::build_from).
    ///
    /// # Examples
    /// ```
    /// use std::ops::ControlFlow;
    /// use vex::{BuildError, Index, graph};
    ///
    /// // Rows of a table, with a line of progress.
    /// let table = vec![[0.0f32, 1.0]; 1_000];
    /// let mut rows = (0..).zip(&table);
    /// let fill = |vector: &mut [f32]| {
    ///     let (key, row) = rows.next().ok_or("no more vectors")?;
    ///     vector.copy_from_slice(row);
    ///     Ok::<u64, &str>(key)
    /// };
    /// let show = |linked| {
    ///     eprint!("\r{linked} of {}", table.len());
    ///     ControlFlow::Continue(())
    /// };
    /// assert_eq!(Index::builder(2).build_with(table.len(), fill, show)?.len(), 1_000);
    ///
    /// // A build that is cancelled.
    /// let mut keys = 0..1_000;
    /// let fill = |vector: &mut [f32]| {
    ///     let key = keys.next().ok_or("no more vectors")?;
    ///     vector.fill(key as f32);
    ///     Ok::<u64, &str>(key)
    /// };
    /// let stop = |linked| if linked < 100 { ControlFlow::Continue(()) } else { ControlFlow::Break(()) };
    /// let error = Index::builder(2).build_with(1_000, fill, stop).unwrap_err();
    /// assert!(matches!(error, BuildError::Graph(graph::BuildError::Cancelled { linked: 100.. })));
    /// # Ok::<(), BuildError<&str>>(())
    /// ```
    pub fn build_with<S: Scalar, E: Debug + Display>(
        self,
        count: usize,
        mut fill: impl FnMut(&mut [S]) -> Result<u64, E>,
        progress: impl FnMut(usize) -> ControlFlow<()>,
    ) -> Result<Index, BuildError<E>> {
        span!("build", count, dim = self.dim, metric = %self.metric, element = %self.params.element);
        if let Some(limit) = self.memory_limit {
            let plan = self.memory_plan(count).map_err(vex_graph::BuildError::from)?;
            plan.check(limit, Threads::count(self.threads))?;
        }
        let threads = Threads::new(self.threads)?;
        let params = self.params.quantization(self.coding.first(self.params.element, self.dim));
        let mut keys = Vec::new();
        crate::reserve::reserve(&mut keys, count)?;
        let fill = |to: &mut [S]| {
            keys.push(fill(to)?);
            Ok(())
        };
        let (graph, order) = if self.keep_partial {
            Hnsw::build_partial(self.metric, self.dim, params, count, fill, &threads, progress)?
        } else {
            Hnsw::build(self.metric, self.dim, params, count, fill, &threads, progress)?
        };
        // The build has reordered the nodes: `order` has, for each node, the position in the input.
        let mut sorted = Vec::new();
        crate::reserve::reserve(&mut sorted, count)?;
        sorted.extend(order.iter().map(|position| keys[*position as usize]));
        // Each vector counts as a change.
        let linked = sorted.len() as u64;
        let index = Index::with_keys(self.limited(graph), sorted, linked)?;
        let mut index = index.map_err(|SharedKey { key, nodes }| {
            let mut rows = nodes.map(|id| order[id as usize] as usize);
            // The error names the earlier row first, and nodes are in another order than rows.
            rows.sort_unstable();
            BuildError::DuplicateKey { key, rows }
        })?;
        self.coding.refine(&mut index, &threads).map_err(|error| error.map_source(|never| match never {}))?;
        Ok(index)
    }
}
