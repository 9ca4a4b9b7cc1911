//! `vex verify`.

use std::io::Write;
use std::path::PathBuf;
use std::time::Instant;

use vex::MappedIndex;

use super::{check_unique, values};
use crate::error::Failure;
use crate::{human, mmap};

/// Check every byte of an index
///
/// Compares the checksum of each section, and checks the contents: padding is zero, every link
/// leads to a vector, and vectors are finite. Under cosine, vectors have unit length. Searches can
/// reach every vector. No key comes twice, except those of deleted vectors. Prints "ok" and the
/// amount that it read, or fails with the first fault and its place.
#[derive(Debug, clap::Args)]
#[command(after_long_help = "\
Example:
  vex verify base.vex && cp base.vex backup/")]
pub(crate) struct Args {
    /// The index
    index: PathBuf,
    /// Threads to check on, 1 to 1024 [default: one for each core]
    #[arg(short, long, value_name = "N", value_parser = values::threads())]
    threads: Option<usize>,
    /// Read the index into memory first, instead of mapping the file, so that later changes to the
    /// file do not matter
    #[arg(long)]
    load: bool,
}

pub(crate) fn run(args: &Args, out: &mut dyn Write) -> Result<(), Failure> {
    let started = Instant::now();
    if args.load {
        run_on(args, MappedIndex::read(&args.index)?, started, out)
    } else {
        run_on(args, mmap::open(&args.index)?, started, out)
    }
}

fn run_on<B: AsRef<[u8]>>(
    args: &Args,
    index: MappedIndex<B>,
    started: Instant,
    out: &mut dyn Write,
) -> Result<(), Failure> {
    index.verify_on(args.threads).map_err(|error| Failure::refused(&args.index, error))?;
    let tombstones = index.graph().tombstones();
    let live =
        (0..).zip(index.node_keys()).filter(|(node, _)| !tombstones.contains(*node)).map(|(_, key)| *key);
    check_unique(&args.index, live)?;
    match index.graph().unreachable().map_err(|error| Failure::refused(&args.index, error))? {
        0 => (),
        found => return Err(Failure::Unreachable { path: args.index.clone(), found }),
    }
    let time = started.elapsed();
    let bytes = index.as_bytes().len() as u64;
    let vectors = human::plural(index.len() as u64, "vector");
    let (count, seconds, rate) = (human::count(bytes), time.as_secs_f64(), human::rate(bytes, time));
    writeln!(out, "ok: {vectors}, {count} bytes verified in {seconds:.3} s ({rate})")?;
    Ok(())
}
