//! Instruction sets: which of them this machine can run, and the only way to call code that is
//! compiled for one.
//!
//! How a call reaches the widest registers without a check on each call:
//!
//! 1. [`Capabilities::detect`] asks the processor and the operating system, once.
//! 2. A family of kernels writes each entry point as a [`Body`], over any instruction set.
//! 3. [`tokens!`](token) compiles the body for each instruction set, with its target features.
//! 4. [`kernels!`] lists what was compiled as [`Variant`]s, best first.
//! 5. [`Kernels::best`] takes the first one that the machine has and `VEX_SIMD` allows. A handle
//!    keeps its function pointers, so a call is one indirect jump.
//!
//! A token, such as [`Portable`], is a value that proves that the machine has an instruction set.
//! Only entry points make tokens. Only handles that were resolved for this machine reach entry
//! points.

mod capabilities;
mod detect;
mod isa;
mod kernels;
mod known;
#[cfg(target_arch = "aarch64")]
mod neon;
mod run;
mod sqrt;
mod token;
#[cfg(all(target_arch = "x86_64", target_feature = "sse2"))]
pub(crate) mod x86;

pub(crate) use capabilities::{Capabilities, Capability};
pub use isa::Isa;
pub(crate) use kernels::{Kernels, Variant, kernels};
pub use known::assume_available;
#[cfg(target_arch = "aarch64")]
pub(crate) use neon::{Neon, NeonDotprod};
pub(crate) use run::run_on;
pub(crate) use sqrt::sqrt;
pub use token::Work;
pub(crate) use token::{Body, Portable, Token};
#[cfg(all(target_arch = "x86_64", target_feature = "sse2"))]
pub(crate) use x86::{Avx2, Avx2Vnni, Avx512, Avx512Vl, Avx512Vnni, Avx512Vpopcntdq};
