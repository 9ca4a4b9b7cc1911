//! The main table: every rival on every element, metric, length and place, interleaved.

use clap::ValueEnum;
use serde::{Deserialize, Serialize};

use crate::clock::{self, Samples};
use crate::contender::Contender;
use crate::element::{Bf16, Bits, F16, F32, I8, Metric, U8, U8I8};
use crate::machine::Machine;
use crate::random::Random;
use crate::rivals::{Contested, Level, Rival};
use crate::rows::Workload;

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Elements {
    F32,
    F16,
    Bf16,
    I8,
    U8,
    /// Queries of u8 against rows of i8; the rivals, who lack it, run their i8 by i8.
    #[value(name = "u8xi8")]
    U8I8,
    Bits,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ValueEnum)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Place {
    /// Five vectors in the first-level cache.
    L1,
    /// Random rows of a matrix larger than the caches.
    Dram,
}

impl Place {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Place::L1 => "L1",
            Place::Dram => "DRAM",
        }
    }
}

pub(crate) struct Settings {
    pub(crate) elements: Vec<Elements>,
    pub(crate) metrics: Vec<Metric>,
    pub(crate) dims: Vec<usize>,
    pub(crate) places: Vec<Place>,
    pub(crate) rivals: Vec<Rival>,
    pub(crate) level: Level,
    pub(crate) rounds: usize,
    pub(crate) dram_bytes: usize,
}

/// One contender in one place.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Measurement {
    pub(crate) element: String,
    pub(crate) metric: Metric,
    pub(crate) dim: usize,
    pub(crate) place: Place,
    pub(crate) rival: Rival,
    /// What the library says that it runs.
    pub(crate) level: String,
    /// All times are those of one distance, also where four are computed at once.
    pub(crate) cycles: f64,
    pub(crate) cycles_median: f64,
    pub(crate) ns: f64,
    pub(crate) ns_median: f64,
    /// What loads and arithmetic take at best from the first-level cache.
    pub(crate) limit_cycles: f64,
    /// The largest error that the cross-check saw, relative to the magnitude of what is summed.
    pub(crate) error: f64,
}

impl Measurement {
    pub(crate) fn percent_of_limit(&self) -> f64 {
        100.0 * self.limit_cycles / self.cycles
    }
}

/// Everything that one invocation measured.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Results {
    pub(crate) machine: Machine,
    pub(crate) level: Level,
    pub(crate) versions: Vec<(String, String)>,
    pub(crate) measurements: Vec<Measurement>,
    /// Contenders that were left out because a result was wrong.
    pub(crate) wrong: Vec<String>,
}

pub(crate) fn run(settings: &Settings) -> Results {
    let mut results = Results {
        machine: Machine::describe(),
        level: settings.level,
        versions: settings.rivals.iter().map(|rival| (rival.name().into(), rival.version().into())).collect(),
        measurements: Vec::new(),
        wrong: Vec::new(),
    };
    for element in &settings.elements {
        match element {
            Elements::F32 => run_element::<F32>(settings, &mut results),
            Elements::F16 => run_element::<F16>(settings, &mut results),
            Elements::Bf16 => run_element::<Bf16>(settings, &mut results),
            Elements::I8 => run_element::<I8>(settings, &mut results),
            Elements::U8 => run_element::<U8>(settings, &mut results),
            Elements::U8I8 => run_element::<U8I8>(settings, &mut results),
            Elements::Bits => run_element::<Bits>(settings, &mut results),
        }
    }
    results
}

fn run_element<E: Contested>(settings: &Settings, results: &mut Results) {
    for place in &settings.places {
        eprintln!("{} {}", E::NAME, place.name());
        // What fits the cache is measured together, over and over; of the matrices only one fits the memory.
        let groups = settings.dims.chunks(if *place == Place::L1 { settings.dims.len() } else { 1 });
        for dims in groups {
            let mut rows: Vec<Row<E>> = Vec::new();
            let mut works: Vec<Workload<E>> = Vec::new();
            for dim in dims {
                let mut random = Random(*dim as u64);
                let mut work = match place {
                    Place::L1 => Workload::cached(*dim, &mut random),
                    Place::Dram => Workload::random_rows(*dim, settings.dram_bytes, &mut random),
                };
                for metric in E::METRICS.iter().filter(|metric| settings.metrics.contains(metric)) {
                    let entries = entries(settings, *metric, *dim, *place, &mut work, &mut results.wrong);
                    rows.push(Row {
                        metric: *metric,
                        dim: *dim,
                        work: works.len(),
                        entries,
                        chain: Vec::new(),
                    });
                }
                works.push(work);
            }
            for _ in 0..PASSES {
                for row in &mut rows {
                    row.pass(&mut works[row.work], settings.rounds.div_ceil(PASSES));
                }
            }
            for row in &rows {
                row.measurements(*place, results);
            }
        }
    }
}

