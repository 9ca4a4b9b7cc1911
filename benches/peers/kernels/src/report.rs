//! The tables, as Markdown.

use std::fmt::Write as _;

use crate::element::Metric;
use crate::rivals::Rival;
use crate::shootout::{Measurement, Place, Results};

pub(crate) fn markdown(results: &Results) -> String {
    let mut text = format!("{}\n", results.machine.summary());
    let versions: Vec<String> = results
        .versions
        .iter()
        .filter(|(name, version)| {
            let ran = results.measurements.iter().any(|m| m.rival.name() == name);
            ran && version != "this commit"
        })
        .map(|(name, version)| format!("{name} {version}"))
        .collect();
    let _ = writeln!(text, "\nEverything held to {:?}. {}.", results.level, versions.join(", "));
    text.push_str(
        "A cell has the cycles of one distance: those of the fastest batch, and after the slash those of the median \
         batch. In brackets is the time of the column `vex` divided by this library's: below 1, Vex is faster. The \
         limit is what the loads or the arithmetic of a distance take at least. Below each table stands what each \
         library says it ran, and its largest error in the cross-check, as a part of the magnitude that was summed. \
         Each batch is turned into cycles by a chain of known length that was timed beside it. If other work \
         disturbed the chain, the median can be less than the fastest: then the machine was too busy.\n",
    );
    for (element, metric, place) in tables(&results.measurements) {
        let of_table = |m: &&Measurement| m.element == element && m.metric == metric && m.place == place;
        let rows: Vec<&Measurement> = results.measurements.iter().filter(of_table).collect();
        let _ =
            write!(text, "\n### {element}, {}, {}\n\n{}", metric.name(), place.name(), table(&rows, place));
    }
    if !results.wrong.is_empty() {
        text.push_str("\nLeft out, because the result was wrong:\n\n");
        for wrong in &results.wrong {
            let _ = writeln!(text, "- {wrong}");
        }
    }
    text
}

/// The tables that the measurements belong to, in their order.
fn tables(measurements: &[Measurement]) -> Vec<(String, Metric, Place)> {
    let mut tables: Vec<(String, Metric, Place)> = Vec::new();
    for m in measurements {
        let table = (m.element.clone(), m.metric, m.place);
        if !tables.contains(&table) {
            tables.push(table);
        }
    }
    tables
}

fn table(rows: &[&Measurement], place: Place) -> String {
    let mut rivals: Vec<Rival> = Vec::new();
    let mut dims: Vec<usize> = Vec::new();
    for m in rows {
        if !rivals.contains(&m.rival) {
            rivals.push(m.rival);
        }
        if !dims.contains(&m.dim) {
            dims.push(m.dim);
        }
    }
    let find = |rival, dim| rows.iter().find(|m| m.rival == rival && m.dim == dim);

    let last = match place {
        Place::L1 => "vex ns | % of the limit",
        Place::Dram => "vex ns | GB/s",
    };
    let heads: Vec<&str> = rivals.iter().map(|rival| rival.name()).collect();
    let mut text =
        format!("| dim | {} | {last} |\n|---|{}---|---|\n", heads.join(" | "), "---|".repeat(rivals.len()));
    for dim in dims {
        let vex = find(Rival::Vex, dim);
        let _ = write!(text, "| {dim} |");
        for rival in &rivals {
            let Some(m) = find(*rival, dim) else {
                text.push_str(" - |");
                continue;
            };
            let _ = write!(text, " {}/{}", short(m.cycles), short(m.cycles_median));
            if let (Some(vex), false) = (vex, rival.is_vex()) {
                let _ = write!(text, " ({:.2})", vex.cycles / m.cycles);
            }
            text.push_str(" |");
        }
        let _ = match (vex, place) {
            (Some(vex), Place::L1) => writeln!(text, " {:.1} | {:.0} |", vex.ns, vex.percent_of_limit()),
            (Some(vex), Place::Dram) => {
                // The limit counts the query too, which stays in the cache: half of what is loaded.
                let bytes = vex.limit_cycles * 64.0;
                writeln!(text, " {:.1} | {:.1} |", vex.ns, bytes / vex.ns)
            }
            (None, _) => writeln!(text, " - | - |"),
        };
    }
    let of_rival = |rival: &Rival| rows.iter().filter(|m| m.rival == *rival).collect::<Vec<_>>();
    let levels = rivals.iter().map(|rival| of_rival(rival)[0].level.as_str());
    let _ = writeln!(text, "| ran | {} | | |", levels.collect::<Vec<_>>().join(" | "));
    let errors = rivals.iter().map(|rival| of_rival(rival).iter().map(|m| m.error).fold(0.0, f64::max));
    let errors: Vec<String> = errors.map(|error| format!("{error:.0e}")).collect();
    let _ = writeln!(text, "| error | {} | | |", errors.join(" | "));
    text
}

fn short(cycles: f64) -> String {
    if cycles < 100.0 { format!("{cycles:.1}") } else { format!("{cycles:.0}") }
}
