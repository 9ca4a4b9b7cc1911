//! `vex db scroll`.

use std::io::Write;
use std::path::PathBuf;

use vex_db::{Reader, Scrolled};

use super::check_names;
use super::condition::Condition;
use super::row::Line;
use crate::cmd::print_json;
use crate::error::Failure;

/// Print rows, ascending by id
///
/// Prints lines of JSON, as `vex db put` reads them. The rows are those of one moment, whatever is
/// written meanwhile.
#[derive(Debug, clap::Args)]
#[command(after_long_help = "\
Examples:
  vex db scroll notes.vexdb --after note/7 --limit 100
  vex db scroll notes.vexdb --where \"lang = ? and year >= ?\" --param de --param 2020 --fetch doc
  vex db scroll old.vexdb --vectors | vex db put new.vexdb -")]
pub(crate) struct Args {
    /// The collection
    pub(super) collection: PathBuf,
    #[command(flatten)]
    condition: Condition,
    /// Only rows whose ids come after this one
    #[arg(long, value_name = "ID")]
    after: Option<String>,
    /// The most rows [default: all]
    #[arg(long, value_name = "N")]
    limit: Option<usize>,
    /// Fields to print, separated by commas [default: all]
    #[arg(long, value_name = "FIELDS", value_delimiter = ',')]
    fetch: Option<Vec<String>>,
    /// Print the vectors as well; under cosine they were scaled to unit length
    #[arg(long)]
    vectors: bool,
}

pub(crate) fn run(args: &Args, out: &mut dyn Write) -> Result<(), Failure> {
    let filter = args.condition.filter()?;
    let notes = Reader::open(&args.collection)?;
    check_names(&args.collection, notes.schema())?;
    let view = notes.snapshot()?;
    let mut scroll = view.scroll();
    if let Some(filter) = filter {
        scroll = scroll.filter(filter);
    }
    if let Some(id) = &args.after {
        scroll = scroll.after(id);
    }
    if let Some(limit) = args.limit {
        scroll = scroll.limit(limit);
    }
    if let Some(fields) = &args.fetch {
        scroll = scroll.fetch(fields);
    }
    if args.vectors {
        scroll = scroll.vectors();
    }
    scroll.try_each(|Scrolled { id, row, vector, named, .. }| {
        print_json(out, &Line { id: &id, vector: vector.as_deref(), named: &named, fields: &row })
    })
}
