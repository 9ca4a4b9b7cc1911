//! `vex db query`.

use std::convert::Infallible;
use std::io::Write;
use std::path::{Path, PathBuf};

use serde::Serialize;
use vex::{Element, Metric};
use vex_db::{Error, Explain, Filter, Hit, Hits, Reader, Schema, Search, Snapshot, Value};

use super::condition::Condition;
use super::row::Object;
use super::table::Table;
use crate::cmd::reading::Reading;
use crate::cmd::{Kind, print_json, read_queries, values};
use crate::error::Failure;
use crate::io::{Matrix, Role};

/// Find the rows nearest to a vector
///
/// Prints a table of the rows, nearest first. Smaller distances are nearer, whatever the metric. The
/// distance is the squared Euclidean one, the negated inner product or 1 - cosine.
#[derive(Debug, clap::Args)]
#[command(after_long_help = "\
Examples:
  vex db query notes.vexdb --near note/7 -k 3 --fetch lang,doc
  vex db query notes.vexdb --vector '[0.1, 0.9]' --where \"lang = 'de' and year >= 2020\" --json
  vex db query notes.vexdb --near note/7 --near note/8 --unlike note/3 --diverse 0.5
  vex db query notes.vexdb --vector-file queries.npy
  vex db query books.vexdb --by title --near book/7

JSON: an array with an object for each query: query (its row in the file, else 0), ids, distances, rows (an object with \
the fields of each, if they are fetched) and explain (with --explain: matches, distances, and parts, each with segment \
(null for pending rows), rows, matches, distances and hops).")]
pub(crate) struct Args {
    /// The collection
    pub(super) collection: PathBuf,
    #[command(flatten)]
    queries: Queries,
    #[command(flatten)]
    reading: Reading,
    /// Search by the vector of this name, instead of the one that every row has
    #[arg(long, value_name = "NAME")]
    by: Option<String>,
    /// With --near: the id of a row that results should be unlike
    #[arg(long, value_name = "ID", requires = "near", conflicts_with_all = ["vector", "vector_file"])]
    unlike: Vec<String>,
    /// Rows of an answer
    #[arg(short, default_value_t = 10, value_parser = values::k())]
    k: usize,
    /// Candidates of a search in a segment; more find more, more slowly [default: 64, or k if that is
    /// more]
    #[arg(long, value_name = "N", value_parser = values::ef())]
    ef_search: Option<usize>,
    #[command(flatten)]
    condition: Condition,
    /// Prefer rows that differ from each other: 1 counts nearness alone, 0 differences alone
    #[arg(long, value_name = "SHARE", value_parser = share)]
    diverse: Option<f32>,
    /// Fields to print, separated by commas
    #[arg(long, value_name = "FIELDS", value_delimiter = ',', value_parser = name, conflicts_with = "fetch_all")]
    fetch: Vec<String>,
    /// Print all fields
    #[arg(long)]
    fetch_all: bool,
    /// Print how each search went
    #[arg(long)]
    explain: bool,
    /// Print a JSON array
    #[arg(long)]
    json: bool,
}

/// What is searched for.
#[derive(Debug, clap::Args)]
#[group(required = true, multiple = false)]
struct Queries {
    /// A vector, as a JSON array
    #[arg(long, value_name = "ARRAY", value_parser = vector)]
    vector: Option<Vector>,
    /// File of vectors; for the formats, see `vex search --help`
    #[arg(short = 'q', long, visible_alias = "queries", value_name = "VECTORS")]
    vector_file: Option<PathBuf>,
    /// The id of a row, which is not among the results; more than once for rows like several
    #[arg(long, value_name = "ID")]
    near: Vec<String>,
}

fn names(names: &[String]) -> Vec<&str> {
    names.iter().map(String::as_str).collect()
}

/// A name, without the blanks that people put after commas.
fn name(text: &str) -> Result<String, Infallible> {
    Ok(text.trim().to_owned())
}

#[derive(Clone, Debug)]
struct Vector(Vec<f32>);

fn vector(text: &str) -> Result<Vector, String> {
    serde_json::from_str(text).map(Vector).map_err(|_| "not a JSON array of numbers".to_owned())
}

fn share(text: &str) -> Result<f32, String> {
    match text.parse() {
        Ok(share) if (0.0..=1.0).contains(&share) => Ok(share),
        _ => Err(format!("{text} is not in 0..=1")),
    }
}

#[derive(Serialize)]
struct Answer<'h> {
    query: usize,
    ids: Vec<&'h str>,
    distances: Vec<f32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    rows: Option<Vec<Object<'h>>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    explain: Option<Explained>,
}

#[derive(Serialize)]
struct Explained {
    matches: usize,
    distances: usize,
    parts: Vec<Part>,
}

#[derive(Serialize)]
struct Part {
    segment: Option<u64>,
    rows: usize,
    matches: usize,
    distances: usize,
    hops: usize,
}

