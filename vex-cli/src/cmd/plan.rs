//! `vex build --plan`: what a build would take.

use std::io::Write;

use serde::Serialize;
use vex::{Element, MemoryPlan, Metric, Store};

use super::print_json;
use crate::error::Failure;
use crate::human;

/// What is built, and how.
pub(crate) struct Planned {
    pub(crate) count: usize,
    pub(crate) dim: usize,
    pub(crate) element: Element,
    pub(crate) metric: Metric,
    pub(crate) store: Store,
    pub(crate) threads: usize,
    /// Whether the vectors decide which codes are kept. The plan then has the largest.
    pub(crate) is_most: bool,
}

#[derive(Serialize)]
struct Report {
    count: usize,
    dim: usize,
    element: &'static str,
    metric: &'static str,
    vectors_bytes: usize,
    codes_bytes: usize,
    links_bytes: usize,
    graph_bytes: usize,
    peak_bytes: usize,
    index_bytes: usize,
}

pub(crate) fn print(
    plan: &MemoryPlan,
    planned: &Planned,
    json: bool,
    out: &mut dyn Write,
) -> Result<(), Failure> {
    let Planned { count, dim, element, metric, store, threads, is_most } = *planned;
    let report = Report {
        count,
        dim,
        element: element.name(),
        metric: metric.name(),
        vectors_bytes: plan.vectors,
        codes_bytes: plan.codes,
        links_bytes: plan.links,
        graph_bytes: plan.graph(),
        peak_bytes: plan.peak(threads),
        index_bytes: file_bytes(plan, store, dim, count),
    };
    if json {
        return print_json(out, &report);
    }
    let human = |bytes: usize| human::bytes(bytes as u64);
    writeln!(out, "{} of {dim} x {element}, {metric}", human::plural(count as u64, "vector"))?;
    writeln!(
        out,
        "in memory    {}: vectors {}, codes {}, links and the tree {}",
        human(report.graph_bytes),
        human(report.vectors_bytes),
        human(report.codes_bytes),
        human(report.links_bytes + plan.squares + plan.tree)
    )?;
    let threads = human::plural(threads as u64, "thread");
    writeln!(out, "at the peak  {} during the build on {threads}", human(report.peak_bytes))?;
    writeln!(out, "the file     {}", human(report.index_bytes))?;
    if is_most {
        writeln!(out, "at most: with --quantize auto, the vectors decide how large codes are")?;
    }
    Ok(())
}

/// The arrays that a file has, with a key for each vector. Its header and padding are a few hundred
/// bytes more, and chains of equal vectors 8 bytes a vector.
fn file_bytes(plan: &MemoryPlan, store: Store, dim: usize, count: usize) -> usize {
    let vectors = match store {
        Store::None => 0,
        Store::F16 => count.saturating_mul(Element::F16.row_stride(dim) * size_of::<u16>()),
        _ => plan.vectors,
    };
    let keys = count.saturating_mul(size_of::<u64>());
    [vectors, plan.codes, plan.links, keys].into_iter().fold(0, usize::saturating_add)
}
