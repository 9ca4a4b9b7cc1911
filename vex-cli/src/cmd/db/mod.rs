//! `vex db`: collections of rows, one file for each of its commands.

mod backup;
mod cells;
mod condition;
mod create;
mod delete;
mod get;
mod maintain;
mod put;
mod query;
mod row;
mod rows;
mod scroll;
mod stats;
mod table;
mod verify;

use std::io::Write;
use std::panic;
use std::path::{Path, PathBuf};

use clap::Subcommand;
use vex_db::{Collection, Error, Options, Schema};

use crate::error::Failure;

/// Keep rows with ids, vectors and fields in a collection
///
/// A collection is a folder. Its rows are inserted, replaced and deleted, found by their vectors and
/// fields, and read by their ids. Every commit is on the medium when the command ends. Commands that
/// read work beside one that writes; of those that write, one at a time has the collection.
#[derive(Debug, clap::Args)]
#[command(after_long_help = "\
Rows are lines of JSON, an object each. The id is text of up to 1024 bytes, the vector an array of numbers, and \
all other names are fields of the collection, or its vectors with names. A field without a value is null or left out. \
An infinite number is 1e999 or -1e999.
  {\"id\": \"note/7\", \"vector\": [0.1, 0.9], \"lang\": \"de\", \"year\": 2026}

Example:
  vex db create notes.vexdb --dim 384 --metric cosine --text lang --int year --stored doc
  vex db put notes.vexdb rows.jsonl
  vex db query notes.vexdb --near note/7 -k 3 --fetch doc")]
pub(crate) struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Create(create::Args),
    Put(put::Args),
    Get(get::Args),
    Delete(delete::Args),
    #[command(visible_alias = "search")]
    Query(query::Args),
    Scroll(scroll::Args),
    Stats(stats::Args),
    Verify(verify::Args),
    Backup(backup::Args),
    Maintain(maintain::Args),
}

pub(crate) fn run(args: &Args, out: &mut dyn Write) -> Result<(), Failure> {
    hush_store();
    let (result, path) = match &args.command {
        Command::Create(args) => (create::run(args, out), &args.collection),
        Command::Put(args) => (put::run(args, out), &args.writing.collection),
        Command::Get(args) => (get::run(args, out), &args.collection),
        Command::Delete(args) => (delete::run(args, out), &args.writing.collection),
        Command::Query(args) => (query::run(args, out), &args.collection),
        Command::Scroll(args) => (scroll::run(args, out), &args.collection),
        Command::Stats(args) => (stats::run(args, out), &args.collection),
        Command::Verify(args) => (verify::run(args, out), &args.writing.collection),
        Command::Backup(args) => (backup::run(args, out), &args.collection),
        Command::Maintain(args) => (maintain::run(args, out), &args.writing.collection),
    };
    result.map_err(|failure| failure.about(path))
}

/// The crate of the store panics at some damage, which becomes an error. What the panic itself prints
/// would say nothing to users.
fn hush_store() {
    let print = panic::take_hook();
    panic::set_hook(Box::new(move |panic| {
        if !panic.location().is_some_and(|at| at.file().contains("redb")) {
            print(panic);
        }
    }));
}

/// The arguments of a command that has the collection for itself.
#[derive(Debug, clap::Args)]
struct Writing {
    /// The collection
    collection: PathBuf,
    /// Wait while another process has the collection open for writing, instead of failing
    #[arg(long)]
    wait: bool,
}

impl Writing {
    fn open(&self, options: Options) -> Result<Collection, Failure> {
        options.wait(self.wait).open(&self.collection).map_err(|error| match error {
            Error::Locked { path } => Failure::Locked { path },
            error => error.into(),
        })
    }
}

/// The names that JSON has for the id and the vector of a row.
const ID: &str = "id";
const VECTOR: &str = "vector";

/// Fails if a field of the collection has a name that rows in JSON use for something else. Programs
/// can create such a collection.
fn check_names(path: &Path, schema: &Schema) -> Result<(), Failure> {
    let mut names =
        schema.fields().map(|(field, _)| field).chain(schema.vectors().map(|(vector, ..)| vector));
    match names.find(|name| [ID, VECTOR].contains(name)) {
        Some(field) => Err(Failure::ReservedField { path: path.to_owned(), field: field.to_owned() }),
        None => Ok(()),
    }
}
