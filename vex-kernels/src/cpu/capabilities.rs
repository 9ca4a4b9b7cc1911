//! What the processor has, as far as the operating system lets programs use it.

/// What kernels are compiled for. Each capability is a set of features of the processor, all or
/// nothing.
#[derive(Clone, Copy, Debug)]
// Tables name only the capabilities of their target.
#[allow(dead_code)]
pub(crate) enum Capability {
    /// What every target has.
    Portable,
    /// Advanced SIMD.
    Neon,
    /// Dot products of bytes in Advanced SIMD.
    Dotprod,
    /// Every feature of x86-64-v3 that `pulp::x86::V3` stands for, and F16C, which belongs to
    /// x86-64-v3.
    Avx2,
    /// Every feature of x86-64-v4 that `pulp::x86::V4` stands for.
    Avx512,
    /// `Avx2`, and dot products of bytes in registers of 256 bits (VEX encoded).
    AvxVnni,
    /// `Avx512`, and dot products of bytes in registers of 512 bits.
    Avx512Vnni,
    /// `Avx512`, and the count of bits in each word.
    Avx512Vpopcntdq,
    /// No feature of the instruction set. The processor computes 512 bits as two halves, as AMD's
    /// Zen 4 does.
    Halves512,
}

/// A set of capabilities.
///
/// Whoever holds a capability may run code that is compiled for it. So only this folder makes sets:
/// [`measure`](Self::measure) asks the machine, and [`assume_available`](super::assume_available)
/// takes a caller's word.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Capabilities(u16);

impl Capabilities {
    pub(super) const NONE: Self = Self(1 << Capability::Portable as u16);

    pub(crate) const fn has(self, capability: Capability) -> bool {
        self.0 >> capability as u16 & 1 == 1
    }

    pub(crate) fn has_all(self, capabilities: &[Capability]) -> bool {
        capabilities.iter().all(|capability| self.has(*capability))
    }

    /// This set, with a capability if the machine has it.
    pub(super) const fn with(self, capability: Capability, has: bool) -> Self {
        Self(self.0 | (has as u16) << capability as u16)
    }

    pub(super) const fn bits(self) -> u16 {
        self.0
    }

    /// Only for bits that [`bits`](Self::bits) gave: whoever holds a capability may run code for
    /// it.
    pub(super) const fn from_bits(bits: u16) -> Self {
        Self(bits)
    }
}

#[cfg(all(target_arch = "x86_64", target_feature = "sse2"))]
impl Capabilities {
    #[cfg(feature = "std")]
    pub(super) fn measure() -> Self {
        macro_rules! all { ($($feature:tt)*) => { true $(&& std::arch::is_x86_feature_detected!($feature))* } }
        let avx2 = all!("sse3" "ssse3" "sse4.1" "sse4.2" "popcnt" "fxsr" "avx" "avx2" "bmi1" "bmi2" "fma" "lzcnt" "f16c");
        let avx512 = avx2 && all!("avx512f" "avx512bw" "avx512cd" "avx512dq" "avx512vl");
        let (avx_vnni, avx512_vnni) = (avx2 && all!("avxvnni"), avx512 && all!("avx512vnni"));
        let avx512_vpopcntdq = avx512 && all!("avx512vpopcntdq");
        Self::of_x86([avx2, avx512, avx_vnni, avx512_vnni, avx512_vpopcntdq])
    }

    #[cfg(not(feature = "std"))]
    pub(super) fn measure() -> Self {
        Self::from_cpuid()
    }

    fn of_x86([avx2, avx512, avx_vnni, avx512_vnni, avx512_vpopcntdq]: [bool; 5]) -> Self {
        Self::NONE
            .with(Capability::Avx2, avx2)
            .with(Capability::Avx512, avx512)
            .with(Capability::AvxVnni, avx_vnni)
            .with(Capability::Avx512Vnni, avx512_vnni)
            .with(Capability::Avx512Vpopcntdq, avx512_vpopcntdq)
            .with(Capability::Halves512, halves_512())
    }

