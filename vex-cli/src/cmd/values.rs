//! The values that arguments can have. A value out of its range is wrong usage, and never reaches a command.

use std::ops::RangeInclusive;

use clap::builder::{PossibleValuesParser, RangedU64ValueParser, TypedValueParser};
use vex::{Metric, Params};

/// A metric by its name.
pub(crate) fn metric() -> impl TypedValueParser<Value = Metric> {
    let known = PossibleValuesParser::new(Metric::NUMERIC.map(Metric::name));
    known.map(|name| Metric::from_name(&name).expect("a known name"))
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
