//! Cycles by length, one line a rival: f32 from the first-level cache.

use std::error::Error;
use std::path::Path;

use plotters::coord::Shift;
use plotters::prelude::*;

use crate::element::Metric;
use crate::rivals::Rival;
use crate::shootout::{Place, Results};

pub(crate) fn write(results: &Results, path: &Path) -> Result<(), Box<dyn Error>> {
    let root = SVGBackend::new(path, (1120, 500)).into_drawing_area();
    root.fill(&WHITE)?;
    let (title, charts) = root.split_vertically(34);
    title.draw(&Text::new(
        "f32 from L1: cycles of one distance, fewer is better",
        (20, 10),
        ("sans-serif", 19).into_font(),
    ))?;
    let panels = charts.split_evenly((1, 2));
    for (panel, metric) in panels.iter().zip([Metric::InnerProduct, Metric::SquaredEuclidean]) {
        chart(results, metric, panel)?;
    }
    root.present()?;
    Ok(())
}

/// Distinct also without colour: the palette of Okabe and Ito, and a marker for Vex.
fn color(rival: Rival) -> RGBColor {
    match rival {
        Rival::Vex => RGBColor(213, 94, 0),
        Rival::VexBatch => RGBColor(230, 159, 0),
        Rival::Diskann => RGBColor(0, 114, 178),
        Rival::Cfavml => RGBColor(0, 158, 115),
        Rival::CfavmlAvx512 => RGBColor(120, 200, 120),
        Rival::Simsimd => RGBColor(204, 121, 167),
        Rival::Numkong => RGBColor(86, 180, 233),
        Rival::Lanes => RGBColor(110, 110, 110),
        Rival::Naive => RGBColor(0, 0, 0),
    }
}

fn chart(
    results: &Results,
    metric: Metric,
    area: &DrawingArea<SVGBackend<'_>, Shift>,
) -> Result<(), Box<dyn Error>> {
    // The naive loop is ten times slower than anything else and would flatten the rest.
    let rivals: Vec<Rival> = [
        Rival::Numkong,
        Rival::Lanes,
        Rival::Simsimd,
        Rival::Cfavml,
        Rival::CfavmlAvx512,
        Rival::Diskann,
        Rival::Vex,
        Rival::VexBatch,
    ]
    .into();
    let points = |rival: Rival| -> Vec<(f64, f64)> {
        let of_line = results
            .measurements
            .iter()
            .filter(|m| m.element == "f32" && m.metric == metric && m.place == Place::L1 && m.rival == rival);
        of_line.map(|m| (m.dim as f64, m.cycles)).collect()
    };
    let highest = rivals.iter().flat_map(|r| points(*r)).map(|(_, y)| y).fold(1.0, f64::max);

    let mut chart = ChartBuilder::on(area)
        .margin(14)
        .caption(metric.name(), ("sans-serif", 16))
        .x_label_area_size(36)
        .y_label_area_size(46)
        .build_cartesian_2d(0.0..1600.0, 0.0..highest * 1.05)?;
    chart
        .configure_mesh()
        .light_line_style(WHITE)
        .bold_line_style(RGBColor(225, 225, 225))
        .x_desc("dimensions")
        .y_desc("cycles")
        .x_labels(9)
        .x_label_formatter(&|x| format!("{x:.0}"))
        .y_label_formatter(&|y| format!("{y:.0}"))
        .label_style(("sans-serif", 13))
        .draw()?;
    for rival in rivals {
        let line = points(rival);
        if line.is_empty() {
            continue;
        }
        let style = color(rival).stroke_width(if rival.is_vex() { 3 } else { 2 });
        chart
            .draw_series(LineSeries::new(line.iter().copied(), style))?
            .label(rival.name())
            .legend(move |(x, y)| PathElement::new([(x, y), (x + 18, y)], style));
        let size = if rival.is_vex() { 4 } else { 2 };
        chart.draw_series(line.iter().map(|point| Circle::new(*point, size, color(rival).filled())))?;
    }
    chart
        .configure_series_labels()
        .position(SeriesLabelPosition::UpperLeft)
        .background_style(WHITE.mix(0.85))
        .border_style(RGBColor(200, 200, 200))
        .label_font(("sans-serif", 13))
        .draw()?;
    Ok(())
}
