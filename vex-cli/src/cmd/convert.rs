//! `vex convert`.

use std::io::{BufWriter, Write, stdout};
use std::path::{Path, PathBuf};
use std::time::Instant;

use clap::ValueEnum;

use super::is_index;
use super::parts::{self, Part};
use super::reading::{FORMATS, Reading};
use crate::error::Failure;
use crate::io::{self, FileError, Format, Input, Problem, Role, Rows, Writing, open_output};
use crate::{human, mmap, progress};

/// Convert a file of vectors or ids, or a part of an index, to another format
///
/// Numbers stay as they are, or the file is refused: float64 and numbers in text alone are rounded, to
/// float32. Whole numbers are written into files of int32 or bytes if each fits. Of an index, vectors,
/// keys or links are written, in ascending order of the keys.
#[derive(Debug, clap::Args)]
#[command(after_long_help = format!("\
Input:
  .vex                  an index, of which --part is written
  .ivecs .ibin          ids
{FORMATS}
Output:
  the same formats without .hdf5, .txt as .csv, and a stream to standard output by -

Parts of an index, a row for each vector:
  vectors   as they are stored: of unit length by cosine, bits as bytes of eight
  keys      one number; an .npy file has one axis
  links     keys of the vectors that it is linked to at the base, filled up with -1

Examples:
  vex convert base.npy base.fbin
  vex convert sift.hdf5 truth.ivecs --column neighbors
  vex convert index.vex keys.npy --part keys"))]
pub(crate) struct Args {
    /// File of vectors or ids, a folder of them, or an index; - for standard input
    input: PathBuf,
    /// File to write; - for standard output
    output: PathBuf,
    #[command(flatten)]
    reading: Reading,
    /// Format of the output, where its extension tells none
    #[arg(long, value_name = "FORMAT")]
    to: Option<Format>,
    /// Part of an index to write [default: vectors]
    #[arg(long, value_enum)]
    part: Option<Part>,
}

impl Args {
    /// Whether the output is standard output.
    fn is_stream(&self) -> bool {
        self.output == Path::new("-")
    }
}

pub(crate) fn run(args: &Args, out: &mut dyn Write) -> Result<(), Failure> {
    let started = Instant::now();
    let format = format(args)?;
    let output = match args.is_stream() {
        true => None,
        false => Some(open_output(&args.output, &[&args.input])?),
    };
    if !is_index(&args.input) {
        if args.part.is_some() {
            return Err(Failure::refused(&args.input, "expected an index, for --part"));
        }
        let mut rows = io::open(&args.reading.input(&args.input, Role::Any))?;
        return write(args, output, &mut *rows, format, started, out);
    }
    let index = mmap::open(&args.input)?;
    let mut rows = parts::open(&args.input, &index, args.part.unwrap_or(Part::Vectors))?;
    write(args, output, &mut *rows, format, started, out)
}

/// The format to write.
fn format(args: &Args) -> Result<Format, FileError> {
    let format = match args.is_stream() {
        true => args.to.ok_or_else(|| FileError::new(Path::new("standard output"), Problem::NoTarget))?,
        false => {
            let named = Input { format: args.to, ..Input::new(&args.output, Role::Vectors) }.format();
            named.map_err(|error| FileError::new(&error.path, Problem::UnknownTarget))?
        }
    };
    // A format that is not written is refused before the input is read.
    match format {
        Format::Hdf5 => Err(FileError::new(&args.output, Problem::NoWriter { format })),
        format => Ok(format),
    }
}

fn write(
    args: &Args,
    output: Option<vex::Output>,
    rows: &mut dyn Rows,
    format: Format,
    started: Instant,
    out: &mut dyn Write,
) -> Result<(), Failure> {
    let target = io::target(format, rows)?;
    io::note_rounding(rows);
    let shape = rows.shape();
    let writing = Writing { format, target, is_column: args.part == Some(Part::Keys) };
    let bar = progress::bar("rows", shape.rows);
    let mut wrote = || bar.inc(1);
    match output {
        Some(output) => io::write(output, rows, writing, &mut wrote)?,
        // The printer of messages would take some bytes for colors.
        None => io::write_to(&mut BufWriter::new(stdout().lock()), rows, writing, &mut wrote)?,
    }
    bar.finish_and_clear();
    if args.is_stream() {
        return Ok(());
    }
    let (path, rows) = (human::path(&args.output), human::plural(shape.rows as u64, "row"));
    let name = format.to_possible_value().map(|value| value.get_name().to_owned()).unwrap_or_default();
    let time = human::time(started.elapsed());
    Ok(writeln!(out, "{path}: {rows} of {} x {target} as {name} in {time}", shape.dim)?)
}
