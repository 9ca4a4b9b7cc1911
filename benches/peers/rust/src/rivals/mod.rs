//! The rivals: a file each, and what they have in common.

mod hannoy;
mod hnsw_rs;
mod instant_distance;
mod usearch;

use std::path::{Path, PathBuf};

use crate::Result;
use crate::matrix::Matrix;

/// How unit rows (`Cosine`) or others (`L2`) are to be compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Metric {
    Cosine,
    L2,
}

/// A name on the command line is that of the crate.
#[derive(Clone, Copy, Debug, clap::ValueEnum)]
pub(crate) enum Name {
    Hannoy,
    #[value(name = "hnsw_rs")]
    HnswRs,
    InstantDistance,
    Usearch,
}

/// What an index is built with. It keeps itself in `folder` if it is built on disk.
pub(crate) struct Settings {
    pub(crate) metric: Metric,
    pub(crate) m: usize,
    pub(crate) ef_construction: usize,
    pub(crate) threads: usize,
    pub(crate) folder: PathBuf,
}

/// Answers a query, given by its number, with row numbers, which take the place of what the vector held.
pub(crate) type Searcher<'a> = Box<dyn FnMut(usize, &mut Vec<u64>) -> Result<()> + 'a>;

/// An index of a library, in memory or mapped.
pub(crate) trait Index: Sync {
    fn save(&self, folder: &Path) -> Result<()>;

    /// Sets the library up for searches with `ef` on `threads` threads; not timed.
    fn prepare(&mut self, _ef: usize, _threads: usize) -> Result<()> {
        Ok(())
    }

    /// What one thread asks, after `prepare` with this `ef`.
    fn searcher<'a>(&'a self, queries: &'static Matrix<f32>, k: usize, ef: usize) -> Result<Searcher<'a>>;
}

/// Rayon, which the rivals build with, is told the number of threads before.
pub(crate) fn build(name: Name, rows: &'static Matrix<f32>, settings: &Settings) -> Result<Box<dyn Index>> {
    match name {
        Name::Hannoy => hannoy::build(rows, settings),
        Name::HnswRs => hnsw_rs::build(rows, settings),
        Name::InstantDistance => instant_distance::build(rows, settings),
        Name::Usearch => usearch::build(rows, settings),
    }
}

pub(crate) fn load(name: Name, folder: &Path, metric: Metric, base: &Path) -> Result<Box<dyn Index>> {
    match name {
        Name::Hannoy => hannoy::load(folder, metric),
        Name::HnswRs => hnsw_rs::load(folder, metric),
        Name::InstantDistance => instant_distance::load(folder, metric, base),
        Name::Usearch => usearch::load(folder),
    }
}
