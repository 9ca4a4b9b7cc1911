//! Whether a ground truth can be that of an index. This is asked before anything is measured: recall
//! against a wrong ground truth may be any number, also a high one.

use std::io::Write;

use vex::{Scratch, SearchParams};

use super::Bench;
use crate::error::Failure;
use crate::human;

/// Queries that are compared, spread over all.
const CHECKED: usize = 200;

/// Candidates of the search for a query that is compared, at least.
const THOROUGH: usize = 200;

/// If less than this share of the ground truth fits, it is refused. A ground truth of this index
/// fits wholly, however much a search finds.
const LEAST_FIT: f64 = 0.5;

/// What the comparison found.
pub(super) struct Fit {
    /// Queries that were compared.
    checked: usize,
    /// Those for which the ground truth does not name the nearest vectors.
    disagreements: usize,
}

/// Compares the ground truth with the index.
///
/// # Errors
/// If most of its ids are no keys of the index, or most of its vectors are not the nearest.
pub(super) fn check<B: AsRef<[u8]> + Sync>(bench: &Bench<'_, B>) -> Result<Fit, Failure> {
    let (rows, k) = (bench.queries.rows(), bench.args.effort.k);
    let (ids, unknown) = (rows * k, bench.truth.unknown_ids());
    let [path, index] = [&bench.args.ground_truth, &bench.args.index].map(|path| path.to_owned());
    if 2 * unknown > ids {
        return Err(Failure::UnknownIds { path, index, unknown, ids });
    }
    let mut fit = Fit { checked: 0, disagreements: 0 };
    if !bench.truth.has_distances() {
        return Ok(fit);
    }
    let most = bench.args.ef_search.iter().copied().max().unwrap_or(0);
    let params = SearchParams::new(k).ef_search(most.max(2 * k).max(THOROUGH));
    let graph = bench.index.graph();
    let mut scratch = Scratch::new();
    let (mut fitting, mut all) = (0, 0);
    fit.checked = rows.min(CHECKED);
    for query in (0..fit.checked).map(|query| query * rows / fit.checked) {
        let found = bench.search(&params, &mut scratch, query)?;
        let elements = bench.queries.row(query);
        let refused = |error| Failure::refused(&bench.args.index, error);
        let fits = bench.truth.fitting(&graph, query, elements, found.hits).map_err(refused)?.unwrap_or(0);
        fit.disagreements += usize::from(fits < found.hits.len());
        fitting += fits;
        all += found.hits.len();
    }
    let share = fitting as f64 / all.max(1) as f64;
    if all > 0 && share < LEAST_FIT {
        let (metric, percent) = (bench.index.metric().name(), (100.0 * share) as usize);
        return Err(Failure::OtherTruth { path, index, metric, percent });
    }
    Ok(fit)
}

impl Fit {
    /// What is wrong with a ground truth that is not refused, a line each.
    pub(super) fn warnings<B: AsRef<[u8]> + Sync>(&self, bench: &Bench<'_, B>) -> Vec<String> {
        let path = human::path(&bench.args.ground_truth);
        let mut warnings = Vec::new();
        if let unknown @ 1.. = bench.truth.unknown_ids() {
            let [unknown, ids] =
                [unknown, bench.queries.rows() * bench.args.effort.k].map(|count| human::count(count as u64));
            warnings.push(format!(
                "warning: {path} is not of this index: {unknown} of {ids} ids are no keys of it, or come twice"
            ));
        }
        if self.disagreements > 0 {
            let [found, queries] = [self.disagreements, self.checked].map(|count| human::count(count as u64));
            warnings.push(format!(
                "warning: {path} is not of this index: for {found} of {queries} queries there are nearer vectors, or \
                 more, than it names"
            ));
        }
        warnings
    }

    /// Prints that searches disagreed with the ground truth, if no warning said so before.
    pub(super) fn print_late<B: AsRef<[u8]> + Sync>(
        &self,
        bench: &Bench<'_, B>,
        disagreements: usize,
        out: &mut dyn Write,
    ) -> Result<(), Failure> {
        if self.disagreements == 0 && disagreements > 0 {
            let path = human::path(&bench.args.ground_truth);
            let [found, queries] =
                [disagreements, bench.queries.rows()].map(|count| human::count(count as u64));
            writeln!(
                out,
                "\nfor {found} of {queries} queries there are slightly nearer vectors than {path} names: it was computed \
                 before the vectors were rounded, or with less precision"
            )?;
        }
        Ok(())
    }
}
