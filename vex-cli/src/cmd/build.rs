//! `vex build`.

use std::convert::Infallible;
use std::io::Write;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::time::Instant;

use serde::Serialize;
use vex::graph::{BuildError, MAX_NODES, NodeId};
use vex::{
    Coding, Element, Elements, GivenUpCodes, Index, Metric, Output, Quantization, SaveOptions, Scalar,
    Searcher, Store,
};

use super::invalid::{self, OnInvalid, Skipped};
use super::plan::{self, Planned};
use super::reading::{FORMATS, Reading};
use super::{print_json, read_unique_keys, values};
use crate::error::Failure;
use crate::io::{
    self, FileError, FromFile, Input, Names, Problem, Role, VectorFile, open_output, read_names, write_names,
};
use crate::{human, machine, mmap, progress, rss};

/// Build an index from a file of vectors
///
/// Reads the vectors, links them on all cores, and saves the index. Until the new file is complete,
/// an older file of that name stays as it is, and another build to it fails at once. Only regular
/// files are replaced. If the output is a symbolic link, the file that it leads to is replaced. The
/// same vectors and options give the same bytes, on any number of threads.
#[derive(Debug, clap::Args)]
#[command(after_long_help = format!("\
Vectors:
{FORMATS}
Keys:
  .npy   1-D array of uint64, int64, uint32 or int32, none negative
  .txt   a decimal number a line
Ids:
  .txt                           a line for each vector
  .csv .jsonl .parquet .arrow    the column --id-column

Examples:
  vex build base.npy -o base.vex --metric cosine
  vex build rows.parquet -o rows.vex --id-column name

Ids are kept beside the index, in INDEX.ids. The keys are then row numbers, without those of rows that were skipped.

JSON: one object with count, dim, element, metric, m, ef_construction, quantization (null for none), skipped (the rows that were, as numbers), underflow (of some \
vectors, the share whose nearest other is at a squared distance below 1.2e-38, where f32 loses digits), unit_length (whether a sample of the vectors has length 1 under another metric than cosine), build_seconds \
(reading, linking and saving), save_seconds (the last of these alone), index_bytes (the file) and peak_rss_bytes (the memory this \
process needed; null where the system \
does not say).

