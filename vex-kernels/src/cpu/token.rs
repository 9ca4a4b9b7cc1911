//! One token for each instruction set. A value of the type proves that this machine has the set.
//!
//! What a family of kernels computes is a [`Body`], written over the operations that the family
//! asks of a token. The macro [`tokens!`] compiles every body for a token's instruction set: it
//! puts the token's features on each entry point. Bodies and all that they call are
//! `#[inline(always)]`. A function that is not inlined is compiled for what the target guarantees,
//! and the call costs many times what the function does.

use super::{Capabilities, Capability, Isa};

/// The entry points of one metric of a family, on instruction set `I`.
pub(crate) trait Body<I> {
    /// The element of a query.
    type Query: 'static;
    /// The element of a row.
    type Row: 'static;
    /// The type of a distance.
    type Value: 'static;

    fn distance(isa: I, a: &[Self::Query], b: &[Self::Row]) -> Self::Value;
    fn distance_batch_4(isa: I, query: &[Self::Query], rows: [&[Self::Row]; 4]) -> [Self::Value; 4];
    /// What `bound` and `bound_batch_4` need to know of the query.
    fn prepare(isa: I, query: &[Self::Query]) -> Self::Value;
    fn bound(isa: I, query: &[Self::Query], prepared: Self::Value, row: &[Self::Row]) -> Self::Value;
    fn bound_batch_4(
        isa: I,
        query: &[Self::Query],
        prepared: Self::Value,
        rows: [&[Self::Row]; 4],
    ) -> [Self::Value; 4];
}

/// What [`Isa::run`] runs.
///
/// A trait and not a closure, since a closure cannot ask to be inlined.
pub trait Work {
    /// The result.
    type Output;

    /// Does the work. This function and all that it calls have to be `#[inline(always)]`. A
    /// function that is not inlined is compiled for what the target guarantees, and its call costs
    /// more than its work.
    fn run(self) -> Self::Output;
}

/// An instruction set, and the entry points of a body as compiled for it.
///
/// # Safety
/// The caller of an unsafe function here has a machine that [has all](Capabilities::has_all) of
/// [`NEEDS`](Self::NEEDS).
pub(crate) trait Token: Copy {
    const ISA: Isa;
    /// The instruction set, and what is needed beyond it.
    const NAME: &'static str;
    /// What the machine must have.
    const NEEDS: &'static [Capability];

    unsafe fn distance<B: Body<Self>>(a: &[B::Query], b: &[B::Row]) -> B::Value;
    unsafe fn distance_batch_4<B: Body<Self>>(query: &[B::Query], rows: [&[B::Row]; 4]) -> [B::Value; 4];
    unsafe fn prepare<B: Body<Self>>(query: &[B::Query]) -> B::Value;
    unsafe fn bound<B: Body<Self>>(query: &[B::Query], prepared: B::Value, row: &[B::Row]) -> B::Value;
    unsafe fn bound_batch_4<B: Body<Self>>(
        query: &[B::Query],
        prepared: B::Value,
        rows: [&[B::Row]; 4],
    ) -> [B::Value; 4];
    unsafe fn run<W: Work>(work: W) -> W::Output;

    unsafe fn assume_available() -> Self;

    /// The token of an instruction set that this machine has.
    ///
    /// # Panics
    /// If this machine lacks the instruction set.
    fn here() -> Self {
        assert!(Capabilities::detect().has_all(Self::NEEDS), "the instruction set is available");
        // SAFETY: the assertion above asked the machine.
        unsafe { Self::assume_available() }
    }

    /// Runs work as compiled for this instruction set.
    #[inline]
    fn run_here<W: Work>(self, work: W) -> W::Output {
        // SAFETY: a token is the proof that the machine has the instruction set.
        unsafe { Self::run(work) }
    }
}

