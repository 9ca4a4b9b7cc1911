//! `vex db delete`.

use std::io::Write;
use std::path::PathBuf;

use serde::Serialize;
use vex_db::Options;

use super::Writing;
use super::condition::Condition;
use crate::cmd::print_json;
use crate::error::Failure;
use crate::human;
use crate::io::Lines;

/// So many ids without a row are named in the text.
const NAMED: usize = 5;

/// Delete rows by their ids, or all that meet a condition
///
/// All of them are deleted in one commit. Ids without a row are named, and are no failure.
#[derive(Debug, clap::Args)]
#[command(after_long_help = "\
Examples:
  vex db delete notes.vexdb note/7 note/8
  vex db delete notes.vexdb --where \"year < ?\" --param 2020

JSON: one object with deleted (how many rows) and missing (an array of the ids without a row).")]
pub(crate) struct Args {
    #[command(flatten)]
    pub(super) writing: Writing,
    /// The ids
    #[arg(value_name = "ID", required_unless_present_any = ["file", "where"], conflicts_with = "where")]
    ids: Vec<String>,
    /// File of ids, one a line; - for standard input
    #[arg(id = "file", long = "ids", value_name = "FILE", conflicts_with_all = ["ids", "where"])]
    file: Option<PathBuf>,
    #[command(flatten)]
    condition: Condition,
    /// Print a JSON object
    #[arg(long)]
    json: bool,
}

#[derive(Serialize)]
struct Report {
    deleted: usize,
    missing: Vec<String>,
}

pub(crate) fn run(args: &Args, out: &mut dyn Write) -> Result<(), Failure> {
    let lines = args.file.as_ref().map(|path| Lines::open(path)).transpose()?;
    let notes = args.writing.open(Options::new())?;
    // Nobody else writes, so this is what the commit will find.
    let (view, mut batch, mut missing) = (notes.snapshot()?, notes.batch(), Vec::new());
    let mut delete = |id: &str| -> Result<(), Failure> {
        let before = batch.len();
        batch.delete(id);
        if batch.len() > before && !view.contains(id)? {
            missing.push(id.to_owned());
        }
        Ok(())
    };
    args.ids.iter().try_for_each(|id| delete(id))?;
    if let Some(mut lines) = lines {
        while let Some(id) = lines.next()? {
            delete(id)?;
        }
    }
    if let Some(filter) = args.condition.filter()? {
        let none: [String; 0] = [];
        view.scroll().filter(filter).fetch(none).run_each(|row| batch.delete(&row.id))?;
    }
    drop(view);
    let report = Report { deleted: batch.commit()?.deleted, missing };
    if args.json {
        return print_json(out, &report);
    }
    let (path, rows) = (human::path(&args.writing.collection), human::plural(report.deleted as u64, "row"));
    write!(out, "{path}: {rows} deleted")?;
    if !report.missing.is_empty() {
        let ids = human::plural(report.missing.len() as u64, "id");
        let named: Vec<String> = report.missing.iter().take(NAMED).map(|id| human::printable(id)).collect();
        let more = if report.missing.len() > NAMED { ", …" } else { "" };
        write!(out, ", {ids} had no row: {}{more}", named.join(", "))?;
    }
    Ok(writeln!(out)?)
}
