//! `vex db verify`.

use std::io::Write;
use std::time::Instant;

use vex_db::{Maintenance, Options};

use super::Writing;
use crate::error::Failure;
use crate::human;

/// Check every byte of a collection
///
/// Compares the checksum of each page of the store and of each section of the segments. Checks that
/// ids, rows, fields and segments agree, that links lead to vectors, and that vectors are finite.
/// Prints "ok" and what was checked, or fails with the first fault and its place. The check has the
/// collection for itself, as if it wrote.
#[derive(Debug, clap::Args)]
#[command(after_long_help = "\
Example:
  vex db verify notes.vexdb")]
pub(crate) struct Args {
    #[command(flatten)]
    pub(super) writing: Writing,
}

pub(crate) fn run(args: &Args, out: &mut dyn Write) -> Result<(), Failure> {
    let started = Instant::now();
    let notes = args.writing.open(Options::new().verify(true).maintenance(Maintenance::Manual))?;
    let view = notes.snapshot()?;
    view.verify()?;
    let (stats, time) = (view.stats()?, started.elapsed());
    let (rows, pending) = (human::plural(stats.rows, "row"), human::count(stats.pending as u64));
    let segments = human::plural(stats.segments.len() as u64, "segment");
    let (bytes, seconds, rate) =
        (human::count(stats.bytes()), time.as_secs_f64(), human::rate(stats.bytes(), time));
    writeln!(
        out,
        "ok: the store, {segments} and {rows} ({pending} pending), {bytes} bytes verified in {seconds:.3} s ({rate})"
    )?;
    Ok(())
}
