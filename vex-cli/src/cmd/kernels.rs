//! `vex info --kernels`.

use std::io::Write;

use serde::Serialize;
use vex::kernels::resolved;

use super::print_json;
use crate::error::Failure;
use crate::machine;

#[derive(Serialize)]
struct Kernel {
    query: &'static str,
    row: &'static str,
    metric: &'static str,
    isa: &'static str,
    name: &'static str,
}

/// Prints the kernel for every element and metric on this machine.
pub(super) fn print(json: bool, out: &mut dyn Write) -> Result<(), Failure> {
    let kernels = resolved().map(|kernel| Kernel {
        query: kernel.query,
        row: kernel.row,
        metric: kernel.metric.name(),
        isa: kernel.isa.name(),
        name: kernel.name,
    });
    let kernels: Vec<Kernel> = kernels.collect();
    if json {
        return print_json(out, &kernels);
    }
    writeln!(out, "{}\n", machine::describe())?;
    writeln!(out, "query  row   metric             kernel")?;
    for Kernel { query, row, metric, name, .. } in kernels {
        writeln!(out, "{query:<5}  {row:<4}  {metric:<17}  {name}")?;
    }
    Ok(())
}
