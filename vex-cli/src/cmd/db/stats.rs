//! `vex db stats`.

use std::io::Write;
use std::path::PathBuf;

use serde::Serialize;
use vex_db::{Reader, SegmentStats};

use crate::cmd::print_json;
use crate::error::Failure;
use crate::human;

/// Show the fields, rows and segments of a collection
///
/// Pending rows are in no segment yet, so searches compare their vectors one by one. Dead rows of a
/// segment were replaced or deleted since it was built.
#[derive(Debug, clap::Args)]
#[command(after_long_help = "\
Example:
  vex db stats notes.vexdb --json

JSON: one object with rows, pending, commits (those of maintenance too), dim, metric, model (null for none), fields (an \
array of objects with name and type), vectors (those with names: name, dim and metric), store_bytes (blocks on disk; the \
store grows ahead, so ls shows more), segment_bytes, and segments (number, vector, file, rows, dead and bytes of each).")]
pub(crate) struct Args {
    /// The collection
    pub(super) collection: PathBuf,
    /// Print a JSON object
    #[arg(long)]
    json: bool,
}

#[derive(Serialize)]
struct Report {
    rows: u64,
    pending: usize,
    commits: u64,
    dim: usize,
    metric: &'static str,
    model: Option<String>,
    vectors: Vec<Vector>,
    fields: Vec<Field>,
    store_bytes: u64,
    segment_bytes: u64,
    segments: Vec<Segment>,
}

#[derive(Serialize)]
struct Field {
    name: String,
    #[serde(rename = "type")]
    kind: &'static str,
}

/// A vector with a name.
#[derive(Serialize)]
struct Vector {
    name: String,
    dim: usize,
    metric: &'static str,
}

#[derive(Serialize)]
struct Segment {
    number: u64,
    vector: String,
    file: String,
    rows: usize,
    dead: usize,
    bytes: u64,
}

pub(crate) fn run(args: &Args, out: &mut dyn Write) -> Result<(), Failure> {
    let notes = Reader::open(&args.collection)?;
    let (schema, stats) = (notes.schema(), notes.snapshot()?.stats()?);
    let fields = schema.fields().map(|(name, kind)| Field { name: name.to_owned(), kind: kind.name() });
    let segment_bytes = stats.bytes() - stats.store_bytes;
    let segments = stats.segments.into_iter().map(
        |SegmentStats { number, name: file, vector, rows, dead, bytes, .. }| Segment {
            number,
            vector,
            file,
            rows,
            dead,
            bytes,
        },
    );
    let report = Report {
        rows: stats.rows,
        pending: stats.pending,
        commits: stats.commits,
        dim: schema.dim(),
        metric: schema.metric().name(),
        model: schema.model_name().map(str::to_owned),
        vectors: schema
            .vectors()
            .map(|(name, dim, metric)| Vector { name: name.to_owned(), dim, metric: metric.name() })
            .collect(),
        fields: fields.collect(),
        store_bytes: stats.store_bytes,
        segment_bytes,
        segments: segments.collect(),
    };
    if args.json {
        return print_json(out, &report);
    }
    let mut line = |name: &str, value: String| writeln!(out, "{name:<16}{value}");
    let bytes = |bytes: u64| format!("{} ({})", human::count(bytes), human::bytes(bytes));
    line("collection", human::path(&args.collection))?;
    line("rows", human::count(report.rows))?;
    line("pending", human::count(report.pending as u64))?;
    line("commits", human::count(report.commits))?;
    line("dimensions", format!("{} x f32", report.dim))?;
    line("metric", report.metric.to_owned())?;
    line("model", report.model.as_deref().map_or("none".to_owned(), human::printable))?;
    line("store bytes", bytes(report.store_bytes))?;
    line("segment bytes", bytes(report.segment_bytes))?;
    if !report.vectors.is_empty() {
        writeln!(out, "\nvector          dimensions  metric")?;
    }
    for Vector { name, dim, metric } in &report.vectors {
        writeln!(out, "{name:<15} {:>10}  {metric}", human::count(*dim as u64))?;
    }
    if !report.fields.is_empty() {
        writeln!(out, "\nfield           type")?;
    }
    for Field { name, kind } in &report.fields {
        writeln!(out, "{name:<15} {kind}")?;
    }
    if !report.segments.is_empty() {
        writeln!(out, "\nsegment          rows          dead             bytes  file")?;
    }
    for Segment { number, vector, file, rows, dead, bytes } in &report.segments {
        let [rows, dead, bytes] = [*rows as u64, *dead as u64, *bytes].map(human::count);
        let of = if vector.is_empty() { String::new() } else { format!("  {vector}") };
        writeln!(out, "{number:<7}  {rows:>12}  {dead:>12}  {bytes:>16}  {file}{of}")?;
    }
    Ok(())
}
