//! `vex bench`.

mod fit;
mod goal;

use std::io::Write;
use std::path::PathBuf;
use std::time::Duration;

use serde::Serialize;
use vex::{MappedIndex, Scratch, SearchError, SearchParams};

use super::effort::Effort;
use super::reading::Reading;
use super::{Kind, Queries, print_json, values};
use crate::error::Failure;
use crate::io::{IdMatrix, Role, read_ids};
use crate::measure::{MeasureError, measure};
use crate::recall::Truth;
use crate::{human, machine, mmap};

/// Measure recall, latency and throughput of searches
///
/// For each --ef-search, all queries are answered once, to measure recall and to warm up. Then they
/// are answered in whole passes: at least three, and for at least a second. Each query is timed
/// alone. Results are counted but not printed.
///
/// p99 is over all answers, so it includes interruptions by other work of the machine. steady p99
/// is over the queries, each of which counts by the median of its answers.
///
/// recall@k is the share of the k hits that are right. A hit is right if it is no farther than the
/// k-th vector of the ground truth. It may be farther by 1e-5 of that distance, except between
/// integers and bits. So of equally near vectors one is as good as another.
///
/// The distances of the ground truth are computed from the vectors of the index. So the keys of the
/// index must be row numbers, as they are unless `vex build` was given others. An index of codes
/// alone has no vectors: there a hit is right only if it is among the first k ids.
///
/// Before anything is measured, the ground truth is compared with the answers of a thorough search.
/// A ground truth of another index, of other queries or by another metric is refused. A warning says
/// if some of its ids are no keys of the index, or if a search finds nearer vectors than it names.
///
/// With --recall, the command looks for the smallest --ef-search that finds so much, by doubling and
/// then by halving the range.
#[derive(Debug, clap::Args)]
#[command(after_long_help = "\
Ground truth:
  .npy      2-D array of int32, int64, uint32 or uint64, a row a query, with at least k columns
  .ivecs    rows of int32, each after its int32 length
  .ibin     uint32 rows, uint32 columns, then int32
  .hdf5     the dataset neighbors; queries are the dataset test

Examples:
  vex gt base.vex -q queries.npy -o truth.npy
  vex bench base.vex -q queries.npy --ground-truth truth.npy --ef-search 32,64,128
  vex bench base.vex -q queries.npy --ground-truth truth.npy --recall 0.95
  vex bench base.vex -q queries.npy --ground-truth truth.npy --json > base.json && vex plot base.json -o base.svg

