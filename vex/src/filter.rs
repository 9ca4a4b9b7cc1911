//! Filters: which keys a search may return.

use std::ops::{BitAnd, BitOr, Not, Sub};

use roaring::RoaringTreemap;

/// A filter: a predicate `Fn(u64) -> bool`, or a reference to a [`KeySet`]. See
/// [`Searcher::search_filtered`](crate::Searcher::search_filtered).
pub trait KeyFilter {
    /// Whether a search may return the key. A search may ask more than once, and the answer should
    /// always be the same. It is asked for each link of a search, and for every vector by a scan,
    /// so it should take no longer than a few nanoseconds.
    fn accepts(&self, key: u64) -> bool;

    /// The filter as a set, if it is one. Few keys are looked up faster than every key of the index
    /// is tested.
    fn as_key_set(&self) -> Option<&KeySet> {
        None
    }
}

impl<F: Fn(u64) -> bool> KeyFilter for F {
    #[inline(always)]
    fn accepts(&self, key: u64) -> bool {
        self(key)
    }
}

impl KeyFilter for &KeySet {
    #[inline(always)]
    fn accepts(&self, key: u64) -> bool {
        self.contains(key)
    }

    fn as_key_set(&self) -> Option<&KeySet> {
        Some(self)
    }
}

/// A set of keys as a filter. It is collected from an iterator, and combined with `&`, `|` and `!`.
///
/// Roaring bitmaps (Lemire et al., 2018, arXiv 1709.07821) hold the keys, or the keys that are
/// missing from a complement. If one of their allocations fails, the process ends. Two bytes or
/// less hold a key where keys are dense. Finding a key takes time logarithmic in their number, and
/// an operator time linear in the bitmaps.
///
/// # Examples
/// ```
/// use vex::{Index, KeySet, Scratch, SearchParams};
///
/// let index = Index::builder(1).build_from((0..100).map(|key| (key, [key as f32])))?;
/// let even: KeySet = (0..100).step_by(2).collect();
/// let recent: KeySet = (50..100).collect();
/// let (params, mut scratch) = (SearchParams::new(2), Scratch::new());
/// let found = index.searcher().search_filtered([3.0], &params, &(&recent - &even), &mut scratch)?;
/// assert_eq!(found.hits.iter().map(|hit| hit.key).collect::<Vec<_>>(), [51, 53]);
/// # Ok::<(), vex::Error>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq)]
pub struct KeySet {
    keys: RoaringTreemap,
    /// Whether the set has all keys except these.
    is_complement: bool,
}

impl KeySet {
    /// A set without keys.
    pub fn new() -> Self {
        Self::default()
    }

    /// How many keys the set has. A complement has up to 2^64.
    pub fn len(&self) -> u128 {
        let keys = u128::from(self.keys.len());
        if self.is_complement { (1 << 64) - keys } else { keys }
    }

    /// Whether the set has no keys.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Whether a key is in the set.
    pub fn contains(&self, key: u64) -> bool {
        self.keys.contains(key) != self.is_complement
    }

    /// The keys, if there are at most `most`.
    pub(crate) fn few(&self, most: usize) -> Option<impl Iterator<Item = u64>> {
        (!self.is_complement && self.keys.len() <= most as u64).then(|| self.keys.iter())
    }

    /// Adds a key. Returns whether it was missing.
    pub fn insert(&mut self, key: u64) -> bool {
        if self.is_complement { self.keys.remove(key) } else { self.keys.insert(key) }
    }

    /// Removes a key. Returns whether it was there.
    pub fn remove(&mut self, key: u64) -> bool {
        if self.is_complement { self.keys.insert(key) } else { self.keys.remove(key) }
    }
}

impl FromIterator<u64> for KeySet {
    fn from_iter<I: IntoIterator<Item = u64>>(keys: I) -> Self {
        Self { keys: keys.into_iter().collect(), is_complement: false }
    }
}

