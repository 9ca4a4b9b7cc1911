//! The commands, a file each.

pub(crate) mod bench;
pub(crate) mod build;
pub(crate) mod demo;
pub(crate) mod gt;
pub(crate) mod info;
mod kernels;
pub(crate) mod search;
pub(crate) mod values;
pub(crate) mod verify;

use std::io::Write;
use std::path::Path;

use serde::Serialize;

use crate::error::Failure;
use crate::io::{Matrix, VectorFile};

/// Prints one JSON document.
fn print_json(out: &mut dyn Write, document: &impl Serialize) -> Result<(), Failure> {
    serde_json::to_writer(&mut *out, document).map_err(std::io::Error::from)?;
    Ok(writeln!(out)?)
}

/// Reads queries, to be compared with the vectors in `like`, which have `dim` elements.
fn read_queries(path: &Path, like: &Path, dim: usize) -> Result<Matrix<f32>, Failure> {
    let queries = VectorFile::open(path)?;
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
