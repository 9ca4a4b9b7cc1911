//! The level of a node: a function of the seed and a number alone, independent of order, threads
//! and platform.

use crate::MAX_LEVELS;

/// The level for u = draw / 2⁶⁴: ⌊−ln(u) / ln m⌋, at most `MAX_LEVELS − 1` (section 4.1, with the
/// optimal mL = 1 / ln m).
///
/// The level is at least l if u < m⁻ˡ, so there is no logarithm. A smaller draw is never on a lower
/// level.
pub(crate) fn level(draw: u64, m: usize) -> usize {
    let mut threshold = u64::MAX / m as u64;
    let mut level = 0;
    while draw < threshold && level < MAX_LEVELS - 1 {
        level += 1;
        threshold /= m as u64;
    }
    level
}

#[cfg(test)]
mod tests {
    use super::level;
    use crate::random::draw;

    #[test]
    fn levels_are_geometric() {
        for m in [4, 16, 48] {
            let n = 200_000;
            let mut at_least = [0usize; 8];
            for index in 0..n {
                for count in &mut at_least[..=level(draw(7, index), m)] {
                    *count += 1;
                }
            }
            let mut expected = n as f64;
            for count in at_least {
                // Five standard deviations of a binomial count.
                let tolerance = 5.0 * (expected + 1.0).sqrt();
                assert!(
                    (count as f64 - expected).abs() <= tolerance,
                    "m {m}: {at_least:?}, expected {expected}"
                );
                expected /= m as f64;
            }
        }
    }

    #[test]
    fn smaller_draws_are_on_higher_levels() {
        let mut draws: [u64; 1000] = core::array::from_fn(|i| draw(1, i as u64));
        draws.sort_unstable();
        assert!(draws.is_sorted_by_key(|draw| core::cmp::Reverse(level(*draw, 16))));
        assert_eq!(level(0, 4), 7);
        assert_eq!(level(u64::MAX, 4), 0);
    }
}
