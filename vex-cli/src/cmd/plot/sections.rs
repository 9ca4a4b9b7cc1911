//! The bytes of indexes, by what they are for.

use std::path::Path;

use plotters::backend::DrawingBackend;
use plotters::chart::ChartBuilder;
use plotters::coord::Shift;
use plotters::drawing::DrawingArea;
use plotters::element::{Rectangle, Text};
use plotters::style::text_anchor::{HPos, Pos, VPos};
use plotters::style::{Color, RGBColor, TRANSPARENT};
use vex::format::Tag;

use super::draw::{COLORS, Canvas, FONT, GRID, TEXT, TITLE, on, text, with_legend};
use super::name;
use crate::error::Failure;
use crate::{human, mmap};

/// What sections are for, from the left of a bar to its right.
const PARTS: [&str; 5] = ["vectors", "codes", "links", "keys", "the rest"];

/// The sections of an index.
pub(super) struct Bar {
    name: String,
    /// Bytes of each of the [`PARTS`].
    bytes: [u64; PARTS.len()],
}

impl Bar {
    pub(super) fn read(path: &Path) -> Result<Self, Failure> {
        let index = mmap::open(path)?;
        let mut bytes = [0; PARTS.len()];
        for section in index.sections() {
            bytes[part(section.tag)] += section.length;
        }
        // The header, the table of sections and the padding between them.
        let known: u64 = bytes.iter().sum();
        bytes[PARTS.len() - 1] += index.header().file_length.saturating_sub(known);
        Ok(Self { name: name(path), bytes })
    }

    fn total(&self) -> u64 {
        self.bytes.iter().sum()
    }
}

/// The place of a section in [`PARTS`].
fn part(tag: Tag) -> usize {
    match tag {
        Tag::VECTORS => 0,
        Tag::CODES | Tag::TERMS | Tag::MEAN => 1,
        Tag(tag) if tag.starts_with(b"LNK") => 2,
        Tag::KEYS => 3,
        _ => 4,
    }
}

pub(super) fn draw(canvas: &Canvas<'_>, bars: &[Bar]) -> Result<(), String> {
    on!(canvas, area => draw_on(area, bars))
}

fn draw_on<B: DrawingBackend>(area: &DrawingArea<B, Shift>, bars: &[Bar]) -> Result<(), String> {
    let names = PARTS.iter().zip(COLORS).enumerate().map(|(part, (name, color))| {
        // One index leaves room for its numbers.
        let name = match bars {
            [bar] => format!("{name} {}", human::bytes(bar.bytes[part])),
            _ => (*name).to_owned(),
        };
        (name, color)
    });
    let names: Vec<(String, RGBColor)> = names.collect();
    let upper = with_legend(area, &names)?;
    let style = text(area, TEXT);
    let failed = |error: &dyn std::error::Error| error.to_string();
    let width = |name: &str| area.estimate_text_size(name, &style).map_or(0, |(width, _)| width);
    let label = bars.iter().map(|bar| width(&bar.name)).max().unwrap_or(0) + 30;
    let longest = bars.iter().map(Bar::total).max().unwrap_or(0) as f64;
    let count = bars.len() as f64;
    let mut chart = ChartBuilder::on(&upper)
        .caption("Memory by section: the bytes of the file", text(area, TITLE))
        .margin(16)
        .margin_right(40)
        .x_label_area_size(56)
        .y_label_area_size(label)
        // The total stands behind the longest bar.
        .build_cartesian_2d(0.0..longest * 1.12, 0.0..count)
        .map_err(|error| failed(&error))?;
    chart
        .configure_mesh()
        .disable_y_mesh()
        .disable_y_axis()
        .x_desc("size")
        .x_labels(6)
        .x_label_formatter(&|bytes| human::bytes(*bytes as u64))
        .label_style((FONT, TEXT))
        .axis_desc_style((FONT, TEXT + 2))
        .bold_line_style(GRID)
        .light_line_style(TRANSPARENT)
        .draw()
        .map_err(|error| failed(&error))?;
    for (index, bar) in bars.iter().enumerate() {
        // The first index is at the top.
        let bottom = (bars.len() - 1 - index) as f64;
        let mut start = 0.0;
        for (bytes, color) in bar.bytes.iter().zip(COLORS) {
            let end = start + *bytes as f64;
            let corners = [(start, bottom + 0.25), (end, bottom + 0.75)];
            chart.draw_series([Rectangle::new(corners, color.filled())]).map_err(|error| failed(&error))?;
            start = end;
        }
        let (x, y) = chart.backend_coord(&(0.0, bottom + 0.5));
        let before = text(area, TEXT).pos(Pos::new(HPos::Right, VPos::Center));
        area.draw_text(&bar.name, &before, (x - 10, y)).map_err(|error| failed(&error))?;
        let style = text(area, TEXT).pos(Pos::new(HPos::Left, VPos::Center));
        let total = format!("  {}", human::bytes(bar.total()));
        chart
            .draw_series([Text::new(total, (start, bottom + 0.5), style)])
            .map_err(|error| failed(&error))?;
    }
    area.present().map_err(|error| error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_section_has_its_part() {
        let tags = [Tag::VECTORS, Tag::CODES, Tag::TERMS, Tag::MEAN, Tag::links(0), Tag::links(7), Tag::KEYS];
        assert_eq!(tags.map(part), [0, 1, 1, 1, 2, 2, 3]);
        assert_eq!([Tag::META, Tag::COPIES, Tag::TOMBSTONES].map(part), [4; 3]);
    }
}
