//! `vex search`.

use std::io::Write;
use std::path::PathBuf;

use serde::Serialize;
use vex::{Hit, ManyError, MappedIndex, Output};

use super::effort::Effort;
use super::reading::{FORMATS, Reading};
use super::{Kind, Queries, print_json, values};
use crate::error::Failure;
use crate::io::{FileError, IdMatrix, Matrix, Names, Role, check_name, largest_id, open_output, write_ids};
use crate::{human, machine, mmap};

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
  vex search base.vex -q queries.npy -k 3
  0       4711:0.1520 42:0.1834 8:0.2001

If the index was built with --ids, the ids are printed in the place of the keys.

Examples of --to:
  vex search base.vex -q queries.npy --to tsv > hits.tsv
  vex search base.vex -q queries.npy --to jsonl | head -n 1
  {{\"query\":0,\"keys\":[4711,42],\"distances\":[0.1520,0.1834]}}

JSON: an object for each query has query (its row), keys, ids (only if the index has them) and distances. With \
--output, nothing is printed but the format that was asked for."))]
pub(crate) struct Args {
    /// The index
    index: PathBuf,
    /// File of queries: see the formats below; - for standard input
    #[arg(short, long, value_name = "VECTORS")]
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
    #[arg(short, long, value_name = "IDS")]
    output: Option<PathBuf>,
    /// Read the index into memory first, instead of mapping the file, so that later changes to the
    /// file do not matter
    #[arg(long)]
    load: bool,
    /// Threads to search on, 1 to 1024 [default: one for each core, or fewer for few queries]
    #[arg(short, long, value_name = "N", value_parser = values::threads())]
    threads: Option<usize>,
    /// How to print the results [default: text, or nothing with --output]
    #[arg(long, value_name = "FORMAT", conflicts_with = "json")]
    to: Option<Format>,
    /// Print a JSON array, as --to json does
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

impl Answer {
    fn new(query: usize, hits: &[Hit], names: Option<&Names>) -> Result<Self, FileError> {
        let name = |names: &Names| hits.iter().map(|hit| names.name(hit.key).map(str::to_owned)).collect();
        Ok(Self {
            query,
            keys: hits.iter().map(|hit| hit.key).collect(),
            ids: names.map(name).transpose()?,
            distances: hits.iter().map(|hit| hit.distance).collect(),
        })
    }
}

/// How results are printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum Format {
    /// A line for each query: its row, a tab, and key:distance of each neighbor
    Text,
    /// A line for each neighbor: query, rank from 0, key and distance, under a line with these names
    Tsv,
    /// An object for each query, one a line
    Jsonl,
    /// One array of these objects
    Json,
}

impl Args {
    /// Whether results are printed, not only written to a file.
    pub(crate) fn prints(&self) -> bool {
        self.format().is_some()
    }

    /// How results are printed. `None` if they are only written to a file.
    fn format(&self) -> Option<Format> {
        match self.to {
            None if self.json => Some(Format::Json),
            None if self.output.is_none() => Some(Format::Text),
            format => format,
        }
    }
}

pub(crate) fn run(args: &Args, out: &mut dyn Write) -> Result<(), Failure> {
    if args.load {
        run_on(args, MappedIndex::read(&args.index)?, out)
    } else {
        run_on(args, mmap::open(&args.index)?, out)
    }
}

/// Queries that are answered before the first of them is printed.
const BATCH: usize = 1024;

/// Fewer queries take less time than it takes to start one more thread.
const LEAST_OF_A_THREAD: usize = 64;

fn run_on<B: AsRef<[u8]>>(args: &Args, index: MappedIndex<B>, out: &mut dyn Write) -> Result<(), Failure> {
    // The output is locked before any work, so that a failure shows at once.
    let open = |path: &PathBuf| {
        check_name(path)?;
        let largest = largest_id(path)?;
        Ok::<_, FileError>((open_output(path, &[&args.index, &args.queries])?, largest))
    };
    let output = args.output.as_ref().map(open).transpose()?;
    let names = Names::of_index(&args.index, index.header().checksum)?;
    let queries = args.reading.input(&args.queries, Role::Queries);
    let queries = Queries::read(&queries, &args.index, Kind::of(index.header()))?;
    let rows = queries.rows();
    let params = args.effort.params(args.ef_search);
    let threads =
        args.threads.unwrap_or_else(|| machine::cores().min(rows.div_ceil(LEAST_OF_A_THREAD))).max(1);
    let ids = |(output, largest)| Ids::new(output, largest, rows, args.effort.k);
    let mut ids = output.map(ids).transpose()?;
    let mut answers = Vec::new();
    let format = args.format();
    if format == Some(Format::Tsv) {
        writeln!(out, "query\trank\t{}\tdistance", if names.is_some() { "id" } else { "key" })?;
    }
    for start in (0..rows).step_by(BATCH) {
        let batch = start..rows.min(start + BATCH);
        let found = queries.search(index.searcher(), batch.clone(), &params, threads);
        let found = found.map_err(|error| match error {
            ManyError::Query { position, error } => {
                Failure::search(&args.index, &args.queries, start + position, error)
            }
            error => Failure::refused(&args.index, error),
        })?;
        for (query, hits) in batch.zip(found) {
            // An index accepts only vectors with finite distances. A file of an older version, or a
            // forged one, can hold others.
            if let Some(hit) = hits.iter().find(|hit| !hit.distance.is_finite()) {
                return Err(Failure::NotANumber { path: args.index.clone(), key: hit.key });
            }
            if let Some(ids) = &mut ids {
                let largest = ids.largest;
                let path = || args.index.clone();
                ids.push(&hits).map_err(|key| Failure::WideKey { path: path(), key, largest })?;
            }
            let names = names.as_ref();
            match format {
                None => (),
                Some(Format::Text) => print_line(out, query, &hits, names)?,
                Some(Format::Tsv) => print_rows(out, query, &hits, names)?,
                Some(Format::Jsonl) => print_json(out, &Answer::new(query, &hits, names)?)?,
                Some(Format::Json) => answers.push(Answer::new(query, &hits, names)?),
            }
        }
    }
    if let Some(ids) = ids {
        ids.write()?;
    }
    if format == Some(Format::Json) {
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

fn print_rows(out: &mut dyn Write, query: usize, hits: &[Hit], names: Option<&Names>) -> Result<(), Failure> {
    for (rank, Hit { key, distance }) in hits.iter().enumerate() {
        match names {
            Some(names) => {
                writeln!(out, "{query}\t{rank}\t{}\t{distance}", human::printable(names.name(*key)?))?
            }
            None => writeln!(out, "{query}\t{rank}\t{key}\t{distance}")?,
        }
    }
    Ok(())
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
