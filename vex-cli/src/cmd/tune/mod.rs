//! `vex tune`.

mod sample;
mod trial;

use std::io::Write;
use std::path::{Path, PathBuf};

use serde::Serialize;
use vex::{Coding, Element, Metric, Scalar};

use super::reading::Reading;
use super::{print_json, values};
use crate::error::Failure;
use crate::io::{self, FromFile, Role, VectorFile};
use crate::{human, machine};
use sample::Sample;

/// Try parameters on your vectors, and recommend the best for a recall
///
/// Builds an index with each --m and each kind of codes, on a sample of the vectors. For each index,
/// the command looks for the smallest --ef-search that reaches the recall, and measures how fast it
/// is on one thread. The table shows the trade: recall, queries per second, p99, memory and the time
/// of the build. Memory is that of an index of all vectors.
///
/// Without --queries, some of the vectors are searched for, which are not in the sample. Queries of
/// your own tell more, since they may be unlike the vectors. A larger set needs a larger --ef-search
/// for the same recall: `vex bench --recall` finds it for an index.
#[derive(Debug, clap::Args)]
#[command(after_long_help = "\
Examples:
  vex tune base.npy --metric cosine --recall 0.95
  vex tune base.npy -q queries.npy --recall 0.99 --m 16,24,32 --quantize none,sq8 --sample 100000

JSON: one object with count (all vectors), sampled, queries, k, recall (what was asked for), trials and recommended \
(the number of a trial, or null). A trial has m, codes, ef_search (null if the recall was not reached), recall, qps, \
p99_us, memory_bytes (of all vectors) and build_seconds (of the sample).")]
pub(crate) struct Args {
    /// File of vectors, or a folder of them; - for standard input
    vectors: PathBuf,
    #[command(flatten)]
    reading: Reading,
    /// The recall to reach
    #[arg(long, default_value_t = 0.95, value_parser = values::recall)]
    recall: f64,
    /// File of queries [default: vectors that are left out of the sample]
    #[arg(short, long, value_name = "VECTORS")]
    queries: Option<PathBuf>,
    /// Neighbors of a query
    #[arg(short, default_value_t = 10, value_parser = values::k())]
    k: usize,
    /// How vectors are compared [default: squared-euclidean]
    #[arg(long, value_parser = values::metric())]
    metric: Option<Metric>,
    /// Type to index vectors as; auto takes the type in the file, or bits if the metric is for bits
    #[arg(long, value_name = "TYPE", default_value = "auto", value_parser = values::element())]
    element: values::Elements,
    /// Vectors to try the parameters on, spread over the file
    #[arg(long, value_name = "N", default_value_t = 20_000, value_parser = values::sample())]
    sample: usize,
    /// Values of --m to try
    #[arg(long, value_name = "N,N,...", value_delimiter = ',', default_value = "8,16,32", value_parser = values::m())]
    m: Vec<usize>,
    /// Kinds of codes to try [default: none and all kinds, if vectors have codes]
    #[arg(long, value_name = "CODES,...", value_delimiter = ',', value_parser = values::quantization())]
    quantize: Vec<Coding>,
    /// Candidates among which links are selected
    #[arg(long, value_name = "N", default_value_t = 200, value_parser = values::ef())]
    ef_construction: usize,
    /// Threads to build on, 1 to 1024 [default: one for each core]
    #[arg(short, long, value_name = "N", value_parser = values::threads())]
    threads: Option<usize>,
    /// Print a JSON object
    #[arg(long)]
    json: bool,
}

/// The report in JSON.
#[derive(Serialize)]
struct Report {
    count: usize,
    sampled: usize,
    queries: usize,
    k: usize,
    recall: f64,
    trials: Vec<Trial>,
    recommended: Option<usize>,
}

/// One index that was tried.
#[derive(Serialize)]
struct Trial {
    m: usize,
    codes: String,
    ef_search: Option<usize>,
    recall: f64,
    qps: f64,
    p99_us: f64,
    memory_bytes: usize,
    build_seconds: f64,
}

impl Args {
    fn metric(&self) -> Metric {
        self.metric.unwrap_or(Metric::SquaredEuclidean)
    }

    /// The kinds of codes to try.
    fn codings(&self, element: Element) -> Vec<Coding> {
        match (&self.quantize[..], element.can_be_coded()) {
            ([], true) => {
                std::iter::once(Coding::None).chain(vex::Quantization::ALL.map(Coding::Just)).collect()
            }
            ([], false) => vec![Coding::None],
            (named, _) => named.to_vec(),
        }
    }
}

pub(crate) fn run(args: &Args, out: &mut dyn Write) -> Result<(), Failure> {
    if [Some(&args.vectors), args.queries.as_ref()]
        .iter()
        .all(|path| path.is_some_and(|path| path.as_os_str() == "-"))
    {
        return Err(Failure::TwoStdins);
    }
    let rows = io::open(&args.reading.input(&args.vectors, Role::Vectors))?;
    let element = args.element.of(io::element(rows.shape().stored), args.metric());
    match element {
        Element::F32 | Element::F16 => tune::<f32>(args, element, VectorFile::of(rows)?, out),
        Element::I8 => tune::<i8>(args, element, VectorFile::of(rows)?, out),
        Element::U8 => tune::<u8>(args, element, VectorFile::of(rows)?, out),
        Element::Bits => tune::<u64>(args, element, VectorFile::of(rows)?, out),
    }
}

