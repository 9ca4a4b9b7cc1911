//! Vex's distance kernels against other libraries', in one process and interleaved.
//!
//! Not Criterion: it measures one function to the end before it starts the next, minutes apart, and on a shared
//! machine or one whose clock moves the ratio of two such numbers means little. Here every rival runs a batch
//! of a few microseconds in turn, a thousand times over, beside a chain of instructions of known length; the
//! fastest batch and the median are reported in core cycles. See `README.md`.

mod bars;
mod cliff;
mod clock;
mod contender;
mod element;
mod machine;
mod overhead;
mod plot;
mod random;
mod report;
mod rivals;
mod rows;
mod shootout;

use std::error::Error;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Args, Parser, Subcommand, ValueEnum};
use serde::Serialize;

use crate::bars::Bar;
use crate::element::Metric;
use crate::rivals::{Level, Rival};
use crate::shootout::{Elements, Place, Settings};

#[cfg(not(target_arch = "x86_64"))]
compile_error!("the clock and the levels of the shootout are those of x86-64");

/// Vex's distance kernels against other libraries', interleaved in one run.
#[derive(Parser)]
#[command(version)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// The tables: every rival, element, metric and length, from L1 and from DRAM.
    Run(Run),
    /// Every length from 1 to 1536: what does a tail cost?
    Cliff(Cliff),
    /// What a call through the resolved handle costs.
    Overhead(Common),
    /// Draws the results of `run` as SVG.
    Plot {
        /// What `run --json` wrote.
        results: PathBuf,
        #[arg(long)]
        out: PathBuf,
    },
}

#[derive(Args)]
struct Common {
    /// The instruction set that all libraries are held to.
    #[arg(long, default_value = "avx512")]
    level: Level,
    /// How many batches of each contender.
    #[arg(long)]
    rounds: Option<usize>,
    /// Writes everything that was measured.
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
    /// Writes the tables into a file instead of printing them.
    #[arg(long, value_name = "FILE")]
    markdown: Option<PathBuf>,
    /// Says which of Vex's promises held, and fails if one did not.
    #[arg(long)]
    check_bars: bool,
}

#[derive(Args)]
struct Run {
    #[arg(long, value_delimiter = ',', default_value = "f32")]
    elements: Vec<Elements>,
    #[arg(long, value_delimiter = ',')]
    metrics: Vec<Metric>,
    #[arg(long, value_delimiter = ',', default_value = "64,100,128,200,384,768,1000,1536")]
    dims: Vec<usize>,
    #[arg(long, value_delimiter = ',', default_value = "l1,dram")]
    place: Vec<Place>,
    #[arg(long, value_delimiter = ',')]
    rivals: Vec<Rival>,
    /// The size of the matrix whose rows are visited at random. Below 1024 caches take part.
    #[arg(long, default_value_t = 2048)]
    dram_mib: usize,
    #[command(flatten)]
    common: Common,
}

#[derive(Args)]
struct Cliff {
    #[arg(long, value_delimiter = ',')]
    metrics: Vec<Metric>,
    #[arg(long, value_delimiter = ',', default_value = "vex")]
    rivals: Vec<Rival>,
    #[command(flatten)]
    common: Common,
}

fn main() -> Result<ExitCode, Box<dyn Error>> {
    let bars = match Cli::parse().command {
        Command::Run(run) => {
            let results = shootout::run(&Settings {
                elements: run.elements,
                metrics: or_all(run.metrics),
                dims: run.dims,
                places: run.place,
                rivals: or_all(run.rivals),
                level: run.common.level,
                rounds: run.common.rounds.unwrap_or(1000),
                dram_bytes: run.dram_mib << 20,
            });
            run.common.write(&results, &report::markdown(&results))?;
            run.common.check_bars.then(|| bars::of(&results))
        }
        Command::Cliff(cliff) => {
            let rounds = cliff.common.rounds.unwrap_or(200);
            let cliffs = cliff::run(&cliff.rivals, &or_all(cliff.metrics), cliff.common.level, rounds);
            cliff.common.write(&cliffs, &cliff::markdown(&cliffs))?;
            cliff.common.check_bars.then(|| cliff::bars(&cliffs))
        }
        Command::Overhead(common) => {
            let overhead = overhead::run(common.level, common.rounds.unwrap_or(2000));
            let overhead = overhead.ok_or("this machine lacks the level")?;
            common.write(&overhead, &overhead::markdown(&overhead))?;
            common.check_bars.then(|| overhead::bars(&overhead))
        }
        Command::Plot { results, out } => {
            plot::write(&serde_json::from_slice(&std::fs::read(results)?)?, &out)?;
            None
        }
    };
    Ok(bars.map_or(ExitCode::SUCCESS, |bars: Vec<Bar>| ExitCode::from(u8::from(!bars::print(&bars)))))
}

/// A list that was left out means everything.
fn or_all<T: ValueEnum + Clone>(list: Vec<T>) -> Vec<T> {
    if list.is_empty() { T::value_variants().to_vec() } else { list }
}

impl Common {
    fn write(&self, results: &impl Serialize, markdown: &str) -> Result<(), Box<dyn Error>> {
        let save = |path: &Path, text: &str| {
            std::fs::write(path, text).map_err(|error| format!("{}: {error}", path.display()))
        };
        if let Some(path) = &self.json {
            save(path, &serde_json::to_string_pretty(results)?)?;
        }
        match &self.markdown {
            Some(path) => save(path, markdown)?,
            None => print!("{markdown}"),
        }
        Ok(())
    }
}
