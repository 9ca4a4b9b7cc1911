//! From one model to another.

use std::fmt::{Debug, Display};

use crate::{Collection, Error, NamedVectors, RowVectors, Scrolled, Snapshot};

/// So many rows are embedded and committed at once.
const ROWS_AT_ONCE: usize = 256;

/// What [`Snapshot::reembed`] did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Reembedded {
    /// Rows that were embedded.
    pub embedded: usize,
    /// Rows that an earlier run had embedded.
    pub kept: usize,
    /// Rows of the new collection that the old one does not have.
    pub deleted: usize,
}

/// Why rows were not embedded. `E` is the error of the callback. Rows that were committed before
/// stay, and the next run goes on after them.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ReembedError<E: Debug + Display> {
    /// The callback failed.
    #[error("{0}")]
    Embed(E),
    /// The callback returned more or fewer vectors than it got rows.
    #[error("expected {expected} vectors, found {found}")]
    Count {
        /// Rows that the callback got.
        expected: usize,
        /// Vectors that the callback returned.
        found: usize,
    },
    /// A collection could not be read or written.
    #[error(transparent)]
    Collection(#[from] Error),
}

/// Whether two vectors are one. Copies of vectors of unit length are rounded.
fn are_close(one: &[f32], other: &[f32]) -> bool {
    let close = |(a, b): (&f32, &f32)| (a - b).abs() <= 1e-5 * a.abs().max(b.abs()).max(1e-5);
    one.len() == other.len() && one.iter().zip(other).all(close)
}

/// The vector of a name.
fn named<'v>(vectors: &'v NamedVectors, name: &str) -> Option<&'v Vec<f32>> {
    vectors.iter().find(|(of, _)| of == name).map(|(_, vector)| vector)
}

impl Snapshot {
    /// Embeds all rows by another model, into another collection, whose schema has that model's
    /// name and dimension, and the same fields. `embed` gets up to 256 rows at a time, with all
    /// fields, and returns a vector for each. Vectors with names are copied. The new schema must
    /// have them with the same dimension and metric. It may have others, which stay as they are.
    ///
    /// A run that was cut short is resumed by another: rows that are in the new collection with
    /// equal fields are kept, and rows that the old collection no longer has are deleted. So a
    /// later run also brings over what was changed since.
    ///
    /// # Errors
    /// If the callback fails, returns another number of vectors, or a row does not fit the new
    /// collection.
    ///
    /// # Examples
    /// ```
    /// use vex_db::{Collection, Metric, Schema, Scrolled, row};
    ///
    /// # let folder = tempfile::tempdir()?;
    /// let schema = |dim, model| Schema::new(dim, Metric::Cosine).model(model).stored("doc");
    /// let old = Collection::create(folder.path().join("old.vexdb"), schema(2, "small"))?;
    /// old.upsert("a", &[1.0, 0.0], row! { doc: "one" })?;
    /// let new = Collection::create(folder.path().join("new.vexdb"), schema(3, "large"))?;
    /// let embed = |rows: &[Scrolled]| {
    ///     let length = |row: &Scrolled| row.row.text("doc").unwrap_or_default().len() as f32;
    ///     Ok::<_, std::convert::Infallible>(rows.iter().map(|row| vec![length(row), 1.0, 0.0]).collect())
    /// };
    /// assert_eq!(old.snapshot()?.reembed(&new, embed)?.embedded, 1);
    /// assert_eq!(old.snapshot()?.reembed(&new, embed)?.kept, 1);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn reembed<E: Debug + Display>(
        &self,
        to: &Collection,
        mut embed: impl FnMut(&[Scrolled]) -> Result<Vec<Vec<f32>>, E>,
    ) -> Result<Reembedded, ReembedError<E>> {
        let schema = self.schema();
        to.schema().expect_vectors_of(schema).map_err(Error::from)?;
        let mut done = Reembedded::default();
        let mut after: Option<String> = None;
        loop {
            let page = |snapshot: &Self| {
                let mut scroll = snapshot.scroll().limit(ROWS_AT_ONCE);
                if schema.vectors().next().is_some() {
                    scroll = scroll.vectors();
                }
                match &after {
                    Some(after) => scroll.after(after).run(),
                    None => scroll.run(),
                }
            };
            let rows = page(self)?;
            let Some(last) = rows.last() else { break };
            let last = last.id.clone();
            let there = to.snapshot()?;
            // What only the new schema has is kept beside each row.
            let (mut missing, mut others) = (Vec::new(), Vec::new());
            for row in rows {
                let found = there.get(&row.id)?;
                let is_same = |(name, ..): (&str, usize, vex::Metric)| match &found {
                    Some(found) => match (named(&found.named, name), named(&row.named, name)) {
                        (Some(one), Some(other)) => are_close(one, other),
                        (one, other) => one.is_none() && other.is_none(),
                    },
                    None => false,
                };
                if found.as_ref().is_some_and(|found| found.row == row.row) && schema.vectors().all(is_same) {
                    done.kept += 1;
                    continue;
                }
                let mut other = found.map(|found| found.named).unwrap_or_default();
                other.retain(|(name, _)| schema.find_vector(name).is_none());
                missing.push(row);
                others.push(other);
            }
            if !missing.is_empty() {
                let vectors = embed(&missing).map_err(ReembedError::Embed)?;
                if vectors.len() != missing.len() {
                    return Err(ReembedError::Count { expected: missing.len(), found: vectors.len() });
                }
                let mut batch = to.batch();
                for ((Scrolled { id, row, named, .. }, vector), other) in
                    missing.into_iter().zip(vectors).zip(others)
                {
                    batch.upsert(&id, RowVectors::new(&vector).with_named(&named).with_named(&other), row)?;
                }
                done.embedded += batch.len();
                batch.commit()?;
            }
            after = Some(last);
        }
        done.deleted = self.delete_others(to)?;
        Ok(done)
    }

    /// Deletes the rows of another collection that this one does not have.
    fn delete_others(&self, to: &Collection) -> Result<usize, Error> {
        let (mut others, mut failed) = (to.batch(), None);
        to.snapshot()?.scroll().fetch(Vec::<String>::new()).run_each(|row| match self.contains(&row.id) {
            Ok(true) => (),
            Ok(false) => others.delete(&row.id),
            Err(error) => failed = Some(error),
        })?;
        match failed {
            Some(error) => Err(error),
            None => Ok(others.commit()?.deleted),
        }
    }
}
