//! `vex build`.

use std::convert::Infallible;
use std::io::Write;
use std::ops::ControlFlow;
use std::path::PathBuf;
use std::time::Instant;

use serde::Serialize;
use vex::graph::{BuildError, MAX_NODES, NodeId};
use vex::{
    Coding, Element, Elements, GivenUpCodes, Index, Metric, Quantization, SaveOptions, Searcher, Store,
};

use super::plan::{self, Planned};
use super::{print_json, read_unique_keys, values};
use crate::error::Failure;
use crate::io::{FileError, FromFile, Problem, VectorFile, open_output};
use crate::{human, machine, progress, rss};

/// Build an index from a file of vectors
///
/// Reads the vectors, links them on all cores, and saves the index. Until the new file is complete,
/// an older file of that name stays as it is, and another build to it fails at once. Only regular
/// files are replaced. If the output is a symbolic link, the file that it leads to is replaced. The
/// same vectors and options give the same bytes, on any number of threads.
#[derive(Debug, clap::Args)]
#[command(after_long_help = "\
Vectors:
  .npy            2-D array of float32, float16, int8 or uint8, either byte order, C or Fortran order
  .fvecs .bvecs   rows of float32 or uint8, each after its int32 length
  .fbin           uint32 rows, uint32 columns, then float32
Keys:
  .npy            1-D array of uint64 or int64, none negative
  .txt            a decimal number a line

Example:
  vex build base.npy -o base.vex --metric cosine

JSON: one object with count, dim, element, metric, m, ef_construction, quantization (null for none), underflow (of some \
vectors, the share whose nearest other is at a squared distance below 1.2e-38, where f32 loses digits), unit_length (whether a sample of the vectors has length 1 under another metric than cosine), build_seconds \
(reading, linking and saving), save_seconds (the last of these alone), index_bytes (the file) and peak_rss_bytes (the memory this \
process needed; null where the system \
does not say).

JSON of --plan: one object with count, dim, element, metric, vectors_bytes, codes_bytes, links_bytes and graph_bytes (the \
index in memory, without its keys), peak_bytes (the most that the graph needs during the build) and index_bytes (the file, without \
its header and the chains of equal vectors). With --quantize auto codes are the largest that it may take.")]
pub(crate) struct Args {
    /// File of vectors: .npy, .fvecs, .bvecs or .fbin
    vectors: PathBuf,
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
struct Report {
    count: usize,
    dim: usize,
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
    let path = args.vectors.as_path();
    let file = VectorFile::<f32>::open(path)?;
    let (element, store) = args.element.kept(file.element(), args.metric(), args.store)?;
    match element {
        Element::F32 | Element::F16 => build(args, element, store, file, started, out),
        Element::I8 => build::<i8>(args, element, store, file.typed()?, started, out),
        Element::U8 => build::<u8>(args, element, store, file.typed()?, started, out),
        Element::Bits => build::<u64>(args, element, store, file.typed()?, started, out),
    }
}

fn build<T: FromFile>(
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
    // The file is locked until the index is saved, so a second build to it fails now and not after
    // its work.
    let file_lock = open_output(output, &inputs)?;
    let keys = args.keys.as_ref().map(|path| read_unique_keys(path, count)).transpose()?;

    let reading = progress::bar("reading", count);
    let linking = progress::bar("linking", count);
    let mut row = 0;
    let fill = |vector: &mut [T]| {
        file.read_row(vector)?;
        let key = keys.as_ref().map_or(row as u64, |keys| keys[row]);
        row += 1;
        reading.inc(1);
        if row == count {
            reading.finish_and_clear();
        }
        Ok::<u64, FileError>(key)
    };
    let linked = |linked: usize| {
        linking.set_position(linked as u64);
        ControlFlow::Continue(())
    };
    let index = builder.build_with(count, fill, linked).map_err(|error| Failure::build(path, error))?;
    linking.finish_and_clear();
    let underflow = index.underflow(UNDERFLOW_SAMPLES).map_err(|error| Failure::refused(path, error))?;
    let unit_length = metric != Metric::Cosine && have_unit_length(index.searcher());
    let linked = started.elapsed();
    // The index was built from vectors, so it is meant to replace an older one.
    index.save_output(file_lock, SaveOptions::from(store).overwrite(true))?;
    let time = started.elapsed();

    let metadata = output.metadata().map_err(|error| FileError::new(output, Problem::Open(error)))?;
    let report = Report {
        count,
        dim,
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
