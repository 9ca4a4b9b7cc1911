//! Vex's side of `benches/peers/database`, whose README has the arguments, the phases and the keys
//! of the JSON object that this prints.

use std::fs;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use serde_json::{Map, Value, json};
use vex::Metric;
use vex_benches::Matrix;
use vex_db::{Budget, Collection, Filter, Options, Row, Schema, Snapshot, field, row};

type Error = Box<dyn std::error::Error>;

/// Rows that are committed one by one.
const SINGLE: usize = 300;
const BATCH: usize = 1_000;
const K: usize = 10;
const EFFORTS: [usize; 12] = [10, 16, 24, 32, 48, 64, 96, 128, 192, 256, 384, 512];

/// The rows and their texts.
struct Set {
    vectors: Matrix,
    texts: Vec<[String; 3]>,
}

impl Set {
    fn read(rows: &Path, texts: &Path) -> Result<Self, Error> {
        let line = |line: &str| {
            let mut parts = line.split('\t').map(str::to_owned);
            [(); 3].map(|()| parts.next().unwrap_or_default())
        };
        Ok(Self {
            vectors: Matrix::read(rows)?,
            texts: fs::read_to_string(texts)?.lines().map(line).collect(),
        })
    }

    /// The fields of a row, in a round of replacements.
    fn row(&self, at: usize, round: Option<usize>) -> Row {
        let [pos, words, definition] = &self.texts[at];
        let words = round.map_or_else(|| words.clone(), |round| format!("{words} ({round})"));
        let length = definition.chars().count() as i64;
        row! { pos: pos, length: length, words: words, definition: definition }
    }
}

fn schema(dim: usize) -> Schema {
    Schema::new(dim, Metric::Cosine).text("pos").int("length").stored("words").stored("definition")
}

/// Bytes of memory by the name that Linux gives them.
fn memory(name: &str) -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find(|line| line.starts_with(name));
    line.and_then(|line| line.split_whitespace().nth(1)?.parse::<u64>().ok()).unwrap_or(0) * 1_024
}

/// A percentile with linear interpolation, in microseconds.
fn percentile(times: &[Duration], share: f64) -> f64 {
    let mut times: Vec<f64> = times.iter().map(|time| time.as_secs_f64() * 1e6).collect();
    times.sort_by(f64::total_cmp);
    let Some(last) = times.len().checked_sub(1) else { return 0.0 };
    let at = share * last as f64;
    let (low, high) = (times[at as usize], times[(at as usize + 1).min(last)]);
    low + (high - low) * at.fract()
}

/// Commits of `rows`, `at_once` in each.
fn commits(
    collection: &Collection,
    set: &Set,
    rows: &[usize],
    at_once: usize,
    round: Option<usize>,
) -> Result<Vec<Duration>, Error> {
    let vectors: Vec<&[f32]> = set.vectors.rows().collect();
    let mut times = Vec::new();
    for rows in rows.chunks(at_once) {
        // The rows are made outside of the clock.
        let rows: Vec<_> =
            rows.iter().map(|at| (format!("row/{at}"), vectors[*at], set.row(*at, round))).collect();
        let start = Instant::now();
        let mut batch = collection.batch();
        for (id, vector, row) in rows {
            batch.upsert(&id, vector, row)?;
        }
        batch.commit()?;
        times.push(start.elapsed());
    }
    Ok(times)
}

fn summary(rows: usize, count: u64, times: &[Duration]) -> Value {
    let seconds: f64 = times.iter().map(Duration::as_secs_f64).sum();
    let (p50, p99) = (percentile(times, 0.5), percentile(times, 0.99));
    json!({ "rows": rows, "count": count, "seconds": seconds, "p50_us": p50, "p99_us": p99 })
}

/// The number in an id.
fn number(id: &str) -> u64 {
    id.strip_prefix("row/").and_then(|number| number.parse().ok()).expect("an id of this program")
}

fn answer(view: &Snapshot, query: &[f32], effort: usize, filter: &Option<Filter>) -> Result<Vec<u64>, Error> {
    let mut search = view.search(query).k(K).ef_search(effort);
    if let Some(filter) = filter {
        search = search.filter(filter.clone());
    }
    Ok(search.run()?.iter().map(|hit| number(&hit.id)).collect())
}

