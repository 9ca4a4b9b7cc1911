//! Which instruction sets run: what the machine has, up to the cap that `VEX_SIMD` sets.

use super::{Capabilities, Capability, Isa};

impl Isa {
    /// The best instruction set of this machine, capped by the environment variable `VEX_SIMD`
    /// (`scalar`, `neon`, `avx2`, `avx512`) where the feature `std` is on.
    ///
    /// The machine is asked once. Later calls read what was found.
    ///
    /// # Panics
    /// If `VEX_SIMD` has another value.
    pub fn detect() -> Self {
        let cap = cap();
        let found = Self::ALL.into_iter().rev().find(|isa| *isa <= cap && isa.is_available());
        found.unwrap_or(Isa::Scalar)
    }

    /// Whether this machine can run the instruction set. The cap of [`detect`](Self::detect) does
    /// not count.
    pub fn is_available(self) -> bool {
        Capabilities::detect().has(match self {
            Isa::Scalar => Capability::Portable,
            Isa::Neon => Capability::Neon,
            Isa::Avx2 => Capability::Avx2,
            Isa::Avx512 => Capability::Avx512,
        })
    }
}

/// The instruction set that `VEX_SIMD` names.
///
/// An unknown name panics. If it meant "fastest", a typo would silently void a measurement.
#[cfg(feature = "std")]
pub(super) fn cap() -> Isa {
    static CAP: std::sync::OnceLock<Isa> = std::sync::OnceLock::new();
    *CAP.get_or_init(|| match std::env::var("VEX_SIMD") {
        Ok(name) => Isa::from_name(&name)
            .unwrap_or_else(|| panic!("VEX_SIMD: expected scalar, neon, avx2 or avx512, found {name:?}")),
        Err(_) => Isa::Avx512,
    })
}

#[cfg(not(feature = "std"))]
pub(super) fn cap() -> Isa {
    Isa::Avx512
}
