//! What the tests of all families share: values, lengths and the edge of readable memory.

pub(crate) mod guard_page;
mod isas;
pub(crate) mod values;

/// Every length up to several blocks with all its tails, then the dimensions that models use.
pub(crate) fn lengths() -> impl Iterator<Item = usize> {
    (0..=300).chain([384, 768, 1000, 1536])
}
