//! The handles through which distances are called.

use core::fmt;

use crate::cpu::Kernels;
use crate::prefetch::prefetch;
use crate::{Element, Isa, Metric};

/// A metric's kernels for queries of `Q` and rows of `R`, resolved for this machine.
///
/// A handle is small and `Copy`. Resolve it once, outside the loop.
///
/// Vectors are slices of one length: one scalar for each element, or one `u64` for 64 bits. Rows
/// may lie at any address.
///
/// # Complexity
/// A distance takes time linear in the length of the vectors. No call allocates.
///
/// # Examples
/// Distances between integers are exact. A query's type may differ from the type of the rows.
/// ```
/// use vex_kernels::{Distance, Metric};
///
/// let signed = Distance::<i8>::new(Metric::SquaredEuclidean);
/// assert_eq!(signed.distance(&[-128, 3], &[127, -1]), 65_041.0);
///
/// let unsigned = Distance::<u8>::new(Metric::Cosine);
/// assert_eq!(unsigned.distance(&[255, 0], &[0, 255]), 1.0);
///
/// let codes = Distance::<i8, u8>::new(Metric::InnerProduct);
/// assert_eq!(codes.bind(&[-1, 2]).distance(&[255, 100]), 55.0);
/// // Codes have no other metric.
/// assert!(Distance::<i8, u8>::try_new(Metric::Cosine).is_none());
/// ```
pub struct Distance<Q: Element<R>, R: 'static = Q> {
    metric: Metric,
    kernels: Kernels<Q, R, Q::Value>,
}

/// How many rows ahead [`Distance::distance_many`] prefetches.
const LOOKAHEAD: usize = 8;

impl<Q: Element<R>, R: 'static> Distance<Q, R> {
    /// Resolves `metric` for the best instruction set that this machine has and `VEX_SIMD` allows.
    ///
    /// # Panics
    /// If the element does not have the metric (see [`try_new`](Self::try_new)), or `VEX_SIMD`
    /// names no instruction set.
    pub fn new(metric: Metric) -> Self {
        match Self::try_new(metric) {
            Some(distance) => distance,
            None => panic!("elements of this type have no {metric} distance"),
        }
    }

    /// Resolves `metric` for the best instruction set that this machine has and `VEX_SIMD` allows.
    /// Returns `None` if the element does not have the metric.
    ///
    /// # Panics
    /// If `VEX_SIMD` names no instruction set.
    pub fn try_new(metric: Metric) -> Option<Self> {
        Some(Self { metric, kernels: Kernels::best(Q::variants(metric))? })
    }

    /// Resolves `metric` for exactly `isa`. Returns `None` where the machine or the element lacks
    /// it.
    ///
    /// This ignores the cap that `VEX_SIMD` sets, so that tests can force every instruction set.
    pub fn with_isa(metric: Metric, isa: Isa) -> Option<Self> {
        Self::all(metric).find(|distance| distance.isa() == isa)
    }

    /// Every implementation of `metric` that this machine can run, best first, whatever `VEX_SIMD`
    /// says.
    pub fn all(metric: Metric) -> impl Iterator<Item = Self> {
        Kernels::all(Q::variants(metric)).map(move |kernels| Self { metric, kernels })
    }

    /// The metric of this handle.
    pub fn metric(&self) -> Metric {
        self.metric
    }

    /// The instruction set that runs.
    pub fn isa(&self) -> Isa {
        self.kernels.isa()
    }

    /// The instructions that run: the instruction set, and what is needed beyond it, as in
    /// `avx512+vnni`. `avx512vl` is AVX-512 in registers of 256 bits.
    pub fn name(&self) -> &'static str {
        self.kernels.name()
    }

    /// The distance between `a` and `b`, two vectors of one length. Smaller is nearer.
    ///
    /// # Panics
    /// If the lengths differ.
    #[inline]
    pub fn distance(&self, a: &[Q], b: &[R]) -> Q::Value {
        self.kernels.distance(a, b)
    }

    /// The distances from `query` to four rows, with the bits of four calls of
    /// [`distance`](Self::distance). The batch takes less time. The query is loaded once, and four
    /// rows are on their way from memory at a time.
    ///
    /// # Panics
    /// If a row's length differs from the query's.
    #[inline]
    pub fn distance_batch_4(&self, query: &[Q], rows: [&[R]; 4]) -> [Q::Value; 4] {
        self.kernels.distance_batch_4(query, rows)
    }

    /// Writes the distances from `query` to the rows `ids` of the matrix `base` into `out`, one for
    /// each id, in their order. Row `id` is `base[id * stride..][..query.len()]`. Rows are
    /// prefetched, so that the arithmetic hides the latency of memory.
    ///
    /// # Panics
    /// If `ids` and `out` differ in length, or a row is not inside `base`.
    ///
    /// # Examples
    /// ```
    /// use vex_kernels::{Distance, Metric};
    ///
    /// // Three rows of two elements, padded to four.
    /// let base = [0.0, 0.0, 9.0, 9.0, 3.0, 4.0, 9.0, 9.0, 1.0, 0.0, 9.0, 9.0];
    /// let mut out = [0.0; 2];
    /// let distance = Distance::<f32>::new(Metric::SquaredEuclidean);
    /// distance.distance_many(&[0.0, 0.0], &base, 4, &[2, 1], &mut out);
    /// assert_eq!(out, [1.0, 25.0]);
    /// ```
    pub fn distance_many(&self, query: &[Q], base: &[R], stride: usize, ids: &[u32], out: &mut [Q::Value]) {
        self.bind(query).distance_many(base, stride, ids, out);
    }

    /// Prepares a query that is compared with many rows. What depends on the query alone is
    /// computed once.
    ///
    /// # Complexity
    /// At most one pass over the query.
    pub fn bind<'q>(&self, query: &'q [Q]) -> BoundQuery<'q, Q, R> {
        BoundQuery { kernels: self.kernels, query, prepared: self.kernels.prepare(query) }
    }
}

