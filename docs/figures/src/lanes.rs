//! An array folded into 64 virtual lanes, and the tree that adds them.

use crate::svg::Svg;

const ELEMENTS: usize = 150;
const LANES: usize = 64;
const CELL: f64 = 11.0;

pub(crate) fn draw() -> String {
    let mut svg = Svg::new(860, 330, "150 elements are folded into 64 lanes, and the lanes into one sum");
    let left = 120.0;
    let place = |lane: usize| left + CELL * lane as f64 + 5.0 * (lane / 16) as f64;
    let classes = ["a", "b", "c", "d"];
    for register in 0..4 {
        svg.text("small faint", (place(16 * register), 28.0), &format!("register {register}"));
    }
    let rows = ELEMENTS.div_ceil(LANES);
    for row in 0..rows {
        let y = 40.0 + 24.0 * row as f64;
        let end = (row * LANES + LANES).min(ELEMENTS);
        svg.text("small end", (left - 8.0, y + 12.0), &format!("{} to {}", row * LANES, end - 1));
        for lane in 0..LANES {
            let is_masked = row * LANES + lane >= ELEMENTS;
            let class = if is_masked { "box" } else { classes[lane / 16] };
            svg.rect(class, (place(lane), y), (CELL - 2.0, 16.0));
        }
    }
    svg.text(
        "small faint",
        (place(30), 40.0 + 24.0 * rows as f64 + 8.0),
        "behind the end: read as zero, or not at all",
    );
    let mut y = 150.0;
    svg.text("small end", (left - 8.0, y + 12.0), "64 sums");
    for lane in 0..LANES {
        svg.rect(classes[lane / 16], (place(lane), y), (CELL - 2.0, 16.0));
    }
    for (width, meaning) in [
        (16, "registers: (0 + 1) + (2 + 3)"),
        (8, "lane i + lane i + 8"),
        (4, "lane i + lane i + 4"),
        (2, "lane i + lane i + 2"),
        (1, "lane 0 + lane 1"),
    ] {
        y += 30.0;
        svg.text("small end", (left - 8.0, y + 12.0), &width.to_string());
        for lane in 0..width {
            svg.rect("kept", (place(lane), y), (CELL - 2.0, 16.0));
        }
        svg.text("small faint", (place(16) + 10.0, y + 12.0), meaning);
    }
    svg.finish()
}
