//! A collection that grows one row at a time, and is replaced by tenths: recall, disk, memory, and
//! the longest time that a writer waits.
//!
//! `cargo run --release -p vex-benches --bin db-grow -- FOLDER [ROWS] [DIM] [COMMIT] [ROUNDS]`, where a
//! commit has COMMIT rows.

use std::ops::ControlFlow;
use std::path::Path;
use std::time::{Duration, Instant};

use vex::{Index, Metric};
use vex_benches::Random;
use vex_db::{Budget, Collection, Durability, Maintenance, Options, Row, Schema};

type Error = Box<dyn std::error::Error>;

/// The files are counted once in so many rows.
const ROWS_A_LOOK: usize = 1_000;
const QUERIES: usize = 200;
const K: usize = 10;

/// The vector of a row in a round: clusters of a space with fewer dimensions, with noise.
struct Set {
    dim: usize,
    /// `dim` numbers for each of 24 directions.
    directions: Vec<f32>,
}

impl Set {
    fn new(dim: usize) -> Self {
        let mut random = Random(1);
        Self { dim, directions: (0..24 * dim).map(|_| random.normal()).collect() }
    }

    fn vector(&self, row: u64, round: u64) -> Vec<f32> {
        let mut random = Random(row.wrapping_mul(1_000_003) ^ (round << 48));
        let mut center = Random(random.next() % 1_000);
        let mut vector: Vec<f32> = (0..self.dim).map(|_| random.normal() * 0.3).collect();
        for direction in self.directions.chunks(self.dim) {
            let weight = center.normal() + random.normal() * 0.7;
            vector.iter_mut().zip(direction).for_each(|(element, direction)| *element += weight * direction);
        }
        vector
    }
}

/// Bytes that all files of a folder take. Holes take none.
fn disk(folder: &Path) -> Result<u64, Error> {
    let mut bytes = 0;
    for entry in std::fs::read_dir(folder)? {
        // A file may be removed meanwhile.
        let Ok(metadata) = entry?.metadata() else { continue };
        #[cfg(unix)]
        let taken = std::os::unix::fs::MetadataExt::blocks(&metadata) * 512;
        #[cfg(not(unix))]
        let taken = metadata.len();
        bytes += taken;
    }
    Ok(bytes)
}

/// The memory of this process now and at most, in MiB.
fn memory() -> (u64, u64) {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let of = |name: &str| {
        let line = status.lines().find(|line| line.starts_with(name));
        line.and_then(|line| line.split_whitespace().nth(1)?.parse::<u64>().ok()).unwrap_or(0) / 1024
    };
    (of("VmRSS:"), of("VmHWM:"))
}

/// Recall@10 at ef 64 of the collection.
fn recall(rows: &Collection, queries: &[Vec<f32>], truth: &[Vec<String>]) -> Result<(f64, Duration), Error> {
    let (view, mut found, mut times) = (rows.snapshot()?, 0, Vec::new());
    for (query, truth) in queries.iter().zip(truth) {
        let start = Instant::now();
        let hits = view.search(query).k(K).ef_search(64).run()?;
        times.push(start.elapsed());
        found += hits.iter().filter(|hit| truth.contains(&hit.id)).count();
    }
    times.sort();
    Ok((found as f64 / (K * queries.len()) as f64, times[times.len() / 2]))
}

