//! One moment of a collection, to be searched, read and walked through.

use std::fmt;
use std::ops::Bound;
use std::sync::Arc;

use crate::filter::Compiled;
use crate::inner::Inner;
use crate::record;
use crate::schema::MAIN;
use crate::state::State;
use crate::{Error, Filter, Result, Row, Schema, Search, Vector};

/// One moment of a collection. It stays as it is while writers go on.
///
/// A clone takes constant time, and may go to another thread. As long as a snapshot lives, the
/// space of rows that were replaced or deleted since is not used again.
#[derive(Clone)]
pub struct Snapshot {
    pub(crate) inner: Arc<Inner>,
    pub(crate) state: Arc<State>,
}

/// Vectors with their names.
pub type NamedVectors = Vec<(String, Vec<f32>)>;

/// A row, as it is kept.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Record {
    /// The id.
    pub id: String,
    /// The vector. Under cosine it has unit length.
    pub vector: Vec<f32>,
    /// The vectors with names that it has, in the order of the schema.
    pub named: NamedVectors,
    /// All fields.
    pub row: Row,
}

impl Snapshot {
    pub(crate) fn new(inner: Arc<Inner>, state: Arc<State>) -> Self {
        Self { inner, state }
    }

    /// What the rows have in common.
    pub fn schema(&self) -> &Schema {
        &self.inner.schema
    }

    /// How many rows there are.
    ///
    /// # Errors
    /// If the store cannot be read.
    pub fn len(&self) -> Result<u64> {
        Error::caught(|| self.state.len())
    }

    /// Whether there are no rows.
    ///
    /// # Errors
    /// If the store cannot be read.
    pub fn is_empty(&self) -> Result<bool> {
        Ok(self.len()? == 0)
    }

    /// How many commits there were before this moment. It grows with each.
    pub fn commits(&self) -> u64 {
        self.state.commits
    }

    /// The row with this id.
    ///
    /// # Errors
    /// If the store cannot be read.
    pub fn get(&self, id: &str) -> Result<Option<Record>> {
        Error::caught(|| self.record(id))
    }

    fn record(&self, id: &str) -> Result<Option<Record>> {
        let Some(row) = self.state.row(id)? else { return Ok(None) };
        let damaged = || Error::Damaged { part: format!("row {id:?}") };
        let bytes = self.state.tables()?.rows.get(row)?.ok_or_else(damaged)?;
        let fields = record::row(bytes.value(), self.schema(), None).map_err(|_| damaged())?;
        let (vector, named) = self.all_vectors_of(id, row)?;
        Ok(Some(Record { id: id.to_owned(), vector, named, row: fields }))
    }

    /// Whether there is a row with this id.
    ///
    /// # Errors
    /// If the store cannot be read.
    pub fn contains(&self, id: &str) -> Result<bool> {
        Ok(self.number(id)?.is_some())
    }

    /// Begins a search for the rows that are nearest to a vector.
    pub fn search<'s>(&'s self, query: &'s [f32]) -> Search<'s> {
        Vector::new(self, MAIN).search(query)
    }

