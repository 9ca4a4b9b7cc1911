//! Searches of a snapshot.
//!
//! A search goes through the parts one after the other: the segments as [`vex`] searches them, each
//! with its own plan for the filter, and the pending rows exactly. The results are merged by
//! distance, and equal distances by the number of the row.
//!
//! A walk does not end by what other segments have found. Measured at equal recall, a smaller
//! `ef_search` for all of them always took fewer distances: see benches/NOTES.md.

use std::borrow::Cow;

use vex::SearchParams;
use vex::graph::{Exact, Neighbor};
use vex::kernels::Distance;

use crate::bits::Bits;
use crate::snapshot::Fetch;
use crate::{
    Error, Explain, FieldType, Filter, FilterError, Group, Hit, Hits, PartStats, Result, Snapshot, Value,
};

/// So many times the rows that are returned are candidates of a diverse search.
const POOL: usize = 4;

/// A search that is being described: see [`Snapshot::search`].
#[derive(Clone, Debug)]
#[must_use]
pub struct Search<'s> {
    snapshot: &'s Snapshot,
    /// The number of the vector that is compared.
    vector: u16,
    query: Cow<'s, [f32]>,
    params: SearchParams,
    filter: Option<Filter>,
    fetch: Fetch,
    /// Rows that are not returned.
    except: Vec<u64>,
    /// How much nearness counts beside differences.
    diversity: Option<f32>,
}

impl<'s> Search<'s> {
    pub(crate) fn new(snapshot: &'s Snapshot, vector: u16, query: Cow<'s, [f32]>, except: Vec<u64>) -> Self {
        let (params, fetch) = (SearchParams::new(10), Fetch::Fields(Vec::new()));
        Self { snapshot, vector, query, params, filter: None, fetch, except, diversity: None }
    }

    /// How many rows are returned at most. The default is 10.
    pub fn k(mut self, k: usize) -> Self {
        self.params.k = k;
        self
    }

    /// The candidates of a search in a segment: see
    /// [`SearchParams::ef_search`](field@SearchParams::ef_search). More find more, and take longer.
    /// With many segments, fewer find as much as one index does.
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

    /// Prefers rows that differ from each other: maximal marginal relevance (Carbonell and
    /// Goldstein, 1998). Of four times as many rows as are returned, one after the other is taken
    /// that is near to the query and far from those taken. A `share` of 1 is a plain search, and 0
    /// looks at differences alone. Values beyond are taken as 0 or 1.
    pub fn diverse(mut self, share: f32) -> Self {
        self.diversity = Some(share.clamp(0.0, 1.0));
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
        Error::caught(|| self.hits())
    }

    fn hits(self) -> Result<Hits> {
        let fetch = self.fetch.numbers(self.snapshot.schema())?;
        let k = self.params.k;
        let wanted = if self.diversity.is_some() { k.saturating_mul(POOL) } else { k };
        let (mut found, explain) = self.find(wanted)?;
        if let Some(share) = self.diversity {
            found = self.diversify(found, share);
        }
        let hits = found.iter().map(|found| self.hit(found, fetch.as_deref())).collect::<Result<_>>()?;
        Ok(Hits { hits, explain })
    }

    /// Runs the search, and puts rows with equal values of a field into groups: the `k` groups with
    /// the nearest rows, nearest first, and the nearest `per_group` rows of each. Rows without a
    /// value are in no group.
    ///
    /// # Errors
    /// As [`run`](Self::run), and if the field is unknown or stored only.
    ///
    /// # Complexity
    /// Searches for four times as many rows until the groups are full. If a few groups have nearly
    /// all rows, that ends with a distance for each row that matches.
    pub fn groups(self, field: &str, per_group: usize) -> Result<Vec<Group>> {
        Error::caught(|| self.grouped(field, per_group))
    }

    fn grouped(self, field: &str, per_group: usize) -> Result<Vec<Group>> {
        let schema = self.snapshot.schema();
        let number = match schema.find(field) {
            Some((number, kind)) if kind != FieldType::Stored => number,
            Some(_) => return Err(FilterError::StoredOnly { field: field.to_owned() }.into()),
            None => return Err(Error::UnknownField { field: field.to_owned(), known: schema.field_names() }),
        };
        let (fetch, k) = (self.fetch.numbers(schema)?, self.params.k);
        let mut wanted = k.saturating_mul(per_group).saturating_mul(2);
        loop {
            let (found, _) = self.find(wanted)?;
            let mut groups: Vec<(Value, Vec<&Found>)> = Vec::new();
            for hit in &found {
                let (_, row) = self.snapshot.read(self.row(hit), Some(&[number]))?;
                let Some(value) = row.get(field) else { continue };
                match groups.iter().position(|(of, _)| of == value) {
                    Some(at) if groups[at].1.len() < per_group => groups[at].1.push(hit),
                    None if groups.len() < k => groups.push((value.clone(), vec![hit])),
                    _ => (),
                }
            }
            let is_full = groups.len() == k && groups.iter().all(|(_, rows)| rows.len() == per_group);
            if is_full || found.len() < wanted || per_group == 0 {
                let group = |(value, rows): (Value, Vec<&Found>)| {
                    let hits = rows.into_iter().map(|found| self.hit(found, fetch.as_deref()));
                    Ok(Group { value, hits: hits.collect::<Result<_>>()? })
                };
                return groups.into_iter().filter(|_| per_group > 0).map(group).collect();
            }
            wanted = wanted.saturating_mul(4);
        }
    }

