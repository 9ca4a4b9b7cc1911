//! Collections on a simulated disk, which fails and loses its power.

mod crash;
mod failing;
mod simulated;

use std::collections::BTreeMap;
use std::sync::Arc;

use simulated::Machine;
use vex::Metric;

use crate::{Collection, Committed, Durability, Options, Result, Row, RowVectors, Schema, row};

/// Random numbers (SplitMix64).
pub(crate) struct Random(pub(crate) u64);

impl Random {
    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    pub(crate) fn below(&mut self, bound: u64) -> u64 {
        self.next() % bound
    }
}

/// The rows that a collection should have: the vector, that of the title if there is one, and the fields.
pub(crate) type Model = BTreeMap<String, ([f32; 2], Option<[f32; 1]>, Row)>;

pub(crate) fn schema() -> Schema {
    Schema::new(2, Metric::SquaredEuclidean).vector("title", 1).text("word").int("number").stored("doc")
}

/// Options under which a dozen commits seal, merge and rewrite segments.
pub(crate) fn options() -> Options {
    Options {
        fanout: 2,
        // A few commits.
        journal: 100_000,
        ..Options::new().seal_at(4).cache(1 << 20).threads(1).durability(Durability::Commit)
    }
}

pub(crate) fn open(machine: &Machine) -> Result<Collection> {
    open_with(machine, options())
}

pub(crate) fn open_with(machine: &Machine, options: Options) -> Result<Collection> {
    Collection::on(Arc::new(machine.clone()), Some(schema()), options)
}

/// Commits a random batch, and changes the model alike.
pub(crate) fn commit(notes: &Collection, model: &mut Model, random: &mut Random) -> Result<Committed> {
    let mut batch = notes.batch();
    let mut next = model.clone();
    for _ in 0..=random.below(4) {
        let id = format!("id {}", random.below(12));
        if random.below(4) == 0 {
            batch.delete(&id);
            next.remove(&id);
        } else {
            let vector = [random.below(100) as f32, random.below(100) as f32];
            let long = if random.below(8) == 0 { 6_000 } else { 50 };
            let doc = "x".repeat(random.below(long) as usize);
            let row =
                row! { word: format!("w{}", random.below(3)), number: random.below(10) as i64, doc: doc };
            let title = (random.below(2) == 0).then(|| [random.below(100) as f32]);
            let vectors = match &title {
                Some(title) => RowVectors::new(&vector).with("title", title),
                None => (&vector).into(),
            };
            batch.upsert(&id, vectors, row.clone())?;
            next.insert(id, (vector, title, row));
        }
    }
    let committed = batch.commit()?;
    *model = next;
    Ok(committed)
}

/// Everything that a collection says of its rows, checked against itself. Returns the number of
/// commits and the rows.
pub(crate) fn contents(notes: &Collection) -> Result<(u64, Model)> {
    let view = notes.snapshot()?;
    let mut model = Model::new();
    for scrolled in view.scroll().run()? {
        let record = view.get(&scrolled.id)?.expect("the row that was scrolled to");
        assert_eq!(record.row, scrolled.row, "{}", scrolled.id);
        let title = match &record.named[..] {
            [] => None,
            [(name, vector)] if name == "title" => Some([vector[0]]),
            named => panic!("{named:?}"),
        };
        model.insert(scrolled.id, ([record.vector[0], record.vector[1]], title, record.row));
    }
    assert_eq!(view.len()?, model.len() as u64);
    let query = [50.0, 50.0];
    let hits = view.search(&query).k(100).ef_search(200).fetch_all().run()?;
    assert_eq!(hits.len(), model.len(), "{}", hits.explain());
    for hit in &hits {
        let (vector, _, row) = &model[&hit.id];
        assert_eq!(&hit.row, row, "{}", hit.id);
        assert_eq!(hit.distance, (vector[0] - 50.0).powi(2) + (vector[1] - 50.0).powi(2), "{}", hit.id);
    }
    let hits = view.vector("title")?.search(&[50.0]).k(100).ef_search(200).run()?;
    assert_eq!(hits.len(), model.values().filter(|(_, title, _)| title.is_some()).count());
    for hit in &hits {
        assert_eq!(Some(hit.distance), model[&hit.id].1.map(|[title]| (title - 50.0).powi(2)), "{}", hit.id);
    }
    for word in ["w0", "w1", "w2"] {
        let hits = view.search(&query).k(100).filter(crate::field("word").eq(word)).run()?;
        assert_eq!(hits.len(), model.values().filter(|(.., row)| row.text("word") == Some(word)).count());
    }
    view.verify()?;
    Ok((view.commits(), model))
}
