//! `vex db maintain`.

use std::io::Write;
use std::ops::ControlFlow;
use std::time::Instant;

use serde::Serialize;
use vex_db::{Budget, Maintenance, Options};

use super::Writing;
use crate::cmd::{print_json, values};
use crate::error::Failure;
use crate::{human, progress};

/// Build the segments that make searches fast
///
/// Seals pending rows into a segment, merges segments of about the same size, and rewrites those with
/// many dead rows, until nothing is left to do. Then gives back what the store does not use. `vex db put` and `vex db delete` do so too when it is
/// necessary; this command begins earlier. Readers go on meanwhile.
#[derive(Debug, clap::Args)]
#[command(after_long_help = "\
Example:
  vex db maintain notes.vexdb --memory 512MiB

JSON: one object with sealed, merged and rewritten (steps of each kind), skipped (steps that would take more memory), \
compacted (whether the store gave space back), segments and pending (afterwards), bytes (of all files) and seconds.")]
pub(crate) struct Args {
    #[command(flatten)]
    pub(super) writing: Writing,
    /// Leave out steps that would take more memory, such as 512MiB or 2GB [default: no limit]
    #[arg(long, value_name = "BYTES", value_parser = values::bytes)]
    memory: Option<usize>,
    /// Threads to build on, 1 to 1024 [default: one for each core]
    #[arg(short, long, value_name = "N", value_parser = values::threads())]
    threads: Option<usize>,
    /// Print a JSON object
    #[arg(long)]
    json: bool,
}

#[derive(Serialize)]
struct Report {
    sealed: usize,
    merged: usize,
    rewritten: usize,
    skipped: usize,
    compacted: bool,
    segments: usize,
    pending: usize,
    bytes: u64,
    seconds: f64,
}

pub(crate) fn run(args: &Args, out: &mut dyn Write) -> Result<(), Failure> {
    let started = Instant::now();
    let mut options = Options::new().maintenance(Maintenance::Manual);
    if let Some(threads) = args.threads {
        options = options.threads(threads);
    }
    let notes = args.writing.open(options)?;
    let budget = args.memory.map_or_else(Budget::unlimited, Budget::memory);
    let bar = progress::bar("linking", 0);
    let done = notes.maintain(budget, |step| {
        bar.set_length(step.rows as u64);
        bar.set_position(step.linked as u64);
        ControlFlow::Continue(())
    })?;
    bar.finish_and_clear();
    let stats = notes.stats()?;
    let report = Report {
        sealed: done.sealed,
        merged: done.merged,
        rewritten: done.rewritten,
        skipped: done.skipped,
        compacted: done.compacted,
        segments: stats.segments.len(),
        pending: stats.pending,
        bytes: stats.bytes(),
        seconds: started.elapsed().as_secs_f64(),
    };
    if args.json {
        return print_json(out, &report);
    }
    let Report { sealed, merged, rewritten, skipped, .. } = report;
    let (path, time) = (human::path(&args.writing.collection), human::time(started.elapsed()));
    writeln!(out, "{path}: {sealed} sealed, {merged} merged, {rewritten} rewritten in {time}")?;
    if skipped > 0 {
        let steps = human::plural(skipped as u64, "step");
        writeln!(out, "{steps} left out, which would take more memory than --memory allows")?;
    }
    if report.compacted {
        writeln!(out, "the store gave space back")?;
    }
    let segments = human::plural(report.segments as u64, "segment");
    let (pending, bytes) = (human::count(report.pending as u64), human::bytes(report.bytes));
    let few = if report.pending > 0 && skipped == 0 { ", too few for a segment" } else { "" };
    Ok(writeln!(out, "{segments}, {pending} rows pending{few}, {bytes}")?)
}
