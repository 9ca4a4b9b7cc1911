//! `vex db backup`.

use std::io::Write;
use std::path::PathBuf;
use std::time::Instant;

use vex_db::Reader;

use crate::error::Failure;
use crate::human;

/// Copy a collection to a new folder
///
/// The copy is one moment of the collection, whatever is written meanwhile. It is a collection
/// itself, and is on the medium when the command ends. If copying fails, nothing that looks like a
/// collection is left. Damage of the store is copied, so verify the collection first.
#[derive(Debug, clap::Args)]
#[command(after_long_help = "\
Example:
  vex db verify notes.vexdb && vex db backup notes.vexdb backup/notes.vexdb")]
pub(crate) struct Args {
    /// The collection
    pub(super) collection: PathBuf,
    /// The folder to write, which is new or empty
    copy: PathBuf,
}

pub(crate) fn run(args: &Args, out: &mut dyn Write) -> Result<(), Failure> {
    let started = Instant::now();
    Reader::open(&args.collection)?.backup(&args.copy)?;
    let time = started.elapsed();
    let stats = Reader::open(&args.copy)?.snapshot()?.stats()?;
    let (path, rows) = (human::path(&args.copy), human::plural(stats.rows, "row"));
    Ok(writeln!(out, "{path}: {rows}, {} copied in {}", human::bytes(stats.bytes()), human::time(time))?)
}
