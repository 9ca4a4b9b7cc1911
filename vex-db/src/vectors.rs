//! The vectors of a row: the one that every row has, and those with names.

use crate::{Error, Result, Search, Snapshot};

/// The vectors of a row that is written: the one that every row has, and those with names.
///
/// A slice or an array of f32 is one without others.
///
/// # Examples
/// ```
/// use vex_db::{Collection, Metric, RowVectors, Schema, row};
///
/// # let folder = tempfile::tempdir()?;
/// # let path = folder.path().join("books.vexdb");
/// let schema = Schema::new(2, Metric::Cosine).vector("title", 3);
/// let books = Collection::create(path, schema)?;
/// let (text, title) = ([1.0, 0.0], [0.0, 1.0, 0.0]);
/// books.upsert("book/1", RowVectors::new(&text).with("title", &title), row! {})?;
/// books.upsert("book/2", &text, row! {})?; // It has no title.
///
/// let view = books.snapshot()?;
/// assert_eq!(view.search(&text).run()?.len(), 2);
/// let hits = view.vector("title")?.search(&[0.1, 0.9, 0.0]).run()?;
/// assert_eq!((hits.len(), &*hits[0].id), (1, "book/1"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct RowVectors<'v> {
    pub(crate) main: &'v [f32],
    pub(crate) named: Vec<(&'v str, &'v [f32])>,
}

impl<'v> RowVectors<'v> {
    /// The vector that every row has.
    pub fn new(vector: &'v [f32]) -> Self {
        Self { main: vector, named: Vec::new() }
    }

    /// Adds a vector under a name of the schema. If a name comes twice, the later vector counts.
    pub fn with(mut self, name: &'v str, vector: &'v [f32]) -> Self {
        self.named.retain(|(other, _)| *other != name);
        self.named.push((name, vector));
        self
    }

    /// Adds vectors as [`Record::named`](crate::Record::named) has them.
    pub fn with_named(self, vectors: &'v [(String, Vec<f32>)]) -> Self {
        vectors.iter().fold(self, |all, (name, vector)| all.with(name, vector))
    }
}

impl<'v> From<&'v [f32]> for RowVectors<'v> {
    fn from(vector: &'v [f32]) -> Self {
        Self::new(vector)
    }
}

impl<'v> From<&'v Vec<f32>> for RowVectors<'v> {
    fn from(vector: &'v Vec<f32>) -> Self {
        Self::new(vector)
    }
}

impl<'v, const N: usize> From<&'v [f32; N]> for RowVectors<'v> {
    fn from(vector: &'v [f32; N]) -> Self {
        Self::new(vector)
    }
}

/// One of the vectors of the rows, at one moment: see [`Snapshot::vector`]. Rows without it are not
/// found.
#[derive(Clone, Copy, Debug)]
pub struct Vector<'s> {
    snapshot: &'s Snapshot,
    number: u16,
}

impl<'s> Vector<'s> {
    pub(crate) fn new(snapshot: &'s Snapshot, number: u16) -> Self {
        Self { snapshot, number }
    }

    /// Begins a search by this vector: as [`Snapshot::search`].
    pub fn search(&self, query: &'s [f32]) -> Search<'s> {
        Search::new(self.snapshot, self.number, query.into(), Vec::new())
    }

    /// Begins a search for the rows nearest to another row by this vector: as [`Snapshot::near`].
    ///
    /// # Errors
    /// If there is no row with this id, it has no such vector, or the store cannot be read.
    pub fn near(&self, id: &str) -> Result<Search<'s>> {
        self.recommend(&[id], &[])
    }

    /// Begins a search for rows that are like some rows and unlike others by this vector: as
    /// [`Snapshot::recommend`].
    ///
    /// # Errors
    /// If `like` is empty, there is no row with one of the ids, one of them has no such vector, or
    /// the store cannot be read.
    pub fn recommend(&self, like: &[&str], unlike: &[&str]) -> Result<Search<'s>> {
        let Self { snapshot, number } = *self;
        let of = snapshot.schema().vector_type(number);
        let mut except = Vec::new();
        let mut mean = |ids: &[&str]| -> Result<Option<Vec<f32>>> {
            let mut sum = vec![0.0; of.dim];
            for id in ids {
                let row = snapshot.number(id)?.ok_or_else(|| Error::NoRow { id: (*id).to_owned() })?;
                except.push(row);
                let vector = snapshot
                    .vector_of(number, id, row)?
                    .ok_or_else(|| Error::NoVector { id: (*id).to_owned(), vector: of.name.clone() })?;
                sum.iter_mut().zip(&vector).for_each(|(sum, element)| *sum += element / ids.len() as f32);
            }
            Ok((!ids.is_empty()).then_some(sum))
        };
        let Some(mut query) = mean(like)? else { return Err(Error::NothingLiked) };
        if let Some(unlike) = mean(unlike)? {
            query.iter_mut().zip(&unlike).for_each(|(query, unlike)| *query += *query - unlike);
        }
        Ok(Search::new(snapshot, number, query.into(), except))
    }
}
