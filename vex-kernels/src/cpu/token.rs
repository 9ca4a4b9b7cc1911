//! One token for each instruction set: a value is the proof that this machine has it.
//!
//! What a family of kernels computes is a [`Body`], written over the operations that the family
//! wants of a token. The macro [`tokens!`] compiles every body for the instruction set of a token,
//! since it puts the token's features on each entry point, once. Bodies and all that they call are
//! `#[inline(always)]`: what is not inlined is compiled for what the target guarantees, and a call
//! of it costs many times what it does.

use super::{Capabilities, Isa};

/// What a family computes by one metric: the entry points, on instruction set `I`.
pub(crate) trait Body<I> {
    /// The element of a query.
    type Query: 'static;
    /// The element of a row.
    type Row: 'static;
    /// The type of a distance.
    type Value: 'static;

    fn distance(isa: I, a: &[Self::Query], b: &[Self::Row]) -> Self::Value;
    fn distance_batch_4(isa: I, query: &[Self::Query], rows: [&[Self::Row]; 4]) -> [Self::Value; 4];
    /// What the other two want to know of the query.
    fn prepare(isa: I, query: &[Self::Query]) -> Self::Value;
    fn bound(isa: I, query: &[Self::Query], prepared: Self::Value, row: &[Self::Row]) -> Self::Value;
    fn bound_batch_4(
        isa: I,
        query: &[Self::Query],
        prepared: Self::Value,
        rows: [&[Self::Row]; 4],
    ) -> [Self::Value; 4];
}

/// Work that is no kernel, on instruction set `I`.
pub(crate) trait Task<I> {
    type Output;

    fn run(self, isa: I) -> Self::Output;
}

/// An instruction set, and the entry points of a body as compiled for it.
///
/// # Safety
/// Every unsafe function here asks for a machine that has the instruction set: one for which
/// [`is_on`](Self::is_on) is true.
pub(crate) trait Token: Copy {
    const ISA: Isa;
    /// The instruction set, and what is needed beyond it.
    const NAME: &'static str;

    fn is_on(machine: &Capabilities) -> bool;

    unsafe fn distance<B: Body<Self>>(a: &[B::Query], b: &[B::Row]) -> B::Value;
    unsafe fn distance_batch_4<B: Body<Self>>(query: &[B::Query], rows: [&[B::Row]; 4]) -> [B::Value; 4];
    unsafe fn prepare<B: Body<Self>>(query: &[B::Query]) -> B::Value;
    unsafe fn bound<B: Body<Self>>(query: &[B::Query], prepared: B::Value, row: &[B::Row]) -> B::Value;
    unsafe fn bound_batch_4<B: Body<Self>>(
        query: &[B::Query],
        prepared: B::Value,
        rows: [&[B::Row]; 4],
    ) -> [B::Value; 4];
    unsafe fn run<T: Task<Self>>(task: T) -> T::Output;

    /// Does a task compiled for this instruction set, or gives it back if the machine lacks it.
    #[inline]
    fn try_run<T: Task<Self>>(task: T) -> Result<T::Output, T> {
        if !Self::is_on(&Capabilities::detect()) {
            return Err(task);
        }
        // SAFETY: the machine was asked.
        Ok(unsafe { Self::run(task) })
    }
}

/// Defines tokens. Each line names the token and the type of `pulp` that it holds; the [`Isa`] and
/// the name of what runs; the capabilities that it needs; and the features that it is compiled with.
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

        impl $token {
            /// # Safety
            /// This machine has the instruction set.
            #[inline(always)]
            unsafe fn assume_available() -> Self {
                // SAFETY: the caller's promise.
                Self(unsafe { <$simd>::new_unchecked() })
            }
        }

        $crate::cpu::token::tokens! { @impl [$token $isa $name $($capability)+] $features }
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
    (@impl [$token:ident $isa:ident $name:literal $($capability:ident)+] [] $($attribute:tt)*) => {
        impl $crate::cpu::token::Token for $token {
            const ISA: $crate::Isa = $crate::Isa::$isa;
            const NAME: &'static str = $name;

            #[inline(always)]
            fn is_on(machine: &$crate::cpu::Capabilities) -> bool {
                $(machine.$capability())&&+
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
            unsafe fn run<T: $crate::cpu::Task<Self>>(task: T) -> T::Output {
                // SAFETY: the caller's promise.
                task.run(unsafe { Self::assume_available() })
            }
        }
    };
}
pub(super) use tokens;

/// What every target has: arrays of lanes, which the compiler vectorises with what is guaranteed.
#[derive(Clone, Copy)]
pub(crate) struct Portable;

impl Portable {
    /// # Safety
    /// None: unsafe only in that the other tokens have such a function too.
    #[inline(always)]
    unsafe fn assume_available() -> Self {
        Self
    }
}

tokens! { @impl [Portable Scalar "scalar" portable] [] }
