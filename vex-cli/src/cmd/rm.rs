//! `vex rm`.

use std::io::Write;
use std::path::PathBuf;

use serde::Serialize;

use super::change::{Changing, Saved};
use super::{print_json, values};
use crate::error::Failure;
use crate::human;
use crate::io::read_key_list;

/// Delete vectors from an index by their keys
///
/// Marks the vectors as deleted, and saves the index in place of the old one. No search finds them
/// any more. Vectors that are added later take their room, and `vex compact` frees it. If one of the
/// keys is not in the index, nothing is deleted.
#[derive(Debug, clap::Args)]
#[command(after_long_help = "\
Examples:
  vex rm base.vex 17 4711
  vex rm base.vex --keys old.txt --ignore-missing

JSON: one object with deleted, missing (keys that are not in the index), count (of the vectors that are left), \
index_bytes (the file) and seconds.")]
pub(crate) struct Args {
    #[command(flatten)]
    changing: Changing,
    /// The keys
    #[arg(value_name = "KEY", required_unless_present = "file", value_parser = values::key)]
    keys: Vec<u64>,
    /// File of keys, .npy or .txt, as for vex build
    #[arg(id = "file", long = "keys", value_name = "FILE", conflicts_with = "keys")]
    file: Option<PathBuf>,
    /// Delete the other vectors if some keys are not in the index, instead of failing
    #[arg(long)]
    ignore_missing: bool,
}

#[derive(Serialize)]
struct Report {
    deleted: usize,
    missing: usize,
    #[serde(flatten)]
    saved: Saved,
}

pub(crate) fn run(args: &Args, out: &mut dyn Write) -> Result<(), Failure> {
    let inputs: Vec<_> = args.file.as_deref().into_iter().collect();
    let mut change = args.changing.open(&inputs)?;
    let mut keys = args.file.as_deref().map_or_else(|| Ok(args.keys.clone()), read_key_list)?;
    // A key that comes twice counts once.
    keys.sort_unstable();
    keys.dedup();
    let path = &args.changing.index;
    if !args.ignore_missing
        && let Some(key) = keys.iter().find(|key| !change.index.contains(**key))
    {
        return Err(Failure::MissingKey { path: path.clone(), key: *key });
    }
    let asked = keys.len();
    let deleted = change.index.delete_many(keys).map_err(|error| Failure::refused(path, error))?;
    let report = Report { deleted, missing: asked - deleted, saved: change.save()? };
    if args.changing.json {
        return print_json(out, &report);
    }
    let target = human::path(args.changing.target());
    write!(out, "{target}: {} deleted", human::plural(deleted as u64, "vector"))?;
    if report.missing > 0 {
        write!(out, ", {} had none", human::plural(report.missing as u64, "key"))?;
    }
    writeln!(out, "\n{}; vex compact frees the room", report.saved.describe())?;
    Ok(())
}
