//! The entry points of one implementation, and the table that hands them out.
//!
//! A kernel that is compiled for an instruction set may run only where that set exists. [`Kernels`]
//! keeps this promise. Its pointers are private to this file, and a [`Variant`] gives them away
//! only against the [`Capabilities`] that they need.

use super::detect::cap;
use super::token::{Body, Token};
use super::{Capabilities, Capability, Isa};

/// The rows of a batch.
type Four<'r, R> = [&'r [R]; 4];

/// The entry points of one implementation that this machine can run. `V` is the type of a distance.
///
/// Public only for the sealed traits behind [`crate::Element`] and [`crate::Code`].
#[allow(unreachable_pub)]
pub struct Kernels<Q: 'static, R: 'static, V: 'static> {
    isa: Isa,
    name: &'static str,
    distance: unsafe fn(&[Q], &[R]) -> V,
    distance_batch_4: unsafe fn(&[Q], Four<'_, R>) -> [V; 4],
    prepare: unsafe fn(&[Q]) -> V,
    bound: unsafe fn(&[Q], V, &[R]) -> V,
    bound_batch_4: unsafe fn(&[Q], V, Four<'_, R>) -> [V; 4],
}

impl<Q, R, V> Kernels<Q, R, V> {
    /// The best of these variants that this machine has and `VEX_SIMD` allows.
    pub(crate) fn best(variants: &'static [Variant<Q, R, V>]) -> Option<Self> {
        let cap = cap();
        Self::all(variants).find(|kernels| kernels.isa <= cap)
    }

    /// Every one of these variants that this machine can run, best first, whatever `VEX_SIMD` says.
    pub(crate) fn all(variants: &'static [Variant<Q, R, V>]) -> impl Iterator<Item = Self> {
        let machine = Capabilities::detect();
        variants.iter().filter(move |variant| variant.runs_on(machine)).map(|variant| variant.kernels)
    }

    pub(crate) fn isa(&self) -> Isa {
        self.isa
    }

    pub(crate) fn name(&self) -> &'static str {
        self.name
    }

    #[inline(always)]
    pub(crate) fn distance(&self, a: &[Q], b: &[R]) -> V {
        // SAFETY: whoever holds `Kernels` got it from `all`, which gives only what this machine can
        // run.
        unsafe { (self.distance)(a, b) }
    }

    #[inline(always)]
    pub(crate) fn distance_batch_4(&self, query: &[Q], rows: Four<'_, R>) -> [V; 4] {
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
    pub(crate) fn bound_batch_4(&self, query: &[Q], prepared: V, rows: Four<'_, R>) -> [V; 4] {
        // SAFETY: as in `distance`.
        unsafe { (self.bound_batch_4)(query, prepared, rows) }
    }
}

// Not derived: that would ask the same of the elements.
impl<Q, R, V> Clone for Kernels<Q, R, V> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<Q, R, V> Copy for Kernels<Q, R, V> {}

/// An entry of a table: entry points, and what they need of the machine.
#[allow(unreachable_pub)]
pub struct Variant<Q: 'static, R: 'static, V: 'static> {
    needs: &'static [Capability],
    /// Whether the machine runs it fast. Unlike `needs`, this is a matter of speed alone.
    prefers: fn(Capabilities) -> bool,
    kernels: Kernels<Q, R, V>,
}

impl<Q, R, V> Variant<Q, R, V> {
    /// A body, as compiled for an instruction set.
    pub(crate) const fn of<I: Token, B: Body<I, Query = Q, Row = R, Value = V>>() -> Self {
        Self {
            needs: I::NEEDS,
            prefers: |_| true,
            kernels: Kernels {
                isa: I::ISA,
                name: I::NAME,
                distance: I::distance::<B>,
                distance_batch_4: I::distance_batch_4::<B>,
                prepare: I::prepare::<B>,
                bound: I::bound::<B>,
                bound_batch_4: I::bound_batch_4::<B>,
            },
        }
    }

    /// This variant, on some machines alone.
    #[cfg_attr(not(all(target_arch = "x86_64", target_feature = "sse2")), allow(dead_code))]
    pub(crate) const fn on(self, prefers: fn(Capabilities) -> bool) -> Self {
        Self { prefers, ..self }
    }

    fn runs_on(&self, machine: Capabilities) -> bool {
        machine.has_all(self.needs) && (self.prefers)(machine)
    }
}

/// The table of a body: a [`Variant`] for each instruction set, best first, and the portable one.
macro_rules! kernels {
    ($body:ty,
        x86: $($x86:ident $(if $prefers:expr)?),*;
        aarch64: $($aarch64:ident),*
    ) => {
        &[
            $(
                #[cfg(all(target_arch = "x86_64", target_feature = "sse2"))]
                $crate::cpu::Variant::of::<$crate::cpu::$x86, $body>()$(.on($prefers))?,
            )*
            $(
                #[cfg(target_arch = "aarch64")]
                $crate::cpu::Variant::of::<$crate::cpu::$aarch64, $body>(),
            )*
            $crate::cpu::Variant::of::<$crate::cpu::Portable, $body>(),
        ]
    };
}
pub(crate) use kernels;