fn tune<T: FromFile + Scalar>(
    args: &Args,
    element: Element,
    file: VectorFile<T>,
    out: &mut dyn Write,
) -> Result<(), Failure> {
    // Parameters that cannot be combined show before the work.
    for coding in args.codings(element) {
        let builder = trial::builder(args, element, file.dim(), args.m[0], coding);
        builder.memory_plan(1).map_err(|error| Failure::refused(&args.vectors, error))?;
    }
    let sample = Sample::read(args, element, file)?;
    let (sampled, queries) = (sample.vectors.rows(), sample.queries.rows());
    if !args.json {
        print_heading(args, &sample, out)?;
    }
    let mut trials = Vec::new();
    for coding in args.codings(element) {
        for m in &args.m {
            let trial = trial::run(args, &sample, *m, coding)?;
            if !args.json {
                trial.print(out)?;
            }
            trials.push(trial);
        }
    }
    let recommended = recommend(&trials);
    if args.json {
        let (count, k, recall) = (sample.count, sample.k, args.recall);
        return print_json(out, &Report { count, sampled, queries, k, recall, trials, recommended });
    }
    let Some(best) = recommended.map(|best| &trials[best]) else {
        writeln!(
            out,
            "\nnone of these reaches a recall of {}: try a larger --m or --quantize none",
            args.recall
        )?;
        return Ok(());
    };
    print_advice(args, &sample, best, out)
}

fn print_heading<T>(args: &Args, sample: &Sample<T>, out: &mut dyn Write) -> Result<(), Failure> {
    writeln!(out, "{}", machine::describe())?;
    let [sampled, count] = [sample.vectors.rows(), sample.count].map(|count| human::count(count as u64));
    writeln!(
        out,
        "{}: {sampled} of {count} vectors of {} x {}, {}; {} queries, 1 thread",
        human::path(&args.vectors),
        sample.dim,
        sample.element,
        args.metric(),
        human::count(sample.queries.rows() as u64),
    )?;
    writeln!(
        out,
        "\n  m  codes  ef_search  {:>9}        qps   p99 µs     memory      build",
        format!("recall@{}", sample.k)
    )?;
    Ok(out.flush()?)
}

impl Trial {
    fn print(&self, out: &mut dyn Write) -> Result<(), Failure> {
        let Self { m, codes, ef_search, recall, .. } = self;
        let memory = human::bytes(self.memory_bytes as u64);
        let build = human::time(std::time::Duration::from_secs_f64(self.build_seconds));
        write!(out, "{m:>3}  {codes:<5}  ")?;
        match ef_search {
            Some(ef_search) => write!(
                out,
                "{ef_search:>9}  {recall:>9.4}  {:>9}  {:>7.0}",
                human::count(self.qps as u64),
                self.p99_us
            )?,
            None => write!(out, "{:>9}  {recall:>9.4}  {:>9}  {:>7}", "-", "-", "-")?,
        }
        writeln!(out, "  {memory:>9}  {build:>9}")?;
        Ok(out.flush()?)
    }
}

/// The trial to recommend: the fastest, or one with less memory that is nearly as fast. `None` if no
/// trial reached the recall.
fn recommend(trials: &[Trial]) -> Option<usize> {
    /// The share of the fastest that counts as fast.
    const NEARLY: f64 = 0.9;
    let reached = || trials.iter().enumerate().filter(|(_, trial)| trial.ef_search.is_some());
    let fastest = reached().map(|(_, trial)| trial.qps).fold(0.0, f64::max);
    let fast = reached().filter(|(_, trial)| trial.qps >= NEARLY * fastest);
    fast.min_by_key(|(_, trial)| trial.memory_bytes).map(|(index, _)| index)
}

/// Prints what to type.
fn print_advice<T>(
    args: &Args,
    sample: &Sample<T>,
    best: &Trial,
    out: &mut dyn Write,
) -> Result<(), Failure> {
    let Some(ef_search) = best.ef_search else { return Ok(()) };
    let path = human::argument(&args.vectors);
    let index =
        human::argument(&Path::new(args.vectors.file_name().unwrap_or_default()).with_extension("vex"));
    writeln!(out, "\nthe least memory of those within 10% of the fastest:")?;
    write!(out, "  vex build {path}{} -o {index} --metric {}", args.reading.arguments(), args.metric())?;
    if let Some(element) = args.element.named() {
        write!(out, " --element {element}")?;
    }
    write!(out, " --m {} --quantize {}", best.m, best.codes)?;
    if args.ef_construction != 200 {
        write!(out, " --ef-construction {}", args.ef_construction)?;
    }
    writeln!(out, "\n  vex search {index} -q QUERIES -k {} --ef-search {ef_search}", sample.k)?;
    if sample.vectors.rows() < sample.count / 2 {
        writeln!(
            out,
            "The whole set needs a larger --ef-search than the sample: vex bench {index} --recall {} finds it.",
            args.recall
        )?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn trial(ef_search: Option<usize>, qps: f64, memory_bytes: usize) -> Trial {
        let (m, codes) = (16, "none".to_owned());
        Trial { m, codes, ef_search, recall: 0.95, qps, p99_us: 1.0, memory_bytes, build_seconds: 1.0 }
    }

    #[test]
    fn the_least_memory_of_the_fastest_is_recommended() {
        assert_eq!(recommend(&[]), None);
        assert_eq!(recommend(&[trial(None, 9.0, 1)]), None);
        let trials = [trial(Some(9), 100.0, 500), trial(Some(9), 91.0, 300), trial(Some(9), 89.0, 100)];
        assert_eq!(recommend(&trials), Some(1));
        assert_eq!(recommend(&[trial(None, 1e9, 1), trial(Some(9), 1.0, 9)]), Some(1));
    }
}