    /// The `k` nearest rows of all parts, nearest first.
    fn find(&self, k: usize) -> Result<(Vec<Found>, Explain)> {
        let (snapshot, mut params) = (self.snapshot, self.params);
        params.k = k;
        let (state, schema) = (&snapshot.state, snapshot.schema());
        let filter = self.filter.as_ref().map(|filter| filter.compile(schema)).transpose()?;
        // A query is checked even if nothing is there.
        Exact::new(&schema.vector_type(self.vector).store().rows(), &*self.query, &mut [])
            .map_err(vex::SearchError::from)?;

        let tables = state.tables()?;
        let mut scratch = snapshot.inner.scratch();
        let (mut found, mut out) = (Vec::new(), Vec::new());
        let mut parts = Vec::with_capacity(state.slots.len());
        let mut search = || -> Result<()> {
            let slots =
                state.slots.iter().enumerate().filter(|(_, slot)| slot.vector_number() == self.vector);
            for (at, slot) in slots {
                let mut accepted: Cow<'_, Bits> = Cow::Borrowed(&slot.live);
                if let Some(filter) = &filter {
                    let column = |field| slot.column(field, &tables.tx);
                    let mut matches = filter.select(slot.count(), &column)?;
                    matches.intersect(&slot.live);
                    accepted = Cow::Owned(matches);
                }
                for node in self.except.iter().filter_map(|row| slot.find(*row)) {
                    accepted.to_mut().unset(node);
                }
                let count = match &accepted {
                    Cow::Borrowed(_) => slot.live_count,
                    Cow::Owned(accepted) => accepted.count(),
                };
                let stats = slot.search(&self.query, &params, &accepted, count, &mut scratch, &mut out)?;
                found.extend(out.iter().map(|neighbor| Found { neighbor: *neighbor, slot: at }));
                let segment = slot.segment().map(|segment| segment.number);
                parts.push(PartStats { segment, rows: slot.live_count, matches: count, stats });
                self.keep_nearest(&mut found, k);
            }
            Ok(())
        };
        let searched = search();
        snapshot.inner.give_back(scratch);
        searched?;
        Ok((found, Explain { is_filtered: filter.is_some(), parts }))
    }

    /// Sorts rows by distance, equal ones by the numbers of the rows, and drops all but the first
    /// `k`.
    fn keep_nearest(&self, found: &mut Vec<Found>, k: usize) {
        found.sort_by(|one, other| {
            let order = one.neighbor.distance.total_cmp(&other.neighbor.distance);
            order.then_with(|| self.row(one).cmp(&self.row(other)))
        });
        found.truncate(k);
    }

    /// The rows that are near to the query and far from each other.
    fn diversify(&self, mut pool: Vec<Found>, share: f32) -> Vec<Found> {
        let distance = Distance::<f32>::new(self.snapshot.schema().vector_type(self.vector).metric);
        let slots = &self.snapshot.state.slots;
        let vector = |found: &Found| slots[found.slot].vector(found.neighbor.id).unwrap_or_default();
        let mut vectors: Vec<Vec<f32>> = pool.iter().map(vector).collect();
        // For each row of the pool, its distance to the nearest row that was taken.
        let mut nearest = vec![f32::INFINITY; pool.len()];
        let mut taken = Vec::new();
        while taken.len() < self.params.k && !pool.is_empty() {
            let score = |at: usize| {
                // The first row is the nearest of all.
                let apart = if taken.is_empty() { 0.0 } else { nearest[at] };
                (1.0 - share) * apart - share * pool[at].neighbor.distance
            };
            // Of equal ones, the first is nearer to the query.
            let best = (1..pool.len()).fold(0, |best, at| if score(at) > score(best) { at } else { best });
            let (row, of_row) = (pool.remove(best), vectors.remove(best));
            nearest.remove(best);
            for (nearest, other) in nearest.iter_mut().zip(&vectors) {
                *nearest = nearest.min(distance.distance(&of_row, other));
            }
            taken.push(row);
        }
        taken
    }

    /// The number of a row.
    fn row(&self, found: &Found) -> u64 {
        self.snapshot.state.slots[found.slot].row(found.neighbor.id)
    }

    fn hit(&self, found: &Found, fetch: Option<&[u16]>) -> Result<Hit> {
        let (id, row) = self.snapshot.read(self.row(found), fetch)?;
        Ok(Hit { id, distance: found.neighbor.distance, row })
    }
}

/// A neighbor in one of the parts.
struct Found {
    neighbor: Neighbor,
    slot: usize,
}
