//! Canvases, letters and colors: what all pictures have in common.

use std::path::Path;
use std::sync::Once;

use plotters::backend::{BitMapBackend, DrawingBackend, SVGBackend};
use plotters::coord::Shift;
use plotters::drawing::{DrawingArea, IntoDrawingArea};
use plotters::element::Rectangle;
use plotters::style::{BLACK, Color, FontStyle, IntoTextStyle, RGBColor, TextStyle, WHITE, register_font};

/// The size of a picture in pixels.
pub(super) const SIZE: (u32, u32) = (1200, 600);

pub(super) const FONT: &str = "sans-serif";
pub(super) const TITLE: i32 = 24;
pub(super) const TEXT: i32 = 18;
pub(super) const LABEL: i32 = 14;

/// The lines behind the data.
pub(super) const GRID: RGBColor = RGBColor(222, 222, 222);

/// Colors that people with any color vision can distinguish (Okabe and Ito, 2008).
pub(super) const COLORS: [RGBColor; 7] = [
    RGBColor(0, 114, 178),
    RGBColor(213, 94, 0),
    RGBColor(0, 158, 115),
    RGBColor(204, 121, 167),
    RGBColor(230, 159, 0),
    RGBColor(86, 180, 233),
    RGBColor(80, 80, 80),
];

/// Height of a line of the legend.
const LEGEND_LINE: i32 = 30;

/// Width of the color before a name, and the gap after the name.
const SWATCH: i32 = 36;
const GAP: i32 = 30;

/// The format of a picture, by the extension of its file.
#[derive(Clone, Copy)]
pub(super) enum Format {
    Svg,
    Png,
}

impl Format {
    pub(super) fn of(path: &Path) -> Option<Self> {
        match path.extension()?.to_ascii_lowercase().to_str()? {
            "svg" => Some(Self::Svg),
            "png" => Some(Self::Png),
            _ => None,
        }
    }
}

/// A picture of either format.
pub(super) enum Canvas<'c> {
    Svg(DrawingArea<SVGBackend<'c>, Shift>),
    Png(DrawingArea<BitMapBackend<'c>, Shift>),
}

/// Runs the same drawing on a canvas of either format.
macro_rules! on {
    ($canvas:expr, $area:ident => $draw:expr) => {
        match $canvas {
            $crate::cmd::plot::draw::Canvas::Svg($area) => $draw,
            $crate::cmd::plot::draw::Canvas::Png($area) => $draw,
        }
    };
}
pub(super) use on;

/// The bytes of a picture that `draw` draws.
pub(super) fn render(
    format: Format,
    draw: impl FnOnce(&Canvas<'_>) -> Result<(), String>,
) -> Result<Vec<u8>, String> {
    static FONTS: Once = Once::new();
    FONTS.call_once(|| {
        // The bytes are those of a font. Without it, drawing fails.
        let _ = register_font(FONT, FontStyle::Normal, dejavu::sans::regular());
    });
    match format {
        Format::Svg => {
            let mut text = String::new();
            draw(&Canvas::Svg(SVGBackend::with_string(&mut text, SIZE).into_drawing_area()))?;
            Ok(text.into_bytes())
        }
        Format::Png => {
            let mut pixels = vec![0; (SIZE.0 * SIZE.1 * 3) as usize];
            draw(&Canvas::Png(BitMapBackend::with_buffer(&mut pixels, SIZE).into_drawing_area()))?;
            encode(&pixels).map_err(|error| error.to_string())
        }
    }
}

fn encode(pixels: &[u8]) -> Result<Vec<u8>, png::EncodingError> {
    let mut bytes = Vec::new();
    let mut encoder = png::Encoder::new(&mut bytes, SIZE.0, SIZE.1);
    encoder.set_color(png::ColorType::Rgb);
    encoder.set_depth(png::BitDepth::Eight);
    let mut writer = encoder.write_header()?;
    writer.write_image_data(pixels)?;
    writer.finish()?;
    Ok(bytes)
}

/// Fills the canvas, and splits a strip for the legend off its lower end. Returns the rest.
pub(super) fn with_legend<B: DrawingBackend>(
    area: &DrawingArea<B, Shift>,
    names: &[(String, RGBColor)],
) -> Result<DrawingArea<B, Shift>, String> {
    area.fill(&WHITE).map_err(|error| error.to_string())?;
    let style = text(area, TEXT);
    // Each name goes where the line has room, or to the next line.
    let (mut x, mut line, mut places) = (GAP, 0, Vec::new());
    for (name, _) in names {
        let (width, _) = area.estimate_text_size(name, &style).map_err(|error| error.to_string())?;
        let width = SWATCH + width as i32 + GAP;
        if x > GAP && x + width > SIZE.0 as i32 {
            (x, line) = (GAP, line + 1);
        }
        places.push((x, line));
        x += width;
    }
    let height = (line + 1) * LEGEND_LINE + 10;
    let (upper, lower) = area.split_vertically(SIZE.1 as i32 - height);
    for ((name, color), (x, line)) in names.iter().zip(places) {
        let y = line * LEGEND_LINE + LEGEND_LINE / 2;
        let swatch = Rectangle::new([(x, y - 9), (x + 24, y + 1)], color.filled());
        lower.draw(&swatch).map_err(|error| error.to_string())?;
        let at = (x + SWATCH, y - TEXT / 2);
        lower.draw_text(name, &style, at).map_err(|error| error.to_string())?;
    }
    Ok(upper)
}

/// The style of black text of a size.
pub(super) fn text<B: DrawingBackend>(area: &DrawingArea<B, Shift>, size: i32) -> TextStyle<'static> {
    (FONT, size).into_text_style(area).color(&BLACK)
}

/// Numbers 1, 2 and 5 times a power of ten, from the last before the first value to the first after
/// the last. Values are positive.
pub(super) fn ticks(first: f64, last: f64) -> Vec<f64> {
    let mut ticks = Vec::new();
    let mut power = 10_f64.powf(first.log10().floor());
    while power <= last * 10.0 {
        ticks.extend([1.0, 2.0, 5.0].map(|digit| digit * power));
        power *= 10.0;
    }
    let start = ticks.iter().rposition(|tick| *tick <= first).unwrap_or(0);
    let end = ticks.iter().position(|tick| *tick >= last).unwrap_or(ticks.len() - 1).max(start + 1);
    ticks[start..=end.min(ticks.len() - 1)].to_vec()
}

/// A number with at most one letter for its power of thousand.
pub(super) fn short(number: f64) -> String {
    let (number, unit) = match number {
        1e6.. => (number / 1e6, "M"),
        1e3.. => (number / 1e3, "k"),
        _ => (number, ""),
    };
    format!("{number}{unit}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ticks_hold_the_values() {
        assert_eq!(ticks(900.0, 12_000.0), [500.0, 1_000.0, 2_000.0, 5_000.0, 10_000.0, 20_000.0]);
        assert_eq!(ticks(3_100.0, 3_100.0), [2_000.0, 5_000.0]);
        assert_eq!(ticks(1.0, 1.0), [1.0, 2.0]);
        assert_eq!(ticks(0.03, 0.2), [0.02, 0.05, 0.1, 0.2]);
    }

    #[test]
    fn numbers_are_short() {
        let texts = [0.5, 20.0, 1_000.0, 20_000.0, 5e6].map(short);
        assert_eq!(texts, ["0.5", "20", "1k", "20k", "5M"]);
    }
}
