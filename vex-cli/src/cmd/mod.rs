//! The commands, one file each.

pub(crate) mod bench;
pub(crate) mod build;
pub(crate) mod convert;
pub(crate) mod db;
pub(crate) mod demo;
mod effort;
pub(crate) mod explore;
pub(crate) mod gt;
pub(crate) mod info;
mod invalid;
mod kernels;
mod parts;
mod plan;
mod reading;
pub(crate) mod search;
pub(crate) mod values;
pub(crate) mod verify;

use std::io::Write;
use std::path::Path;

use serde::Serialize;
use vex::format::Header;
use vex::graph::{Exact, Vectors};
use vex::{Element, Elements, Metric, Scalar};

use crate::error::Failure;
use crate::io::{FromFile, Input, Matrix, VectorFile};
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

/// The element, the dimension and the metric of vectors.
#[derive(Clone, Copy, Debug)]
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
