//! What an enum is called in the file. Code 0 is given to nothing, so that zeroed bytes are no index.

use core::fmt;

use vex_graph::Metric;

/// The scalar type of the vectors in a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Element {
    /// IEEE 754 binary32.
    F32,
}

impl Element {
    pub(crate) const ALL: [Element; 1] = [Element::F32];

    /// The name used by the command line and in reports.
    pub fn name(self) -> &'static str {
        match self {
            Element::F32 => "f32",
        }
    }

    /// Bytes of one element.
    pub fn size(self) -> u32 {
        match self {
            Element::F32 => 4,
        }
    }

    pub(crate) fn code(self) -> u8 {
        match self {
            Element::F32 => 1,
        }
    }

    pub(crate) fn from_code(code: u8) -> Option<Self> {
        Self::ALL.into_iter().find(|element| element.code() == code)
    }
}

impl fmt::Display for Element {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// The kind of index in a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Kind {
    /// A hierarchical navigable small world graph.
    Hnsw,
}

impl Kind {
    pub(crate) const ALL: [Kind; 1] = [Kind::Hnsw];

    /// The name used by the command line and in reports.
    pub fn name(self) -> &'static str {
        match self {
            Kind::Hnsw => "hnsw",
        }
    }

    pub(crate) fn code(self) -> u8 {
        match self {
            Kind::Hnsw => 1,
        }
    }

    pub(crate) fn from_code(code: u8) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.code() == code)
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// The code of a metric, or `None` if the format does not know it yet.
pub(crate) fn metric_code(metric: Metric) -> Option<u8> {
    match metric {
        Metric::SquaredEuclidean => Some(1),
        Metric::InnerProduct => Some(2),
        Metric::Cosine => Some(3),
        // Metrics of packed bits, for which there is no graph.
        _ => None,
    }
}

pub(crate) fn metric_from_code(code: u8) -> Option<Metric> {
    Metric::NUMERIC.into_iter().find(|metric| metric_code(*metric) == Some(code))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_reads_back_and_zero_is_none() {
        for metric in Metric::NUMERIC {
            assert_eq!(metric_code(metric).and_then(metric_from_code), Some(metric));
        }
        for metric in Metric::BITS {
            assert_eq!(metric_code(metric), None);
        }
        for element in Element::ALL {
            assert_eq!(Element::from_code(element.code()), Some(element));
        }
        for kind in Kind::ALL {
            assert_eq!(Kind::from_code(kind.code()), Some(kind));
        }
        assert_eq!((metric_from_code(0), Element::from_code(0), Kind::from_code(0)), (None, None, None));
    }
}
