//! The index in memory behind `vex_index.Index`: what it was made with, and where it is saved.

use std::path::PathBuf;

use vex::{Builder, Elements, Index, Params, Searcher};

use crate::arrays::Rows;
use crate::building;
use crate::error::{Failure, Result};
use crate::held::Lend;
use crate::progress::Watch;

/// So many vectors are indexed at once by the first `add`. Of fewer, a bulk build could not judge
/// the codes.
const BULK: usize = 1_000;

pub(crate) struct Owned {
    pub(crate) index: Index,
    /// The parameters of an index that nothing was added to.
    start: Option<Builder>,
    /// One more than the greatest key, once it was looked for.
    next: Option<u64>,
    /// The file with the same content.
    pub(crate) path: Option<PathBuf>,
}

impl Lend for Owned {
    fn searcher(&self) -> Searcher<'_> {
        self.index.searcher()
    }

    fn params(&self) -> &Params {
        self.index.params()
    }

    fn has_table(&self) -> bool {
        true
    }
}

impl Owned {
    pub(crate) fn empty(builder: Builder) -> Result<Self> {
        let index = builder.clone().build()?;
        Ok(Self { index, start: Some(builder), next: Some(0), path: None })
    }

    pub(crate) fn built(index: Index) -> Self {
        Self { index, start: None, next: None, path: None }
    }

    pub(crate) fn opened(index: Index, path: PathBuf) -> Self {
        Self { path: Some(path), ..Self::built(index) }
    }

    /// Adds rows under keys that are new, or under the next ones. Returns the keys.
    pub(crate) fn add(
        &mut self,
        rows: Rows<'_>,
        keys: Option<Vec<u64>>,
        threads: Option<usize>,
    ) -> Result<Vec<u64>> {
        let (keys, next) = match keys {
            Some(keys) => (keys, None),
            None => {
                let keys = self.next_keys(rows.count)?;
                let next = keys.last().map(|last| last + 1).or(self.next);
                (keys, next)
            }
        };
        let bulk = self.start.clone().filter(|_| self.index.is_empty() && rows.count >= BULK);
        if let Some(builder) = bulk {
            let builder = match threads {
                Some(threads) => builder.threads(threads),
                None => builder,
            };
            self.index = building::build(builder, rows, &keys, Watch::new(None))?;
            (self.start, self.path, self.next) = (None, None, next);
            return Ok(keys);
        }
        building::check_new(&self.index, rows, &keys)?;
        if !keys.is_empty() {
            (self.start, self.path, self.next) = (None, None, None);
        }
        building::each(rows, &keys, |key, vector| Ok(self.index.insert(key, vector)?))?;
        self.next = next;
        Ok(keys)
    }

    /// Adds or replaces vectors. Returns how many were replaced.
    pub(crate) fn upsert(&mut self, rows: Rows<'_>, keys: &[u64]) -> Result<usize> {
        building::check_rows(&self.index, rows)?;
        if !keys.is_empty() {
            (self.start, self.path, self.next) = (None, None, None);
        }
        let mut replaced = 0;
        building::each(rows, keys, |key, vector: Elements<'_>| {
            replaced += usize::from(self.index.upsert(key, vector)?);
            Ok(())
        })?;
        Ok(replaced)
    }

    pub(crate) fn remove(&mut self, keys: Vec<u64>) -> Result<usize> {
        (self.path, self.next) = (None, None);
        Ok(self.index.delete_many(keys)?)
    }

    /// So many keys, from one more than the greatest.
    fn next_keys(&mut self, count: usize) -> Result<Vec<u64>> {
        let first = match self.next {
            Some(next) => Some(next),
            None => match self.index.searcher().keys().max() {
                Some(last) => last.checked_add(1),
                None => Some(0),
            },
        };
        let end = first.and_then(|first| first.checked_add(count as u64));
        let (Some(first), Some(end)) = (first, end) else {
            let last = u64::MAX;
            return Err(Failure::value(format!(
                "keys: expected some, since the key {last} is taken, found None"
            )));
        };
        Ok((first..end).collect())
    }
}
