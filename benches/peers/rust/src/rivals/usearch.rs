//! usearch. Unit rows are compared by inner product: its cosine computes both lengths again.

use std::path::Path;

use rayon::prelude::*;
use usearch::{IndexOptions, MetricKind, ScalarKind};

use super::{Index, Metric, Searcher, Settings};
use crate::Result;
use crate::matrix::Matrix;

struct Usearch(usearch::Index);

pub(super) fn build(rows: &Matrix<f32>, settings: &Settings) -> Result<Box<dyn Index>> {
    let index = usearch::Index::new(&IndexOptions {
        dimensions: rows.dim(),
        metric: if settings.metric == Metric::Cosine { MetricKind::IP } else { MetricKind::L2sq },
        quantization: ScalarKind::F32,
        connectivity: settings.m,
        expansion_add: settings.ef_construction,
        ..IndexOptions::default()
    })?;
    index.reserve_capacity_and_threads(rows.len(), settings.threads)?;
    (0..rows.len()).into_par_iter().try_for_each(|row| index.add(row as u64, rows.row(row)))?;
    Ok(Box::new(Usearch(index)))
}

pub(super) fn load(folder: &Path) -> Result<Box<dyn Index>> {
    Ok(Box::new(Usearch(usearch::Index::restore(&path(folder))?)))
}

fn path(folder: &Path) -> String {
    folder.join("index.usearch").to_string_lossy().into_owned()
}

impl Index for Usearch {
    fn save(&self, folder: &Path) -> Result<()> {
        Ok(self.0.save(&path(folder))?)
    }

    fn prepare(&mut self, ef: usize, threads: usize) -> Result<()> {
        self.0.change_expansion_search(ef);
        Ok(self.0.reserve_capacity_and_threads(self.0.size(), threads)?)
    }

    fn searcher<'a>(&'a self, queries: &'static Matrix<f32>, k: usize, _: usize) -> Result<Searcher<'a>> {
        Ok(Box::new(move |query, ids| {
            ids.clone_from(&self.0.search(queries.row(query), k)?.keys);
            Ok(())
        }))
    }
}
