//! Which instruction sets this machine can run.

use core::fmt;

use crate::isa::Capabilities;

/// An instruction set that kernels are compiled for, slowest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Level {
    /// Arrays of lanes that the compiler vectorises with what the target guarantees.
    Scalar,
    /// AArch64 Advanced SIMD.
    Neon,
    /// x86-64-v3: AVX2 and fused multiply-add.
    Avx2,
    /// x86-64-v4: AVX-512 F, BW, CD, DQ and VL.
    Avx512,
}

impl Level {
    /// Every level, slowest first, whether or not this machine has it.
    pub const ALL: [Level; 4] = [Level::Scalar, Level::Neon, Level::Avx2, Level::Avx512];

    /// The best level of this machine, capped by the environment variable `VEX_SIMD`
    /// (`scalar`, `neon`, `avx2`, `avx512`) where the feature `std` is on.
    pub fn detect() -> Self {
        Self::candidates().next().unwrap_or(Level::Scalar)
    }

    /// Whether this machine can run the level. Unlike [`detect`](Self::detect) it knows no cap.
    pub fn is_available(self) -> bool {
        match self {
            Level::Scalar => true,
            Level::Neon => Capabilities::detect().neon(),
            Level::Avx2 => Capabilities::detect().avx2(),
            Level::Avx512 => Capabilities::detect().avx512(),
        }
    }

    /// The name that `VEX_SIMD` knows the level by.
    pub fn name(self) -> &'static str {
        match self {
            Level::Scalar => "scalar",
            Level::Neon => "neon",
            Level::Avx2 => "avx2",
            Level::Avx512 => "avx512",
        }
    }

    /// The level with this [`name`](Self::name).
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|level| level.name() == name)
    }

    /// The available levels up to the cap, best first.
    pub(crate) fn candidates() -> impl Iterator<Item = Self> {
        let cap = cap();
        Self::ALL.into_iter().rev().filter(move |level| *level <= cap && level.is_available())
    }
}

impl fmt::Display for Level {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// The level that `VEX_SIMD` names. A name that nobody knows must not silently mean "fastest", or a typo
/// would void a measurement: it panics.
#[cfg(feature = "std")]
pub(crate) fn cap() -> Level {
    static CAP: std::sync::OnceLock<Level> = std::sync::OnceLock::new();
    *CAP.get_or_init(|| match std::env::var("VEX_SIMD") {
        Ok(name) => Level::from_name(&name)
            .unwrap_or_else(|| panic!("VEX_SIMD: expected scalar, neon, avx2 or avx512, found {name:?}")),
        Err(_) => Level::Avx512,
    })
}

#[cfg(not(feature = "std"))]
pub(crate) fn cap() -> Level {
    Level::Avx512
}