JSON: an array with an object for each --ef-search: ef_search, k, threads, recall (0 to 1), recall_by (what it \
counts by: distances or ids), truth_unknown_ids (ids of the ground truth that the index does not have), \
truth_disagreements (queries for which nearer vectors, or more, were found than the ground truth names; null by ids), qps (queries \
per second of wall time, all threads together), p50_us, p99_us and mean_us (latency of one query in \
microseconds), steady_p99_us (p99 of each query's median), distances_per_query and hops_per_query (means), and by_vectors (queries that codes left in doubt, so that they were answered by \
the vectors). With --recall the objects are sorted by ef_search, and the first that reaches the recall is the answer.")]
pub(crate) struct Args {
    /// The index
    index: PathBuf,
    /// File of queries: for the formats, see `vex search --help`
    #[arg(short, long, value_name = "VECTORS")]
    queries: PathBuf,
    /// The true nearest ids of each query, as `vex gt` writes them
    #[arg(long, value_name = "IDS")]
    ground_truth: PathBuf,
    #[command(flatten)]
    reading: Reading,
    /// Candidates of a search, one measurement for each value; less than k means k
    #[arg(long, value_name = "N,N,...", value_delimiter = ',', default_value = "16,32,64,128", value_parser = values::ef())]
    ef_search: Vec<usize>,
    /// Find the smallest --ef-search with this recall, such as 0.95, and print a chart here
    #[arg(long, value_name = "RECALL", conflicts_with = "ef_search", value_parser = values::recall)]
    recall: Option<f64>,
    #[command(flatten)]
    effort: Effort,
    /// Read the index into memory, on large pages where the system has them, instead of mapping the
    /// file; codes reads everything except the vectors
    #[arg(long, value_name = "WHAT", num_args = 0..=1, require_equals = true, default_missing_value = "all")]
    load: Option<Load>,
    /// Threads that search at once, 1 to 1024
    #[arg(short, long, value_name = "N", default_value_t = 1, value_parser = values::threads())]
    threads: usize,
    /// Print a JSON array
    #[arg(long)]
    json: bool,
}

/// The part of the index that is read before the first search.
#[derive(Clone, Copy, Debug, clap::ValueEnum)]
enum Load {
    All,
    Codes,
}

#[derive(Serialize)]
struct Row {
    ef_search: usize,
    k: usize,
    threads: usize,
    recall: f64,
    recall_by: &'static str,
    truth_unknown_ids: usize,
    truth_disagreements: Option<usize>,
    qps: f64,
    p50_us: f64,
    p99_us: f64,
    steady_p99_us: f64,
    mean_us: f64,
    distances_per_query: f64,
    hops_per_query: f64,
    by_vectors: usize,
}

impl Row {
    fn print(&self, out: &mut dyn Write) -> Result<(), Failure> {
        writeln!(
            out,
            "{:>9}  {:>9.4}  {:>9}  {:>8.1}  {:>8.1}  {:>8.1}  {:>6.1}  {:>9.0}  {:>6.0}",
            self.ef_search,
            self.recall,
            human::count(self.qps as u64),
            self.mean_us,
            self.p50_us,
            self.p99_us,
            self.steady_p99_us,
            self.distances_per_query,
            self.hops_per_query,
        )?;
        if self.by_vectors > 0 {
            let queries = human::count(self.by_vectors as u64);
            writeln!(
                out,
                "           {queries} of the queries were answered by the vectors: codes left them in doubt"
            )?;
        }
        Ok(())
    }
}

pub(crate) fn run(args: &Args, out: &mut dyn Write) -> Result<(), Failure> {
    match args.load {
        Some(Load::All) => run_on(args, MappedIndex::read(&args.index)?, out),
        Some(Load::Codes) => run_on(args, mmap::open_near(&args.index)?, out),
        None => run_on(args, mmap::open(&args.index)?, out),
    }
}

fn run_on<B: AsRef<[u8]> + Sync>(
    args: &Args,
    index: MappedIndex<B>,
    out: &mut dyn Write,
) -> Result<(), Failure> {
    if [&args.queries, &args.ground_truth].iter().all(|path| path.as_os_str() == "-") {
        return Err(Failure::TwoStdins);
    }
    let queries = args.reading.input(&args.queries, Role::Queries);
    let queries = Queries::read(&queries, &args.index, Kind::of(index.header()))?;
    let ids = read_truth(args, queries.rows())?;
    let truth = Truth::new(&args.index, &index, ids, args.effort.k, |row| queries.row(row))?;
    let bench = Bench { args, index, queries, truth };
    let fit = fit::check(&bench)?;
    if args.json {
        fit.warnings(&bench).iter().for_each(|warning| eprintln!("{warning}"));
        let rows = match args.recall {
            Some(recall) => goal::find(&bench, recall, |_| Ok(()))?,
            None => args.ef_search.iter().map(|ef_search| bench.row(*ef_search)).collect::<Result<_, _>>()?,
        };
        return print_json(out, &rows);
    }
    bench.print_heading(&fit, out)?;
    let mut disagreements = 0;
    let mut print = |row: &Row| -> Result<(), Failure> {
        disagreements = disagreements.max(row.truth_disagreements.unwrap_or(0));
        row.print(out)?;
        // A row takes seconds, so each is shown at once.
        Ok(out.flush()?)
    };
    match args.recall {
        Some(recall) => {
            let rows = goal::find(&bench, recall, print)?;
            goal::print(&rows, recall, out)?;
        }
        None => {
            for ef_search in &args.ef_search {
                print(&bench.row(*ef_search)?)?;
            }
        }
    }
    fit.print_late(&bench, disagreements, out)
}

fn read_truth(args: &Args, queries: usize) -> Result<IdMatrix, Failure> {
    let truth = read_ids(&args.reading.input_without_column(&args.ground_truth, Role::Ids))?;
    let path = args.ground_truth.clone();
    if truth.rows() != queries {
        let like = args.queries.clone();
        return Err(Failure::Rows { path, expected: queries, like, found: truth.rows() });
    }
    if truth.dim() < args.effort.k {
        return Err(Failure::Columns { path, expected: args.effort.k, found: truth.dim() });
    }
    Ok(truth)
}

struct Bench<'a, B> {
    args: &'a Args,
    index: MappedIndex<B>,
    queries: Queries,
    truth: Truth,
}

