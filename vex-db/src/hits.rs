//! What a search found, and how it went.

use std::fmt;
use std::ops::Deref;

use vex::graph::{SearchEnd, SearchStats};

use crate::{Row, Value};

/// A row that was found.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Hit {
    /// The id.
    pub id: String,
    /// The distance to the query under the metric of the collection. Smaller is nearer.
    pub distance: f32,
    /// The fields that were asked for.
    pub row: Row,
}

/// The rows that a search found, nearest first. They are a slice of [`Hit`]s.
#[derive(Clone, Debug)]
pub struct Hits {
    pub(crate) hits: Vec<Hit>,
    pub(crate) explain: Explain,
}

impl Hits {
    /// How the search went.
    pub fn explain(&self) -> &Explain {
        &self.explain
    }
}

impl Deref for Hits {
    type Target = [Hit];

    fn deref(&self) -> &[Hit] {
        &self.hits
    }
}

impl IntoIterator for Hits {
    type Item = Hit;
    type IntoIter = std::vec::IntoIter<Hit>;

    fn into_iter(self) -> Self::IntoIter {
        self.hits.into_iter()
    }
}

impl<'h> IntoIterator for &'h Hits {
    type Item = &'h Hit;
    type IntoIter = std::slice::Iter<'h, Hit>;

    fn into_iter(self) -> Self::IntoIter {
        self.hits.iter()
    }
}

/// Rows with one value of a field: see [`Search::groups`](crate::Search::groups).
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Group {
    /// The value.
    pub value: Value,
    /// The nearest rows, nearest first.
    pub hits: Vec<Hit>,
}

/// How a search went. It is printed as a table, a line for each segment and each block of pending
/// rows.
#[derive(Clone, Debug)]
pub struct Explain {
    pub(crate) is_filtered: bool,
    pub(crate) parts: Vec<PartStats>,
}

/// The work of a search in one part of a collection.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct PartStats {
    /// The number of the segment, or `None` for a block of pending rows.
    pub segment: Option<u64>,
    /// Rows of the part that are alive.
    pub rows: usize,
    /// Those that match the filter.
    pub matches: usize,
    /// The work.
    pub stats: SearchStats,
}

impl Explain {
    /// The parts, in the order in which they were searched.
    pub fn parts(&self) -> &[PartStats] {
        &self.parts
    }

    /// Distances that were computed, in all parts.
    pub fn distances(&self) -> usize {
        self.parts.iter().map(|part| part.stats.distances).sum()
    }

    /// Rows that match the filter.
    pub fn matches(&self) -> usize {
        self.parts.iter().map(|part| part.matches).sum()
    }
}

impl fmt::Display for Explain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let segments = self.parts.iter().filter(|part| part.segment.is_some()).count();
        let pending: usize =
            self.parts.iter().filter(|part| part.segment.is_none()).map(|part| part.rows).sum();
        writeln!(f, "segments {segments}, pending rows {pending}, distances {}", self.distances())?;
        if self.is_filtered {
            writeln!(f, "the filter matches {} rows", self.matches())?;
        }
        writeln!(
            f,
            "{:>10} {:>10} {:>10} {:>10} {:>6}  plan",
            "part", "rows", "matches", "distances", "hops"
        )?;
        for part in &self.parts {
            let name = part.segment.map_or_else(|| "pending".to_owned(), |number| number.to_string());
            let plan = match part.stats.end {
                _ if part.matches == 0 => "skipped: nothing matches",
                SearchEnd::Scan => "exact scan",
                SearchEnd::Slack => "beam search, ended early",
                SearchEnd::MaxDistances => "beam search, ended by its limit",
                _ => "beam search",
            };
            let (distances, hops) = (part.stats.distances, part.stats.hops);
            writeln!(
                f,
                "{name:>10} {:>10} {:>10} {distances:>10} {hops:>6}  {plan}",
                part.rows, part.matches
            )?;
        }
        Ok(())
    }
}
