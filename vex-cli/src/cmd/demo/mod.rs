//! `vex demo`: all that an index does, on data inside the program.

mod sample;

use std::io::Write;
use std::ops::ControlFlow;
use std::path::Path;
use std::time::{Duration, Instant};

use anstyle::{AnsiColor, Style};
use vex::format::Tag;
use vex::graph::{Neighbor, exact};
use vex::{Index, MappedIndex, Metric, Quantization, Scratch, SearchError, SearchParams, exact_batch};

use super::explore::{self, Texts};
use crate::error::Failure;
use crate::io::{FileError, Problem};
use crate::measure::{MeasureError, Timings, measure};
use crate::{human, machine, mmap, progress};
use sample::{Entry, Sample};

/// Search ten thousand dictionary definitions by meaning
///
/// Builds, saves, verifies, maps and searches an index of definitions from WordNet 3.0, and
/// compares it with exact search. The texts and vectors are inside this program. Takes some
/// seconds, needs no network, and leaves no files.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Serve a page on this machine in the end, on which searches can be replayed: see `vex explore`
    #[arg(long)]
    explore: bool,
    /// Port of the page; 0 takes any that is free
    #[arg(long, default_value_t = explore::PORT, requires = "explore")]
    port: u16,
}

/// The neighbors that are printed, and those that are measured.
const SHOWN: usize = 3;
const K: usize = 10;
const EF_SEARCH: usize = 64;

/// The columns of the terminal, into which everything must fit.
const WIDTH: usize = 80;

const HEADING: Style = Style::new().bold();
const WORD: Style = AnsiColor::Cyan.on_default().bold();
const QUIET: Style = Style::new().dimmed();

pub(crate) fn run(args: &Args, out: &mut dyn Write) -> Result<(), Failure> {
    let version = env!("CARGO_PKG_VERSION");
    writeln!(out, "{HEADING}Vex {version}: dictionary definitions, searched by meaning{HEADING:#}")?;
    writeln!(out, "{QUIET}{}{QUIET:#}\n", fit(&machine::describe(), WIDTH))?;
    out.flush()?;

    let sample = Sample::load()?;
    let temporary = std::env::temp_dir();
    let failed = |error| FileError::new(&temporary, Problem::Write(error));
    let folder = tempfile::Builder::new().prefix("vex-demo-").tempdir().map_err(failed)?;
    let path = folder.path().join("definitions.vex");
    build(&sample, &path, out)?;
    let index = open(&path, out)?;
    show_answers(&sample, &index, &path, out)?;
    compare(&sample, &index, &path, out)?;
    show_sizes(&index, out)?;
    show_next(out)?;
    if args.explore {
        writeln!(out, "\n{HEADING}The page, until you interrupt this{HEADING:#}")?;
        explore::serve(&path, &index, Some(&Texts::of(sample.lines())), args.port, out)?;
    }
    Ok(())
}

/// Prints a finished step.
fn step(out: &mut dyn Write, name: &str, what: &str, time: Duration) -> Result<(), Failure> {
    let (what_width, time) = (WIDTH - 20, human::time(time));
    writeln!(out, "  {HEADING}{name:<7}{HEADING:#} {what:<what_width$} {QUIET}{time:>9}{QUIET:#}")?;
    Ok(out.flush()?)
}

fn build(sample: &Sample, path: &Path, out: &mut dyn Write) -> Result<(), Failure> {
    let count = sample.indexed().count();
    let bar = progress::bar("linking", count);
    let mut entries = sample.indexed();
    let fill = |to: &mut [f32]| {
        let (key, vector) = entries.next().expect("as many as were counted");
        to.copy_from_slice(vector);
        Ok::<u64, FileError>(key)
    };
    let linked = |linked: usize| {
        bar.set_position(linked as u64);
        ControlFlow::Continue(())
    };
    let started = Instant::now();
    let index = Index::builder(sample.dim())
        .metric(Metric::Cosine)
        .quantization(Quantization::Sq4)
        .build_with(count, fill, linked)
        .map_err(|error| Failure::build(path, |row| (path.to_owned(), row), error))?;
    let time = started.elapsed();
    bar.finish_and_clear();
    let what = format!(
        "{} vectors of {} dimensions, cosine, sq4, on {}",
        human::count(count as u64),
        sample.dim(),
        human::plural(machine::cores() as u64, "thread"),
    );
    step(out, "build", &what, time)?;

    let started = Instant::now();
    index.save(path)?;
    step(out, "save", "to a file, synced, and only then given its name", started.elapsed())
}

fn open(path: &Path, out: &mut dyn Write) -> Result<MappedIndex, Failure> {
    let started = Instant::now();
    let index = mmap::open(path)?;
    let time = started.elapsed();
    step(out, "open", "mapped, not read: ready to search", time)?;

    let started = Instant::now();
    index.verify().map_err(|error| Failure::refused(path, error))?;
    let time = started.elapsed();
    let rate = human::rate(index.as_bytes().len() as u64, time);
    step(out, "verify", &format!("every checksum, link and vector, {rate}"), time)?;
    Ok(index)
}

fn show_answers(
    sample: &Sample,
    index: &MappedIndex,
    path: &Path,
    out: &mut dyn Write,
) -> Result<(), Failure> {
    writeln!(
        out,
        "\n{HEADING}Twelve definitions that are not in the index, and the nearest that are{HEADING:#}"
    )?;
    writeln!(out, "{QUIET}by cosine similarity: 1 is the same, 0 unrelated{QUIET:#}")?;
    let params = SearchParams::new(SHOWN).ef_search(EF_SEARCH);
    let mut scratch = Scratch::new();
    for (entry, vector) in sample.queries() {
        show_query(&entry, out)?;
        let found = index
            .search_with(vector, &params, &mut scratch)
            .map_err(|error| Failure::refused(path, error))?;
        for hit in found.hits {
            show_neighbor(&sample.entry(hit.key), 1.0 - hit.distance, out)?;
        }
    }
    Ok(out.flush()?)
}

