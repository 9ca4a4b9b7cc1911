//! `vex compact`.

use std::io::Write;
use std::ops::ControlFlow;

use serde::Serialize;

use super::change::{Changing, Saved};
use super::{print_json, values};
use crate::error::Failure;
use crate::{human, progress};

/// Build an index again without its deleted vectors
///
/// Links all vectors that are left as `vex build` does, on all cores, and saves the index in place of
/// the old one. Keys and parameters stay. This frees the room of deleted vectors. It also makes an
/// index faster to which many vectors were added one by one. Meanwhile two indexes are in memory.
#[derive(Debug, clap::Args)]
#[command(after_long_help = "\
Example:
  vex compact base.vex

JSON: one object with removed (deleted vectors whose room is free now), freed_bytes (how much shorter the file is, \
negative if it is longer), count (of the vectors), index_bytes (the file) and seconds.")]
pub(crate) struct Args {
    #[command(flatten)]
    changing: Changing,
    /// Threads to link on, 1 to 1024 [default: one for each core]
    #[arg(short, long, value_name = "N", value_parser = values::threads())]
    threads: Option<usize>,
}

#[derive(Serialize)]
struct Report {
    removed: usize,
    freed_bytes: i64,
    #[serde(flatten)]
    saved: Saved,
}

pub(crate) fn run(args: &Args, out: &mut dyn Write) -> Result<(), Failure> {
    let path = &args.changing.index;
    let mut change = args.changing.open(&[])?;
    let before = path.metadata().map_or(0, |metadata| metadata.len());
    let removed = change.index.graph().view().tombstones().len();
    let bar = progress::bar("linking", change.index.len());
    let linked = |linked: usize| {
        bar.set_position(linked as u64);
        ControlFlow::Continue(())
    };
    change.index.compact_with(args.threads, linked).map_err(|error| Failure::refused(path, error))?;
    bar.finish_and_clear();
    let saved = change.save()?;
    let report = Report { removed, freed_bytes: before as i64 - saved.index_bytes as i64, saved };
    if args.changing.json {
        return print_json(out, &report);
    }
    let target = human::path(args.changing.target());
    let removed = human::plural(removed as u64, "deleted vector");
    writeln!(out, "{target}: the room of {removed} is free\n{}", report.saved.describe())?;
    Ok(())
}
