//! What is known of the machine: it was asked once, or a caller vouched for it.

use core::sync::atomic::{AtomicBool, AtomicU16, Ordering};

use super::{Capabilities, Capability, Isa};

static KNOWN: Known = Known::new();

/// What the machine was found to have, and what a caller vouched for.
///
/// The two are kept apart, so that no writer overwrites what another one stored. Threads that ask
/// at the same time store the same answer, and a flag that a caller vouches for only ever becomes
/// true. So plain loads and stores suffice, which every target has.
struct Known {
    /// [`Capabilities`] as bits, and [`ASKED`] once the machine was asked: a hypervisor may take
    /// long to answer CPUID.
    measured: AtomicU16,
    /// What a caller vouched for, indexed by [`Isa`].
    assumed: [AtomicBool; Isa::ALL.len()],
}

const ASKED: u16 = 1 << 15;

impl Known {
    const fn new() -> Self {
        Self { measured: AtomicU16::new(0), assumed: [const { AtomicBool::new(false) }; Isa::ALL.len()] }
    }

    fn capabilities(&self, measure: impl FnOnce() -> Capabilities) -> Capabilities {
        let known = self.measured.load(Ordering::Relaxed);
        let capabilities = if known & ASKED != 0 {
            Capabilities::from_bits(known & !ASKED)
        } else {
            let measured = measure();
            self.measured.store(measured.bits() | ASKED, Ordering::Relaxed);
            measured
        };
        capabilities
            .with(Capability::Neon, self.is_assumed(Isa::Neon))
            .with(Capability::Avx512, self.is_assumed(Isa::Avx512))
            .with(Capability::Avx2, self.is_assumed(Isa::Avx2) | self.is_assumed(Isa::Avx512))
    }

    fn is_assumed(&self, isa: Isa) -> bool {
        is_compiled(isa) && self.assumed[isa as usize].load(Ordering::Relaxed)
    }

    /// # Safety
    /// As for [`assume_available`], for the machine that runs code by these capabilities.
    unsafe fn assume(&self, isa: Isa) {
        self.assumed[isa as usize].store(true, Ordering::Relaxed);
    }
}

/// Whether there is code for an instruction set on this target.
const fn is_compiled(isa: Isa) -> bool {
    match isa {
        Isa::Scalar => true,
        Isa::Neon => cfg!(target_arch = "aarch64"),
        Isa::Avx2 | Isa::Avx512 => cfg!(all(target_arch = "x86_64", target_feature = "sse2")),
    }
}

impl Capabilities {
    /// What this machine can run.
    pub(crate) fn detect() -> Self {
        KNOWN.capabilities(Self::measure)
    }
}

/// Takes the caller's word that this machine can run `isa`. It is meant for bare metal where the
/// processor cannot be asked, or where its answer is known to be wrong. Handles that are resolved
/// from then on use `isa`, even if another thread is detecting at the same time.
///
/// An instruction set that is not compiled for this target stays unavailable.
///
/// # Safety
/// The processor has every instruction of `isa`, and whatever switches tasks or handles interrupts
/// saves the registers of `isa`.
pub unsafe fn assume_available(isa: Isa) {
    // SAFETY: the caller's promise.
    unsafe { KNOWN.assume(isa) };
}

#[cfg(test)]
mod tests {
    use super::{Capabilities, Capability, Isa, Known, is_compiled};

    #[test]
    fn what_was_asked_is_what_the_machine_says() {
        assert_eq!(Capabilities::detect(), Capabilities::measure());
        assert_eq!(Capabilities::detect(), Capabilities::measure());
    }

    /// What a caller vouches for stays known, whether it comes before, during or after a detection
    /// by another thread.
    #[test]
    fn what_is_assumed_is_not_lost_to_a_detection() {
        for isa in Isa::ALL {
            let assumed = |capabilities: Capabilities| match isa {
                Isa::Scalar => capabilities.has(Capability::Portable),
                Isa::Neon => capabilities.has(Capability::Neon),
                Isa::Avx2 => capabilities.has(Capability::Avx2),
                Isa::Avx512 => capabilities.has(Capability::Avx512) && capabilities.has(Capability::Avx2),
            };
            for when in 0..3 {
                let known = Known::new();
                let assume = |at| {
                    if at == when {
                        // SAFETY: nothing runs by these capabilities. They are only compared.
                        unsafe { known.assume(isa) };
                    }
                };
                assume(0);
                let ask = || {
                    assume(1);
                    Capabilities::NONE
                };
                known.capabilities(ask);
                assume(2);
                let found = known.capabilities(|| unreachable!("it was asked"));
                assert_eq!(assumed(found), is_compiled(isa), "{isa}, {when}");
            }
        }
    }
}
