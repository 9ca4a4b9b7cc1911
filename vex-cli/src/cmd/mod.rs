//! The commands, one file each.

pub(crate) mod add;
pub(crate) mod bench;
pub(crate) mod build;
mod change;
pub(crate) mod compact;
pub(crate) mod completions;
pub(crate) mod convert;
pub(crate) mod db;
#[cfg(feature = "demo")]
pub(crate) mod demo;
mod effort;
pub(crate) mod explore;
pub(crate) mod get;
pub(crate) mod gt;
pub(crate) mod info;
mod invalid;
mod kernels;
mod left_out;
pub(crate) mod man;
pub(crate) mod merge;
mod parts;
mod plan;
#[cfg(feature = "plot")]
pub(crate) mod plot;
mod reading;
pub(crate) mod rm;
pub(crate) mod search;
pub(crate) mod tune;
pub(crate) mod values;
pub(crate) mod verify;

#[cfg(not(feature = "demo"))]
pub(crate) use left_out::demo;
#[cfg(not(feature = "plot"))]
pub(crate) use left_out::plot;

use std::fmt;
use std::fs::File;
use std::io::{Read, Write};
use std::ops::Range;
use std::path::Path;

use serde::Serialize;
use vex::format::Header;
use vex::graph::{Exact, Vectors};
use vex::{Element, Elements, Hit, ManyError, Metric, Scalar, SearchParams, Searcher};

use crate::error::Failure;
use crate::io::{FromFile, Input, Matrix, VectorFile, read_keys};
use crate::json;

/// Prints one JSON document.
fn print_json(out: &mut dyn Write, document: &impl Serialize) -> Result<(), Failure> {
    Ok(json::write_line(out, document)?)
}

/// Queries, in the element type of the vectors that they are compared with.
#[derive(Debug)]
enum Queries {
    F32(Matrix<f32>),
    I8(Matrix<i8>),
    U8(Matrix<u8>),
    Bits(Matrix<u64>),
}

impl Queries {
    /// Reads queries for the vectors in `like`, and checks them all.
    fn read(input: &Input<'_>, like: &Path, kind: Kind) -> Result<Self, Failure> {
        Ok(match kind.element {
            Element::F32 | Element::F16 => Self::F32(read_queries(input, like, kind)?),
            Element::I8 => Self::I8(read_queries(input, like, kind)?),
            Element::U8 => Self::U8(read_queries(input, like, kind)?),
            Element::Bits => Self::Bits(read_queries(input, like, kind)?),
        })
    }

    fn rows(&self) -> usize {
        match self {
            Self::F32(queries) => queries.rows(),
            Self::I8(queries) => queries.rows(),
            Self::U8(queries) => queries.rows(),
            Self::Bits(queries) => queries.rows(),
        }
    }

    fn row(&self, row: usize) -> Elements<'_> {
        match self {
            Self::F32(queries) => queries.row(row).into(),
            Self::I8(queries) => queries.row(row).into(),
            Self::U8(queries) => queries.row(row).into(),
            Self::Bits(queries) => queries.row(row).into(),
        }
    }
}

impl Queries {
    /// Searches for the queries in these rows.
    fn search(
        &self,
        index: Searcher<'_>,
        rows: Range<usize>,
        params: &SearchParams,
        threads: usize,
    ) -> Result<Vec<Vec<Hit>>, ManyError> {
        match self {
            Self::F32(queries) => search_rows(queries, index, rows, params, threads),
            Self::I8(queries) => search_rows(queries, index, rows, params, threads),
            Self::U8(queries) => search_rows(queries, index, rows, params, threads),
            Self::Bits(queries) => search_rows(queries, index, rows, params, threads),
        }
    }
}

fn search_rows<T: Scalar>(
    queries: &Matrix<T>,
    index: Searcher<'_>,
    rows: Range<usize>,
    params: &SearchParams,
    threads: usize,
) -> Result<Vec<Vec<Hit>>, ManyError> {
    let queries: Vec<&[T]> = rows.map(|row| queries.row(row)).collect();
    index.search_many::<T>(&queries, params, Some(threads))
}

/// The element, the dimension and the metric of vectors.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Kind {
    element: Element,
    metric: Metric,
    dim: usize,
}

impl Kind {
    /// The kind of the vectors in an index.
    fn of(header: &Header) -> Self {
        Self { element: header.element, metric: header.metric, dim: header.dim }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} x {}, {}", self.dim, self.element, self.metric)
    }
}

/// Reads queries for the vectors in `like`, and checks them all. So a query that cannot be searched
/// for is reported before the first search.
fn read_queries<T: FromFile + Scalar>(
    input: &Input<'_>,
    like: &Path,
    kind: Kind,
) -> Result<Matrix<T>, Failure> {
    let queries = VectorFile::<T>::open(input)?;
    let (path, found) = (queries.path().to_owned(), queries.dim());
    if found != kind.dim {
        return Err(Failure::Dimension { path, expected: kind.dim, like: like.to_owned(), found });
    }
    let queries = queries.read_all()?;
    let none = Vectors::new(kind.element, kind.metric, kind.dim);
    let none = none.map_err(|error| Failure::refused(like, error))?;
    for (row, query) in queries.iter().enumerate() {
        Exact::new(&none.rows(), query, &mut []).map_err(|error| Failure::Row {
            path: path.clone(),
            row,
            error,
        })?;
    }
    Ok(queries)
}

/// Whether a file is an index: by its extension, or by how it begins.
fn is_index(path: &Path) -> bool {
    if path.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("vex")) {
        return true;
    }
    // Only a regular file can be read twice.
    let mut start = [0; INDEX_START.len()];
    let mut read = || File::open(path)?.read_exact(&mut start);
    path.is_file() && read().is_ok() && start == INDEX_START
}

/// How every index begins: see FORMAT.md.
const INDEX_START: [u8; 4] = [0x89, b'V', b'E', b'X'];

/// Reads a key for each vector, and checks for duplicates before the work begins.
fn read_unique_keys(path: &Path, count: usize) -> Result<Vec<u64>, Failure> {
    let keys = read_keys(path, count)?;
    check_unique(path, keys.iter().copied())?;
    Ok(keys)
}

/// Fails if a key comes twice. The error names `path`.
fn check_unique(path: &Path, keys: impl Iterator<Item = u64>) -> Result<(), Failure> {
    let mut sorted = Vec::new();
    let most = keys.size_hint().1.unwrap_or(0);
    sorted.try_reserve_exact(most).map_err(|error| Failure::refused(path, error))?;
    sorted.extend(keys);
    sorted.sort_unstable();
    match sorted.windows(2).find(|pair| pair[0] == pair[1]) {
        Some(pair) => Err(Failure::DuplicateKey { path: path.to_owned(), key: pair[0] }),
        None => Ok(()),
    }
}