fn sweep(view: &Snapshot, queries: &Matrix, filter: Option<Filter>) -> Result<Value, Error> {
    let mut sweep = Vec::new();
    for effort in EFFORTS {
        for query in queries.rows().take(100) {
            answer(view, query, effort, &filter)?;
        }
        let (mut times, mut answers) = (Vec::new(), Vec::new());
        for query in queries.rows() {
            let start = Instant::now();
            let answer = answer(view, query, effort, &filter)?;
            times.push(start.elapsed());
            answers.push(answer);
        }
        let mean = times.iter().map(|time| time.as_secs_f64() * 1e6).sum::<f64>() / times.len() as f64;
        let (p50, p99) = (percentile(&times, 0.5), percentile(&times, 0.99));
        sweep.push(
            json!({ "effort": effort, "p50_us": p50, "p99_us": p99, "mean_us": mean, "answers": answers }),
        );
    }
    Ok(sweep.into())
}

fn maintain(collection: &Collection) -> Result<(Value, f64), Error> {
    let start = Instant::now();
    let report = collection.maintain(Budget::unlimited(), |_| ControlFlow::Continue(()))?;
    Ok((format!("Collection::maintain: {report:?}").into(), start.elapsed().as_secs_f64()))
}

fn main() -> Result<(), Error> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let [folder, rows, texts, queries, only, phase] = &args[..] else {
        return Err("expected DIR ROWS.npy ROWS.tsv QUERIES.npy --only PHASE".into());
    };
    if only != "--only" {
        return Err(format!("expected --only, found {only}").into());
    }
    let path: PathBuf = Path::new(folder).join("rows.vexdb");
    let needs_rows = !matches!(&**phase, "open" | "search");
    let set = if needs_rows { Some(Set::read(rows.as_ref(), texts.as_ref())?) } else { None };
    let queries = Matrix::read(queries.as_ref())?;
    let mut out = Map::new();
    out.insert("version".into(), concat!("vex-db ", env!("CARGO_PKG_VERSION")).into());
    out.insert("start_bytes".into(), memory("VmRSS:").into());
    let start = Instant::now();
    let collection = Options::new().open_or_create(&path, schema(queries.dim))?;
    out.insert("open_seconds".into(), start.elapsed().as_secs_f64().into());
    match (&**phase, &set) {
        ("puts" | "fill", Some(set)) => {
            let all: Vec<usize> = (0..set.texts.len()).collect();
            let (single, rest) = all.split_at(SINGLE.min(all.len()));
            let times = commits(&collection, set, single, 1, None)?;
            out.insert("single".into(), summary(single.len(), collection.len()?, &times));
            if phase == "fill" {
                let times = commits(&collection, set, rest, BATCH, None)?;
                out.insert("batched".into(), summary(rest.len(), collection.len()?, &times));
                let (what, seconds) = maintain(&collection)?;
                let count = collection.len()?;
                out.insert("index".into(), json!({ "what": what, "count": count, "seconds": seconds }));
            }
        }
        ("replace", Some(set)) => {
            let (mut times, mut rounds) = (Vec::new(), Vec::new());
            for round in 0..10 {
                let rows: Vec<usize> = (round..set.texts.len()).step_by(10).collect();
                let of_round = commits(&collection, set, &rows, BATCH, Some(round))?;
                rounds.push(of_round.iter().map(Duration::as_secs_f64).sum::<f64>());
                times.extend(of_round);
            }
            out.insert("replaced".into(), summary(set.texts.len(), collection.len()?, &times));
            out.insert("rounds".into(), rounds.into());
        }
        ("tidy", Some(_)) => {
            let (what, seconds) = maintain(&collection)?;
            out.insert("tidy".into(), json!({ "what": what, "seconds": seconds }));
        }
        ("open", _) => {
            let first = queries.rows().next().ok_or("expected a query")?;
            let answer = answer(&collection.snapshot()?, first, 64, &None)?;
            out.insert("first_seconds".into(), start.elapsed().as_secs_f64().into());
            out.insert("answer".into(), answer.into());
        }
        ("search", _) => {
            let view = collection.snapshot()?;
            let (verb, noun) = (field("pos").eq("verb"), field("pos").eq("noun"));
            let sweeps = json!({
                "all": sweep(&view, &queries, None)?,
                "verb": sweep(&view, &queries, Some(verb))?,
                "short_noun": sweep(&view, &queries, Some(field("length").lt(40) & noun))?,
            });
            out.insert("effort".into(), "ef".into());
            out.insert("sweeps".into(), sweeps);
        }
        _ => return Err(format!("expected a phase of the README, found {phase}").into()),
    }
    out.insert("count".into(), collection.len()?.into());
    let start = Instant::now();
    drop(collection);
    out.insert("close_seconds".into(), start.elapsed().as_secs_f64().into());
    out.insert("peak_bytes".into(), memory("VmHWM:").into());
    out.insert("notes".into(), Value::Array(Vec::new()));
    println!("{}", Value::Object(out));
    Ok(())
}
