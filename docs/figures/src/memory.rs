//! What an index of a million vectors takes, part by part.

use vex_graph::{MemoryPlan, Metric, Params, Quantization};

use crate::svg::Svg;

pub(crate) fn draw() -> String {
    let kinds =
        [("no codes", None), ("SQ8", Some(Quantization::Sq8)), ("SQ4 or SQ2x2", Some(Quantization::Sq4))];
    let mut svg = Svg::new(860, 230, "A million vectors of 768 dimensions: vectors, codes, links and keys");
    let classes = ["a", "b", "c", "d"];
    for (row, (name, quantization)) in kinds.into_iter().enumerate() {
        let params = Params::new().quantization(quantization);
        let plan = MemoryPlan::of(&params, Metric::Cosine, 768, 1_000_000).expect("the parameters are valid");
        let parts = [plan.vectors, plan.codes, plan.links, 8 * 1_000_000];
        let y = 30.0 + 46.0 * row as f64;
        svg.text("bold end", (110.0, y + 18.0), name);
        let mut x = 120.0;
        for (part, class) in parts.into_iter().zip(classes) {
            let width = 600.0 * part as f64 / 4.1e9;
            svg.rect(class, (x, y), (width, 26.0));
            x += width;
        }
        let total = parts.iter().sum::<usize>() as f64 / 1e9;
        svg.text("", (x + 8.0, y + 18.0), &format!("{total:.2} GB"));
    }
    for (index, (class, meaning)) in
        classes.into_iter().zip(["vectors", "codes", "links", "keys"]).enumerate()
    {
        let x = 120.0 + 130.0 * index as f64;
        svg.rect(class, (x, 186.0), (12.0, 12.0));
        svg.text("", (x + 20.0, 197.0), meaning);
    }
    svg.finish()
}
