//! The smallest beam width that finds enough, and a chart of the way there.

use std::io::Write;

use super::{Bench, Row};
use crate::error::Failure;
use crate::human;

/// The longest bar of the chart, so that a line fits into the smallest terminal.
const BAR: usize = 40;

/// Measures with one --ef-search after the other, until the smallest is known that reaches a recall.
/// `step` gets each measurement. Returns all of them, sorted.
///
/// # Errors
/// If no --ef-search reaches the recall.
pub(super) fn find<B: AsRef<[u8]> + Sync>(
    bench: &Bench<'_, B>,
    recall: f64,
    mut step: impl FnMut(&Row) -> Result<(), Failure>,
) -> Result<Vec<Row>, Failure> {
    let mut reaches = |rows: &mut Vec<Row>, ef_search: usize| -> Result<bool, Failure> {
        let row = bench.row(ef_search)?;
        step(&row)?;
        let reaches = row.recall >= recall;
        rows.push(row);
        Ok(reaches)
    };
    let k = bench.args.effort.k;
    // With as many candidates as there are vectors, a search is exact.
    let most = bench.index.graph().count().max(k);
    let mut rows = Vec::new();
    let (mut below, mut reached) = (0, k);
    while !reaches(&mut rows, reached)? {
        if reached == most || has_ended(&rows) {
            let found = rows.iter().map(|row| row.recall).fold(0.0, f64::max);
            let path = bench.args.index.clone();
            return Err(Failure::Recall { path, k, expected: recall, found, ef_search: reached });
        }
        (below, reached) = (reached, reached.saturating_mul(2).min(most));
    }
    // Fewer candidates than k count as k.
    while reached - below > 1 && reached > k {
        let middle = below + (reached - below) / 2;
        if reaches(&mut rows, middle)? {
            reached = middle;
        } else {
            below = middle;
        }
    }
    rows.sort_by_key(|row| row.ef_search);
    Ok(rows)
}

/// Whether more candidates find nothing more, as in an index of codes alone.
fn has_ended(rows: &[Row]) -> bool {
    const MANY: usize = 4096;
    let [.., before, _, last] = rows else { return false };
    before.ef_search >= MANY && last.recall <= before.recall
}

/// Prints the answer, and a bar of queries per second for each measurement.
pub(super) fn print(rows: &[Row], recall: f64, out: &mut dyn Write) -> Result<(), Failure> {
    let Some(answer) = rows.iter().find(|row| row.recall >= recall) else { return Ok(()) };
    let fastest = rows.iter().map(|row| row.qps).fold(1.0, f64::max);
    writeln!(out, "\n{:<9}  {:>9}  queries per second", format!("recall@{}", answer.k), "ef_search")?;
    for row in rows {
        let bar = "█".repeat(((row.qps / fastest * BAR as f64).round() as usize).clamp(1, BAR));
        let mark = if row.ef_search == answer.ef_search { "  <-" } else { "" };
        writeln!(
            out,
            "{:<9.4}  {:>9}  {bar} {}{mark}",
            row.recall,
            row.ef_search,
            human::count(row.qps as u64)
        )?;
    }
    writeln!(
        out,
        "\nrecall@{} of {recall} needs --ef-search {}: {:.4}, {} queries per second, p99 {:.1} µs",
        answer.k,
        answer.ef_search,
        answer.recall,
        human::count(answer.qps as u64),
        answer.p99_us,
    )?;
    Ok(())
}
