//! Recall against queries per second and p99.

use std::ops::Range;

use plotters::backend::DrawingBackend;
use plotters::chart::ChartBuilder;
use plotters::coord::Shift;
use plotters::coord::combinators::{BindKeyPoints, IntoLogRange};
use plotters::drawing::DrawingArea;
use plotters::element::{Circle, EmptyElement, Text};
use plotters::series::LineSeries;
use plotters::style::text_anchor::{HPos, Pos, VPos};
use plotters::style::{Color, RGBColor, TRANSPARENT};
use serde::Deserialize;

use super::draw::{COLORS, Canvas, FONT, GRID, LABEL, TEXT, TITLE, on, short, text, ticks, with_legend};

/// The measurements of a file.
pub(super) struct Curve {
    name: String,
    points: Vec<Point>,
}

/// One row of `vex bench --json`, as far as it is drawn.
#[derive(Deserialize)]
struct Point {
    k: usize,
    threads: usize,
    ef_search: usize,
    recall: f64,
    qps: f64,
    /// Of each query's median, so that other work of the machine disturbs little.
    #[serde(rename = "steady_p99_us")]
    p99_us: f64,
}

/// A vertical axis.
struct Axis {
    title: &'static str,
    label: &'static str,
    value: fn(&Point) -> f64,
    /// Whether the `ef_search` of a point is above or below its mark.
    label_side: VPos,
}

impl Curve {
    /// Parses the output of `vex bench --json`.
    pub(super) fn parse(name: String, json: &[u8]) -> Result<Self, String> {
        let mut points: Vec<Point> = serde_json::from_slice(json)
            .map_err(|error| format!("expected the output of vex bench --json: {error}"))?;
        // A logarithm has no place for zero.
        let is_measured = |point: &Point| {
            (0.0..=1.0).contains(&point.recall)
                && [point.qps, point.p99_us].iter().all(|value| *value > 0.0 && value.is_finite())
        };
        if points.is_empty() || !points.iter().all(is_measured) {
            return Err("expected measurements of vex bench --json, found none or impossible ones".to_owned());
        }
        points.sort_by(|a, b| a.recall.total_cmp(&b.recall).then(b.qps.total_cmp(&a.qps)));
        Ok(Self { name, points })
    }

    /// Whether there is a single measurement, and nothing to draw a line between.
    pub(super) fn is_point(&self) -> bool {
        self.points.len() == 1
    }
}

pub(super) fn draw(canvas: &Canvas<'_>, curves: &[Curve]) -> Result<(), String> {
    on!(canvas, area => draw_on(area, curves))
}

fn draw_on<B: DrawingBackend>(area: &DrawingArea<B, Shift>, curves: &[Curve]) -> Result<(), String> {
    let names: Vec<(String, RGBColor)> =
        curves.iter().enumerate().map(|(index, curve)| (curve.name.clone(), color(index))).collect();
    let upper = with_legend(area, &names)?;
    let (width, _) = upper.dim_in_pixel();
    let (left, right) = upper.split_horizontally(width as i32 / 2);
    let speed = Axis {
        title: "Throughput: up and right is better",
        label: "queries per second",
        value: |point| point.qps,
        label_side: VPos::Top,
    };
    let tail = Axis {
        title: "Tail latency: down and right is better",
        label: "p99 of a query, µs",
        value: |point| point.p99_us,
        label_side: VPos::Bottom,
    };
    draw_panel(&left, curves, &speed)?;
    draw_panel(&right, curves, &tail)?;
    area.present().map_err(|error| error.to_string())
}