/// How often all rows of a table are visited: a disturbance that lasts longer than one visit then still does
/// not hit every round of a row.
const PASSES: usize = 10;

/// One row of a table.
struct Row<E> {
    metric: Metric,
    dim: usize,
    /// Which of the workloads.
    work: usize,
    entries: Vec<Entry<E>>,
    chain: Vec<u64>,
}

struct Entry<E> {
    rival: Rival,
    contender: Box<dyn Contender<E>>,
    error: f64,
    calls: usize,
    samples: Samples,
}

/// The rivals that have this element and metric, each cross-checked.
fn entries<E: Contested>(
    settings: &Settings,
    metric: Metric,
    dim: usize,
    place: Place,
    work: &mut Workload<E>,
    wrong: &mut Vec<String>,
) -> Vec<Entry<E>> {
    let mut entries = Vec::new();
    for rival in &settings.rivals {
        let Some(contender) = rival.contender::<E>(metric, dim, settings.level) else { continue };
        let error = largest_error(&*contender, metric, work);
        if error.is_nan() || error > E::TOLERANCE {
            let text =
                format!("{} {} {} {dim}: relative error {error:.1e}", rival.name(), E::NAME, metric.name());
            eprintln!("left out: {text}");
            wrong.push(text);
            continue;
        }
        let calls = calls_in_a_batch(&*contender, place, work);
        entries.push(Entry { rival: *rival, contender, error, calls, samples: Samples::default() });
    }
    entries
}

impl<E: Contested> Row<E> {
    /// All rivals, a short batch each in turn, so that whatever else the machine does, and whatever its clock
    /// does, hits all of them alike.
    fn pass(&mut self, work: &mut Workload<E>, rounds: usize) {
        let count = self.entries.len();
        for round in 0..rounds {
            let beside = clock::chain();
            self.chain.push(beside);
            // Another one starts each round, so that none is always the neighbour of the slowest.
            for turn in 0..count {
                let entry = &mut self.entries[(round + turn) % count];
                let ids = work.next_ids(entry.calls);
                let ticks = entry.contender.time(work, ids);
                entry.samples.push(ticks, entry.calls, beside);
            }
        }
    }

    fn measurements(&self, place: Place, results: &mut Results) {
        let ns = |ticks: f64| ticks * 1e9 / results.machine.ticks_per_second;
        results.measurements.extend(self.entries.iter().map(|entry| Measurement {
            element: E::NAME.into(),
            metric: self.metric,
            dim: self.dim,
            place,
            rival: entry.rival,
            level: entry.contender.level().into(),
            cycles: clock::minimum_cycles(&entry.samples, &self.chain),
            cycles_median: entry.samples.median_cycles(),
            ns: ns(entry.samples.minimum_ticks()),
            ns_median: ns(entry.samples.median_ticks()),
            limit_cycles: E::limit(self.metric, self.dim, if entry.contender.is_batch() { 4 } else { 1 }),
            error: entry.error,
        }));
    }
}

/// Over the first rows of the workload, relative to the magnitude that the reference gives.
fn largest_error<E: Contested>(contender: &dyn Contender<E>, metric: Metric, work: &Workload<E>) -> f64 {
    (0..work.rows.count().min(4) as u32)
        .map(|id| {
            let row = work.rows.row(id);
            let (expected, magnitude) = E::reference(metric, work.query(), row);
            (contender.value(work.query(), row) - expected).abs() / magnitude
        })
        // `max` would swallow NaN.
        .fold(0.0, |largest, error| if error <= largest { largest } else { error })
}

/// As many as last about eight microseconds from the first-level cache: far more than a reading of the clock
/// takes, far less than a time slice. From memory always 128, so that every rival touches as much.
fn calls_in_a_batch<E: Contested>(
    contender: &dyn Contender<E>,
    place: Place,
    work: &mut Workload<E>,
) -> usize {
    if place == Place::Dram {
        return 128;
    }
    let ids = work.next_ids(64);
    let ticks = (0..20).map(|_| contender.time(work, ids.clone())).min().unwrap_or(1).max(1);
    (64 * 20_000 / ticks as usize).next_multiple_of(4).clamp(16, 4096)
}
