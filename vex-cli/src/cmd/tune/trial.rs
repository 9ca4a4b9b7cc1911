//! One index that is built, searched and measured.

use std::convert::Infallible;
use std::ops::ControlFlow;
use std::time::Instant;

use vex::{Builder, Coding, Element, Index, Scalar, Scratch, SearchError, SearchParams};

use super::sample::Sample;
use super::{Args, Trial};
use crate::error::Failure;
use crate::io::FromFile;
use crate::measure::measure;
use crate::progress;
use crate::recall::TOLERANCE;

/// Builds an index of the sample, finds the smallest beam width that reaches the recall, and measures
/// with that.
pub(super) fn run<T: FromFile + Scalar>(
    args: &Args,
    sample: &Sample<T>,
    m: usize,
    coding: Coding,
) -> Result<Trial, Failure> {
    let path = args.vectors.as_path();
    let builder = builder(args, sample.element, sample.dim, m, coding);
    let plan = builder.memory_plan(sample.count).map_err(|error| Failure::refused(path, error))?;
    let count = sample.vectors.rows();
    let bar = progress::bar("linking", count);
    let linked = |linked: usize| {
        bar.set_position(linked as u64);
        ControlFlow::Continue(())
    };
    let mut rows = (0..).zip(sample.vectors.iter());
    let fill = |to: &mut [T]| {
        let (key, vector) = rows.next().expect("as many as were counted");
        to.copy_from_slice(vector);
        Ok::<u64, Infallible>(key)
    };
    let started = Instant::now();
    let index = builder.build_with(count, fill, linked).map_err(|error| Failure::refused(path, error))?;
    let build_seconds = started.elapsed().as_secs_f64();
    bar.finish_and_clear();

    let refused = |error: SearchError| Failure::refused(path, error);
    let (ef_search, recall) = smallest(args.recall, sample.k, count, |ef_search| {
        recall(&index, sample, ef_search).map_err(refused)
    })?;
    let (mut qps, mut p99_us) = (0.0, 0.0);
    if let Some(ef_search) = ef_search {
        let params = SearchParams::new(sample.k).ef_search(ef_search);
        let timings = measure(sample.queries.rows(), 1, || {
            let mut scratch = Scratch::new();
            let index = &index;
            Ok::<_, SearchError>(move |query: usize| {
                index.search_with(sample.queries.row(query), &params, &mut scratch).map(drop)
            })
        });
        let timings = timings.map_err(|error| Failure::refused(path, error))?;
        qps = timings.per_second;
        p99_us = timings.percentile(99).as_nanos() as f64 / 1e3;
    }
    let keys = sample.count.saturating_mul(size_of::<u64>());
    Ok(Trial {
        m,
        codes: coding.to_string(),
        ef_search,
        recall,
        qps,
        p99_us,
        memory_bytes: plan.graph().saturating_add(keys),
        build_seconds,
    })
}

/// The parameters of an index. Some cannot be combined, which [`Builder::memory_plan`] says.
pub(super) fn builder(args: &Args, element: Element, dim: usize, m: usize, coding: Coding) -> Builder {
    let builder = Index::builder(dim)
        .element(element)
        .metric(args.metric())
        .m(m)
        .ef_construction(args.ef_construction)
        .quantization(coding);
    match args.threads {
        Some(threads) => builder.threads(threads),
        None => builder,
    }
}

/// The share of the true neighbors that searches find, by distance.
fn recall<T: FromFile + Scalar>(
    index: &Index,
    sample: &Sample<T>,
    ef_search: usize,
) -> Result<f64, SearchError> {
    let params = SearchParams::new(sample.k).ef_search(ef_search);
    let mut scratch = Scratch::new();
    let mut right = 0;
    for (query, farthest) in sample.queries.iter().zip(&sample.farthest) {
        let limit = farthest + TOLERANCE * farthest.abs();
        let found = index.search_with(query, &params, &mut scratch)?;
        right += found.hits.iter().filter(|hit| hit.distance <= limit).count();
    }
    Ok(right as f64 / (sample.queries.rows() * sample.k) as f64)
}

/// The smallest beam width from `k` on that reaches a recall, with the recall that it has. If none
/// does, the highest recall alone.
fn smallest(
    target: f64,
    k: usize,
    count: usize,
    mut recall: impl FnMut(usize) -> Result<f64, Failure>,
) -> Result<(Option<usize>, f64), Failure> {
    let most = count.max(k);
    let (mut below, mut reached) = (k - 1, k);
    let mut found = recall(reached)?;
    while found < target {
        if reached == most {
            return Ok((None, found));
        }
        (below, reached) = (reached, reached.saturating_mul(2).min(most));
        found = recall(reached)?;
    }
    while reached - below > 1 {
        let middle = below + (reached - below) / 2;
        let of_middle = recall(middle)?;
        if of_middle >= target {
            (reached, found) = (middle, of_middle);
        } else {
            below = middle;
        }
    }
    Ok((Some(reached), found))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_smallest_width_is_found_wherever_it_is() {
        for needed in [1, 10, 11, 12, 57, 640, 999, 1000] {
            let recall = |ef_search: usize| Ok(if ef_search >= needed { 0.96 } else { 0.5 });
            let found = smallest(0.95, 10, 1000, recall).unwrap();
            assert_eq!(found, (Some(needed.max(10)), 0.96), "{needed}");
        }
        assert_eq!(smallest(0.95, 10, 1000, |_| Ok(0.9)).unwrap(), (None, 0.9));
    }
}
