//! Time at every length: none may cost much more than the next multiple of 64 above it.

use serde::{Deserialize, Serialize};

use crate::bars::Bar;
use crate::clock::{self, Samples};
use crate::element::{F32, Metric};
use crate::machine::Machine;
use crate::random::Random;
use crate::rivals::{Level, Rival};
use crate::rows::Workload;

const LONGEST: usize = 1536;
const CALLS: usize = 64;
/// What a tail may cost beyond the time of the whole block.
const ALLOWANCE: f64 = 8.0;

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Cliffs {
    pub(crate) machine: Machine,
    pub(crate) level: Level,
    pub(crate) curves: Vec<Curve>,
}

/// The cycles of one contender at every length from 1.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Curve {
    pub(crate) rival: Rival,
    pub(crate) metric: Metric,
    pub(crate) cycles: Vec<f64>,
}

impl Curve {
    /// What length `n` costs beyond the next multiple of 64.
    fn excess(&self, n: usize) -> f64 {
        self.cycles[n - 1] - self.cycles[n.next_multiple_of(64) - 1]
    }

    fn worst(&self) -> usize {
        (1..=LONGEST).max_by(|a, b| self.excess(*a).total_cmp(&self.excess(*b))).unwrap_or(1)
    }

    fn beyond_allowance(&self) -> usize {
        (1..=LONGEST).filter(|n| self.excess(*n) > ALLOWANCE).count()
    }
}

/// f32 from the first-level cache.
pub(crate) fn run(rivals: &[Rival], metrics: &[Metric], level: Level, rounds: usize) -> Cliffs {
    let machine = Machine::describe();
    let mut curves = Vec::new();
    // The same vectors for all lengths: where they lie must not decide.
    let mut work = Workload::<F32>::cached(LONGEST, &mut Random(LONGEST as u64));
    for metric in metrics {
        for rival in rivals {
            // A handle for every length, since some libraries want to know it beforehand.
            let contenders: Option<Vec<_>> =
                (1..=LONGEST).map(|n| rival.contender::<F32>(*metric, n, level)).collect();
            let Some(contenders) = contenders else { continue };
            eprintln!("{} {}", rival.name(), metric.name());
            let mut samples = vec![Samples::default(); LONGEST];
            let mut chain = Vec::new();
            for _ in 0..rounds {
                for (i, contender) in contenders.iter().enumerate() {
                    if i % 64 == 0 {
                        chain.push(clock::chain());
                    }
                    work.shorten(i + 1);
                    let ids = work.next_ids(CALLS);
                    // A search has one length: the branches of the last one must be forgotten first.
                    contender.time(&work, ids.clone());
                    let ticks = contender.time(&work, ids);
                    samples[i].push(ticks, CALLS, chain[chain.len() - 1]);
                }
            }
            let cycles = samples.iter().map(|s| clock::minimum_cycles(s, &chain)).collect();
            curves.push(Curve { rival: *rival, metric: *metric, cycles });
        }
    }
    Cliffs { machine, level, curves }
}

pub(crate) fn markdown(cliffs: &Cliffs) -> String {
    let mut text = format!(
        "{}\n\nf32 from L1, held to {:?}: what a length of 1 to {LONGEST} costs beyond the next multiple of 64.\n\n\
         | metric | | lengths beyond {ALLOWANCE} cycles | worst length | its excess, cycles |\n|---|---|---|---|---|\n",
        cliffs.machine.summary(),
        cliffs.level
    );
    for curve in &cliffs.curves {
        let worst = curve.worst();
        text += &format!(
            "| {} | {} | {} | {worst} | {:.1} |\n",
            curve.metric.name(),
            curve.rival.name(),
            curve.beyond_allowance(),
            curve.excess(worst)
        );
    }
    text
}

pub(crate) fn bars(cliffs: &Cliffs) -> Vec<Bar> {
    let vex = cliffs.curves.iter().filter(|curve| curve.rival == Rival::Vex);
    vex.map(|curve| {
        let worst = curve.worst();
        let text =
            format!("f32 {}, cycles of length {worst} beyond the next multiple of 64", curve.metric.name());
        Bar::at_most(text, curve.excess(worst), ALLOWANCE)
    })
    .collect()
}
