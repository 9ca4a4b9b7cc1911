//! The libraries, one file each. Each says for every element type which contender it has for a metric.

mod cfavml;
mod diskann;
mod lanes;
mod naive;
mod numkong;
mod punned;
mod simsimd;
mod vex;

pub(crate) use vex::handle as vex_handle;

use clap::ValueEnum;
use serde::{Deserialize, Serialize};

use crate::contender::Contender;
use crate::element::{Bf16, Bits, Element, F16, F32, I8, Metric, U8, U8I8};

/// A contender of the tables, in their order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, ValueEnum)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Rival {
    Vex,
    VexBatch,
    Diskann,
    Cfavml,
    CfavmlAvx512,
    Simsimd,
    Numkong,
    Lanes,
    Naive,
}

/// The instruction set that every library is held to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ValueEnum)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Level {
    /// Whatever AVX-512 brings, VNNI, BF16 and FP16 included.
    Avx512,
    /// AVX2, FMA and F16C, and what else comes in 256 bits.
    Avx2,
    /// Vex alone, and the naive loop.
    Scalar,
}

impl Rival {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Rival::Vex => "vex",
            Rival::VexBatch => "vex, 4 at once",
            Rival::Diskann => "diskann-vector",
            Rival::Cfavml => "cfavml",
            Rival::CfavmlAvx512 => "cfavml, AVX-512",
            Rival::Simsimd => "simsimd",
            Rival::Numkong => "numkong",
            Rival::Lanes => "16 lanes",
            Rival::Naive => "naive",
        }
    }

    /// The version that `Cargo.toml` pins.
    pub(crate) fn version(self) -> &'static str {
        match self {
            Rival::Vex | Rival::VexBatch | Rival::Lanes | Rival::Naive => "this commit",
            Rival::Diskann => "0.61.0",
            Rival::Cfavml | Rival::CfavmlAvx512 => "0.3.0",
            Rival::Simsimd => "6.5.16",
            Rival::Numkong => "7.8.7",
        }
    }

    pub(crate) fn is_vex(self) -> bool {
        matches!(self, Rival::Vex | Rival::VexBatch)
    }

    /// What this library has for an element and a metric, held to `level`; `None` where it has nothing.
    pub(crate) fn contender<E: Contested>(
        self,
        metric: Metric,
        dim: usize,
        level: Level,
    ) -> Option<Box<dyn Contender<E>>> {
        if !E::METRICS.contains(&metric) {
            return None;
        }
        match self {
            Rival::Vex => E::vex(metric, level),
            Rival::VexBatch => E::vex_batch(metric, level),
            Rival::Diskann => E::diskann(metric, dim, level),
            Rival::Cfavml => E::cfavml(metric, level),
            Rival::CfavmlAvx512 => E::cfavml_avx512(metric, level),
            Rival::Simsimd => simsimd::contender(E::PUNNED, metric, level),
            Rival::Numkong => numkong::contender(E::PUNNED, metric, level),
            Rival::Lanes => E::lanes(metric, level),
            Rival::Naive => E::naive(metric),
        }
    }
}

/// An element type and who has kernels for it: the place where a library's new element is entered.
pub(crate) trait Contested: Element {
    /// What simsimd and numkong call it.
    const PUNNED: punned::Type;

    fn vex(_metric: Metric, _level: Level) -> Option<Box<dyn Contender<Self>>>
    where
        Self: Sized,
    {
        None
    }
    fn vex_batch(_metric: Metric, _level: Level) -> Option<Box<dyn Contender<Self>>>
    where
        Self: Sized,
    {
        None
    }
    fn diskann(_metric: Metric, _dim: usize, _level: Level) -> Option<Box<dyn Contender<Self>>>
    where
        Self: Sized,
    {
        None
    }
    fn cfavml(_metric: Metric, _level: Level) -> Option<Box<dyn Contender<Self>>>
    where
        Self: Sized,
    {
        None
    }
    fn cfavml_avx512(_metric: Metric, _level: Level) -> Option<Box<dyn Contender<Self>>>
    where
        Self: Sized,
    {
        None
    }
    fn lanes(_metric: Metric, _level: Level) -> Option<Box<dyn Contender<Self>>>
    where
        Self: Sized,
    {
        None
    }
    fn naive(_metric: Metric) -> Option<Box<dyn Contender<Self>>>
    where
        Self: Sized,
    {
        None
    }
}

/// `has!(vex, diskann)`: the functions of [`Contested`] for libraries that have the element.
macro_rules! has {
    ($($library:ident),*) => { $(has!(@ $library);)* };
    (@ vex) => {
        fn vex(metric: Metric, level: Level) -> Option<Box<dyn Contender<Self>>> {
            vex::single(metric, level)
        }
        fn vex_batch(metric: Metric, level: Level) -> Option<Box<dyn Contender<Self>>> {
            vex::batch_of_4(metric, level)
        }
    };
    (@ diskann) => {
        fn diskann(metric: Metric, dim: usize, level: Level) -> Option<Box<dyn Contender<Self>>> {
            diskann::contender::<Self, _>(metric, dim, level)
        }
    };
    (@ cfavml) => {
        fn cfavml(metric: Metric, level: Level) -> Option<Box<dyn Contender<Self>>> {
            cfavml::stable(metric, level)
        }
        fn cfavml_avx512(metric: Metric, level: Level) -> Option<Box<dyn Contender<Self>>> {
            cfavml::avx512(metric, level)
        }
    };
    (@ lanes) => {
        fn lanes(metric: Metric, level: Level) -> Option<Box<dyn Contender<Self>>> {
            lanes::contender(metric, level)
        }
    };
    (@ naive) => {
        fn naive(metric: Metric) -> Option<Box<dyn Contender<Self>>> {
            naive::contender::<Self>(metric)
        }
    };
}

impl Contested for F32 {
    const PUNNED: punned::Type = punned::Type::F32;
    has!(vex, diskann, cfavml, lanes, naive);
}

impl Contested for F16 {
    const PUNNED: punned::Type = punned::Type::F16;
    has!(vex, diskann, naive);
}

impl Contested for Bf16 {
    const PUNNED: punned::Type = punned::Type::Bf16;
    has!(vex, naive);
}

impl Contested for I8 {
    const PUNNED: punned::Type = punned::Type::I8;
    has!(vex, diskann, naive);
}

impl Contested for U8 {
    const PUNNED: punned::Type = punned::Type::U8;
    has!(vex, diskann, naive);
}

impl Contested for U8I8 {
    // The queries are drawn so that both readings agree.
    const PUNNED: punned::Type = punned::Type::I8;
    has!(naive);

    fn vex(metric: Metric, level: Level) -> Option<Box<dyn Contender<Self>>> {
        vex::codes(metric, level)
    }
    fn vex_batch(metric: Metric, level: Level) -> Option<Box<dyn Contender<Self>>> {
        vex::codes_batch_of_4(metric, level)
    }
}

impl Contested for Bits {
    const PUNNED: punned::Type = punned::Type::Bits;
    has!(vex);

    fn naive(metric: Metric) -> Option<Box<dyn Contender<Self>>> {
        naive::bits(metric)
    }
}
