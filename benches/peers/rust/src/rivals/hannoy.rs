//! hannoy, which keeps all in LMDB: what is built is written.

use std::convert::Infallible;
use std::path::Path;

use hannoy::distances::{Cosine, Euclidean};
use hannoy::{Database, Distance, Reader, Writer};
use heed::{CommitOrAbort, Env, EnvOpenOptions, WithoutTls};
use rand::SeedableRng;
use rand::rngs::StdRng;

use super::{Index, Metric, Searcher, Settings};
use crate::Result;
use crate::matrix::Matrix;

/// Addresses to reserve: more than any set takes.
const MAP_BYTES: usize = 1 << 40;

/// An environment can hold many indexes; this is the one.
const INDEX: u16 = 0;

struct Hannoy<D: Distance> {
    env: &'static Env<WithoutTls>,
    reader: Reader<'static, D>,
}

pub(super) fn build(rows: &Matrix<f32>, settings: &Settings) -> Result<Box<dyn Index>> {
    match settings.metric {
        Metric::Cosine => build_with::<Cosine>(rows, settings),
        Metric::L2 => build_with::<Euclidean>(rows, settings),
    }
}

fn build_with<D: Distance>(rows: &Matrix<f32>, settings: &Settings) -> Result<Box<dyn Index>> {
    let env = open(&settings.folder)?;
    let database = database::<D>(env)?;
    let mut txn = env.write_txn()?;
    let writer = Writer::new(database, INDEX, rows.dim());
    for row in 0..rows.len() {
        writer.add_item(&mut txn, row as u32, rows.row(row))?;
    }
    let mut rng = StdRng::seed_from_u64(0);
    let mut builder = writer.builder(&mut rng);
    builder.ef_construction(settings.ef_construction);
    match settings.m {
        8 => builder.build::<8, 16>(&mut txn)?,
        12 => builder.build::<12, 24>(&mut txn)?,
        16 => builder.build::<16, 32>(&mut txn)?,
        24 => builder.build::<24, 48>(&mut txn)?,
        32 => builder.build::<32, 64>(&mut txn)?,
        48 => builder.build::<48, 96>(&mut txn)?,
        m => return Err(format!("m is compiled into hannoy: 8, 12, 16, 24, 32 or 48 here, not {m}").into()),
    }
    txn.commit()?;
    load_with::<D>(env)
}

pub(super) fn load(folder: &Path, metric: Metric) -> Result<Box<dyn Index>> {
    let env = open(folder)?;
    match metric {
        Metric::Cosine => load_with::<Cosine>(env),
        Metric::L2 => load_with::<Euclidean>(env),
    }
}

fn load_with<D: Distance>(env: &'static Env<WithoutTls>) -> Result<Box<dyn Index>> {
    let txn = env.read_txn()?;
    let reader = Reader::open(&txn, INDEX, database(env)?)?;
    Ok(Box::new(Hannoy::<D> { env, reader }))
}

/// Opens it, or makes it.
fn database<D: Distance>(env: &'static Env<WithoutTls>) -> Result<Database<'static, D>> {
    let committed = env.create_databases_and_commit(env.write_txn()?, |opener, txn| {
        opener.create_database(txn, None).map(CommitOrAbort::<_, Infallible>::Commit)
    })?;
    Ok(committed.unwrap_commit())
}

fn open(folder: &Path) -> Result<&'static Env<WithoutTls>> {
    let mut options = EnvOpenOptions::new().read_txn_without_tls();
    options.map_size(MAP_BYTES);
    // SAFETY: the folder is in the cache of the benchmark; nothing else writes there, and it is opened once a process.
    let env = unsafe { options.open(folder) }?;
    Ok(Box::leak(Box::new(env)))
}

impl<D: Distance> Index for Hannoy<D> {
    fn save(&self, _: &Path) -> Result<()> {
        Ok(())
    }

    fn searcher<'a>(&'a self, queries: &'static Matrix<f32>, k: usize, ef: usize) -> Result<Searcher<'a>> {
        let txn = self.env.read_txn()?;
        Ok(Box::new(move |query, ids| {
            let found = self.reader.nns(k).ef_search(ef).by_vector(&txn, queries.row(query))?.into_nns();
            ids.clear();
            ids.extend(found.iter().map(|(row, _)| u64::from(*row)));
            Ok(())
        }))
    }
}
