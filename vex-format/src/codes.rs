//! The code of each enum value in the file. No value has code 0, so zeroed bytes are not an index.

use core::fmt;

use vex_graph::{Element, Metric};

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
        Metric::Hamming => Some(4),
        Metric::Jaccard => Some(5),
        // `Metric` may grow.
        _ => None,
    }
}

pub(crate) fn metric_from_code(code: u8) -> Option<Metric> {
    Metric::ALL.into_iter().find(|metric| metric_code(*metric) == Some(code))
}

/// The code of an element.
pub(crate) fn element_code(element: Element) -> u8 {
    match element {
        Element::F32 => 1,
        Element::F16 => 2,
        Element::I8 => 3,
        Element::U8 => 4,
        Element::Bits => 5,
    }
}

pub(crate) fn element_from_code(code: u8) -> Option<Element> {
    Element::ALL.into_iter().find(|element| element_code(*element) == code)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_reads_back_and_zero_is_none() {
        for metric in Metric::ALL {
            assert_eq!(metric_code(metric).and_then(metric_from_code), Some(metric));
        }
        for element in Element::ALL {
            assert_eq!(element_from_code(element_code(element)), Some(element));
        }
        for kind in Kind::ALL {
            assert_eq!(Kind::from_code(kind.code()), Some(kind));
        }
        assert_eq!((metric_from_code(0), element_from_code(0), Kind::from_code(0)), (None, None, None));
    }
}