fn show_query(entry: &Entry, out: &mut dyn Write) -> Result<(), Failure> {
    let (word, kind) = (entry.word(), entry.part_of_speech);
    let definition = fit(entry.meaning(), WIDTH - word.chars().count() - kind.len() - 4);
    Ok(writeln!(out, "\n{WORD}{word}{WORD:#}  {QUIET}{kind}{QUIET:#}  {definition}")?)
}

fn show_neighbor(entry: &Entry, similarity: f32, out: &mut dyn Write) -> Result<(), Failure> {
    let (word, meaning) = (fit(entry.word(), 20), fit(entry.meaning(), WIDTH - 30));
    Ok(writeln!(out, "  {similarity:.2}  {word:<20}  {QUIET}{meaning}{QUIET:#}")?)
}

fn compare(sample: &Sample, index: &MappedIndex, path: &Path, out: &mut dyn Write) -> Result<(), Failure> {
    let graph = index.graph();
    let held_out = sample.held_out();
    let queries = held_out.as_slice();
    let asked = human::count(queries.len() as u64);
    writeln!(
        out,
        "\n{HEADING}Against exact search: the {K} nearest of {asked} held-out definitions{HEADING:#}"
    )?;
    out.flush()?;

    let truth = exact_batch(graph.rows(), queries, K, None, |_| ControlFlow::Continue(()))
        .map_err(|error| Failure::exact(path, error))?;
    let params = SearchParams::new(K).ef_search(EF_SEARCH);
    let refused = |error: SearchError| Failure::refused(path, error);
    let mut scratch = Scratch::new();
    let (mut right, mut distances) = (0, 0);
    for (query, truth) in queries.iter().zip(truth.chunks(K)) {
        let found = index.search_with(*query, &params, &mut scratch).map_err(refused)?;
        distances += found.stats.distances;
        let is_true = |key: u64| truth.iter().any(|neighbor| index.node_keys()[neighbor.id as usize] == key);
        right += found.hits.iter().filter(|hit| is_true(hit.key)).count();
    }
    let approximate = measure(queries.len(), 1, || {
        let mut scratch = Scratch::new();
        Ok(move |query: usize| index.search_with(queries[query], &params, &mut scratch).map(drop))
    });
    let rows = graph.rows();
    let exact = measure(queries.len(), 1, || {
        let mut found = [Neighbor::default(); K];
        Ok(move |query: usize| exact(rows, queries[query], &mut found).map(drop))
    });
    let failed = |error: MeasureError<SearchError>| Failure::refused(path, error);
    let (approximate, exact) = (approximate.map_err(failed)?, exact.map_err(failed)?);

    writeln!(out, "  {QUIET}{:<14}{:>10}{:>12}{:>12}{QUIET:#}", "", "recall@10", "median", "p99")?;
    let mut row = |name: &str, recall: f64, timings: &Timings| {
        let [median, p99] = [50, 99].map(|percent| human::time(timings.percentile(percent)));
        writeln!(out, "  {name:<14}{recall:>10.4}{median:>12}{p99:>12}")
    };
    row("exact", 1.0, &exact)?;
    row("index", right as f64 / truth.len() as f64, &approximate)?;
    let factor = exact.percentile(50).as_secs_f64() / approximate.percentile(50).as_secs_f64();
    let [all, some] = [graph.count(), distances / queries.len()].map(|count| human::count(count as u64));
    writeln!(
        out,
        "  {HEADING}{factor:.0} times as fast{HEADING:#}: {some} comparisons instead of {all}, on one thread"
    )?;
    Ok(out.flush()?)
}

fn show_sizes(index: &MappedIndex, out: &mut dyn Write) -> Result<(), Failure> {
    let (mut vectors, mut codes, mut links) = (0, 0, 0);
    for section in index.sections() {
        match section.tag {
            Tag::VECTORS => vectors += section.length,
            Tag::CODES | Tag::TERMS | Tag::MEAN => codes += section.length,
            Tag(tag) if tag.starts_with(b"LNK") => links += section.length,
            _ => (),
        }
    }
    let [vectors, codes, links, file] = [vectors, codes, links, index.header().file_length].map(human::bytes);
    writeln!(out, "  the file has {file}: vectors {vectors}, codes {codes}, links {links}")?;
    Ok(())
}

fn show_next(out: &mut dyn Write) -> Result<(), Failure> {
    writeln!(out, "\n{HEADING}Next, on vectors of your own{HEADING:#}")?;
    writeln!(out, "  vex build base.npy --output base.vex --metric cosine")?;
    writeln!(out, "  vex search base.vex --queries queries.npy -k 10")?;
    writeln!(out, "  vex explore base.vex  {QUIET}to replay searches in a browser{QUIET:#}")?;
    writeln!(out, "  vex help build  {QUIET}for formats and parameters{QUIET:#}")?;
    Ok(())
}

/// Shortens a text to `width` characters.
fn fit(text: &str, width: usize) -> String {
    if text.chars().count() <= width {
        return text.to_owned();
    }
    let kept: String = text.chars().take(width.saturating_sub(1)).collect();
    format!("{}…", kept.trim_end())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_shortened_to_the_width() {
        assert_eq!(fit("penguin", 7), "penguin");
        assert_eq!(fit("penguins", 7), "pengui…");
        assert_eq!(fit("king penguin", 6), "king…");
    }
}