impl<B: AsRef<[u8]> + Sync> Bench<'_, B> {
    fn print_heading(&self, fit: &fit::Fit, out: &mut dyn Write) -> Result<(), Failure> {
        let Args { index: path, effort, threads, .. } = self.args;
        let (header, params) = (self.index.header(), self.index.params());
        let threads = human::plural(*threads as u64, "thread");
        writeln!(out, "{}", machine::describe())?;
        writeln!(
            out,
            "{}: {} of {} x {}, {}, m {}, ef_construction {}{}",
            human::path(path),
            human::plural(header.count as u64, "vector"),
            header.dim,
            header.element,
            header.metric,
            params.m,
            params.ef_construction,
            self.codes(),
        )?;
        writeln!(out, "{} queries, {threads}", human::count(self.queries.rows() as u64))?;
        if !self.truth.has_distances() {
            writeln!(
                out,
                "recall counts ids, since the index has no vectors: some of equally near ones count as wrong"
            )?;
        }
        for warning in fit.warnings(self) {
            writeln!(out, "{warning}")?;
        }
        writeln!(
            out,
            "\nef_search  {:>9}        qps   mean µs    p50 µs    p99 µs  steady  distances    hops",
            format!("recall@{}", effort.k),
        )?;
        Ok(out.flush()?)
    }

    /// The codes, for the heading.
    fn codes(&self) -> String {
        let header = self.index.header();
        match header.quantization {
            Some(codes) if header.stores_vectors() => {
                let limit = self.args.effort.rerank.map(|limit| format!(", rerank up to {limit}"));
                format!(", {codes} codes{}", limit.unwrap_or_default())
            }
            Some(codes) => format!(", {codes} codes alone"),
            None => String::new(),
        }
    }

    fn row(&self, ef_search: usize) -> Result<Row, Failure> {
        let (k, threads) = (self.args.effort.k, self.args.threads);
        let params = self.args.effort.params(ef_search);
        let (mut right, mut disagreements, mut distances, mut hops, mut by_vectors) = (0, 0, 0, 0, 0);
        let graph = self.index.graph();
        let mut scratch = Scratch::new();
        // This pass measures recall and warms the caches up.
        for query in 0..self.queries.rows() {
            let found = self.search(&params, &mut scratch, query)?;
            let judgement = self.truth.judge(&graph, query, self.queries.row(query), found.hits);
            let judgement = judgement.map_err(|error| Failure::refused(&self.args.index, error))?;
            right += judgement.right;
            disagreements += usize::from(judgement.disagrees);
            distances += found.stats.distances;
            hops += found.stats.hops;
            by_vectors += usize::from(found.stats.by_vectors);
        }
        let timings = measure(self.queries.rows(), threads, || {
            let mut scratch = Scratch::new();
            Ok(move |query| self.try_search(&params, &mut scratch, query).map(drop))
        });
        let timings = timings.map_err(|error| match error {
            MeasureError::Searcher(error) => self.failure(error),
            error => Failure::refused(&self.args.index, error.to_string()),
        })?;
        let queries = self.queries.rows() as f64;
        let micros = |time: Duration| time.as_nanos() as f64 / 1e3;
        Ok(Row {
            ef_search,
            k,
            threads,
            recall: right as f64 / (queries * k.min(self.index.len()).max(1) as f64),
            recall_by: if self.truth.has_distances() { "distances" } else { "ids" },
            truth_unknown_ids: self.truth.unknown_ids(),
            truth_disagreements: self.truth.has_distances().then_some(disagreements),
            qps: timings.per_second,
            p50_us: micros(timings.percentile(50)),
            p99_us: micros(timings.percentile(99)),
            steady_p99_us: micros(timings.steady_percentile(99)),
            mean_us: micros(timings.mean()),
            distances_per_query: distances as f64 / queries,
            hops_per_query: hops as f64 / queries,
            by_vectors,
        })
    }

    fn search<'s>(
        &self,
        params: &SearchParams,
        scratch: &'s mut Scratch,
        query: usize,
    ) -> Result<vex::Found<'s>, Failure> {
        self.try_search(params, scratch, query).map_err(|error| self.failure(error))
    }

    /// Searches. The error takes no memory, since there may be none until all threads have ended.
    fn try_search<'s>(
        &self,
        params: &SearchParams,
        scratch: &'s mut Scratch,
        query: usize,
    ) -> Result<vex::Found<'s>, Unanswered> {
        self.index
            .search_with(self.queries.row(query), params, scratch)
            .map_err(|error| Unanswered { query, error })
    }

    fn failure(&self, Unanswered { query, error }: Unanswered) -> Failure {
        Failure::search(&self.args.index, &self.args.queries, query, error)
    }
}

/// A query was not answered.
#[derive(Debug, thiserror::Error)]
#[error("query {query}: {error}")]
struct Unanswered {
    query: usize,
    error: SearchError,
}
