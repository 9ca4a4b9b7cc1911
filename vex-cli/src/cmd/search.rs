//! `vex search`.

use std::io::Write;
use std::path::PathBuf;

use serde::Serialize;
use vex::{Hit, MappedIndex, Output, Scratch};

use super::effort::Effort;
use super::reading::{FORMATS, Reading};
use super::{Kind, Queries, print_json, values};
use crate::error::Failure;
use crate::io::{FileError, IdMatrix, Matrix, Names, Role, largest_id, open_output, write_ids};
use crate::{human, mmap};

/// Find the nearest vectors to each query
///
/// Prints one line for each query: its row, a tab, then key:distance of each neighbor, nearest
/// first. Smaller distances are nearer, whatever the metric. The distance is the squared Euclidean
/// one, the negated inner product, 1 - cosine, or that of Hamming or Jaccard.
///
/// The index is mapped, not read. Until the search ends, no other program may write to the file or
/// cut it; with --load it may. Replacing the file is allowed.
#[derive(Debug, clap::Args)]
#[command(after_long_help = format!("\
Queries:
{FORMATS}
  A 1-D array of .npy or .hdf5 is one query.

Example:
  vex search base.vex --queries queries.npy -k 3
  0       4711:0.1520 42:0.1834 8:0.2001

If the index was built with --ids, the ids are printed in the place of the keys.

JSON: an array with an object for each query: query (its row), keys, ids (only if the index has them) and distances. With \
--output, nothing is printed but the JSON that was asked for."))]
pub(crate) struct Args {
    /// The index
    index: PathBuf,
    /// File of queries: see the formats below; - for standard input
    #[arg(long, value_name = "VECTORS")]
    queries: PathBuf,
    #[command(flatten)]
    reading: Reading,
    /// Candidates of a search, at least k; more find more, more slowly
    #[arg(long, value_name = "N", default_value_t = 64, value_parser = values::ef())]
    ef_search: usize,
    #[command(flatten)]
    effort: Effort,
    /// File of keys to write, .npy, .ivecs or .ibin: a row of k for each query, with -1 for none
    ///
    /// They are int32. An .npy file has int64 if a key needs that.
    #[arg(long, value_name = "IDS")]
    output: Option<PathBuf>,
    /// Read the index into memory first, instead of mapping the file, so that later changes to the
    /// file do not matter
    #[arg(long)]
    load: bool,
    /// Print a JSON array
    #[arg(long)]
    json: bool,
}

#[derive(Serialize)]
struct Answer {
    query: usize,
    keys: Vec<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    ids: Option<Vec<String>>,
    distances: Vec<f32>,
}

impl Args {
    /// Whether results are printed, not only written to a file.
    pub(crate) fn prints(&self) -> bool {
        self.json || self.output.is_none()
    }
}

pub(crate) fn run(args: &Args, out: &mut dyn Write) -> Result<(), Failure> {
    if args.load {
        run_on(args, MappedIndex::read(&args.index)?, out)
    } else {
        run_on(args, mmap::open(&args.index)?, out)
    }
}

fn run_on<B: AsRef<[u8]>>(args: &Args, index: MappedIndex<B>, out: &mut dyn Write) -> Result<(), Failure> {
    // The output is locked before any work, so that a failure shows at once.
    let open = |path: &PathBuf| {
        let largest = largest_id(path)?;
        Ok::<_, FileError>((open_output(path, &[&args.index, &args.queries])?, largest))
    };
    let output = args.output.as_ref().map(open).transpose()?;
    let names = Names::of_index(&args.index, index.header().checksum)?;
    let queries = args.reading.input(&args.queries, Role::Queries);
    let queries = Queries::read(&queries, &args.index, Kind::of(index.header()))?;
    let params = args.effort.params(args.ef_search);
    let mut scratch = Scratch::new();
    let ids = |(output, largest)| Ids::new(output, largest, queries.rows(), args.effort.k);
    let mut ids = output.map(ids).transpose()?;
    let mut answers = Vec::new();
    for query in 0..queries.rows() {
        let found = index
            .search_with(queries.row(query), &params, &mut scratch)
            .map_err(|error| Failure::search(&args.index, &args.queries, query, error))?;
        // An index accepts only vectors with finite distances. A file of an older version, or a
        // forged one, can hold others.
        if let Some(hit) = found.hits.iter().find(|hit| !hit.distance.is_finite()) {
            return Err(Failure::NotANumber { path: args.index.clone(), key: hit.key });
        }
        if let Some(ids) = &mut ids {
            let largest = ids.largest;
            ids.push(found.hits).map_err(|key| Failure::WideKey {
                path: args.index.clone(),
                key,
                largest,
            })?;
        }
        if args.json {
            let keys = found.hits.iter().map(|hit| hit.key).collect();
            let distances = found.hits.iter().map(|hit| hit.distance).collect();
            let name = |names: &Names| {
                found.hits.iter().map(|hit| names.name(hit.key).map(str::to_owned)).collect::<Result<_, _>>()
            };
            let ids = names.as_ref().map(name).transpose()?;
            answers.push(Answer { query, keys, ids, distances });
        } else if ids.is_none() {
            print_line(out, query, found.hits, names.as_ref())?;
        }
    }
    if let Some(ids) = ids {
        ids.write()?;
    }
    if args.json {
        print_json(out, &answers)?;
    }
    Ok(())
}

fn print_line(out: &mut dyn Write, query: usize, hits: &[Hit], names: Option<&Names>) -> Result<(), Failure> {
    write!(out, "{query}")?;
    for (rank, Hit { key, distance }) in hits.iter().enumerate() {
        let separator = if rank == 0 { '\t' } else { ' ' };
        match names {
            Some(names) => write!(out, "{separator}{}:{distance}", human::printable(names.name(*key)?))?,
            None => write!(out, "{separator}{key}:{distance}")?,
        }
    }
    Ok(writeln!(out)?)
}

/// The contents of the file of ids.
struct Ids {
    output: Output,
    /// The largest key that the file can hold.
    largest: u64,
    k: usize,
    ids: Vec<i64>,
}

impl Ids {
    fn new(output: Output, largest: u64, queries: usize, k: usize) -> Result<Self, FileError> {
        let mut ids = Vec::new();
        ids.try_reserve_exact(queries.saturating_mul(k))
            .map_err(|error| FileError::new(output.path(), error.into()))?;
        Ok(Self { output, largest, k, ids })
    }

    /// Appends a row. The error is the first key that does not fit.
    fn push(&mut self, hits: &[Hit]) -> Result<(), u64> {
        for hit in hits {
            let id = i64::try_from(hit.key).ok().filter(|_| hit.key <= self.largest);
            self.ids.push(id.ok_or(hit.key)?);
        }
        self.ids.extend(std::iter::repeat_n(-1, self.k - hits.len()));
        Ok(())
    }

    fn write(self) -> Result<(), FileError> {
        let ids: IdMatrix = Matrix::new(self.ids.len() / self.k, self.k, self.ids);
        write_ids(self.output, &ids)
    }
}
