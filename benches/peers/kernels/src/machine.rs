//! Where and on what a measurement was made.

use std::process::Command;

use serde::{Deserialize, Serialize};

use crate::clock;

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Machine {
    pub(crate) processor: String,
    pub(crate) cores: usize,
    pub(crate) load: String,
    pub(crate) ticks_per_second: f64,
    /// Core cycles in a tick of the time stamp counter while the core ran fastest.
    pub(crate) cycles_per_tick: f64,
    pub(crate) commit: String,
    pub(crate) compiler: String,
}

impl Machine {
    pub(crate) fn describe() -> Self {
        let fastest = (0..2000).map(|_| clock::chain()).min().unwrap_or(1);
        let processor = read("/proc/cpuinfo")
            .lines()
            .find_map(|line| line.strip_prefix("model name")?.split_once(':'))
            .map_or("unknown".into(), |(_, name)| name.trim().to_owned());
        let output = |program: &str, arguments: &[&str]| {
            let directory = env!("CARGO_MANIFEST_DIR");
            let output = Command::new(program).args(arguments).current_dir(directory).output().ok()?;
            output.status.success().then(|| String::from_utf8_lossy(&output.stdout).trim().to_owned())
        };
        Self {
            processor,
            cores: std::thread::available_parallelism().map_or(0, |n| n.get()),
            load: read("/proc/loadavg").split_whitespace().next().unwrap_or("unknown").to_owned(),
            ticks_per_second: clock::ticks_per_second(),
            cycles_per_tick: clock::CHAIN_CYCLES as f64 / fastest as f64,
            commit: env!("VEX_COMMIT").into(),
            compiler: output("rustc", &["--version"]).unwrap_or("unknown".into()),
        }
    }

    pub(crate) fn summary(&self) -> String {
        format!(
            "{}, {} cores, load {} at the start; counter {:.3} GHz, core {:.3} GHz ({:.3} cycles a tick); commit {}; {}",
            self.processor,
            self.cores,
            self.load,
            self.ticks_per_second / 1e9,
            self.ticks_per_second * self.cycles_per_tick / 1e9,
            self.cycles_per_tick,
            self.commit,
            self.compiler,
        )
    }
}

fn read(path: &str) -> String {
    std::fs::read_to_string(path).unwrap_or_default()
}