/// A query and what depends on it alone: its norm, or the sum of its elements.
///
/// Its distances have the same bits as those of the [`Distance`] that made it.
pub struct BoundQuery<'q, Q: Element<R>, R: 'static = Q> {
    kernels: Kernels<Q, R, Q::Value>,
    query: &'q [Q],
    prepared: Q::Value,
}

impl<Q: Element<R>, R: 'static> BoundQuery<'_, Q, R> {
    /// The distance to one row.
    ///
    /// # Panics
    /// If the row's length differs from the query's.
    #[inline]
    pub fn distance(&self, row: &[R]) -> Q::Value {
        self.kernels.bound(self.query, self.prepared, row)
    }

    /// The distances to four rows, in less time than four calls of [`distance`](Self::distance).
    ///
    /// # Panics
    /// If a row's length differs from the query's.
    #[inline]
    pub fn distance_batch_4(&self, rows: [&[R]; 4]) -> [Q::Value; 4] {
        self.kernels.bound_batch_4(self.query, self.prepared, rows)
    }

    /// Writes the distances to the rows `ids` of a matrix: see [`Distance::distance_many`].
    ///
    /// # Panics
    /// If `ids` and `out` differ in length, or a row is not inside `base`.
    pub fn distance_many(&self, base: &[R], stride: usize, ids: &[u32], out: &mut [Q::Value]) {
        assert!(ids.len() == out.len(), "one distance for each id");
        let row = |id: u32| {
            let start = id as usize * stride;
            &base[start..start + self.query.len()]
        };
        let (fours, rest) = ids.as_chunks::<4>();
        let (out_fours, out_rest) = out.as_chunks_mut::<4>();
        for (index, (four, out)) in fours.iter().zip(out_fours).enumerate() {
            // The four rows that come `LOOKAHEAD` rows after the first of these.
            for ahead in ids.iter().skip(4 * index + LOOKAHEAD).take(4) {
                prefetch(row(*ahead), usize::MAX);
            }
            let [a, b, c, d] = *four;
            *out = self.distance_batch_4([row(a), row(b), row(c), row(d)]);
        }
        for (id, out) in rest.iter().zip(out_rest) {
            *out = self.distance(row(*id));
        }
    }
}

// Not derived: that would ask the same of `R`.
impl<Q: Element<R>, R: 'static> Clone for Distance<Q, R> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<Q: Element<R>, R: 'static> Copy for Distance<Q, R> {}

impl<Q: Element<R>, R: 'static> Clone for BoundQuery<'_, Q, R> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<Q: Element<R>, R: 'static> Copy for BoundQuery<'_, Q, R> {}

impl<Q: Element<R>, R: 'static> fmt::Debug for Distance<Q, R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Distance").field("metric", &self.metric).field("name", &self.name()).finish()
    }
}

impl<Q: Element<R>, R: 'static> fmt::Debug for BoundQuery<'_, Q, R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BoundQuery")
            .field("dim", &self.query.len())
            .field("prepared", &self.prepared)
            .finish()
    }
}
