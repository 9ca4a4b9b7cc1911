//! What is said of a name that nothing has.

use core::fmt;

/// A text that names nothing of the kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct NameError {
    /// The names that there are, as words of a message: `cosine, hamming or jaccard`.
    pub expected: &'static str,
}

impl NameError {
    /// The error where one of these names was expected.
    pub const fn new(expected: &'static str) -> Self {
        Self { expected }
    }
}

impl fmt::Display for NameError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "expected {}, found another name", self.expected)
    }
}

impl core::error::Error for NameError {}
