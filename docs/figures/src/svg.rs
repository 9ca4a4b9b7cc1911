//! Scalable vector graphics: the few shapes that the figures need, in colors for light and dark.

use std::fmt::Write;

/// The classes of all shapes. A picture has no colors of its own, so both themes are legible.
const STYLE: &str = "
text { font: 13px sans-serif; fill: #1f2328; }
.small { font-size: 11px; }
.bold { font-weight: bold; }
.faint { fill: #59636e; }
.middle { text-anchor: middle; }
.end { text-anchor: end; }
line, path, polygon { fill: none; stroke: #8c959f; stroke-width: 1; }
.plane { fill: #8c959f; fill-opacity: .08; stroke: #8c959f; stroke-opacity: .5; }
.link { stroke-opacity: .45; }
.path { stroke: #0969da; stroke-width: 3; }
.pinned { stroke: #0969da; stroke-width: 2; }
.dropped { stroke: #cf222e; stroke-width: 1.5; stroke-dasharray: 5 4; }
.axis { stroke: #59636e; }
circle, rect { fill: #8c959f; stroke: none; }
.seen { fill: #54aeff; }
.kept { fill: #0969da; }
.result { fill: #1a7f37; }
.query { fill: #cf222e; }
.hollow { fill: #ffffff; stroke: #8c959f; stroke-width: 1.5; }
.box { fill: #8c959f; fill-opacity: .15; stroke: #8c959f; }
.a { fill: #0969da; } .b { fill: #1a7f37; } .c { fill: #9a6700; } .d { fill: #8250df; }
.line-a { stroke: #0969da; stroke-width: 2; } .line-b { stroke: #1a7f37; stroke-width: 2; }
.line-c { stroke: #9a6700; stroke-width: 2; } .line-d { stroke: #8250df; stroke-width: 2; }
@media (prefers-color-scheme: dark) {
text { fill: #e6edf3; }
.faint { fill: #9198a1; }
.axis { stroke: #9198a1; }
.path, .pinned, .line-a { stroke: #4493f8; }
.seen { fill: #a5d6ff; } .kept, .a { fill: #2f81f7; }
.result, .b { fill: #3fb950; } .line-b { stroke: #3fb950; }
.c { fill: #d29922; } .line-c { stroke: #d29922; }
.d { fill: #ab7df8; } .line-d { stroke: #ab7df8; }
.query { fill: #f85149; } .dropped { stroke: #f85149; }
.hollow { fill: #0d1117; }
}
";

/// A point of a picture, in pixels from its upper left corner.
pub(crate) type Point = (f64, f64);

/// A picture.
pub(crate) struct Svg {
    width: u32,
    height: u32,
    body: String,
}

impl Svg {
    /// An empty picture. `title` describes it to those who do not see it.
    pub(crate) fn new(width: u32, height: u32, title: &str) -> Self {
        let mut svg = Self { width, height, body: String::new() };
        svg.add(format_args!("<title>{title}</title>"));
        svg
    }

    fn add(&mut self, shape: std::fmt::Arguments<'_>) {
        writeln!(self.body, "{shape}").expect("a string takes whatever is written");
    }

    pub(crate) fn line(&mut self, class: &str, a: Point, b: Point) {
        let [x1, y1, x2, y2] = [a.0, a.1, b.0, b.1].map(short);
        self.add(format_args!(r#"<line class="{class}" x1="{x1}" y1="{y1}" x2="{x2}" y2="{y2}"/>"#));
    }

    pub(crate) fn polyline(&mut self, class: &str, points: &[Point]) {
        let path: Vec<_> = points.iter().map(|(x, y)| format!("{} {}", short(*x), short(*y))).collect();
        self.add(format_args!(r#"<path class="{class}" d="M{}"/>"#, path.join(" L")));
    }

    pub(crate) fn polygon(&mut self, class: &str, points: &[Point]) {
        let points: Vec<_> = points.iter().map(|(x, y)| format!("{},{}", short(*x), short(*y))).collect();
        self.add(format_args!(r#"<polygon class="{class}" points="{}"/>"#, points.join(" ")));
    }

    pub(crate) fn circle(&mut self, class: &str, (x, y): Point, radius: f64) {
        let [x, y, radius] = [x, y, radius].map(short);
        self.add(format_args!(r#"<circle class="{class}" cx="{x}" cy="{y}" r="{radius}"/>"#));
    }

    pub(crate) fn rect(&mut self, class: &str, (x, y): Point, (width, height): Point) {
        let [x, y, width, height] = [x, y, width, height].map(short);
        self.add(format_args!(
            r#"<rect class="{class}" x="{x}" y="{y}" width="{width}" height="{height}" rx="2"/>"#
        ));
    }

    /// Text whose baseline begins at a point, or is centered or ends there (`middle`, `end`).
    pub(crate) fn text(&mut self, class: &str, (x, y): Point, text: &str) {
        let [x, y] = [x, y].map(short);
        let text = text.replace('&', "&amp;").replace('<', "&lt;");
        self.add(format_args!(r#"<text class="{class}" x="{x}" y="{y}">{text}</text>"#));
    }

    /// The file.
    pub(crate) fn finish(self) -> String {
        let Self { width, height, body } = self;
        format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width} {height}\" width=\"{width}\" \
             height=\"{height}\" role=\"img\">\n<style>{STYLE}</style>\n{body}</svg>\n"
        )
    }
}

/// A number with one digit behind the point, as far as it is needed.
fn short(number: f64) -> String {
    let rounded = (number * 10.0).round() / 10.0;
    // No minus before a zero.
    format!("{}", if rounded == 0.0 { 0.0 } else { rounded })
}
