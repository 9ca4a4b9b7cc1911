//! `vex man`.

use std::io::Write;
use std::path::PathBuf;

use clap::Command;
use clap_mangen::Man;

use crate::error::Failure;
use crate::human;
use crate::io::{FileError, Problem, open_output};

/// Print the manual page, or write one for each command
///
/// The pages say what --help says. Without a folder, the page of vex itself is printed. With one, each
/// command gets a page there: vex.1, vex-build.1, and so on.
#[derive(Debug, clap::Args)]
#[command(after_long_help = "\
Examples:
  vex man > vex.1 && man ./vex.1
  mkdir -p ~/.local/share/man/man1 && vex man ~/.local/share/man/man1 && man vex-build")]
pub(crate) struct Args {
    /// Folder for the pages
    #[arg(value_name = "DIR")]
    folder: Option<PathBuf>,
}

pub(crate) fn run(args: &Args, command: Command, out: &mut dyn Write) -> Result<(), Failure> {
    // The command help would get pages as well, one for each command.
    let mut command = command.disable_help_subcommand(true);
    command.build();
    let Some(folder) = &args.folder else { return Ok(Man::new(command).render(out)?) };
    let mut pages = Vec::new();
    collect(command, &mut pages);
    let count = pages.len();
    for page in pages {
        let path = folder.join(page.get_filename());
        // Rendered beforehand, since errors of writing are those of the file.
        let mut text = Vec::new();
        page.render(&mut text).map_err(|error| FileError::new(&path, Problem::Write(error)))?;
        open_output(&path, &[])?.write(|file| file.write_all(&text))?;
    }
    writeln!(out, "{}: {}", human::path(folder), human::plural(count as u64, "page"))?;
    Ok(())
}

/// The pages of a command and of the commands below it.
fn collect(command: Command, pages: &mut Vec<Man>) {
    let below: Vec<Command> =
        command.get_subcommands().filter(|below| !below.is_hide_set()).cloned().collect();
    pages.push(Man::new(command));
    below.into_iter().for_each(|command| collect(command, pages));
}
