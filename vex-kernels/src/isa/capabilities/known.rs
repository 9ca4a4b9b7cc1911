//! What is known of the machine: asked once, or told by the caller.

use core::sync::atomic::{AtomicU16, Ordering};

use super::Capabilities;
use crate::Level;

/// [`Capabilities`] as bits; [`ASKED`] once the machine was asked, since a hypervisor may take long to answer.
///
/// Only loads and stores, which every target has: two threads that ask at once get the same answer.
static KNOWN: AtomicU16 = AtomicU16::new(0);
const ASKED: u16 = 1 << 15;

impl Capabilities {
    /// What this machine can run.
    pub(crate) fn detect() -> Self {
        let known = KNOWN.load(Ordering::Relaxed);
        if known & ASKED != 0 {
            return Self::from_bits(known);
        }
        let measured = Self::measure();
        KNOWN.store(measured.bits() | ASKED, Ordering::Relaxed);
        measured
    }

    fn bits(&self) -> u16 {
        let flags = self.flags();
        flags.into_iter().enumerate().fold(0, |bits, (index, flag)| bits | u16::from(flag) << index)
    }

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

/// Takes the caller's word that this machine can run `level`, for bare metal where the processor cannot be asked, or where the
/// answer is known to be wrong. Handles resolved from then on use it.
///
/// A level that is not compiled for this target stays unavailable.
///
/// # Safety
/// The processor has every instruction of `level`, and whatever switches tasks or handles interrupts saves its registers.
pub unsafe fn assume_available(level: Level) {
    let mut capabilities = Capabilities::detect();
    match level {
        Level::Scalar => {}
        Level::Neon => capabilities.neon = true,
        Level::Avx2 => capabilities.avx2 = true,
        Level::Avx512 => {
            capabilities.avx2 = true;
            capabilities.avx512 = true;
        }
    }
    KNOWN.store(capabilities.bits() | ASKED, Ordering::Relaxed);
}

#[cfg(test)]
mod tests {
    use super::Capabilities;

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
}