JSON of --plan: one object with count, dim, element, metric, vectors_bytes, codes_bytes, links_bytes and graph_bytes (the \
index in memory, without its keys), peak_bytes (the most that the graph needs during the build) and index_bytes (the file, without \
its header and the chains of equal vectors). With --quantize auto codes are the largest that it may take."))]
pub(crate) struct Args {
    /// File of vectors, or a folder of them; - for standard input
    vectors: PathBuf,
    #[command(flatten)]
    reading: Reading,
    /// The index to write
    #[arg(short, long, value_name = "INDEX", required_unless_present = "plan")]
    output: Option<PathBuf>,
    /// Print how much memory and disk the build would take, and build nothing
    #[arg(long)]
    plan: bool,
    /// How vectors are compared; cosine scales them to unit length [default: squared-euclidean]
    ///
    /// Other programs' names are known as well: l2, euclidean and sqeuclidean, ip and dot, cos and
    /// angular. Squared distances order vectors as Euclidean ones do.
    #[arg(long, value_parser = values::metric())]
    metric: Option<Metric>,
    /// Links of a vector, 4 to 512; more find more, and each takes 8 bytes a vector
    #[arg(long, default_value_t = 16, value_parser = values::m())]
    m: usize,
    /// Candidates among which links are selected; more give a better index, more slowly
    #[arg(long, value_name = "N", default_value_t = 200, value_parser = values::ef())]
    ef_construction: usize,
    /// Codes by which a search finds candidates; auto takes the fastest at the same recall
    ///
    /// The best candidates are then compared by their vectors. sq8 has 8 bits an element, sq4 and
    /// sq2x2 have 4. With sq2x2, a search reads 2 of the 4 bits until the last step. auto takes
    /// sq2x2 from 512 dimensions on, sq4 from 256 on, and sq8 below. If these codes do not
    /// distinguish the vectors, auto takes the next finer ones or none.
    #[arg(long, value_name = "CODES", default_value = "auto", value_parser = values::quantization())]
    quantize: Coding,
    /// Type to index vectors as; auto takes the type in the file, or bits if the metric is for bits
    ///
    /// Numbers can be indexed as f32 and f16, and uint8 as bits, eight to a byte.
    #[arg(long, value_name = "TYPE", default_value = "auto", value_parser = values::element())]
    element: values::Elements,
    /// How to store float vectors [default: as they are indexed]
    ///
    /// f16 takes half the bytes of f32. none stores codes alone, for the smallest index. Its
    /// distances are approximate, and it cannot grow.
    #[arg(long)]
    store: Option<values::Store>,
    /// Seed of the random levels
    #[arg(long, default_value_t = 0)]
    seed: u64,
    /// Threads to link on, 1 to 1024 [default: one for each core]
    #[arg(short, long, value_name = "N", value_parser = values::threads())]
    threads: Option<usize>,
    /// A number for each vector, which a search returns [default: its row, counted from 0]
    #[arg(long, value_name = "FILE")]
    keys: Option<PathBuf>,
    /// A text for each vector, which a search prints
    #[arg(long, value_name = "FILE", conflicts_with = "keys")]
    ids: Option<PathBuf>,
    /// Column of ids, in the file of --ids or else in that of the vectors [default with --ids: id]
    #[arg(long, value_name = "NAME", conflicts_with = "keys")]
    id_column: Option<String>,
    /// What to do with a row of NaN, or of zeros under cosine
    #[arg(long, value_name = "WHAT", default_value = "refuse")]
    on_invalid: OnInvalid,
    /// Print a JSON object
    #[arg(long)]
    json: bool,
}

/// The number of vectors that are checked for distances that underflow.
const UNDERFLOW_SAMPLES: usize = 200;

/// The number of vectors whose length is looked at.
const LENGTH_SAMPLES: usize = 200;

/// How far a square of a length may be from 1. That is more than f16 rounds.
const LENGTH_TOLERANCE: f64 = 2e-3;

#[derive(Serialize)]
struct Report<'s> {
    count: usize,
    dim: usize,
    skipped: invalid::Rows<'s>,
    element: &'static str,
    metric: &'static str,
    m: usize,
    ef_construction: usize,
    quantization: Option<&'static str>,
    underflow: f64,
    unit_length: bool,
    build_seconds: f64,
    save_seconds: f64,
    index_bytes: u64,
    peak_rss_bytes: Option<u64>,
}

impl Args {
    fn metric(&self) -> Metric {
        self.metric.unwrap_or(Metric::SquaredEuclidean)
    }
}

pub(crate) fn run(args: &Args, out: &mut dyn Write) -> Result<(), Failure> {
    let started = Instant::now();
    let rows = io::open(&args.reading.input(&args.vectors, Role::Vectors))?;
    let stored = io::element(rows.shape().stored);
    let (element, store) = args.element.kept(stored, args.metric(), args.store)?;
    match element {
        Element::F32 | Element::F16 => {
            build::<f32>(args, element, store, VectorFile::of(rows)?, started, out)
        }
        Element::I8 => build::<i8>(args, element, store, VectorFile::of(rows)?, started, out),
        Element::U8 => build::<u8>(args, element, store, VectorFile::of(rows)?, started, out),
        Element::Bits => build::<u64>(args, element, store, VectorFile::of(rows)?, started, out),
    }
}

