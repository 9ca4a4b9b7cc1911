//! The handle through which distances are called.

use core::fmt;

use crate::isa::Kernels;
use crate::{Element, Level, Metric};

/// A metric's kernels for one element type, resolved for one [`Level`].
///
/// Small, `Copy` and cheap to pass on: resolve it once, outside the loop.
#[derive(Clone, Copy)]
pub struct Distance<T: Element> {
    metric: Metric,
    level: Level,
    kernels: Kernels<T>,
}

impl<T: Element> Distance<T> {
    /// Resolves `metric` for the best level of this machine.
    pub fn new(metric: Metric) -> Self {
        Level::candidates()
            .find_map(|level| Self::with_level(metric, level))
            .expect("the portable level runs everywhere")
    }

    /// Resolves `metric` for exactly `level`, or `None` where this machine lacks it.
    ///
    /// This asks the machine and ignores the cap that `VEX_SIMD` sets, so that tests can force every level.
    pub fn with_level(metric: Metric, level: Level) -> Option<Self> {
        T::kernels(metric, level).map(|kernels| Self { metric, level, kernels })
    }

    /// The metric of this handle.
    pub fn metric(&self) -> Metric {
        self.metric
    }

    /// The instruction set that runs.
    pub fn level(&self) -> Level {
        self.level
    }

    /// The distance between `a` and `b`, two vectors of one length; smaller is nearer.
    ///
    /// # Panics
    /// If the lengths differ.
    #[inline]
    pub fn distance(&self, a: &[T], b: &[T]) -> f32 {
        self.kernels.distance(a, b)
    }

    /// The distances from `query` to four rows: the same bits as four calls of [`distance`](Self::distance),
    /// in less time, since the query is loaded once and four rows are fetched from memory at a time.
    ///
    /// # Panics
    /// If a row's length differs from the query's.
    #[inline]
    pub fn distance_batch_4(&self, query: &[T], rows: [&[T]; 4]) -> [f32; 4] {
        self.kernels.distance_batch_4(query, rows)
    }
}

impl<T: Element> fmt::Debug for Distance<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Distance").field("metric", &self.metric).field("level", &self.level).finish()
    }
}
