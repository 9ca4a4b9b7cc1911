//! Other libraries in Rust, built and searched like Vex: what `search/rivals/rust.py` runs.

mod matrix;
// The very measurement that `vex bench` makes.
#[path = "../../../../vex-cli/src/measure.rs"]
mod measure;
mod rivals;

use std::collections::HashSet;
use std::io::{BufRead, Write};
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use clap::{Parser, ValueEnum};
use serde_json::json;

use matrix::Matrix;
use measure::measure;
use rivals::{Index, Metric, Name, Settings};

type Error = Box<dyn std::error::Error + Send + Sync>;
type Result<T, E = Error> = std::result::Result<T, E>;

/// Build and search indexes of other libraries
#[derive(Parser)]
enum Command {
    /// Print the version of a rival
    Version { name: Name },
    /// Build an index of the rows of BASE.npy, and keep it in FOLDER
    ///
    /// Prints build_seconds and save_seconds as JSON; reading the rows is in neither.
    Build {
        name: Name,
        base: PathBuf,
        folder: PathBuf,
        #[arg(long, value_enum, default_value_t = Metric::Cosine)]
        metric: Metric,
        #[arg(long, default_value_t = 16)]
        m: usize,
        #[arg(long, default_value_t = 200)]
        ef_construction: usize,
        #[arg(long, default_value_t = 1)]
        threads: usize,
    },
    /// Measure searches, as asked for by lines `EF THREADS` of the standard input
    ///
    /// Prints load_seconds as JSON when the index is loaded, then a line for each that it reads, in the fields of
    /// `vex bench --json`.
    Measure {
        name: Name,
        folder: PathBuf,
        /// What it was built of: not all keep the vectors themselves
        #[arg(long)]
        base: PathBuf,
        #[arg(long, value_enum, default_value_t = Metric::Cosine)]
        metric: Metric,
        #[arg(long)]
        queries: PathBuf,
        #[arg(long)]
        ground_truth: PathBuf,
        #[arg(short, default_value_t = 10)]
        k: usize,
    },
}

fn main() -> ExitCode {
    match run(Command::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

fn run(command: Command) -> Result<()> {
    match command {
        Command::Version { name } => println!("{}", version(name)?),
        Command::Build { name, base, folder, metric, m, ef_construction, threads } => {
            rayon::ThreadPoolBuilder::new().num_threads(threads).build_global()?;
            // Some indexes borrow the rows.
            let rows = Box::leak(Box::new(Matrix::read(&base)?));
            let settings = Settings { metric, m, ef_construction, threads, folder };
            let (index, build_seconds) = timed(|| rivals::build(name, rows, &settings))?;
            let ((), save_seconds) = timed(|| index.save(&settings.folder))?;
            println!("{}", json!({ "build_seconds": build_seconds, "save_seconds": save_seconds }));
        }
        Command::Measure { name, folder, base, metric, queries, ground_truth, k } => {
            let (index, load_seconds) = timed(|| rivals::load(name, &folder, metric, &base))?;
            let queries: &'static _ = Box::leak(Box::new(Matrix::read(&queries)?));
            let truth = Matrix::read(&ground_truth)?;
            if truth.len() != queries.len() || truth.dim() < k {
                return Err(format!("the ground truth is not {} x {k}", queries.len()).into());
            }
            answer(&mut Bench { index, queries, truth, k }, load_seconds)?;
        }
    }
    Ok(())
}

fn timed<T>(work: impl FnOnce() -> Result<T>) -> Result<(T, f64)> {
    let started = Instant::now();
    Ok((work()?, started.elapsed().as_secs_f64()))
}

/// That of the lock file.
fn version(name: Name) -> Result<String> {
    let name = name.to_possible_value().expect("no name is skipped").get_name().to_owned();
    let package = format!("name = \"{name}\"\nversion = \"");
    let found = include_str!("../Cargo.lock").split_once(&package).and_then(|(_, rest)| rest.split_once('"'));
    let (version, _) = found.ok_or("not in the lock file")?;
    Ok(format!("{name} {version}"))
}

fn answer(bench: &mut Bench, load_seconds: f64) -> Result<()> {
    let mut out = std::io::stdout();
    writeln!(out, "{}", json!({ "load_seconds": load_seconds }))?;
    out.flush()?;
    for line in std::io::stdin().lock().lines() {
        let line = line?;
        let (ef, threads) = line.split_once(' ').ok_or("expected EF THREADS")?;
        writeln!(out, "{}", bench.row(ef.parse()?, threads.parse()?)?)?;
        out.flush()?;
    }
    Ok(())
}

struct Bench {
    index: Box<dyn Index>,
    queries: &'static Matrix<f32>,
    truth: Matrix<i32>,
    k: usize,
}

impl Bench {
    fn row(&mut self, ef: usize, threads: usize) -> Result<serde_json::Value> {
        self.index.prepare(ef, threads)?;
        let recall = self.recall(ef)?;
        let timings = measure(self.queries.len(), threads, || {
            let mut search = self.index.searcher(self.queries, self.k, ef)?;
            let mut ids = Vec::new();
            Ok(move |query| search(query, &mut ids))
        });
        let timings = timings.map_err(|error| error.to_string())?;
        let micros = |time: Duration| time.as_nanos() as f64 / 1e3;
        Ok(json!({
            "ef_search": ef,
            "k": self.k,
            "threads": threads,
            "recall": recall,
            "qps": timings.per_second,
            "p50_us": micros(timings.percentile(50)),
            "p99_us": micros(timings.percentile(99)),
            "steady_p99_us": micros(timings.steady_percentile(99)),
            "mean_us": micros(timings.mean()),
        }))
    }

    fn recall(&self, ef: usize) -> Result<f64> {
        let mut search = self.index.searcher(self.queries, self.k, ef)?;
        let (mut ids, mut right) = (Vec::new(), 0);
        for query in 0..self.queries.len() {
            search(query, &mut ids)?;
            let truth: HashSet<_> = self.truth.row(query)[..self.k].iter().map(|id| *id as u64).collect();
            // As a set: an id that is returned twice counts once.
            right += ids.iter().collect::<HashSet<_>>().iter().filter(|id| truth.contains(**id)).count();
        }
        Ok(right as f64 / (self.queries.len() * self.k) as f64)
    }
}
