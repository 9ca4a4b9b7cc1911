//! `vex completions`.

use std::io::Write;

use clap::Command;
use clap_complete::{Shell, generate};

use crate::error::Failure;

/// Print a script that completes the command's words in a shell
///
/// The script knows every command, every option and the values that have names. It goes where the
/// shell looks for such scripts.
#[derive(Debug, clap::Args)]
#[command(after_long_help = "\
Examples:
  vex completions bash > ~/.local/share/bash-completion/completions/vex
  vex completions zsh > ~/.zfunc/_vex     # with fpath+=~/.zfunc before compinit
  vex completions fish > ~/.config/fish/completions/vex.fish")]
pub(crate) struct Args {
    /// The shell
    shell: Shell,
}

pub(crate) fn run(args: &Args, mut command: Command, out: &mut dyn Write) -> Result<(), Failure> {
    // The crate panics if the writer fails, and memory does not fail.
    let mut script = Vec::new();
    generate(args.shell, &mut command, "vex", &mut script);
    Ok(out.write_all(&script)?)
}
