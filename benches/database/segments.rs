//! One index beside the same rows in several segments: recall, distances and time of a search.
//!
//! `cargo run --release -p vex-benches --bin db-segments -- ROWS.npy QUERIES.npy`

use std::path::Path;
use std::time::{Duration, Instant};

use vex::{Hit, Index, Metric, Scratch, SearchParams};
use vex_benches::{Matrix, print_machine};

const K: usize = 10;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let [rows, queries] = &args[..] else { return Err("expected ROWS.npy QUERIES.npy".into()) };
    let (rows, queries) = (Matrix::read(Path::new(rows))?, Matrix::read(Path::new(queries))?);
    print_machine();
    let count = rows.rows().len();
    let build = |from: usize, to: usize| {
        let rows = rows.rows().enumerate().skip(from).take(to - from);
        let rows: Vec<(u64, &[f32])> = rows.map(|(key, row)| (key as u64, row)).collect();
        Index::builder(queries.dim).metric(Metric::Cosine).build_from(rows)
    };
    let mut truth: Vec<Vec<u64>> = Vec::new();
    let head = ["segments", "ef", "recall", "distances", "p50, us"];
    println!("{}", head.map(|name| format!("{name:>10}")).concat());
    for segments in [1, 8, 30] {
        let bounds: Vec<usize> = (0..=segments).map(|at| count * at / segments).collect();
        let indexes: Vec<Index> =
            bounds.windows(2).map(|bounds| build(bounds[0], bounds[1])).collect::<Result<_, _>>()?;
        if truth.is_empty() {
            let searcher = indexes[0].searcher();
            for query in queries.rows() {
                truth.push(searcher.exact(query, K)?.iter().map(|hit| hit.key).collect());
            }
        }
        for ef in [10, 16, 24, 32, 48, 64, 96, 128] {
            let (params, mut scratch) = (SearchParams::new(K).ef_search(ef), Scratch::new());
            let (mut found, mut distances, mut times) = (0, 0, Vec::<Duration>::new());
            for (query, truth) in queries.rows().zip(&truth) {
                let start = Instant::now();
                let mut hits: Vec<Hit> = Vec::new();
                for index in &indexes {
                    let answer = index.searcher().search_with(query, &params, &mut scratch)?;
                    hits.extend(answer.hits);
                    distances += answer.stats.distances;
                    hits.sort_by(|one, other| one.distance.total_cmp(&other.distance));
                    hits.truncate(K);
                }
                times.push(start.elapsed());
                found += hits.iter().filter(|hit| truth.contains(&hit.key)).count();
            }
            times.sort();
            let recall = found as f64 / (K * truth.len()) as f64;
            let distances = distances / truth.len();
            println!(
                "{segments:>10}{ef:>10}{recall:>10.4}{distances:>10}{:>10.1}",
                times[times.len() / 2].as_secs_f64() * 1e6
            );
        }
    }
    Ok(())
}