/// Defines tokens. Each entry names the token and the type of `pulp` that it holds, then the
/// [`Isa`] and the name of what runs. The capabilities that the token needs follow, and the
/// features that its entry points are compiled with.
macro_rules! tokens {
    ($($(#[$doc:meta])* $token:ident($simd:ty), $isa:ident $name:literal,
        $($capability:ident)+, $features:tt;)*
    ) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy)]
        pub(crate) struct $token($simd);

        /// Its operations are those of the token inside.
        impl core::ops::Deref for $token {
            type Target = $simd;

            #[inline(always)]
            fn deref(&self) -> &$simd {
                &self.0
            }
        }

        $crate::cpu::token::tokens! {
            @impl [$token({
                // SAFETY: the caller's promise to `assume_available`, whose body this is.
                $token(unsafe { <$simd>::new_unchecked() })
            }) $isa $name $($capability)+] $features
        }
    )*};
    // Sets of features that more than one token has.
    (@impl $token:tt [V3 $($rest:tt)*] $($attribute:tt)*) => {
        $crate::cpu::token::tokens! { @impl $token [$($rest)*] $($attribute)* #[target_feature(
            enable = "sse,sse2,fxsr,sse3,ssse3,sse4.1,sse4.2,popcnt,avx,avx2,bmi1,bmi2,fma,lzcnt,f16c"
        )] }
    };
    (@impl $token:tt [V4 $($rest:tt)*] $($attribute:tt)*) => {
        $crate::cpu::token::tokens! { @impl $token [V3 $($rest)*] $($attribute)* #[target_feature(
            enable = "avx512f,avx512bw,avx512cd,avx512dq,avx512vl"
        )] }
    };
    (@impl $token:tt [$feature:literal $($rest:tt)*] $($attribute:tt)*) => {
        $crate::cpu::token::tokens! {
            @impl $token [$($rest)*] $($attribute)* #[target_feature(enable = $feature)]
        }
    };
    (@impl [$token:ident($new:expr) $isa:ident $name:literal $($capability:ident)+] [] $($attribute:tt)*) => {
        impl $crate::cpu::token::Token for $token {
            const ISA: $crate::Isa = $crate::Isa::$isa;
            const NAME: &'static str = $name;
            const NEEDS: &'static [$crate::cpu::Capability] = &[$($crate::cpu::Capability::$capability),+];

            #[inline(always)]
            unsafe fn assume_available() -> Self {
                $new
            }

            $($attribute)*
            unsafe fn distance<B: $crate::cpu::Body<Self>>(a: &[B::Query], b: &[B::Row]) -> B::Value {
                // SAFETY: the caller's promise.
                B::distance(unsafe { Self::assume_available() }, a, b)
            }

            $($attribute)*
            unsafe fn distance_batch_4<B: $crate::cpu::Body<Self>>(
                query: &[B::Query],
                rows: [&[B::Row]; 4],
            ) -> [B::Value; 4] {
                // SAFETY: the caller's promise.
                B::distance_batch_4(unsafe { Self::assume_available() }, query, rows)
            }

            $($attribute)*
            unsafe fn prepare<B: $crate::cpu::Body<Self>>(query: &[B::Query]) -> B::Value {
                // SAFETY: the caller's promise.
                B::prepare(unsafe { Self::assume_available() }, query)
            }

            $($attribute)*
            unsafe fn bound<B: $crate::cpu::Body<Self>>(
                query: &[B::Query],
                prepared: B::Value,
                row: &[B::Row],
            ) -> B::Value {
                // SAFETY: the caller's promise.
                B::bound(unsafe { Self::assume_available() }, query, prepared, row)
            }

            $($attribute)*
            unsafe fn bound_batch_4<B: $crate::cpu::Body<Self>>(
                query: &[B::Query],
                prepared: B::Value,
                rows: [&[B::Row]; 4],
            ) -> [B::Value; 4] {
                // SAFETY: the caller's promise.
                B::bound_batch_4(unsafe { Self::assume_available() }, query, prepared, rows)
            }

            $($attribute)*
            unsafe fn run<W: $crate::cpu::Work>(work: W) -> W::Output {
                work.run()
            }
        }
    };
}
pub(super) use tokens;

/// What every target has: arrays of lanes, which the compiler vectorizes with what the target
/// guarantees.
#[derive(Clone, Copy)]
pub(crate) struct Portable;

self::tokens! { @impl [Portable(Portable) Scalar "scalar" Portable] [] }
