//! The values that arguments can have. A value out of its range is wrong usage, and never reaches a command.

use std::ops::RangeInclusive;

use clap::builder::{PossibleValuesParser, RangedU64ValueParser, TypedValueParser};
use vex::{Metric, Params, Quantization, Store};

/// A metric by its name.
pub(crate) fn metric() -> impl TypedValueParser<Value = Metric> {
    let known = PossibleValuesParser::new(Metric::NUMERIC.map(Metric::name));
    known.map(|name| Metric::from_name(&name).expect("a known name"))
}

/// Codes by their name; none is the absence of codes.
pub(crate) fn quantization() -> impl TypedValueParser<Value = Codes> {
    let names = ["auto", "none"].into_iter().chain(Quantization::ALL.map(Quantization::name));
    PossibleValuesParser::new(names).map(|name| match &*name {
        "auto" => Codes::Auto,
        name => Codes::Just(Quantization::ALL.into_iter().find(|kind| kind.name() == name)),
    })
}

/// How to code vectors, if at all.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Codes {
    Auto,
    Just(Option<Quantization>),
}

impl Codes {
    /// From as many dimensions on, the errors of half a byte an element average out: SQ4 then finds as much as SQ8.
    const FOUR_BITS_FROM: usize = 256;

    pub(crate) fn of(self, dim: usize) -> Option<Quantization> {
        match self {
            Self::Auto if dim >= Self::FOUR_BITS_FROM => Some(Quantization::Sq4),
            Self::Auto => Some(Quantization::Sq8),
            Self::Just(codes) => codes,
        }
    }
}

/// What to keep of the vectors.
pub(crate) fn store() -> impl TypedValueParser<Value = Store> {
    let known = PossibleValuesParser::new(["f32", "none"]);
    known.map(|name| if name == "none" { Store::None } else { Store::All })
}

/// Candidates to rescore, as a multiple of k.
pub(crate) fn rescore(text: &str) -> Result<f32, String> {
    match text.parse() {
        Ok(rescore) if (0.0..=1000.0).contains(&rescore) => Ok(rescore),
        _ => Err(format!("{text} is not in 0..=1000")),
    }
}

/// Links of a node.
pub(crate) fn m() -> impl TypedValueParser<Value = usize> {
    within(Params::M_RANGE)
}

/// Neighbors of a query. The bound keeps a slip of the finger from asking for more memory than there is.
pub(crate) fn k() -> impl TypedValueParser<Value = usize> {
    within(1..=1_000_000)
}

/// Candidates of a build or a search.
pub(crate) fn ef() -> impl TypedValueParser<Value = usize> {
    within(1..=u32::MAX as usize)
}

/// Threads to work on.
pub(crate) fn threads() -> impl TypedValueParser<Value = usize> {
    within(1..=1024)
}

fn within(range: RangeInclusive<usize>) -> RangedU64ValueParser<usize> {
    RangedU64ValueParser::new().range(*range.start() as u64..=*range.end() as u64)
}
