//! The values of arguments. A value out of its range is wrong usage, and never reaches a command.

use std::ops::RangeInclusive;

use clap::builder::{PossibleValue, PossibleValuesParser, RangedU64ValueParser, TypedValueParser};
use vex::graph::{MAX_DIM, MAX_NODES};
use vex::{Coding, Element, Metric, Params, Quantization};

use crate::error::Failure;

/// The names that other programs have for a metric. Help lists the first name alone.
const ALIASES: [(&str, Metric); 7] = [
    ("l2", Metric::SquaredEuclidean),
    ("euclidean", Metric::SquaredEuclidean),
    ("sqeuclidean", Metric::SquaredEuclidean),
    ("ip", Metric::InnerProduct),
    ("dot", Metric::InnerProduct),
    ("cos", Metric::Cosine),
    ("angular", Metric::Cosine),
];

/// A metric by its name.
pub(crate) fn metric() -> impl TypedValueParser<Value = Metric> {
    one_of(Metric::ALL.into_iter())
}

/// A metric for vectors of floats by its name.
pub(crate) fn float_metric() -> impl TypedValueParser<Value = Metric> {
    one_of(Metric::ALL.into_iter().filter(|metric| !Metric::BITS.contains(metric)))
}

/// A metric for vectors of floats, where it is a part of an argument.
pub(crate) fn metric_of(name: &str) -> Result<Metric, String> {
    let alias = ALIASES.iter().find(|(alias, _)| *alias == name).map(|(_, metric)| *metric);
    alias.or_else(|| name.parse().ok()).filter(|metric| !Metric::BITS.contains(metric)).ok_or_else(|| {
        let names = Metric::ALL.into_iter().filter(|metric| !Metric::BITS.contains(metric));
        format!(
            "metric: expected one of {}, found {name}",
            names.map(Metric::name).collect::<Vec<_>>().join(", ")
        )
    })
}

/// One of these metrics, by its name or by an alias.
fn one_of(metrics: impl Iterator<Item = Metric>) -> impl TypedValueParser<Value = Metric> {
    let names = metrics.map(|metric| {
        let aliases = ALIASES.iter().filter(move |(_, named)| *named == metric).map(|(alias, _)| *alias);
        PossibleValue::new(metric.name()).aliases(aliases)
    });
    PossibleValuesParser::new(names).try_map(|name| {
        let alias = ALIASES.iter().find(|(alias, _)| *alias == name);
        alias.map_or_else(|| name.parse(), |(_, metric)| Ok(*metric))
    })
}

/// Codes by their name. The name `none` means no codes.
pub(crate) fn quantization() -> impl TypedValueParser<Value = Coding> {
    let names = ["auto", "none"].into_iter().chain(Quantization::ALL.map(Quantization::name));
    PossibleValuesParser::new(names).try_map(|name| name.parse())
}

/// Elements by their name. `None` leaves the choice to the file and the metric.
pub(crate) fn element() -> impl TypedValueParser<Value = Elements> {
    let names = ["auto"].into_iter().chain(Element::ALL.map(Element::name));
    PossibleValuesParser::new(names).map(|name| Elements(name.parse().ok()))
}

/// The type that vectors are indexed as, or `None` for the choice of the file and the metric.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Elements(Option<Element>);

impl Elements {
    /// The type, if one was named.
    pub(crate) fn named(self) -> Option<Element> {
        self.0
    }

    /// The type to index vectors as that a file holds as `stored`.
    pub(crate) fn of(self, stored: Element, metric: Metric) -> Element {
        self.0.unwrap_or(if Metric::BITS.contains(&metric) { Element::Bits } else { stored })
    }