fn draw_panel<B: DrawingBackend>(
    area: &DrawingArea<B, Shift>,
    curves: &[Curve],
    axis: &Axis,
) -> Result<(), String> {
    let all = || curves.iter().flat_map(|curve| &curve.points);
    let recalls = recall_range(all().map(|point| point.recall));
    let values = || all().map(axis.value);
    let ticks = ticks(values().fold(f64::INFINITY, f64::min), values().fold(0.0, f64::max));
    let range = ticks[0]..ticks[ticks.len() - 1];
    let failed = |error: &dyn std::error::Error| error.to_string();
    let mut chart = ChartBuilder::on(area)
        .caption(axis.title, text(area, TITLE))
        .margin(16)
        .margin_right(28)
        .x_label_area_size(56)
        .y_label_area_size(84)
        .build_cartesian_2d(recalls, range.log_scale().with_key_points(ticks))
        .map_err(|error| failed(&error))?;
    chart
        .configure_mesh()
        .x_desc(describe(curves))
        .y_desc(axis.label)
        .x_labels(6)
        .x_label_formatter(&|recall| {
            format!("{recall:.3}").trim_end_matches('0').trim_end_matches('.').to_owned()
        })
        .y_label_formatter(&|value| short(*value))
        .label_style((FONT, TEXT))
        .axis_desc_style((FONT, TEXT + 2))
        .bold_line_style(GRID)
        .light_line_style(TRANSPARENT)
        .draw()
        .map_err(|error| failed(&error))?;
    for (index, curve) in curves.iter().enumerate() {
        let points = || curve.points.iter().map(|point| (point.recall, (axis.value)(point)));
        let line = LineSeries::new(points(), color(index).stroke_width(3));
        chart.draw_series(line).map_err(|error| failed(&error))?;
        let marks = points().map(|point| Circle::new(point, 5, color(index).filled()));
        chart.draw_series(marks).map_err(|error| failed(&error))?;
        // Beside a mark, where the line does not go: lines fall to the right, or rise.
        let color_of_curve = color(index);
        let style = text(area, LABEL).color(&color_of_curve).pos(Pos::new(HPos::Right, axis.label_side));
        let labels = curve.points.iter().zip(points()).map(|(point, place)| {
            EmptyElement::at(place) + Text::new(point.ef_search.to_string(), (-8, 0), style.clone())
        });
        chart.draw_series(labels).map_err(|error| failed(&error))?;
    }
    Ok(())
}

/// The horizontal axis: from a round number before the least recall to 1.
fn recall_range(recalls: impl Iterator<Item = f64>) -> Range<f64> {
    let least = recalls.fold(1.0, f64::min);
    // Twentieths, or hundredths where all recalls are near 1.
    let step = if least < 0.95 { 20.0 } else { 100.0 };
    let start = ((least * step).floor() / step).min(1.0 - 1.0 / step).max(0.0);
    // The last mark would be cut in half by the edge.
    start..1.0 + (1.0 - start) / 50.0
}

/// The horizontal axis: k, and the threads if all curves have the same.
fn describe(curves: &[Curve]) -> String {
    let all = || curves.iter().flat_map(|curve| &curve.points);
    let same = |field: fn(&Point) -> usize| {
        let first = all().map(field).next();
        first.filter(|first| all().all(|point| field(point) == *first))
    };
    let recall = same(|point| point.k).map_or("recall@k".to_owned(), |k| format!("recall@{k}"));
    match same(|point| point.threads) {
        Some(threads) => {
            format!(
                "{recall}, {}; beside the points: ef_search",
                crate::human::plural(threads as u64, "thread")
            )
        }
        None => format!("{recall}; beside the points: ef_search"),
    }
}

fn color(index: usize) -> RGBColor {
    COLORS[index % COLORS.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn recall_has_a_round_start() {
        assert_eq!(recall_range([0.81, 0.999].into_iter()).start, 0.8);
        assert_eq!(recall_range([0.978, 1.0].into_iter()).start, 0.97);
        assert_eq!(recall_range([1.0].into_iter()).start, 0.99);
        assert_eq!(recall_range([0.0].into_iter()).start, 0.0);
    }

    #[test]
    fn other_json_is_refused_with_the_reason() {
        let parse = |json: &str| Curve::parse("a".to_owned(), json.as_bytes()).err().unwrap();
        for json in ["", "{}", "[{}]", "[1]"] {
            assert!(parse(json).starts_with("expected the output of vex bench --json: "), "{json}");
        }
        let row = |recall: &str, qps: &str| {
            format!(
                r#"[{{"k": 10, "threads": 1, "ef_search": 64, "recall": {recall}, "qps": {qps}, "steady_p99_us": 3.5}}]"#
            )
        };
        for json in ["[]".to_owned(), row("1.5", "10"), row("0.5", "0"), row("0.5", "-1")] {
            assert!(parse(&json).starts_with("expected measurements"), "{json}");
        }
        assert!(Curve::parse("a".to_owned(), row("0.5", "10").as_bytes()).is_ok());
    }
}
