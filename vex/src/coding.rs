//! Which codes an index gets, and how a bulk build replaces codes that are not accurate enough.

use std::fmt;
use std::iter::successors;
use std::str::FromStr;

use vex_graph::{Element, NameError, Quantization};

use crate::reserve::reserve;
use crate::threads::Threads;
use crate::{BuildError, CodeCheck, Index};

/// Codes are given up if searches by codes miss more than this share of the neighbors that searches
/// by vectors find.
const MISSED: f64 = 0.01;

/// Codes are also given up if more than this share of the searches must be repeated by the vectors.
const IN_DOUBT: f64 = 0.25;

/// The number of vectors that are searched for to find these shares.
const SAMPLES: usize = 200;

/// The names of all values.
const EXPECTED: &str = "auto, auto-coded, none, sq8, sq4 or sq2x2";

/// Which codes an index gets: the argument of
/// [`Builder::quantization`](crate::Builder::quantization).
///
/// A [`Quantization`] or an `Option` of one converts into it. In the repository, chapter 6
/// (`docs/6-codes.md`) explains codes, and `docs/tuning.md` helps to choose.
///
/// # Examples
/// ```
/// use vex::{Coding, Index, Quantization};
///
/// let vectors = || (0..500).map(|key| (key, [(key as f32).sin(), (key as f32).cos()]));
/// let auto = Index::builder(2).build_from(vectors())?;
/// let plain = Index::builder(2).quantization(None).build_from(vectors())?;
/// assert_eq!(auto.params().quantization, Some(Quantization::Sq8));
/// assert_eq!(plain.params().quantization, None);
///
/// // Nothing is known yet of the vectors of an empty index.
/// let empty = Index::builder(2).quantization(Coding::Auto).build()?;
/// assert_eq!(empty.params().quantization, None);
/// # Ok::<(), vex::Error>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Coding {
    /// A bulk build takes [`Quantization::auto`] of the dimension. If these codes do not
    /// distinguish the vectors, it takes the next finer ones, or none. An empty index gets no
    /// codes. Elements that cannot be coded get none, either.
    ///
    /// The build searches for 200 of its vectors by codes and by vectors. It gives codes up if they
    /// missed more than a hundredth of the neighbors, or left more than a quarter of the searches
    /// in doubt. See [`Index::given_up_codes`].
    #[default]
    Auto,
    /// As [`Auto`](Self::Auto), but always with codes: those of 8 bits are kept whatever the
    /// vectors are. An empty index gets codes, too, and elements that cannot be coded are an error.
    /// For an index that will be saved without its vectors, by
    /// [`Store::None`](crate::Store::None).
    AutoCoded,
    /// No codes.
    None,
    /// These codes, whatever the vectors are. Elements that cannot be coded are an error.
    Just(Quantization),
}

impl Coding {
    /// The codes that a bulk build begins with.
    pub(crate) fn first(self, element: Element, dim: usize) -> Option<Quantization> {
        match self {
            Self::Auto => element.can_be_coded().then(|| Quantization::auto(dim)),
            Self::AutoCoded => Some(Quantization::auto(dim)),
            Self::None => None,
            Self::Just(kind) => Some(kind),
        }
    }

    /// The codes that a bulk build may end with, in the order in which it tries them.
    pub(crate) fn possible(self, element: Element, dim: usize) -> impl Iterator<Item = Option<Quantization>> {
        let finer = move |codes: &Option<Quantization>| codes.filter(|_| self.is_auto()).map(finer);
        successors(Some(self.first(element, dim)), finer)
    }

    fn is_auto(self) -> bool {
        matches!(self, Self::Auto | Self::AutoCoded)
    }

    /// The codes of an empty index.
    pub(crate) fn of_none(self, element: Element, dim: usize) -> Option<Quantization> {
        match self {
            Self::Auto => None,
            Self::AutoCoded | Self::None | Self::Just(_) => self.first(element, dim),
        }
    }

