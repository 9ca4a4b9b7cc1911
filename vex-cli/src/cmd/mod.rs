//! The commands, a file each.

pub(crate) mod bench;
pub(crate) mod build;
pub(crate) mod demo;
mod effort;
pub(crate) mod gt;
pub(crate) mod info;
mod kernels;
pub(crate) mod search;
pub(crate) mod values;
pub(crate) mod verify;

use std::io::Write;
use std::path::Path;

use serde::Serialize;
use vex::{Element, Elements};

use crate::error::Failure;
use crate::io::{FromFile, Matrix, VectorFile};

/// Prints one JSON document.
fn print_json(out: &mut dyn Write, document: &impl Serialize) -> Result<(), Failure> {
    serde_json::to_writer(&mut *out, document).map_err(std::io::Error::from)?;
    Ok(writeln!(out)?)
}

/// Queries, as vectors of some element are compared with them.
#[derive(Debug)]
enum Queries {
    F32(Matrix<f32>),
    I8(Matrix<i8>),
    U8(Matrix<u8>),
    Bits(Matrix<u64>),
}

impl Queries {
    /// Reads queries, to be compared with the vectors in `like`, which have `dim` elements of this type.
    fn read(path: &Path, like: &Path, element: Element, dim: usize) -> Result<Self, Failure> {
        Ok(match element {
            Element::F32 | Element::F16 => Self::F32(read_queries(path, like, dim)?),
            Element::I8 => Self::I8(read_queries(path, like, dim)?),
            Element::U8 => Self::U8(read_queries(path, like, dim)?),
            Element::Bits => Self::Bits(read_queries(path, like, dim)?),
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

/// Reads queries, to be compared with the vectors in `like`, which have `dim` elements.
fn read_queries<T: FromFile>(path: &Path, like: &Path, dim: usize) -> Result<Matrix<T>, Failure> {
    let queries = VectorFile::<T>::open(path)?;
    let found = queries.dim();
    if found != dim {
        let (path, like) = (path.to_owned(), like.to_owned());
        return Err(Failure::Dimension { path, expected: dim, like, found });
    }
    Ok(queries.read_all()?)
}

/// Fails with a key that comes twice. `path` is to be blamed.
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
