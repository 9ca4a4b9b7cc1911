//! The names of the rules that turn two vectors into a distance.

use core::fmt;
use core::str::FromStr;

use crate::NameError;

/// The rule by which two vectors of one length are compared. The result is a distance: smaller is
/// nearer. The [crate's page](crate#elements) lists the elements that have each metric, and
/// [what becomes](crate#special-values) of NaN, infinities and zero vectors.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "kebab-case"))]
#[non_exhaustive]
pub enum Metric {
    /// Σ(aᵢ − bᵢ)², without the root, which would not change any order.
    SquaredEuclidean,
    /// −Σ aᵢ bᵢ, negated so that smaller is nearer.
    InnerProduct,
    /// 1 − Σ aᵢ bᵢ / (|a| |b|), clamped to [0, 2]. If either norm is zero the distance is 1.
    Cosine,
    /// |a ⊕ b|, the number of bits that differ. Beyond 2²⁴ it is rounded to the nearest f32.
    Hamming,
    /// 1 − |a ∧ b| / |a ∨ b| of two sets of bits, in [0, 1]. If both are empty the distance is 0.
    Jaccard,
}

impl Metric {
    /// Every metric. No element has all of them.
    pub const ALL: [Metric; 5] =
        [Metric::SquaredEuclidean, Metric::InnerProduct, Metric::Cosine, Metric::Hamming, Metric::Jaccard];
    /// The metrics of numbers: those of floating-point elements, and of i8 and u8.
    pub const NUMERIC: [Metric; 3] = [Metric::SquaredEuclidean, Metric::InnerProduct, Metric::Cosine];
    /// The metrics of packed bits.
    pub const BITS: [Metric; 2] = [Metric::Hamming, Metric::Jaccard];

    /// The name on the command line and in reports.
    pub fn name(self) -> &'static str {
        match self {
            Metric::SquaredEuclidean => "squared-euclidean",
            Metric::InnerProduct => "inner-product",
            Metric::Cosine => "cosine",
            Metric::Hamming => "hamming",
            Metric::Jaccard => "jaccard",
        }
    }

    /// The metric with this [`name`](Self::name), or `None`.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|metric| metric.name() == name)
    }
}

impl fmt::Display for Metric {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Metric {
    type Err = NameError;

    fn from_str(name: &str) -> Result<Self, NameError> {
        const EXPECTED: &str = "squared-euclidean, inner-product, cosine, hamming or jaccard";
        Self::from_name(name).ok_or(NameError::new(EXPECTED))
    }
}
