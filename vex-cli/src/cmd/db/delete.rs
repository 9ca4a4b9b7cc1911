//! `vex db delete`.

use std::io::Write;
use std::path::PathBuf;

use serde::Serialize;
use vex_db::Options;

use super::Writing;
use crate::cmd::print_json;
use crate::error::Failure;
use crate::human;
use crate::io::Lines;

/// Delete rows by their ids
///
/// All of them are deleted in one commit. Ids without a row are counted, and are no failure.
#[derive(Debug, clap::Args)]
#[command(after_long_help = "\
Example:
  vex db delete notes.vexdb note/7 note/8

JSON: one object with deleted and missing (ids without a row).")]
pub(crate) struct Args {
    #[command(flatten)]
    pub(super) writing: Writing,
    /// The ids
    #[arg(value_name = "ID", required_unless_present = "file")]
    ids: Vec<String>,
    /// File of ids, one a line; - for standard input
    #[arg(id = "file", long = "ids", value_name = "FILE", conflicts_with = "ids")]
    file: Option<PathBuf>,
    /// Print a JSON object
    #[arg(long)]
    json: bool,
}

#[derive(Serialize)]
struct Report {
    deleted: usize,
    missing: usize,
}

pub(crate) fn run(args: &Args, out: &mut dyn Write) -> Result<(), Failure> {
    let lines = args.file.as_ref().map(|path| Lines::open(path)).transpose()?;
    let notes = args.writing.open(Options::new())?;
    let mut batch = notes.batch();
    args.ids.iter().for_each(|id| batch.delete(id));
    if let Some(mut lines) = lines {
        while let Some(id) = lines.next()? {
            batch.delete(id);
        }
    }
    let ids = batch.len();
    let deleted = batch.commit()?.deleted;
    let report = Report { deleted, missing: ids - deleted };
    if args.json {
        return print_json(out, &report);
    }
    let (path, rows) = (human::path(&args.writing.collection), human::plural(deleted as u64, "row"));
    write!(out, "{path}: {rows} deleted")?;
    if report.missing > 0 {
        write!(out, ", {} had no row", human::plural(report.missing as u64, "id"))?;
    }
    Ok(writeln!(out)?)
}
