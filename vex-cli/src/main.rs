//! The vex command: build, search, measure and verify vector indexes.
#![deny(unsafe_code)]

mod advice;
mod cmd;
mod error;
mod human;
mod interrupt;
mod io;
mod json;
mod machine;
mod measure;
mod mmap;
mod progress;
mod recall;
mod rss;
mod stdout;

use std::io::{BufWriter, Write};
use std::process::ExitCode;

use clap::error::ErrorKind;
use clap::{CommandFactory, Parser, Subcommand};
use vex::kernels::Isa;

use cmd::{
    add, bench, build, compact, completions, convert, db, demo, explore, get, gt, info, man, merge, plot, rm,
    search, tune, verify,
};
use error::Failure;

/// Build, search, measure and verify vector indexes
///
/// An index is one file, which is searched in place. It is built from a file of vectors. A search
/// finds most of the vectors nearest to a query, in microseconds.
#[derive(Debug, Parser)]
#[command(
    name = "vex",
    version,
    after_help = "\
Examples:
  vex build base.npy -o base.vex --metric cosine
  vex search base.vex -q queries.npy -k 10",
    after_long_help = "\
Examples:
  vex build base.npy -o base.vex --metric cosine
  vex search base.vex -q queries.npy -k 10

Exit codes: 0 done, 1 failed, 2 wrong usage, 130 interrupted. A failure is one line on standard error that begins \
with the file.

Environment:
  VEX_SIMD   Cap on the instruction set: scalar, neon, avx2 or avx512
  NO_COLOR   If set, no colors"
)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Build(build::Args),
    Search(search::Args),
    Gt(gt::Args),
    Bench(bench::Args),
    Convert(convert::Args),
    Tune(tune::Args),
    Plot(plot::Args),
    Info(info::Args),
    Verify(verify::Args),
    Get(get::Args),
    Add(add::Args),
    Rm(rm::Args),
    Compact(compact::Args),
    Merge(merge::Args),
    Explore(explore::Args),
    Db(db::Args),
    Demo(demo::Args),
    Completions(completions::Args),
    Man(man::Args),
}

impl Command {
    /// Whether the command prints something when it succeeds.
    fn prints(&self) -> bool {
        match self {
            Self::Search(args) => args.prints(),
            _ => true,
        }
    }
}

fn main() -> ExitCode {
    let parsed = parse();
    // Help and version are printed as well. Wrong usage is reported on standard error.
    let prints = parsed.as_ref().map_or_else(|error| !error.use_stderr(), |cli| cli.command.prints());
    if prints && let Err(error) = stdout::check() {
        return fail(&error.into());
    }
    let Cli { command } = parsed.unwrap_or_else(|error| error.exit());
    check_environment();
    let mut out = BufWriter::new(anstream::stdout().lock());
    let result = run(&command, &mut out).and_then(|()| Ok(out.flush()?));
    match result {
        Err(failure) if !failure.is_broken_pipe() => {
            // The buffered output was printed before the failure. If it cannot be written, the
            // failure is still the error to report.
            let _ = out.flush();
            fail(&failure)
        }
        _ => {
            interrupt::wait_if_interrupted();
            ExitCode::SUCCESS
        }
    }
}

fn fail(failure: &Failure) -> ExitCode {
    interrupt::wait_if_interrupted();
    // Nobody may read the message any more.
    let _ = writeln!(std::io::stderr(), "error: {}", failure.line());
    ExitCode::from(1)
}

/// The arguments. Usage errors repeat the arguments, which may hold text from strangers, such as
/// names of files. So it is made printable, and parsed again for the error.
fn parse() -> Result<Cli, clap::Error> {
    Cli::try_parse().map_err(|error| {
        let printable = std::env::args_os().map(|argument| human::printable(&argument.to_string_lossy()));
        Cli::try_parse_from(printable).err().unwrap_or(error)
    })
}

fn run(command: &Command, out: &mut dyn Write) -> Result<(), Failure> {
    match command {
        Command::Build(args) => build::run(args, out),
        Command::Search(args) => search::run(args, out),
        Command::Gt(args) => gt::run(args, out),
        Command::Bench(args) => bench::run(args, out),
        Command::Convert(args) => convert::run(args, out),
        Command::Tune(args) => tune::run(args, out),
        Command::Plot(args) => plot::run(args, out),
        Command::Info(args) => info::run(args, out),
        Command::Verify(args) => verify::run(args, out),
        Command::Get(args) => get::run(args, out),
        Command::Add(args) => add::run(args, out),
        Command::Rm(args) => rm::run(args, out),
        Command::Compact(args) => compact::run(args, out),
        Command::Merge(args) => merge::run(args, out),
        Command::Explore(args) => explore::run(args, out),
        Command::Db(args) => db::run(args, out),
        Command::Demo(args) => demo::run(args, out),
        Command::Completions(args) => completions::run(args, Cli::command(), out),
        Command::Man(args) => man::run(args, Cli::command(), out),
    }
}

/// The kernels panic on an unknown instruction set. Here it is wrong usage.
fn check_environment() {
    if let Ok(found) = std::env::var("VEX_SIMD")
        && Isa::from_name(&found).is_none()
    {
        let names = Isa::ALL.map(Isa::name).join(", ");
        let message = format!("VEX_SIMD: expected one of {names}, found {found:?}");
        Cli::command().error(ErrorKind::InvalidValue, message).exit();
    }
}
