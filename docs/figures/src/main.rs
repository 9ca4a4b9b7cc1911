//! Draws the figures of the documents: `cargo run -p vex-figures` writes them.
//!
//! Each figure is drawn from what Vex does: a real graph, a real search, a real insert. A test
//! fails if a committed figure is not what would be drawn now.

mod bytes;
mod lanes;
mod levels;
mod memory;
mod points;
mod recall;
mod selection;
mod svg;
mod tree;

use std::path::Path;

/// The name of each figure, and its file.
fn figures() -> [(&'static str, String); 7] {
    [
        ("levels.svg", levels::draw()),
        ("selection.svg", selection::draw()),
        ("lanes.svg", lanes::draw()),
        ("bytes.svg", bytes::draw()),
        ("tree.svg", tree::draw()),
        ("recall.svg", recall::draw()),
        ("memory.svg", memory::draw()),
    ]
}

fn main() -> std::io::Result<()> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"));
    for (name, file) in figures() {
        std::fs::write(folder.join(name), file)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn committed_figures_are_what_is_drawn_now() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR"));
        for (name, file) in figures() {
            let committed = std::fs::read_to_string(folder.join(name)).unwrap_or_default();
            assert!(committed == file, "{name} is stale: run `cargo run -p vex-figures`");
        }
    }
}