fn build<T: FromFile + Scalar>(
    args: &Args,
    element: Element,
    store: Store,
    mut file: VectorFile<T>,
    started: Instant,
    out: &mut dyn Write,
) -> Result<(), Failure> {
    let (path, metric) = (args.vectors.as_path(), args.metric());
    let (count, dim) = (file.rows(), file.dim());
    let coding = match (args.quantize, store) {
        (Coding::None, Store::None) => return Err(Failure::NothingKept),
        (Coding::Auto, Store::None) if !element.can_be_coded() => return Err(Failure::NothingKept),
        // The vectors are not stored, so there must be codes.
        (Coding::Auto, Store::None) => Coding::AutoCoded,
        (coding, _) => coding,
    };
    let threads = args.threads.unwrap_or_else(machine::cores);
    let builder = Index::builder(dim)
        .element(element)
        .metric(metric)
        .m(args.m)
        .ef_construction(args.ef_construction)
        .seed(args.seed)
        .quantization(coding)
        .threads(threads);
    let Some(output) = args.output.as_deref().filter(|_| !args.plan) else {
        if count > MAX_NODES {
            return Err(Failure::refused(path, BuildError::<Infallible>::Full { capacity: MAX_NODES }));
        }
        let plan = builder.memory_plan(count).map_err(|error| Failure::refused(path, error))?;
        let is_most = matches!(coding, Coding::Auto | Coding::AutoCoded) && plan.codes > 0;
        let planned = Planned { count, dim, element, metric, store, threads, is_most };
        return plan::print(&plan, &planned, args.json, out);
    };
    let mut inputs = vec![path];
    inputs.extend(args.keys.as_deref());
    inputs.extend(args.ids.as_deref());
    // The file is locked until the index is saved, so a second build to it fails now and not after
    // its work.
    let file_lock = open_output(output, &inputs)?;
    let keys = args.keys.as_ref().map(|path| read_unique_keys(path, count)).transpose()?;
    let names = read_ids(args, output, &inputs, count)?;
    let skipped = match args.on_invalid {
        OnInvalid::Refuse => Skipped::default(),
        OnInvalid::Skip => invalid::find(&mut file, element, metric)?,
    };
    let (all, count) = (count, count - skipped.len());

    let reading = progress::bar("reading", count);
    let linking = progress::bar("linking", count);
    let (mut row, mut filled) = (0, 0);
    let fill = |vector: &mut [T]| {
        file.read_row(vector)?;
        while skipped.contains(row) {
            row += 1;
            file.read_row(vector)?;
        }
        // Ids are those of the rows that are left.
        let key = match &keys {
            Some(keys) => keys[row],
            None if names.is_some() => filled as u64,
            None => row as u64,
        };
        (row, filled) = (row + 1, filled + 1);
        reading.inc(1);
        if filled == count {
            reading.finish_and_clear();
        }
        Ok::<u64, FileError>(key)
    };
    let linked = |linked: usize| {
        linking.set_position(linked as u64);
        ControlFlow::Continue(())
    };
    let built = builder.build_with(count, fill, linked);
    let index = built.map_err(|error| Failure::build(path, |row| file.place(row), error))?;
    linking.finish_and_clear();
    let underflow = index.underflow(UNDERFLOW_SAMPLES).map_err(|error| Failure::refused(path, error))?;
    let unit_length = metric != Metric::Cosine && have_unit_length(index.searcher());
    let linked = started.elapsed();
    // The index was built from vectors, so it is meant to replace an older one.
    index.save_output(file_lock, SaveOptions::from(store).overwrite(true))?;
    let has_names = names.is_some();
    if let Some((names_lock, mut names)) = names {
        let mut row = 0..all;
        names.retain(|_| row.next().is_some_and(|row| !skipped.contains(row)));
        let checksum = mmap::open(output)?.header().checksum;
        write_names(names_lock, checksum, &names)?;
    }
    let time = started.elapsed();

    let metadata = output.metadata().map_err(|error| FileError::new(output, Problem::Open(error)))?;
    let report = Report {
        count,
        dim,
        skipped: skipped.rows(),
        element: element.name(),
        metric: metric.name(),
        m: args.m,
        ef_construction: args.ef_construction,
        quantization: index.params().quantization.map(Quantization::name),
        underflow,
        unit_length,
        build_seconds: time.as_secs_f64(),
        save_seconds: (time - linked).as_secs_f64(),
        index_bytes: metadata.len(),
        peak_rss_bytes: rss::peak_rss_bytes(),
    };
    if args.json {
        return print_json(out, &report);
    }
    let vectors = human::plural(count as u64, "vector");
    let threads = human::plural(threads as u64, "thread");
    writeln!(out, "{}: {vectors} of {dim} x {element}, {metric}", human::path(output))?;
    write!(out, "built in {} on {threads}, {}", human::time(time), human::bytes(report.index_bytes))?;
    match report.peak_rss_bytes {
        Some(peak) => writeln!(out, ", {} of memory at most", human::bytes(peak))?,
        None => writeln!(out)?,
    }
    if has_names {
        writeln!(out, "ids in {}: keep both files together", human::path(&Names::path_of(output)))?;
    }
    skipped.print(path, out)?;
    if underflow > 0.0 {
        let percent = (100.0 * underflow).ceil();
        writeln!(
            out,
            "{percent}% of the vectors are nearer to others than distances can tell (1.2e-38): multiply all by one number"
        )?;
    }
    // Who named a metric has decided.
    if unit_length && args.metric.is_none() {
        writeln!(
            out,
            "the vectors have unit length: did you mean --metric cosine? Neighbors would be the same, and distances 1 - cosine"
        )?;
    }
    for GivenUpCodes { quantization: kind, check, .. } in index.given_up_codes() {
        let (doubtful, found) = (100.0 * check.share_in_doubt(), 100.0 * check.agreement);
        writeln!(
            out,
            "no {kind} codes, which cannot distinguish these vectors: of a sample {doubtful:.0}% were in doubt, and {found:.0}% of \
             the nearest were found"
        )?;
    }
    Ok(())
}

