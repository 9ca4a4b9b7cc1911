//! `vex db get`.

use std::io::Write;
use std::path::PathBuf;

use vex_db::{Error, Reader};

use super::check_names;
use super::row::Line;
use crate::cmd::print_json;
use crate::error::Failure;

/// Print the row with an id
///
/// Prints a line of JSON, as `vex db put` reads it. Fails if there is no row with this id.
#[derive(Debug, clap::Args)]
#[command(after_long_help = "\
Example:
  vex db get notes.vexdb note/7
  {\"id\":\"note/7\",\"doc\":\"Remember the milk\",\"lang\":\"en\"}")]
pub(crate) struct Args {
    /// The collection
    pub(super) collection: PathBuf,
    /// The id
    id: String,
    /// Print the vectors as well; under cosine they were scaled to unit length
    #[arg(long)]
    vector: bool,
}

pub(crate) fn run(args: &Args, out: &mut dyn Write) -> Result<(), Failure> {
    let notes = Reader::open(&args.collection)?;
    check_names(&args.collection, notes.schema())?;
    let row = notes.snapshot()?.get(&args.id)?.ok_or_else(|| Error::NoRow { id: args.id.clone() })?;
    let vector = args.vector.then_some(&*row.vector);
    let named = if args.vector { &*row.named } else { &[] };
    print_json(out, &Line { id: &row.id, vector, named, fields: &row.row })
}
