//! Notes with a language and a year: written, searched, changed, and opened again.
//!
//! `cargo run -p vex-db --example notes`

use std::ops::ControlFlow;

use vex_db::{Budget, Collection, Metric, Options, Schema, field, row};

/// Stands in for a model: how often each of some letters comes.
fn embed(text: &str) -> Vec<f32> {
    let count = |letter| text.chars().filter(|found| *found == letter).count() as f32;
    ['a', 'e', 'i', 'n', 'o', 'r', 's', 't'].map(count).to_vec()
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("notes.vexdb");
    let schema = Schema::new(8, Metric::Cosine).model("letters").text("lang").int("year").stored("doc");
    let notes = Collection::create(&path, schema.clone())?;

    // One commit for many rows.
    let mut batch = notes.batch();
    for (at, (lang, year, doc)) in [
        ("en", 2019, "a rose is a rose"),
        ("en", 2024, "the rain in spain stays mainly in the plain"),
        ("de", 2023, "es regnet in strömen"),
        ("de", 2026, "rosen sind rot"),
    ]
    .into_iter()
    .enumerate()
    {
        batch.upsert(&format!("note/{at}"), &embed(doc), row! { lang: lang, year: year, doc: doc })?;
    }
    println!("{:?}", batch.commit()?);

    let view = notes.snapshot()?;
    let recent = field("year").ge(2020) & !field("lang").eq("en");
    let query = embed("roses are red");
    let hits = view.search(&query).k(3).filter(recent).fetch(["doc"]).run()?;
    for hit in &hits {
        println!("{:.3}  {}  {}", hit.distance, hit.id, hit.row.text("doc").unwrap_or_default());
    }
    print!("{}", hits.explain());

    // The snapshot stays as it is.
    notes.delete("note/3")?;
    assert_eq!((view.len()?, notes.len()?), (4, 3));
    assert_eq!(view.near("note/3")?.k(1).run()?.len(), 1);

    notes.maintain(Budget::memory(64 << 20), |_| ControlFlow::Continue(()))?;
    notes.backup(folder.path().join("copy.vexdb"))?;
    // A collection is closed with its last handle and its last snapshot.
    drop((view, notes));
    let copy = Options::new().verify(true).open_or_create(folder.path().join("copy.vexdb"), schema)?;
    copy.snapshot()?.verify()?;
    print!("{}", copy.stats()?);
    Ok(())
}