impl Extend<u64> for KeySet {
    fn extend<I: IntoIterator<Item = u64>>(&mut self, keys: I) {
        for key in keys {
            self.insert(key);
        }
    }
}

impl Not for KeySet {
    type Output = Self;

    fn not(self) -> Self {
        Self { is_complement: !self.is_complement, ..self }
    }
}

impl Not for &KeySet {
    type Output = KeySet;

    fn not(self) -> KeySet {
        !self.clone()
    }
}

impl BitAnd for &KeySet {
    type Output = KeySet;

    fn bitand(self, other: &KeySet) -> KeySet {
        match (self.is_complement, other.is_complement) {
            (false, false) => KeySet { keys: &self.keys & &other.keys, is_complement: false },
            (true, true) => KeySet { keys: &self.keys | &other.keys, is_complement: true },
            (false, true) => KeySet { keys: &self.keys - &other.keys, is_complement: false },
            (true, false) => KeySet { keys: &other.keys - &self.keys, is_complement: false },
        }
    }
}

impl BitOr for &KeySet {
    type Output = KeySet;

    fn bitor(self, other: &KeySet) -> KeySet {
        match (self.is_complement, other.is_complement) {
            (false, false) => KeySet { keys: &self.keys | &other.keys, is_complement: false },
            (true, true) => KeySet { keys: &self.keys & &other.keys, is_complement: true },
            (false, true) => KeySet { keys: &other.keys - &self.keys, is_complement: true },
            (true, false) => KeySet { keys: &self.keys - &other.keys, is_complement: true },
        }
    }
}

/// The keys of the first set that are not in the second.
impl Sub for &KeySet {
    type Output = KeySet;

    fn sub(self, other: &KeySet) -> KeySet {
        self & !other
    }
}

/// The same operator where one of the sets is owned, or both are.
macro_rules! with_owned {
    ($($Operator:ident::$method:ident),*) => {$(
        impl $Operator for KeySet {
            type Output = Self;

            fn $method(self, other: Self) -> Self {
                (&self).$method(&other)
            }
        }

        impl $Operator<&Self> for KeySet {
            type Output = Self;

            fn $method(self, other: &Self) -> Self {
                (&self).$method(other)
            }
        }

        impl $Operator<KeySet> for &KeySet {
            type Output = KeySet;

            fn $method(self, other: KeySet) -> KeySet {
                self.$method(&other)
            }
        }
    )*};
}

with_owned!(BitAnd::bitand, BitOr::bitor, Sub::sub);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sets_and_their_complements_combine_as_predicates_do() {
        let three: KeySet = (0..30).step_by(3).collect();
        let five: KeySet = (0..30).step_by(5).chain([u64::MAX]).collect();
        for (is_one_inverted, is_other_inverted) in
            [(false, false), (false, true), (true, false), (true, true)]
        {
            let inverted = |set: &KeySet, is_inverted: bool| if is_inverted { !set } else { set.clone() };
            let (one, other) = (inverted(&three, is_one_inverted), inverted(&five, is_other_inverted));
            for key in (0..40).chain([u64::MAX - 1, u64::MAX]) {
                let (a, b) = (one.contains(key), other.contains(key));
                assert_eq!((&one & &other).contains(key), a && b, "{key}");
                assert_eq!((&one | &other).contains(key), a || b, "{key}");
                assert_eq!((!&one).contains(key), !a, "{key}");
            }
        }
    }

    #[test]
    fn keys_are_added_to_complements_too() {
        let mut all_but = !KeySet::from_iter([1, 2, 3]);
        assert!(all_but.insert(2) && !all_but.insert(2) && all_but.contains(2) && !all_but.contains(3));
        assert!(all_but.remove(7) && !all_but.remove(7) && !all_but.contains(7));
        assert_eq!(all_but.len(), (1 << 64) - 3);
        all_but.extend([1, 3, 7]);
        assert_eq!(all_but, !KeySet::new());
        assert_eq!((all_but.len(), (!all_but).len()), (1 << 64, 0));
    }
}