    /// The type to index vectors as, and how to store them, if `store` was given.
    pub(crate) fn kept(
        self,
        stored: Element,
        metric: Metric,
        store: Option<Store>,
    ) -> Result<(Element, vex::Store), Failure> {
        let element = match (self.of(stored, metric), store) {
            // Vectors that are stored as f16 are indexed as f16, too, unless f32 was asked for.
            (Element::F32 | Element::F16, Some(Store::F16)) if self.0.is_none() => Element::F16,
            (Element::F32 | Element::F16, Some(Store::F32)) if self.0.is_none() => Element::F32,
            (element, _) => element,
        };
        match (store, element) {
            (None, _) | (Some(Store::F32), Element::F32) | (Some(Store::F16), Element::F16) => {
                Ok((element, vex::Store::All))
            }
            (Some(Store::F16), Element::F32) => Ok((element, vex::Store::F16)),
            (Some(Store::None), _) => Ok((element, vex::Store::None)),
            (Some(store), element) => Err(Failure::Store { store: store.name(), element }),
        }
    }
}

/// How to store the vectors.
#[derive(Clone, Copy, Debug, clap::ValueEnum)]
pub(crate) enum Store {
    F32,
    F16,
    None,
}

impl Store {
    fn name(self) -> &'static str {
        match self {
            Self::F32 => "f32",
            Self::F16 => "f16",
            Self::None => "none",
        }
    }
}

/// Candidates to rerank, as a multiple of k.
pub(crate) fn rerank(text: &str) -> Result<f32, String> {
    match text.parse() {
        Ok(rerank) if (0.0..=1000.0).contains(&rerank) => Ok(rerank),
        _ => Err(format!("{text} is not in 0..=1000")),
    }
}

/// Distances that a search may compute, as a multiple of its candidates.
pub(crate) fn max_distances(text: &str) -> Result<f32, String> {
    match text.parse() {
        Ok(factor) if (1.0..=1e6).contains(&factor) => Ok(factor),
        _ => Err(format!("{text} is not in 1..=1000000")),
    }
}

/// How much farther than the k-th neighbor a search looks, as a part of its distance.
pub(crate) fn slack(text: &str) -> Result<f32, String> {
    match text.parse() {
        Ok(slack) if slack >= 0.0 => Ok(slack),
        _ => Err(format!("{text} is not 0 or more, or inf")),
    }
}

/// A recall, as a share of 1.
pub(crate) fn recall(text: &str) -> Result<f64, String> {
    match text.parse() {
        Ok(recall) if recall > 0.0 && recall <= 1.0 => Ok(recall),
        _ => Err(format!("{text} is not above 0 and at most 1, such as 0.95")),
    }
}

/// A key of an index.
pub(crate) fn key(text: &str) -> Result<u64, String> {
    text.parse().map_err(|_| {
        format!("{text} is no key, a whole number; vex search --to jsonl prints the keys beside ids")
    })
}

/// Links of a node.
pub(crate) fn m() -> impl TypedValueParser<Value = usize> {
    within(Params::M_RANGE)
}

/// Neighbors of a query. The bound keeps a typing error from asking for more memory than there is.
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

/// Elements of a vector.
pub(crate) fn dim() -> impl TypedValueParser<Value = usize> {
    within(1..=MAX_DIM)
}

/// Vectors of a sample.
pub(crate) fn sample() -> impl TypedValueParser<Value = usize> {
    within(1..=MAX_NODES)
}

/// Rows that are committed together.
pub(crate) fn batch() -> impl TypedValueParser<Value = usize> {
    within(1..=1_000_000)
}

/// Bytes, as a whole number and a unit.
pub(crate) fn bytes(text: &str) -> Result<usize, String> {
    const UNITS: [(&str, usize); 9] = [
        ("", 1),
        ("B", 1),
        ("kB", 1_000),
        ("MB", 1_000_000),
        ("GB", 1_000_000_000),
        ("KiB", 1 << 10),
        ("MiB", 1 << 20),
        ("GiB", 1 << 30),
        ("TiB", 1 << 40),
    ];
    let digits = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let (number, unit) = text.split_at(digits);
    let unit = UNITS.iter().find(|(name, _)| *name == unit.trim_start());
    let bytes = unit.and_then(|(_, unit)| number.parse::<usize>().ok()?.checked_mul(*unit));
    bytes.ok_or_else(|| format!("{text} is not a number of bytes, such as 512MiB or 2GB"))
}

fn within(range: RangeInclusive<usize>) -> RangedU64ValueParser<usize> {
    RangedU64ValueParser::new().range(*range.start() as u64..=*range.end() as u64)
}
