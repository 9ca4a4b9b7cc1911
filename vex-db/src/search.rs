//! Searches of a snapshot.
//!
//! A search goes through the parts one after the other: the segments as [`vex`] searches them, each
//! with its own plan for the filter, and the pending rows exactly. The results are merged by
//! distance, and equal distances by the number of the row.

use std::borrow::Cow;
use std::fmt;
use std::ops::Deref;

use vex::SearchParams;
use vex::graph::{Neighbor, SearchEnd, SearchStats};

use crate::bits::Bits;
use crate::snapshot::Fetch;
use crate::{Filter, Result, Row, Snapshot};

/// A search that is being described: see [`Snapshot::search`].
#[derive(Clone, Debug)]
#[must_use]
pub struct Search<'s> {
    snapshot: &'s Snapshot,
    query: Cow<'s, [f32]>,
    params: SearchParams,
    filter: Option<Filter>,
    fetch: Fetch,
    /// A row that is not returned.
    except: Option<u64>,
}

impl<'s> Search<'s> {
    pub(crate) fn new(snapshot: &'s Snapshot, query: Cow<'s, [f32]>, except: Option<u64>) -> Self {
        let (params, fetch) = (SearchParams::new(10), Fetch::Fields(Vec::new()));
        Self { snapshot, query, params, filter: None, fetch, except }
    }

    /// How many rows are returned at most. The default is 10.
    pub fn k(mut self, k: usize) -> Self {
        self.params.k = k;
        self
    }

    /// The candidates of a search in a segment: see
    /// [`SearchParams::ef_search`](field@SearchParams::ef_search). More find more, and take longer.
    pub fn ef_search(mut self, ef_search: usize) -> Self {
        self.params.ef_search = ef_search;
        self
    }

    /// When a search in a segment ends early: see
    /// [`SearchParams::slack`](field@SearchParams::slack).
    pub fn slack(mut self, slack: f32) -> Self {
        self.params = self.params.slack(slack);
        self
    }

    /// Only rows that match. Two filters must both match.
    pub fn filter(mut self, filter: Filter) -> Self {
        self.filter = Some(match self.filter {
            Some(before) => before & filter,
            None => filter,
        });
        self
    }

    /// Returns these fields. The default is none.
    pub fn fetch<F: Into<String>>(mut self, fields: impl IntoIterator<Item = F>) -> Self {
        self.fetch = Fetch::Fields(fields.into_iter().map(Into::into).collect());
        self
    }

    /// Returns all fields.
    pub fn fetch_all(mut self) -> Self {
        self.fetch = Fetch::All;
        self
    }

    /// Runs the search: `k` rows, or all that match if there are fewer.
    ///
    /// # Errors
    /// If the query cannot be searched for, the filter does not fit, a field is unknown, or the
    /// store cannot be read.
    ///
    /// # Complexity
    /// A search for each segment, and a distance for each pending row that matches. The first
    /// filter on a field reads the field's columns into memory.
    pub fn run(self) -> Result<Hits> {
        let Self { snapshot, query, params, filter, fetch, except } = self;
        let state = &snapshot.state;
        let fetch = fetch.numbers(snapshot.schema())?;
        let filter = filter.map(|filter| filter.compile(snapshot.schema())).transpose()?;
        // A query is checked even if nothing is there.
        crate::part::check_query(snapshot.schema(), &query)?;

        let tables = state.tables()?;
        let mut scratch = snapshot.inner.scratch();
        let (mut found, mut out) = (Vec::new(), Vec::new());
        let mut parts = Vec::with_capacity(state.slots.len());
        let mut search = || -> Result<()> {
            for (at, slot) in state.slots.iter().enumerate() {
                let mut accepted: Cow<'_, Bits> = Cow::Borrowed(&slot.live);
                if let Some(filter) = &filter {
                    let column = |field| slot.column(field, &tables.tx);
                    let mut matches = filter.select(slot.count(), &column)?;
                    matches.intersect(&slot.live);
                    accepted = Cow::Owned(matches);
                }
                if let Some(node) = except.and_then(|row| slot.find(row)) {
                    accepted.to_mut().unset(node);
                }
                let count = match &accepted {
                    Cow::Borrowed(_) => slot.live_count,
                    Cow::Owned(accepted) => accepted.count(),
                };
                let stats = slot.search(&query, &params, &accepted, count, &mut scratch, &mut out)?;
                found.extend(out.iter().map(|neighbor| Found { neighbor: *neighbor, slot: at }));
                let segment = slot.segment().map(|segment| segment.number);
                parts.push(PartStats { segment, rows: slot.live_count, matches: count, stats });
            }
            Ok(())
        };
        let searched = search();
        snapshot.inner.give_back(scratch);
        searched?;

        let row = |found: &Found| state.slots[found.slot].row(found.neighbor.id);
        found.sort_by(|one, other| {
            let order = one.neighbor.distance.total_cmp(&other.neighbor.distance);
            order.then_with(|| row(one).cmp(&row(other)))
        });
        found.truncate(params.k);
        let hit = |found: &Found| {
            let (id, fields) = snapshot.read(row(found), fetch.as_deref())?;
            Ok(Hit { id, distance: found.neighbor.distance, row: fields })
        };
        let hits = found.iter().map(hit).collect::<Result<_>>()?;
        Ok(Hits { hits, explain: Explain { is_filtered: filter.is_some(), parts } })
    }
}

/// A neighbor in one of the parts.
struct Found {
    neighbor: Neighbor,
    slot: usize,
}

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
    hits: Vec<Hit>,
    explain: Explain,
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

/// How a search went. It is printed as a table, a line for each segment and each block of pending
/// rows.
#[derive(Clone, Debug)]
pub struct Explain {
    is_filtered: bool,
    parts: Vec<PartStats>,
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
                SearchEnd::Slack => "beam search, ended by slack",
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
