//! One file, searched by several processes at once: `cargo run --release -p vex --example
//! several_processes`.
//! A mapped file is in memory once, however many processes search it. Each process opens the file
//! in constant time.

use std::path::Path;
use std::process::Command;

use vex::{Index, MappedIndex};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    // The processes that are started below take this branch.
    if let [_, path, query] = &std::env::args().collect::<Vec<_>>()[..] {
        return search(path.as_ref(), query.parse()?);
    }
    let path = std::env::temp_dir().join(format!("vex-processes-{}.vex", std::process::id()));
    Index::builder(4).build_from((0..1_000).map(|key| (key, vector(key as f32))))?.save(&path)?;
    let program = std::env::current_exe()?;
    let start = |query: u32| Command::new(&program).arg(&path).arg(query.to_string()).spawn();
    let readers = (1..4).map(|i| start(250 * i)).collect::<Result<Vec<_>, _>>()?;
    for mut reader in readers {
        assert!(reader.wait()?.success());
    }
    std::fs::remove_file(path)?;
    Ok(())
}

/// The work of each process.
fn search(path: &Path, query: f32) -> Result<(), Box<dyn std::error::Error>> {
    // SAFETY: nobody writes to the file or cuts it short while it is mapped. Replacing it by
    // `Index::save` would be fine.
    let index = unsafe { MappedIndex::open(path) }?;
    // This checks every byte, for a file from elsewhere.
    index.verify()?;
    let hits = index.search(vector(query), 1)?;
    println!("process {}: nearest to {query} is key {}", std::process::id(), hits[0].key);
    Ok(())
}

fn vector(position: f32) -> [f32; 4] {
    [position, 1.0, position / 2.0, 0.0]
}
