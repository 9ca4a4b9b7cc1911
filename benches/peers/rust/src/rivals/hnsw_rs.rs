//! hnsw_rs, with the kernels of its own that `simdeez_f` enables. Unit rows are compared by inner product.

use std::path::Path;

use hnsw_rs::prelude::{AnnT, DistDot, DistL2, Distance, Hnsw, HnswIo};

use super::{Index, Metric, Searcher, Settings};
use crate::Result;
use crate::matrix::Matrix;

const NAME: &str = "index";

/// The most that it allows.
const LEVELS: usize = 16;

struct HnswRs<D: Distance<f32> + Send + Sync>(Hnsw<'static, f32, D>);

pub(super) fn build(rows: &Matrix<f32>, settings: &Settings) -> Result<Box<dyn Index>> {
    Ok(match settings.metric {
        Metric::Cosine => Box::new(build_with(rows, settings, DistDot)),
        Metric::L2 => Box::new(build_with(rows, settings, DistL2)),
    })
}

fn build_with<D>(rows: &Matrix<f32>, settings: &Settings, distance: D) -> HnswRs<D>
where
    D: Distance<f32> + Send + Sync,
{
    let index = Hnsw::new(settings.m, rows.len(), LEVELS, settings.ef_construction, distance);
    let numbered: Vec<_> = (0..rows.len()).map(|row| (rows.row(row), row)).collect();
    index.parallel_insert_slice(&numbered);
    HnswRs(index)
}

pub(super) fn load(folder: &Path, metric: Metric) -> Result<Box<dyn Index>> {
    Ok(match metric {
        Metric::Cosine => load_with::<DistDot>(folder)?,
        Metric::L2 => load_with::<DistL2>(folder)?,
    })
}

fn load_with<D>(folder: &Path) -> Result<Box<dyn Index>>
where
    D: Distance<f32> + Default + Send + Sync + 'static,
{
    // The index borrows from what has read it.
    let reader = Box::leak(Box::new(HnswIo::new(folder, NAME)));
    let mut index = reader.load_hnsw::<f32, D>()?;
    index.set_searching_mode(true);
    Ok(Box::new(HnswRs(index)))
}

impl<D: Distance<f32> + Send + Sync> Index for HnswRs<D> {
    fn save(&self, folder: &Path) -> Result<()> {
        self.0.file_dump(folder, NAME)?;
        Ok(())
    }

    fn searcher<'a>(&'a self, queries: &'a Matrix<f32>, k: usize, ef: usize) -> Result<Searcher<'a>> {
        Ok(Box::new(move |query, ids| {
            let found = self.0.search(queries.row(query), k, ef);
            ids.clear();
            ids.extend(found.iter().map(|neighbor| neighbor.d_id as u64));
            Ok(())
        }))
    }
}
