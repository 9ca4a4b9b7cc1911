//! What the processor has and the operating system lets a program use.

mod known;

pub use known::assume_available;

/// The sets of features that kernels are compiled for. Each is all or nothing.
///
/// Whoever holds a capability may run the code that it opens, so only this module makes any: [`detect`](Self::detect) asks the
/// machine, and [`assume_available`] takes a caller's word.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Capabilities {
    neon: bool,
    dotprod: bool,
    avx2: bool,
    avx512: bool,
    avx_vnni: bool,
    avx512_vnni: bool,
    avx512_vpopcntdq: bool,
    halves_512: bool,
    portable: bool,
}

macro_rules! getters {
    ($($(#[$doc:meta])* $name:ident)*) => {
        // Tables name only those that their target has.
        #[allow(dead_code)]
        impl Capabilities {$(
            $(#[$doc])*
            #[inline(always)]
            pub(crate) const fn $name(&self) -> bool {
                self.$name
            }
        )*}
    };
}

getters! {
    /// Advanced SIMD.
    neon
    /// Dot products of bytes in Advanced SIMD.
    dotprod
    /// Every feature of x86-64-v3 that `pulp::x86::V3` stands for, and F16C, which is part of that level too.
    avx2
    /// Every feature of x86-64-v4 that `pulp::x86::V4` stands for.
    avx512
    /// `avx2`, and dot products of bytes in registers of 256 bits (VEX encoded).
    avx_vnni
    /// `avx512`, and the same in registers of 512 bits.
    avx512_vnni
    /// `avx512`, and the count of bits in each word.
    avx512_vpopcntdq
    /// No feature: the processor computes 512 bits as two halves, as AMD's fourth generation does.
    halves_512
    /// What every target has.
    portable
}

impl Capabilities {
    const NONE: Self = Self {
        neon: false,
        dotprod: false,
        avx2: false,
        avx512: false,
        avx_vnni: false,
        avx512_vnni: false,
        avx512_vpopcntdq: false,
        halves_512: false,
        portable: true,
    };
}

#[cfg(all(target_arch = "x86_64", target_feature = "sse2"))]
impl Capabilities {
    #[cfg(feature = "std")]
    fn measure() -> Self {
        macro_rules! all { ($($feature:tt)*) => { true $(&& std::arch::is_x86_feature_detected!($feature))* } }
        let avx2 = all!("sse3" "ssse3" "sse4.1" "sse4.2" "popcnt" "fxsr" "avx" "avx2" "bmi1" "bmi2" "fma" "lzcnt" "f16c");
        let avx512 = avx2 && all!("avx512f" "avx512bw" "avx512cd" "avx512dq" "avx512vl");
        let (avx_vnni, avx512_vnni) = (avx2 && all!("avxvnni"), avx512 && all!("avx512vnni"));
        let avx512_vpopcntdq = avx512 && all!("avx512vpopcntdq");
        Self { avx2, avx512, avx_vnni, avx512_vnni, avx512_vpopcntdq, halves_512: halves_512(), ..Self::NONE }
    }

    #[cfg(not(feature = "std"))]
    fn measure() -> Self {
        Self::from_cpuid()
    }

    /// CPUID says what the processor has; XCR0 says which registers the operating system saves. A processor
    /// with AVX under a system that does not save its registers would corrupt them at every switch.
    /// (Intel SDM volume 1, sections 14.3 and 15.2.)
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

        // sse3, ssse3, fma, sse4.1, sse4.2, popcnt, avx, f16c; fxsr; bmi1, avx2, bmi2; lzcnt. State: xmm and ymm.
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
        Self { avx2, avx512, avx_vnni, avx512_vnni, avx512_vpopcntdq, halves_512: halves_512(), ..Self::NONE }
    }
}

/// Whether the floating-point unit of a processor has 256 bits (AMD APM volume 3, leaf 8000_001A; bit 3 says that it has 512).
/// Other makers' processors do not have the leaf.
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

/// The low word of XCR0. To be called only where CPUID reports OSXSAVE.
#[cfg(all(target_arch = "x86_64", target_feature = "sse2", any(test, not(feature = "std"))))]
fn xcr0() -> u32 {
    let low: u32;
    // SAFETY: XGETBV is enabled, and register 0 exists wherever it is. It only writes eax and edx.
    unsafe {
        core::arch::asm!("xgetbv", in("ecx") 0, out("eax") low, out("edx") _, options(nomem, nostack, preserves_flags));
    }
    low
}

#[cfg(not(all(target_arch = "x86_64", target_feature = "sse2")))]
impl Capabilities {
    /// Advanced SIMD is part of every AArch64 target that has a floating-point unit.
    fn measure() -> Self {
        let neon = cfg!(all(target_arch = "aarch64", target_feature = "neon"));
        #[cfg(all(target_arch = "aarch64", feature = "std"))]
        let dotprod = neon && std::arch::is_aarch64_feature_detected!("dotprod");
        // A program may not ask the processor itself, only its operating system.
        #[cfg(not(all(target_arch = "aarch64", feature = "std")))]
        let dotprod = neon && cfg!(target_feature = "dotprod");
        Self { neon, dotprod, ..Self::NONE }
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