fn main() -> Result<(), Error> {
    let mut args = std::env::args().skip(1);
    let folder = args.next().ok_or("expected a folder that is not there yet")?;
    let count: u64 = args.next().map_or(Ok(1_000_000), |rows| rows.parse())?;
    let dim: usize = args.next().map_or(Ok(128), |dim| dim.parse())?;
    let commit_rows: usize = args.next().map_or(Ok(1), |rows| rows.parse())?;
    let last_round: u64 = args.next().map_or(Ok(10), |rounds| rounds.parse())?;
    let set = Set::new(dim);
    let options = Options::new().maintenance(Maintenance::Background).durability(Durability::Commit);
    let rows = options.create(&folder, Schema::new(dim, Metric::SquaredEuclidean))?;
    println!("{count} rows x {dim}, commits of {commit_rows}, background maintenance");
    println!(
        "{:>10} {:>10} {:>10} {:>10} {:>9} {:>9} {:>9} {:>10}",
        "phase", "seconds", "median, ms", "stall, ms", "disk MB", "RSS MiB", "peak MiB", "segments"
    );

    let start = Instant::now();
    let commit = |phase: &str, ids: &mut dyn Iterator<Item = u64>, round: u64| -> Result<(), Error> {
        let (began, mut times, mut largest) = (Instant::now(), Vec::new(), 0);
        let mut ids = ids.peekable();
        while ids.peek().is_some() {
            let mut batch = rows.batch();
            for id in ids.by_ref().take(commit_rows) {
                batch.upsert(&id.to_string(), &set.vector(id, round), Row::new())?;
            }
            let before = Instant::now();
            batch.commit()?;
            times.push(before.elapsed());
            if times.len() % ROWS_A_LOOK.div_ceil(commit_rows) == 0 {
                largest = largest.max(disk(Path::new(&folder))?);
            }
        }
        times.sort();
        let median = times.get(times.len() / 2).copied().unwrap_or_default();
        let longest = times.last().copied().unwrap_or_default();
        let (now, peak) = memory();
        let segments = rows.stats()?.segments.len();
        println!(
            "{phase:>10} {:>10.1} {:>10.2} {:>10.1} {:>9} {now:>9} {peak:>9} {segments:>10}",
            began.elapsed().as_secs_f64(),
            median.as_secs_f64() * 1e3,
            longest.as_secs_f64() * 1e3,
            largest / 1_000_000,
        );
        Ok(())
    };
    commit("grow", &mut (0..count), 0)?;
    // What each row is now.
    let mut rounds = vec![0u64; count as usize];
    for round in 1..=last_round {
        let mut random = Random(round);
        let mut ids: Vec<u64> = (0..count / 10).map(|_| random.next() % count).collect();
        ids.sort_unstable();
        ids.dedup();
        ids.iter().for_each(|id| rounds[*id as usize] = round);
        commit(&format!("round {round}"), &mut ids.into_iter(), round)?;
    }
    let before = Instant::now();
    let report = rows.maintain(Budget::unlimited(), |_| ControlFlow::Continue(()))?;
    println!("maintain: {:.1} s, {report:?}", before.elapsed().as_secs_f64());
    print!("{}", rows.stats()?);

    // Queries are near rows, and the truth is exact.
    let queries: Vec<Vec<f32>> = (0..QUERIES as u64).map(|query| set.vector(u64::MAX - query, 0)).collect();
    let vectors = (0..count).map(|id| (id, set.vector(id, rounds[id as usize])));
    let fresh = Index::builder(dim).build_from(vectors)?;
    let searcher = fresh.searcher();
    let (mut truth, mut fresh_found) = (Vec::new(), 0);
    for query in &queries {
        let exact = searcher.exact(query, K)?;
        let params = vex::SearchParams::new(K).ef_search(64);
        let mut scratch = vex::Scratch::new();
        let hits = searcher.search_with(query, &params, &mut scratch)?.hits;
        fresh_found += hits.iter().filter(|hit| exact.iter().any(|exact| exact.key == hit.key)).count();
        truth.push(exact.iter().map(|hit| hit.key.to_string()).collect());
    }
    let (found, median) = recall(&rows, &queries, &truth)?;
    let live = count * dim as u64 * 4;
    println!(
        "recall@{K} at ef 64: {found:.4}, {median:?} (median); a fresh index: {:.4}",
        fresh_found as f64 / (K * QUERIES) as f64
    );
    println!(
        "disk: {:.2} times the vectors; all in {:.0} s",
        disk(Path::new(&folder))? as f64 / live as f64,
        start.elapsed().as_secs_f64()
    );
    Ok(())
}