pub(crate) fn run(args: &Args, out: &mut dyn Write) -> Result<(), Failure> {
    if let (None, Some(option)) = (&args.queries.vector_file, args.reading.given()) {
        return Err(Failure::refused(option.as_ref(), "expected with --vector-file, found without"));
    }
    let filter = args.condition.filter()?;
    let notes = Reader::open(&args.collection)?;
    let view = notes.snapshot()?;
    let ask = |search| args.search(search, filter.clone());
    let by = args.by.as_ref().map(|name| view.vector(name)).transpose()?;
    let search = |query| by.map_or_else(|| view.search(query), |by| by.search(query));
    let answers = match &args.queries {
        Queries { near, .. } if !near.is_empty() => {
            let (like, unlike) = (names(near), names(&args.unlike));
            let search = match by {
                Some(by) => by.recommend(&like, &unlike)?,
                None => view.recommend(&like, &unlike)?,
            };
            vec![ask(search)?]
        }
        Queries { vector: Some(Vector(vector)), .. } => vec![ask(search(vector)).map_err(of_vector)?],
        Queries { vector_file: Some(path), .. } => {
            let queries = args.read(&view, path)?;
            queries.iter().map(|query| ask(search(query))).collect::<Result<_, _>>()?
        }
        _ => Vec::new(),
    };
    if args.json {
        let answers: Vec<Answer<'_>> =
            answers.iter().enumerate().map(|(query, hits)| args.answer(query, hits)).collect();
        return print_json(out, &answers);
    }
    let columns: Vec<&str> = if args.fetch_all {
        view.schema().fields().map(|(name, _)| name).collect()
    } else {
        args.fetch.iter().map(String::as_str).collect()
    };
    for (query, hits) in answers.iter().enumerate() {
        if answers.len() > 1 {
            writeln!(out, "{}query {query}", if query == 0 { "" } else { "\n" })?;
        }
        print_table(out, hits, &columns)?;
        if args.explain {
            write!(out, "\n{}", hits.explain())?;
        }
    }
    Ok(())
}

impl Args {
    fn search(&self, search: Search<'_>, filter: Option<Filter>) -> Result<Hits, Failure> {
        let mut search = search.k(self.k);
        if let Some(filter) = filter {
            search = search.filter(filter);
        }
        if let Some(ef_search) = self.ef_search {
            search = search.ef_search(ef_search);
        }
        if let Some(share) = self.diverse {
            search = search.diverse(share);
        }
        search = if self.fetch_all { search.fetch_all() } else { search.fetch(&self.fetch) };
        Ok(search.run()?)
    }

    fn read(&self, view: &Snapshot, path: &Path) -> Result<Matrix<f32>, Failure> {
        let schema = view.schema();
        let named = named_vector(schema, self.by.as_deref());
        let (dim, metric) = named.unwrap_or((schema.dim(), schema.metric()));
        read_queries(
            &self.reading.input(path, Role::Queries),
            &self.collection,
            Kind { element: Element::F32, metric, dim },
        )
    }

    fn answer<'h>(&self, query: usize, hits: &'h Hits) -> Answer<'h> {
        let fetches = self.fetch_all || !self.fetch.is_empty();
        Answer {
            query,
            ids: hits.iter().map(|hit| &*hit.id).collect(),
            distances: hits.iter().map(|hit| hit.distance).collect(),
            rows: fetches.then(|| hits.iter().map(|hit| Object(&hit.row)).collect()),
            explain: self.explain.then(|| explained(hits.explain())),
        }
    }
}

/// The dimension and the metric of a vector with a name.
fn named_vector(schema: &Schema, name: Option<&str>) -> Option<(usize, Metric)> {
    let (_, dim, metric) = schema.vectors().find(|(vector, ..)| Some(*vector) == name)?;
    Some((dim, metric))
}

/// An error about the vector in the arguments names its argument.
fn of_vector(failure: Failure) -> Failure {
    match failure {
        Failure::Database(error @ Error::Query(_)) => Failure::refused("--vector".as_ref(), error),
        failure => failure,
    }
}

fn explained(explain: &Explain) -> Explained {
    let part = |part: &vex_db::PartStats| Part {
        segment: part.segment,
        rows: part.rows,
        matches: part.matches,
        distances: part.stats.distances,
        hops: part.stats.hops,
    };
    let parts = explain.parts().iter().map(part).collect();
    Explained { matches: explain.matches(), distances: explain.distances(), parts }
}

fn print_table(out: &mut dyn Write, hits: &[Hit], columns: &[&str]) -> Result<(), Failure> {
    let head = ["rank", "distance", "id"].iter().chain(columns).map(|name| (*name).to_owned());
    let mut table = Table::new(head.collect());
    for (rank, hit) in hits.iter().enumerate() {
        let mut cells = vec![(rank + 1).to_string(), hit.distance.to_string(), hit.id.clone()];
        cells.extend(columns.iter().map(|column| match hit.row.get(column) {
            Some(Value::Text(text)) => text.clone(),
            Some(value) => value.to_string(),
            None => String::new(),
        }));
        table.push(cells);
    }
    Ok(table.print(out)?)
}