/// Reads the ids if there are any, and locks the file for them.
fn read_ids(
    args: &Args,
    index: &Path,
    inputs: &[&Path],
    count: usize,
) -> Result<Option<(Output, Vec<String>)>, Failure> {
    let path = Names::path_of(index);
    let column = args.id_column.as_deref();
    let input = match (&args.ids, column) {
        (Some(ids), _) => Input { column, ..args.reading.input(ids, Role::Ids) },
        (None, Some(_)) => Input { column, ..args.reading.input(&args.vectors, Role::Ids) },
        (None, None) if path.exists() => return Err(Failure::OldNames { path }),
        (None, None) => return Ok(None),
    };
    // Standard input was read for the vectors.
    if input.path.as_os_str() == "-" && (args.ids.is_none() || args.vectors.as_os_str() == "-") {
        return Err(Failure::TwoStdins);
    }
    let output = open_output(&path, inputs)?;
    Ok(Some((output, read_names(&input, count)?)))
}

/// Whether a sample of the vectors has unit length, as the embeddings of many models have. Vectors of
/// one element are plain numbers, and integers and bits have other lengths.
fn have_unit_length(index: Searcher<'_>) -> bool {
    let graph = index.graph();
    let (rows, count) = (graph.rows(), graph.count());
    let samples = count.min(LENGTH_SAMPLES);
    // Nodes are sorted for locality, so the sample is spread over all of them.
    let mut sample = (0..samples).map(|sample| rows.row((sample * count / samples) as NodeId));
    let is_unit = |vector: Elements<'_>| {
        let square: f64 = match vector {
            Elements::F32(vector) => vector.iter().map(|element| f64::from(*element).powi(2)).sum(),
            Elements::F16(vector) => vector.iter().map(|element| element.to_f64().powi(2)).sum(),
            _ => return false,
        };
        (square - 1.0).abs() < LENGTH_TOLERANCE
    };
    index.dim() > 1 && samples > 0 && sample.all(is_unit)
}
