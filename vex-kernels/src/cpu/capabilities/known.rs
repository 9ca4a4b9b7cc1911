//! What is known of the machine: asked once, or told by the caller.

use core::sync::atomic::{AtomicBool, AtomicU16, Ordering};

use super::super::Isa;
use super::Capabilities;

static KNOWN: Known = Known::new();

/// What the machine was found to have, and what a caller vouched for.
///
/// The two are apart, so that no writer overwrites what another one knows: threads that ask at once store the same answer, and a
/// flag that a caller vouches for only ever becomes true. So loads and stores do, which every target has.
struct Known {
    /// [`Capabilities`] as bits; [`ASKED`] once the machine was asked, since a hypervisor may take long to answer.
    measured: AtomicU16,
    /// By [`Isa`].
    assumed: [AtomicBool; Isa::ALL.len()],
}

const ASKED: u16 = 1 << 15;

impl Known {
    const fn new() -> Self {
        Self { measured: AtomicU16::new(0), assumed: [const { AtomicBool::new(false) }; Isa::ALL.len()] }
    }

    fn capabilities(&self, measure: impl FnOnce() -> Capabilities) -> Capabilities {
        let known = self.measured.load(Ordering::Relaxed);
        let mut capabilities = if known & ASKED != 0 {
            Capabilities::from_bits(known)
        } else {
            let measured = measure();
            self.measured.store(measured.bits() | ASKED, Ordering::Relaxed);
            measured
        };
        capabilities.neon |= self.is_assumed(Isa::Neon);
        capabilities.avx512 |= self.is_assumed(Isa::Avx512);
        capabilities.avx2 |= self.is_assumed(Isa::Avx2) | self.is_assumed(Isa::Avx512);
        capabilities
    }

    fn is_assumed(&self, isa: Isa) -> bool {
        is_compiled(isa) && self.assumed[isa as usize].load(Ordering::Relaxed)
    }

    /// # Safety
    /// As for [`assume_available`], of the machine that runs what these capabilities open.
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

    fn bits(&self) -> u16 {
        let flags = self.flags();
        flags.into_iter().enumerate().fold(0, |bits, (index, flag)| bits | u16::from(flag) << index)
    }

    /// Only for bits that [`bits`](Self::bits) gave: whoever holds capabilities may run what they name.
    fn from_bits(bits: u16) -> Self {
        let mut capabilities = Self::NONE;
        for (index, flag) in capabilities.flags_mut().into_iter().enumerate() {
            *flag = bits >> index & 1 == 1;
        }
        capabilities
    }

    /// Every capability, in one order.
    fn flags(&self) -> [bool; 9] {
        let mut copy = *self;
        copy.flags_mut().map(|flag| *flag)
    }

    fn flags_mut(&mut self) -> [&mut bool; 9] {
        let Self {
            neon,
            dotprod,
            avx2,
            avx512,
            avx_vnni,
            avx512_vnni,
            avx512_vpopcntdq,
            halves_512,
            portable,
        } = self;
        [neon, dotprod, avx2, avx512, avx_vnni, avx512_vnni, avx512_vpopcntdq, halves_512, portable]
    }
}

/// Takes the caller's word that this machine can run `isa`, for bare metal where the processor cannot be asked, or where the
/// answer is known to be wrong. Handles resolved from then on use it, also if another thread is detecting at the same time.
///
/// An instruction set that is not compiled for this target stays unavailable.
///
/// # Safety
/// The processor has every instruction of `isa`, and whatever switches tasks or handles interrupts saves its registers.
pub unsafe fn assume_available(isa: Isa) {
    // SAFETY: the caller's promise.
    unsafe { KNOWN.assume(isa) };
}

#[cfg(test)]
mod tests {
    use super::{Capabilities, Known, is_compiled};
    use crate::Isa;

    #[test]
    fn capabilities_survive_packing() {
        let capabilities = Capabilities::detect();
        assert_eq!(Capabilities::from_bits(capabilities.bits()), capabilities);
        for index in 0..9 {
            assert_eq!(Capabilities::from_bits(1 << index).bits(), 1 << index);
        }
    }

    #[test]
    fn what_was_asked_is_what_the_machine_says() {
        assert_eq!(Capabilities::detect(), Capabilities::measure());
        assert_eq!(Capabilities::detect(), Capabilities::measure());
    }

    /// What is assumed while another thread asks the machine, before or after it, is known from then on.
    #[test]
    fn what_is_assumed_is_not_lost_to_a_detection() {
        for isa in Isa::ALL {
            let assumed = |capabilities: Capabilities| match isa {
                Isa::Scalar => capabilities.portable(),
                Isa::Neon => capabilities.neon(),
                Isa::Avx2 => capabilities.avx2(),
                Isa::Avx512 => capabilities.avx512() && capabilities.avx2(),
            };
            for when in 0..3 {
                let known = Known::new();
                let assume = |at| {
                    if at == when {
                        // SAFETY: nothing runs by these capabilities, which are only looked at.
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
