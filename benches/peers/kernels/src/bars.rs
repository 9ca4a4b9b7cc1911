//! What Vex promises of its kernels on an AVX-512 machine, held against a run.

use crate::element::Metric;
use crate::rivals::{Level, Rival};
use crate::shootout::{Measurement, Place, Results};

/// A promise and whether this run kept it.
pub(crate) struct Bar {
    pub(crate) text: String,
    pub(crate) measured: f64,
    pub(crate) at_most: f64,
}

impl Bar {
    pub(crate) fn at_most(text: impl Into<String>, measured: f64, at_most: f64) -> Self {
        Self { text: text.into(), measured, at_most }
    }

    pub(crate) fn is_met(&self) -> bool {
        self.measured <= self.at_most
    }
}

/// Prints the bars and returns whether all were met.
pub(crate) fn print(bars: &[Bar]) -> bool {
    for bar in bars {
        let verdict = if bar.is_met() { "met   " } else { "MISSED" };
        println!("{verdict} {}: {:.2}, at most {:.2}", bar.text, bar.measured, bar.at_most);
    }
    let missed = bars.iter().filter(|bar| !bar.is_met()).count();
    println!("{} of {} bars met", bars.len() - missed, bars.len());
    missed == 0
}

/// "At or ahead of" in numbers that repeat to about two percent.
const LEVEL_WITH: f64 = 1.02;

/// The bars that the measurements of `results` can answer.
pub(crate) fn of(results: &Results) -> Vec<Bar> {
    let find = |m: &Measurement, rival: Rival| {
        results.measurements.iter().find(|other| {
            other.rival == rival
                && (&other.element, other.metric, other.dim, other.place)
                    == (&m.element, m.metric, m.dim, m.place)
        })
    };
    // Below AVX-512 only the ratios are promised, against rivals that are held to the same.
    let widest = results.level == Level::Avx512;
    let mut bars = Vec::new();
    for m in results.measurements.iter().filter(|m| m.rival == Rival::Vex) {
        let name = format!("{} {} {} {}", m.element, m.metric.name(), m.dim, m.place.name());
        let mut against = |rival: Rival, at_most: f64| {
            if let Some(other) = find(m, rival) {
                bars.push(Bar::at_most(
                    format!("{name}, vex / {}", other.rival.name()),
                    m.cycles / other.cycles,
                    at_most,
                ));
            }
        };
        match (m.element.as_str(), m.metric, m.place) {
            ("f32", Metric::InnerProduct | Metric::SquaredEuclidean, Place::L1) => {
                if m.dim >= 384 {
                    against(Rival::Diskann, 0.80);
                    against(Rival::Simsimd, 0.60);
                    against(Rival::Cfavml, 0.80);
                    against(Rival::CfavmlAvx512, 0.80);
                    against(Rival::Numkong, 0.80);
                }
                if !widest {
                    continue;
                }
                let vectors = m.dim as f64 / 16.0;
                let slope = if m.metric == Metric::InnerProduct { 1.5 } else { 1.8 };
                let text = format!("{name}, cycles, at most {slope} V + 8");
                bars.push(Bar::at_most(text, m.cycles, slope * vectors + 8.0));
            }
            ("u8xi8", Metric::InnerProduct, Place::L1) if m.dim == 768 => {
                against(Rival::Simsimd, 1.0);
                against(Rival::Numkong, 1.0);
                let text = format!("{name}, cycles, at most 2 n/64 + 12");
                bars.push(Bar::at_most(text, m.cycles, 2.0 * m.dim as f64 / 64.0 + 12.0));
            }
            ("f16" | "bf16", _, Place::L1) | ("bits", Metric::Hamming, Place::L1) => {
                for rival in [Rival::Diskann, Rival::Simsimd, Rival::Numkong] {
                    against(rival, LEVEL_WITH);
                }
            }
            _ => {}
        }
        let Some(batch) = find(m, Rival::VexBatch) else { continue };
        match (m.element.as_str(), m.metric, m.place) {
            ("f32", Metric::InnerProduct, Place::L1) => {
                bars.push(Bar::at_most(
                    format!("{name}, four at once / singles"),
                    batch.cycles / m.cycles,
                    0.75,
                ));
            }
            ("f32", Metric::InnerProduct, Place::Dram) => {
                // From memory the typical batch counts: the fastest one found its rows in a cache.
                bars.push(Bar::at_most(
                    format!("{name}, four at once / singles"),
                    batch.cycles_median / m.cycles_median,
                    1.0 / 1.3,
                ));
            }
            _ => {}
        }
    }
    bars
}
