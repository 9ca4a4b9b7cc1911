//! Build an index, search it, save it, open it again: `cargo run --release -p vex --example
//! quickstart`.

use vex::{Index, Metric};

fn main() -> vex::Result<()> {
    // Three dimensions are easy to read. Embeddings have some hundred.
    let mut index = Index::builder(3).metric(Metric::Cosine).build()?;
    index.insert(1, [1.0, 0.0, 0.0])?;
    index.insert(2, [0.0, 1.0, 0.0])?;
    index.insert(3, [0.7, 0.7, 0.1])?;

    // Hits come nearest first. Whatever the metric, a smaller distance is nearer.
    for hit in index.search([0.9, 0.1, 0.0], 2)? {
        println!("key {}, distance {:.4}", hit.key, hit.distance);
    }

    // A reader of this path finds the old file or the complete new one.
    let path = std::env::temp_dir().join("vex-quickstart.vex");
    index.save(&path)?;
    let reopened = Index::open(&path)?;
    assert_eq!(reopened.search([0.9, 0.1, 0.0], 2)?, index.search([0.9, 0.1, 0.0], 2)?);
    println!("saved {} vectors and opened them again", reopened.len());
    std::fs::remove_file(path)?;
    Ok(())
}
