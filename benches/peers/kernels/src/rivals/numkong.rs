//! NumKong 7, simsimd's successor, through its own search for the best kernel.
//!
//! It sums f32 in f64, hence half the lanes: more accurate than a distance of f32 needs, and slower.

use std::ffi::c_void;

use numkong::cap;
use numkong::capabilities;

use super::Level;
use super::punned::{self, Kernel, Type};
use crate::contender::{self, Contender};
use crate::element::{Element, Metric};

unsafe extern "C" {
    fn nk_capabilities_compiled() -> u64;
    fn nk_find_kernel_punned(
        kind: u32,
        dtype: u32,
        viable: u64,
        kernel: *mut *mut c_void,
        capability: *mut u64,
    );
}

const CAPABILITIES: [(u64, &str); 11] = [
    (cap::SERIAL, "serial"),
    (cap::HASWELL, "haswell"),
    (cap::SKYLAKE, "skylake"),
    (cap::ICELAKE, "icelake"),
    (cap::GENOA, "genoa"),
    (cap::ALDER, "alder"),
    (cap::SAPPHIRE, "sapphire"),
    (cap::SAPPHIREAMX, "sapphire-amx"),
    (cap::TURIN, "turin"),
    (cap::SIERRA, "sierra"),
    (cap::DIAMOND, "diamond"),
];
const UP_TO_AVX2: u64 = cap::SERIAL | cap::HASWELL | cap::ALDER | cap::SIERRA;

pub(super) fn contender<E: Element>(ty: Type, metric: Metric, level: Level) -> Option<Box<dyn Contender<E>>> {
    let kind = match metric {
        Metric::InnerProduct => b'i',
        Metric::SquaredEuclidean => b'2',
        Metric::Cosine => b'a',
        Metric::Hamming => b'h',
        Metric::Jaccard => b'j',
    };
    let allowed = match level {
        Level::Avx512 => u64::MAX,
        Level::Avx2 => UP_TO_AVX2,
        Level::Scalar => return None,
    };
    let (kernel, found) = find(kind, ty, allowed)?;
    let level = CAPABILITIES.iter().find(|(bit, _)| *bit == found).map_or("unknown", |(_, name)| name);
    let sign = if metric == Metric::InnerProduct { -1.0 } else { 1.0 };
    // The type of the result follows from the types of the operands.
    macro_rules! returning {
        ($output:ty, $length:expr) => {
            contender::single(
                level,
                move |a: &[E::Query], b: &[E::Row]| {
                    punned::call::<_, _, $output>(kernel, a, b, $length(a.len()))
                },
                move |distance: $output| sign * f64::from(distance),
            )
        };
    }
    let same = |length| length;
    match (ty, metric) {
        (Type::Bits, Metric::Hamming) => returning!(u32, |words| words * 64),
        (Type::Bits, Metric::Jaccard) => returning!(f32, |words| words * 64),
        (Type::F32, _) => returning!(f64, same),
        (Type::I8, Metric::InnerProduct) => returning!(i32, same),
        (Type::I8 | Type::U8, Metric::InnerProduct | Metric::SquaredEuclidean) => returning!(u32, same),
        _ => returning!(f32, same),
    }
}

fn find(kind: u8, ty: Type, allowed: u64) -> Option<(Kernel, u64)> {
    let (mut kernel, mut found) = (std::ptr::null_mut(), 0);
    // SAFETY: it returns a constant.
    let compiled = unsafe { nk_capabilities_compiled() };
    let viable = capabilities::available() & compiled & allowed;
    // SAFETY: both outputs are ours to write.
    unsafe { nk_find_kernel_punned(kind.into(), ty as u32, viable, &mut kernel, &mut found) };
    if kernel.is_null() {
        return None;
    }
    // SAFETY: a dense kernel of this signature, since all five metrics are dense.
    Some((unsafe { std::mem::transmute::<*mut c_void, Kernel>(kernel) }, found))
}
