//! instant-distance: m is 32 there, and the distance is its caller's, so it gets that of Vex.
//!
//! A point is a reference to a row of the matrix, and stored as its number.

use std::fs::File;
use std::io::{BufReader, BufWriter, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use instant_distance::{Builder, Hnsw, Search};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use vex_kernels::Distance;

use super::{Index, Metric, Searcher, Settings};
use crate::Result;
use crate::matrix::Matrix;

/// What points refer to, and how they are compared.
struct Space {
    rows: &'static Matrix<f32>,
    distance: Distance<f32>,
}

/// Neither a distance nor serde is given more than points.
static SPACE: OnceLock<Space> = OnceLock::new();

impl Space {
    fn set(rows: &'static Matrix<f32>, metric: Metric) {
        let metric = match metric {
            Metric::Cosine => vex_kernels::Metric::InnerProduct,
            Metric::L2 => vex_kernels::Metric::SquaredEuclidean,
        };
        SPACE.get_or_init(|| Self { rows, distance: Distance::new(metric) });
    }

    fn get() -> &'static Self {
        SPACE.get().expect("the space is set before there are points")
    }
}

#[derive(Clone, Copy)]
struct Point {
    vector: &'static [f32],
    row: u32,
}

impl Point {
    fn of(row: u32) -> Self {
        Self { vector: Space::get().rows.row(row as usize), row }
    }
}

impl instant_distance::Point for Point {
    fn distance(&self, other: &Self) -> f32 {
        Space::get().distance.distance(self.vector, other.vector)
    }
}

impl Serialize for Point {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.row.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Point {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        u32::deserialize(deserializer).map(Self::of)
    }
}

struct InstantDistance {
    graph: Hnsw<Point>,
    path: PathBuf,
}

pub(super) fn build(rows: &'static Matrix<f32>, settings: &Settings) -> Result<Box<dyn Index>> {
    Space::set(rows, settings.metric);
    let points = (0..rows.len() as u32).map(Point::of).collect();
    let (graph, _) = Builder::default().seed(0).ef_construction(settings.ef_construction).build_hnsw(points);
    Ok(Box::new(InstantDistance { graph, path: path(&settings.folder) }))
}

pub(super) fn load(folder: &Path, metric: Metric, base: &Path) -> Result<Box<dyn Index>> {
    Space::set(Box::leak(Box::new(Matrix::read(base)?)), metric);
    let path = path(folder);
    Ok(Box::new(InstantDistance { graph: read(&path, 1)?, path }))
}

fn path(folder: &Path) -> PathBuf {
    folder.join("index.bincode")
}

/// The ef of searches is set when an index is built, and first in the file: another takes its place.
fn read(path: &Path, ef: usize) -> Result<Hnsw<Point>> {
    let ef = (ef as u64).to_le_bytes();
    let mut file = File::open(path)?;
    file.seek(SeekFrom::Start(ef.len() as u64))?;
    Ok(bincode::deserialize_from(ef.chain(BufReader::new(file)))?)
}

impl Index for InstantDistance {
    fn save(&self, _: &Path) -> Result<()> {
        let mut file = BufWriter::new(File::create(&self.path)?);
        bincode::serialize_into(&mut file, &self.graph)?;
        Ok(file.flush()?)
    }

    fn prepare(&mut self, ef: usize, _: usize) -> Result<()> {
        self.graph = read(&self.path, ef)?;
        Ok(())
    }

    fn searcher<'a>(&'a self, queries: &'static Matrix<f32>, k: usize, _: usize) -> Result<Searcher<'a>> {
        let mut search = Search::default();
        Ok(Box::new(move |query, ids| {
            let query = Point { vector: queries.row(query), row: u32::MAX };
            ids.clear();
            ids.extend(self.graph.search(&query, &mut search).take(k).map(|item| u64::from(item.point.row)));
            Ok(())
        }))
    }
}