    /// Begins a search for the rows that are nearest to another row, which is not among them.
    ///
    /// # Errors
    /// If there is no row with this id, or the store cannot be read.
    pub fn near(&self, id: &str) -> Result<Search<'_>> {
        Vector::new(self, MAIN).near(id)
    }

    /// Begins a search for rows that are like some rows and unlike others, none of which is among
    /// them. The query is the mean of the `like`, moved away from the mean of the `unlike` by as
    /// much as they are apart.
    ///
    /// # Errors
    /// If `like` is empty, there is no row with one of the ids, or the store cannot be read.
    pub fn recommend(&self, like: &[&str], unlike: &[&str]) -> Result<Search<'_>> {
        Vector::new(self, MAIN).recommend(like, unlike)
    }

    /// A vector with a name, to be searched by: see [`Schema::vector`].
    ///
    /// # Errors
    /// If the schema has none of this name.
    pub fn vector(&self, name: &str) -> Result<Vector<'_>> {
        match self.schema().find_vector(name) {
            Some(number) => Ok(Vector::new(self, number)),
            None => Err(unknown_vector(self.schema(), name)),
        }
    }

    /// Begins a walk through the rows, ascending by id.
    pub fn scroll(&self) -> Scroll<'_> {
        let fetch = Fetch::All;
        Scroll { snapshot: self, filter: None, after: None, limit: usize::MAX, fetch, has_vectors: false }
    }

    /// The number of a row.
    pub(crate) fn number(&self, id: &str) -> Result<Option<u64>> {
        Error::caught(|| self.state.row(id))
    }

    /// A vector of a row, if the row has it.
    pub(crate) fn vector_of(&self, number: u16, id: &str, row: u64) -> Result<Option<Vec<f32>>> {
        Ok(self.vectors_of(id, row, &[number])?.pop().map(|(_, vector)| vector))
    }

    /// Those of some vectors that a row has, by their numbers.
    fn vectors_of(&self, id: &str, row: u64, wanted: &[u16]) -> Result<Vec<(u16, Vec<f32>)>> {
        let damaged = || Error::Damaged { part: format!("row {id:?}") };
        let record = Error::caught(|| Ok(self.state.tables()?.rows.get(row)?))?.ok_or_else(damaged)?;
        let numbers = record::vectors(record.value(), self.schema()).map_err(|_| damaged())?;
        let vector = |number| Ok((number, self.state.vector(number, row).ok_or_else(damaged)?));
        numbers.into_iter().filter(|number| wanted.contains(number)).map(vector).collect()
    }

    /// The vector that every row has, and those with names.
    fn all_vectors_of(&self, id: &str, row: u64) -> Result<(Vec<f32>, NamedVectors)> {
        let types = self.schema().vector_types();
        let numbers: Vec<u16> = (0..types.len() as u16).collect();
        let mut vectors = self.vectors_of(id, row, &numbers)?.into_iter();
        let (_, main) = vectors.next().expect("every row has it");
        let name = |number: u16| types[usize::from(number)].name.clone();
        Ok((main, vectors.map(|(number, vector)| (name(number), vector)).collect()))
    }

    /// The fields of a row, and its id.
    pub(crate) fn read(&self, row: u64, fetch: Option<&[u16]>) -> Result<(String, Row)> {
        let damaged = || Error::Damaged { part: format!("row {row}") };
        let bytes = self.state.tables()?.rows.get(row)?.ok_or_else(damaged)?;
        let id = record::id(bytes.value()).map_err(|_| damaged())?.to_owned();
        let fields = match fetch {
            Some([]) => Row::new(),
            _ => record::row(bytes.value(), self.schema(), fetch).map_err(|_| damaged())?,
        };
        Ok((id, fields))
    }
}

impl fmt::Debug for Snapshot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Snapshot").field("commits", &self.commits()).finish_non_exhaustive()
    }
}

pub(crate) fn unknown_vector(schema: &Schema, name: &str) -> Error {
    let known = schema.vectors().map(|(name, ..)| name.to_owned()).collect();
    Error::UnknownVector { vector: name.to_owned(), known }
}

/// Which fields are returned.
#[derive(Clone, Debug)]
pub(crate) enum Fetch {
    All,
    Fields(Vec<String>),
}

impl Fetch {
    /// The numbers of the fields, or `None` for all.
    pub(crate) fn numbers(&self, schema: &Schema) -> Result<Option<Vec<u16>>> {
        let Self::Fields(fields) = self else { return Ok(None) };
        let number = |field: &String| match schema.find(field) {
            Some((number, _)) => Ok(number),
            None => Err(Error::UnknownField { field: field.clone(), known: schema.field_names() }),
        };
        fields.iter().map(number).collect::<Result<_>>().map(Some)
    }
}

/// A walk through the rows, ascending by id: see [`Snapshot::scroll`].
#[derive(Clone, Debug)]
#[must_use]
pub struct Scroll<'s> {
    snapshot: &'s Snapshot,
    filter: Option<Filter>,
    after: Option<String>,
    limit: usize,
    fetch: Fetch,
    has_vectors: bool,
}

