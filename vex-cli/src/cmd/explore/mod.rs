//! `vex explore`: a page that shows an index and replays searches.

mod http;
mod project;
mod server;
mod texts;
mod trace;

use std::io::Write;
use std::path::{Path, PathBuf};

use vex::MappedIndex;

use crate::error::Failure;
use crate::mmap;
use server::Server;
#[cfg_attr(not(feature = "demo"), allow(unused_imports))]
pub(super) use texts::Texts;

/// The port where nothing else is said.
pub(super) const PORT: u16 = 7878;

/// Look at an index in a browser, and replay searches step by step
///
/// Serves one page on this machine alone, until the command is interrupted. On the page, pick a row
/// of the index. It is searched for, and each step of the search can be replayed: the descent from
/// level to level, the nodes whose distances were computed, the candidate list, and what was
/// compared by vectors in the end. Beside it is the exact answer.
///
/// Nothing is sent anywhere, and the page loads nothing from elsewhere.
#[derive(Debug, clap::Args)]
#[command(after_long_help = "\
Example:
  vex explore base.vex --texts lines.txt
  http://127.0.0.1:7878/")]
pub(crate) struct Args {
    /// The index
    index: PathBuf,
    /// File of texts: line n is shown for the vector with key n, counted from 0
    #[arg(long, value_name = "FILE")]
    texts: Option<PathBuf>,
    /// Port of the page; 0 takes any that is free
    #[arg(long, default_value_t = PORT)]
    port: u16,
}

pub(crate) fn run(args: &Args, out: &mut dyn Write) -> Result<(), Failure> {
    let index = mmap::open(&args.index)?;
    let texts = args.texts.as_deref().map(Texts::read).transpose()?;
    serve(&args.index, &index, texts.as_ref(), args.port, out)
}

/// Serves the page until the process is interrupted.
pub(super) fn serve(
    path: &Path,
    index: &MappedIndex,
    texts: Option<&Texts>,
    port: u16,
    out: &mut dyn Write,
) -> Result<(), Failure> {
    if !index.graph().rows().are_stored() {
        return Err(Failure::NoVectors { path: path.to_path_buf() });
    }
    let server = Server::bind(path, index, texts, port)?;
    writeln!(out, "http://127.0.0.1:{}/", server.port())?;
    out.flush()?;
    server.run()
}
