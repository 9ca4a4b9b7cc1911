//! A collection in an async program: calls wait for a disk or compute, so they run on threads for
//! that, through `spawn_blocking`.
//!
//! `cargo run -p vex-db --example async`

use tokio::task::spawn_blocking;
use vex_db::{Collection, Hits, Metric, Row, Schema};

async fn add(notes: &Collection, id: String, vector: Vec<f32>) -> vex_db::Result<()> {
    // A clone is another handle of the same collection.
    let notes = notes.clone();
    spawn_blocking(move || notes.upsert(&id, &vector, Row::new())).await.expect("the call does not panic")
}

async fn search(notes: &Collection, query: Vec<f32>) -> vex_db::Result<Hits> {
    let notes = notes.clone();
    spawn_blocking(move || notes.snapshot()?.search(&query).k(2).run())
        .await
        .expect("the call does not panic")
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("notes.vexdb");
    let create = move || Collection::create(path, Schema::new(2, Metric::Cosine));
    let notes = spawn_blocking(create).await??;
    add(&notes, "east".to_owned(), vec![1.0, 0.0]).await?;
    add(&notes, "north".to_owned(), vec![0.0, 1.0]).await?;
    let hits = search(&notes, vec![0.9, 0.1]).await?;
    println!("{} is nearer than {}", hits[0].id, hits[1].id);
    assert_eq!(hits[0].id, "east");
    Ok(())
}
