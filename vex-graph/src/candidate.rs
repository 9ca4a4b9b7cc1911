//! Candidates: a node and its distance in one word.

use crate::NodeId;

/// A node and its distance in one word of 8 bytes, which sorts by distance and then by id. Callers
/// only lend room for candidates, as [`EMPTY`](Self::EMPTY) ones.
///
/// ```text
/// bits 63..32   the distance, as an integer that sorts as the distance does
/// bits 31..1    the id
/// bit 0         whether a search has expanded the node
/// ```
///
/// One comparison of integers so orders two candidates. The lowest bit never decides it, since no
/// id is twice in a list.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[repr(transparent)]
pub struct Candidate(u64);

impl Candidate {
    /// Fills a slice before its first use; the value has no meaning.
    pub const EMPTY: Self = Self(u64::MAX);

    #[inline(always)]
    pub(crate) fn new(distance: f32, id: NodeId) -> Self {
        Self(u64::from(ordered(distance)) << 32 | u64::from(id) << 1)
    }

    #[inline(always)]
    pub(crate) fn id(self) -> NodeId {
        (self.0 as u32) >> 1
    }

    #[inline(always)]
    pub(crate) fn distance(self) -> f32 {
        from_ordered((self.0 >> 32) as u32)
    }

    #[inline(always)]
    pub(crate) fn is_expanded(self) -> bool {
        self.0 & 1 == 1
    }

    /// The candidate without the mark that a search has expanded it.
    #[cfg(feature = "alloc")]
    pub(crate) fn fresh(self) -> Self {
        Self(self.0 & !1)
    }

    /// The candidate with the mark that a search has expanded it.
    #[inline(always)]
    pub(crate) fn expanded(self) -> Self {
        Self(self.0 | 1)
    }
}

/// Maps floats to integers in the order of `f32::total_cmp`. NaN is an exception: it sorts last,
/// whatever its sign.
#[inline(always)]
fn ordered(value: f32) -> u32 {
    if value.is_nan() {
        return u32::MAX;
    }
    let bits = value.to_bits();
    // A negative float gets all its bits flipped, a positive one its sign bit alone.
    bits ^ (((bits as i32) >> 31) as u32 | 1 << 31)
}

#[inline(always)]
fn from_ordered(ordered: u32) -> f32 {
    let bits = if ordered >> 31 == 1 { ordered ^ 1 << 31 } else { !ordered };
    f32::from_bits(bits)
}

#[cfg(test)]
mod tests {
    use super::{Candidate, from_ordered, ordered};

    #[test]
    fn order_is_total_and_nan_is_last() {
        let ascending = [
            f32::NEG_INFINITY,
            f32::MIN,
            -1.0,
            -f32::from_bits(1),
            -0.0,
            0.0,
            f32::from_bits(1),
            1.0,
            f32::MAX,
            f32::INFINITY,
        ];
        for pair in ascending.windows(2) {
            assert!(ordered(pair[0]) < ordered(pair[1]), "{pair:?}");
        }
        for value in ascending {
            assert_eq!(from_ordered(ordered(value)).to_bits(), value.to_bits());
        }
        for nan in [f32::NAN, -f32::NAN] {
            assert!(ordered(nan) > ordered(f32::INFINITY));
            assert!(from_ordered(ordered(nan)).is_nan());
        }
    }

    #[test]
    fn the_largest_id_survives_packing() {
        let id = crate::MAX_NODES as u32 - 1;
        assert_eq!(Candidate::new(1.0, id).id(), id);
        assert_eq!(Candidate::new(1.0, id).expanded().id(), id);
    }
}
