//! The doors to code that an instruction set gates.
//!
//! A kernel compiled for an instruction set may run only where that set exists. [`Kernels`] keeps that promise: its pointers
//! are private to `isa`, and a [`Variant`] hands them out only against the [`Capabilities`] that they need.

use super::Capabilities;
use crate::Level;

/// The rows of a batch.
type Four<'r, R> = [&'r [R]; 4];

/// The entry points of one implementation. Public only to the sealed trait behind [`crate::Element`]. `V` is the type of a distance.
#[allow(unreachable_pub)]
pub struct Kernels<Q: 'static, R: 'static, V: 'static> {
    pub(super) distance: unsafe fn(&[Q], &[R]) -> V,
    pub(super) distance_batch_4: unsafe fn(&[Q], Four<'_, R>) -> [V; 4],
    /// What `bound` wants to know of the query.
    pub(super) prepare: unsafe fn(&[Q]) -> V,
    pub(super) bound: unsafe fn(&[Q], V, &[R]) -> V,
    pub(super) bound_batch_4: unsafe fn(&[Q], V, Four<'_, R>) -> [V; 4],
}

impl<Q, R, V> Kernels<Q, R, V> {
    #[inline(always)]
    pub(crate) fn distance(&self, a: &[Q], b: &[R]) -> V {
        // SAFETY: whoever holds `Kernels` got it from a variant that this machine can run.
        unsafe { (self.distance)(a, b) }
    }

    #[inline(always)]
    pub(crate) fn distance_batch_4(&self, query: &[Q], rows: [&[R]; 4]) -> [V; 4] {
        // SAFETY: as in `distance`.
        unsafe { (self.distance_batch_4)(query, rows) }
    }

    pub(crate) fn prepare(&self, query: &[Q]) -> V {
        // SAFETY: as in `distance`.
        unsafe { (self.prepare)(query) }
    }

    #[inline(always)]
    pub(crate) fn bound(&self, query: &[Q], prepared: V, row: &[R]) -> V {
        // SAFETY: as in `distance`.
        unsafe { (self.bound)(query, prepared, row) }
    }

    #[inline(always)]
    pub(crate) fn bound_batch_4(&self, query: &[Q], prepared: V, rows: [&[R]; 4]) -> [V; 4] {
        // SAFETY: as in `distance`.
        unsafe { (self.bound_batch_4)(query, prepared, rows) }
    }
}

impl<Q, R, V> Clone for Kernels<Q, R, V> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<Q, R, V> Copy for Kernels<Q, R, V> {}

/// One implementation of a metric: what it needs of the machine, and its entry points.
#[allow(unreachable_pub)]
pub struct Variant<Q: 'static, R: 'static, V: 'static> {
    pub(super) level: Level,
    pub(super) name: &'static str,
    pub(super) needs: fn(&Capabilities) -> bool,
    pub(super) kernels: Kernels<Q, R, V>,
}

impl<Q, R, V> Variant<Q, R, V> {
    pub(crate) fn level(&self) -> Level {
        self.level
    }

    pub(crate) fn name(&self) -> &'static str {
        self.name
    }

    /// The entry points, where the machine has what they need.
    pub(crate) fn resolve(&self, capabilities: &Capabilities) -> Option<Kernels<Q, R, V>> {
        (self.needs)(capabilities).then_some(self.kernels)
    }
}