    /// Takes finer codes, or none, if the codes of a built index do not distinguish its vectors.
    pub(crate) fn refine(self, index: &mut Index, threads: &Threads) -> Result<(), BuildError> {
        if !self.is_auto() {
            return Ok(());
        }
        while let Some(quantization) = index.params().quantization {
            let finer = finer(quantization);
            let check = index.searcher().check_codes(SAMPLES).map_err(BuildError::Codes)?;
            let are_good = 1.0 - check.agreement <= MISSED && check.share_in_doubt() <= IN_DOUBT;
            if are_good || (self == Self::AutoCoded && finer.is_none()) {
                break;
            }
            reserve(&mut index.given_up, 1)?;
            // The old codes go first, so that there are never two and the planned memory is enough.
            index.graph_mut().requantize(None, threads)?;
            index.graph_mut().requantize(finer, threads)?;
            index.given_up.push(GivenUpCodes { quantization, check });
        }
        Ok(())
    }
}

impl Coding {
    /// `auto`, `auto-coded`, `none`, or the name of the codes.
    pub fn name(self) -> &'static str {
        match self {
            Self::Auto => "auto",
            Self::AutoCoded => "auto-coded",
            Self::None => "none",
            Self::Just(kind) => kind.name(),
        }
    }
}

impl fmt::Display for Coding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Coding {
    type Err = NameError;

    fn from_str(name: &str) -> Result<Self, NameError> {
        match name {
            "auto" => Ok(Self::Auto),
            "auto-coded" => Ok(Self::AutoCoded),
            "none" => Ok(Self::None),
            name => name.parse().map(Self::Just).map_err(|_| NameError::new(EXPECTED)),
        }
    }
}

/// A value is written as its [`name`](Coding::name).
#[cfg(feature = "serde")]
impl serde::Serialize for Coding {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name())
    }
}

#[cfg(feature = "serde")]
impl<'de> serde::Deserialize<'de> for Coding {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let name = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
        name.parse().map_err(serde::de::Error::custom)
    }
}

/// The next finer codes, if there are any.
fn finer(kind: Quantization) -> Option<Quantization> {
    match kind {
        Quantization::Sq2x2 => Some(Quantization::Sq4),
        Quantization::Sq4 => Some(Quantization::Sq8),
        _ => None,
    }
}

impl From<Quantization> for Coding {
    fn from(kind: Quantization) -> Self {
        Self::Just(kind)
    }
}

impl From<Option<Quantization>> for Coding {
    fn from(kind: Option<Quantization>) -> Self {
        kind.map_or(Self::None, Self::Just)
    }
}

/// Codes that a build tried and gave up, since they did not distinguish its vectors: see
/// [`Coding::Auto`].
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub struct GivenUpCodes {
    /// The codes.
    pub quantization: Quantization,
    /// The result of their check.
    pub check: CodeCheck,
}

impl Index {
    /// The codes that the build of this index gave up, the coarsest first, each with its check: see
    /// [`Coding::Auto`]. Empty if the caller chose the codes, and for an index that was opened.
    ///
    /// # Examples
    /// ```
    /// use vex::Index;
    ///
    /// // Around each of two places, vectors are nearer to each other than codes can show.
    /// let near = |key: u64| ((key % 2) as f32) + key as f32 * 1e-6;
    /// let index = Index::builder(1).build_from((0..500).map(|key| (key, [near(key)])))?;
    /// for given_up in index.given_up_codes() {
    ///     let doubtful = 100.0 * given_up.check.share_in_doubt();
    ///     println!("no {}: {doubtful:.0}% of a sample were in doubt", given_up.quantization);
    /// }
    /// assert_eq!((index.given_up_codes().len(), index.params().quantization), (1, None));
    /// # Ok::<(), vex::Error>(())
    /// ```
    pub fn given_up_codes(&self) -> &[GivenUpCodes] {
        &self.given_up
    }
}