    /// CPUID says what the processor has, and XCR0 which registers the operating system saves. A
    /// system that does not save AVX registers would corrupt them at every switch of tasks. (Intel
    /// SDM volume 1, sections 14.3 and 15.2.)
    #[cfg(any(test, not(feature = "std")))]
    fn from_cpuid() -> Self {
        // SGX forbids the instruction.
        if cfg!(target_env = "sgx") {
            return Self::NONE;
        }
        use core::arch::x86_64::{__cpuid, __cpuid_count, CpuidResult};
        // SAFETY: every x86_64 processor has CPUID; the one place that traps it was excluded above.
        #[allow(unused_unsafe)]
        let cpuid = |leaf| -> CpuidResult { unsafe { __cpuid(leaf) } };
        let has = |word: u32, bits: &[u32]| bits.iter().all(|bit| word >> bit & 1 == 1);

        if cpuid(0).eax < 7 || cpuid(0x8000_0000).eax < 0x8000_0001 {
            return Self::NONE;
        }
        let leaf1 = cpuid(1);
        // SAFETY: as above.
        #[allow(unused_unsafe)]
        let cpuid_count = |leaf, part| -> CpuidResult { unsafe { __cpuid_count(leaf, part) } };
        let leaf7 = cpuid_count(7, 0);
        let extended = cpuid(0x8000_0001);
        // Bit 27: the operating system has enabled XGETBV.
        let saved = if has(leaf1.ecx, &[26, 27]) { xcr0() } else { 0 };

        // sse3, ssse3, fma, sse4.1, sse4.2, popcnt, avx, f16c; fxsr; bmi1, avx2, bmi2; lzcnt.
        // State: xmm and ymm.
        let avx2 = has(leaf1.ecx, &[0, 9, 12, 19, 20, 23, 28, 29])
            && has(leaf1.edx, &[24])
            && has(leaf7.ebx, &[3, 5, 8])
            && has(extended.ecx, &[5])
            && has(saved, &[1, 2]);
        // avx512f, dq, cd, bw, vl. State: mask registers, upper halves, upper sixteen.
        let avx512 = avx2 && has(leaf7.ebx, &[16, 17, 28, 30, 31]) && has(saved, &[5, 6, 7]);
        let avx512_vnni = avx512 && has(leaf7.ecx, &[11]);
        // The second part of leaf 7 exists if the first one says so.
        let avx_vnni = avx2 && leaf7.eax >= 1 && has(cpuid_count(7, 1).eax, &[4]);
        let avx512_vpopcntdq = avx512 && has(leaf7.ecx, &[14]);
        Self::of_x86([avx2, avx512, avx_vnni, avx512_vnni, avx512_vpopcntdq])
    }
}

/// Whether the floating-point unit has 256 bits and not 512 (AMD APM volume 3, leaf 8000_001A, bits
/// 2 and 3). Processors of other makers do not have the leaf.
#[cfg(all(target_arch = "x86_64", target_feature = "sse2"))]
fn halves_512() -> bool {
    // SGX forbids the instruction.
    if cfg!(target_env = "sgx") {
        return false;
    }
    // SAFETY: every x86_64 processor has CPUID; the one place that traps it was excluded above.
    #[allow(unused_unsafe)]
    let eax = |leaf| unsafe { core::arch::x86_64::__cpuid(leaf) }.eax;
    eax(0x8000_0000) >= 0x8000_001a && eax(0x8000_001a) & 0b1100 == 0b0100
}

/// The low word of XCR0. Call it only where CPUID reports OSXSAVE.
#[cfg(all(target_arch = "x86_64", target_feature = "sse2", any(test, not(feature = "std"))))]
fn xcr0() -> u32 {
    let low: u32;
    // SAFETY: XGETBV is enabled, and register 0 exists wherever it is. The instruction only writes
    // eax and edx.
    unsafe {
        core::arch::asm!("xgetbv", in("ecx") 0, out("eax") low, out("edx") _, options(nomem, nostack, preserves_flags));
    }
    low
}

#[cfg(not(all(target_arch = "x86_64", target_feature = "sse2")))]
impl Capabilities {
    /// Advanced SIMD is part of every AArch64 target that has a floating-point unit.
    pub(super) fn measure() -> Self {
        let neon = cfg!(all(target_arch = "aarch64", target_feature = "neon"));
        #[cfg(all(target_arch = "aarch64", feature = "std"))]
        let dotprod = neon && std::arch::is_aarch64_feature_detected!("dotprod");
        // On AArch64 a program may not ask the processor, only the operating system.
        #[cfg(not(all(target_arch = "aarch64", feature = "std")))]
        let dotprod = neon && cfg!(target_feature = "dotprod");
        Self::NONE.with(Capability::Neon, neon).with(Capability::Dotprod, dotprod)
    }
}

#[cfg(all(test, target_arch = "x86_64", target_feature = "sse2", feature = "std"))]
mod tests {
    use super::Capabilities;

    #[test]
    fn own_detection_agrees_with_the_standard_library() {
        assert_eq!(Capabilities::from_cpuid(), Capabilities::measure());
    }
}