/// A row of a walk.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Scrolled {
    /// The id.
    pub id: String,
    /// The fields that were asked for.
    pub row: Row,
    /// The vector, if it was asked for. Under cosine it has unit length.
    pub vector: Option<Vec<f32>>,
    /// The vectors with names that it has, in the order of the schema, if vectors were asked for.
    pub named: NamedVectors,
}

impl Scroll<'_> {
    /// Only rows that match.
    pub fn filter(mut self, filter: Filter) -> Self {
        self.filter = Some(match self.filter {
            Some(before) => before & filter,
            None => filter,
        });
        self
    }

    /// Only rows whose ids come after this one. The id of the last row of a page begins the next.
    pub fn after(mut self, id: impl Into<String>) -> Self {
        self.after = Some(id.into());
        self
    }

    /// At most so many rows. The default is all.
    pub fn limit(mut self, rows: usize) -> Self {
        self.limit = rows;
        self
    }

    /// Returns these fields. The default is all.
    pub fn fetch<F: Into<String>>(mut self, fields: impl IntoIterator<Item = F>) -> Self {
        self.fetch = Fetch::Fields(fields.into_iter().map(Into::into).collect());
        self
    }

    /// Returns the vectors as well.
    pub fn vectors(mut self) -> Self {
        self.has_vectors = true;
        self
    }

    /// The rows.
    ///
    /// # Errors
    /// If the filter does not fit, a field is unknown, or the store cannot be read.
    ///
    /// # Complexity
    /// Reads the rows one by one until there are enough that match.
    pub fn run(self) -> Result<Vec<Scrolled>> {
        let mut rows = Vec::new();
        self.run_each(|row| rows.push(row))?;
        Ok(rows)
    }

    /// Calls `each` with each row.
    ///
    /// # Errors
    /// As [`run`](Self::run).
    pub fn run_each(self, mut each: impl FnMut(Scrolled)) -> Result<()> {
        self.try_each(|row| {
            each(row);
            Ok(())
        })
    }

    /// Calls `each` with each row, until it fails.
    ///
    /// # Errors
    /// As [`run`](Self::run), and the error of `each`.
    pub fn try_each<E: From<Error>>(self, mut each: impl FnMut(Scrolled) -> Result<(), E>) -> Result<(), E> {
        let Self { snapshot, filter, after, limit, fetch, has_vectors } = self;
        let schema = snapshot.schema();
        let filter = filter.map(|filter| filter.compile(schema)).transpose().map_err(Error::from)?;
        let fetch = fetch.numbers(schema)?;
        let start = after.as_deref().map_or(Bound::Unbounded, Bound::Excluded);
        let ids = &snapshot.state.tables()?.ids;
        let mut entries = Error::caught(|| Ok(ids.range::<&str>((start, Bound::Unbounded))?))?;
        let mut next = || -> Result<Option<Scrolled>> {
            for entry in entries.by_ref() {
                let (id, row) = entry?;
                let (id, row) = (id.value(), row.value());
                if matches(filter.as_ref(), snapshot, row)? {
                    let vectors = has_vectors.then(|| snapshot.all_vectors_of(id, row)).transpose()?;
                    let (vector, named) =
                        vectors.map_or((None, Vec::new()), |(one, named)| (Some(one), named));
                    let (id, row) = (id.to_owned(), snapshot.read(row, fetch.as_deref())?.1);
                    return Ok(Some(Scrolled { id, row, vector, named }));
                }
            }
            Ok(None)
        };
        for _ in 0..limit {
            let Some(row) = Error::caught(&mut next)? else { break };
            each(row)?;
        }
        Ok(())
    }
}

/// Whether a row matches, by its fields in the store.
fn matches(filter: Option<&Compiled>, snapshot: &Snapshot, row: u64) -> Result<bool> {
    let Some(filter) = filter else { return Ok(true) };
    let damaged = || Error::Damaged { part: format!("row {row}") };
    let bytes = snapshot.state.tables()?.rows.get(row)?.ok_or_else(damaged)?;
    let keys = record::keys(bytes.value(), snapshot.schema()).map_err(|_| damaged())?;
    Ok(filter.matches(&|field| keys.iter().find(|(number, _)| *number == field).map(|(_, key)| key.clone())))
}
