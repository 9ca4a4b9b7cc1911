//! Replace, delete and compact: `cargo run --release -p vex --example updates`.

use vex::Index;

fn main() -> vex::Result<()> {
    let mut index = Index::builder(8).build_from((0..2_000).map(|key| (key, vector(key))))?;
    println!("{} vectors, {} KiB", index.len(), index.memory_usage() >> 10);

    // `upsert` inserts a vector or replaces the one under its key.
    assert!(index.upsert(7, vector(70_000))?, "there was one under this key");
    assert!(!index.upsert(5_000, vector(5_000))?, "there was none");

    // Deleted vectors are no longer found. The next inserts take their memory.
    let deleted = index.delete_many((0..2_000).step_by(2))?;
    assert!(!index.contains(8));
    println!("deleted {deleted}, {} left", index.len());
    index.extend((10_000..10_100).map(|key| (key, vector(key))))?;
    println!("inserted 100 in their places, {} KiB with room to grow", index.memory_usage() >> 10);

    // The index is built again, as if the deleted vectors had never been there.
    index.compact()?;
    println!("compact: {} vectors, {} KiB", index.len(), index.memory_usage() >> 10);
    assert_eq!(index.search(vector(10_050), 1)?[0].key, 10_050);
    Ok(())
}

/// A vector that depends on the key alone.
fn vector(key: u64) -> [f32; 8] {
    std::array::from_fn(|i| ((key + 1) as f32 * (i + 1) as f32 * 0.37).sin())
}
