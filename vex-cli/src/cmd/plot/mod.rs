//! `vex plot`.

mod curves;
mod draw;
mod sections;

use std::io::Write;
use std::path::{Path, PathBuf};

use super::is_index;
use crate::error::Failure;
use crate::human;
use crate::io::{FileError, Problem, check_name, open_output, read_bytes};
use curves::Curve;
use draw::Format;
use sections::Bar;

/// Draw recall, speed and memory as SVG or PNG
///
/// The files that `vex bench --json` printed become curves, one for each file: queries per second
/// and p99 against recall. Indexes become bars, one for each: the bytes of their vectors, codes,
/// links and keys. The names of the files name the curves and bars.
#[derive(Debug, clap::Args)]
#[command(after_long_help = "\
Examples:
  vex bench base.vex -q queries.npy --ground-truth truth.npy --ef-search 16,32,64,128 --json > base.json
  vex plot base.json other.json -o recall.svg
  vex plot base.vex other.vex -o memory.png")]
pub(crate) struct Args {
    /// Files of vex bench --json, or indexes
    #[arg(value_name = "FILE", required = true)]
    files: Vec<PathBuf>,
    /// The picture to write: .svg or .png
    #[arg(short, long, value_name = "PICTURE")]
    output: PathBuf,
}

/// What is drawn.
enum Picture {
    Curves(Vec<Curve>),
    Bars(Vec<Bar>),
}

pub(crate) fn run(args: &Args, out: &mut dyn Write) -> Result<(), Failure> {
    check_name(&args.output)?;
    let format = Format::of(&args.output)
        .ok_or_else(|| FileError::new(&args.output, Problem::Extension { accepted: ".svg or .png" }))?;
    let inputs: Vec<&Path> = args.files.iter().map(PathBuf::as_path).collect();
    let output = open_output(&args.output, &inputs)?;
    let picture = if is_index(inputs[0]) {
        Picture::Bars(inputs.iter().map(|path| Bar::read(path)).collect::<Result<_, _>>()?)
    } else {
        Picture::Curves(inputs.iter().map(|path| read_curve(path)).collect::<Result<_, _>>()?)
    };
    let bytes = draw::render(format, |canvas| match &picture {
        Picture::Curves(curves) => curves::draw(canvas, curves),
        Picture::Bars(bars) => sections::draw(canvas, bars),
    });
    let bytes = bytes.map_err(|problem| Failure::refused(&args.output, problem))?;
    output.write(|file| file.write_all(&bytes))?;
    let (path, count) = (human::path(&args.output), inputs.len() as u64);
    let drawn = match picture {
        Picture::Curves(_) => human::plural(count, "curve"),
        Picture::Bars(_) => human::plural(count, "index").replace("indexs", "indexes"),
    };
    writeln!(out, "{path}: {drawn}")?;
    Ok(())
}

fn read_curve(path: &Path) -> Result<Curve, Failure> {
    if is_index(path) {
        return Err(Failure::refused(
            path,
            "expected the output of vex bench --json as before, found an index",
        ));
    }
    let bytes = read_bytes(path)?;
    let curve = Curve::parse(name(path), &bytes).map_err(|problem| Failure::refused(path, problem))?;
    if curve.is_point() {
        let path = human::path(path);
        eprintln!(
            "note: {path} has one measurement: vex bench --ef-search 16,32,64,128 --json gives a curve"
        );
    }
    Ok(curve)
}

/// The name of a file without its extension. In a picture, long names would overlap others.
fn name(path: &Path) -> String {
    const LONGEST: usize = 40;
    let name = human::printable(&path.file_stem().unwrap_or(path.as_os_str()).to_string_lossy());
    if name.chars().count() <= LONGEST {
        return name;
    }
    // Names of several runs often differ at their ends.
    let half = |name: &mut dyn Iterator<Item = char>| name.take(LONGEST / 2 - 1).collect::<String>();
    let (start, end) = (half(&mut name.chars()), half(&mut name.chars().rev()));
    format!("{start}…{}", end.chars().rev().collect::<String>())
}
