//! Walks and copies of a collection, as a command line uses them.

use std::sync::atomic::{AtomicBool, Ordering};

use vex_db::{Collection, Error, Metric, Options, Reader, Row, Schema};

fn vector(number: u32) -> [f32; 2] {
    [number as f32, 1.0]
}

fn filled(path: &std::path::Path, rows: u32) -> Collection {
    let schema = Schema::new(2, Metric::SquaredEuclidean);
    let notes = Options::new().seal_at(8).threads(1).create(path, schema).unwrap();
    for number in 0..rows {
        notes.upsert(&format!("{number:03}"), &vector(number), Row::new()).unwrap();
    }
    notes
}

#[test]
fn a_walk_has_the_vectors_that_were_asked_for_and_ends_with_an_error() {
    let folder = tempfile::tempdir().unwrap();
    // Some rows are in segments, and some are pending.
    let notes = filled(&folder.path().join("notes.vexdb"), 20);
    let view = notes.snapshot().unwrap();
    assert!(view.scroll().run().unwrap().iter().all(|row| row.vector.is_none()));
    let rows = view.scroll().vectors().run().unwrap();
    assert_eq!(rows.len(), 20);
    for (row, number) in rows.iter().zip(0..) {
        assert_eq!(row.vector.as_deref(), Some(&vector(number)[..]), "{}", row.id);
    }
    let mut left = 3;
    let walked = view.scroll().try_each(|row| {
        left -= 1;
        if left > 0 { Ok(()) } else { Err(Error::NoRow { id: row.id }) }
    });
    assert!(matches!(walked, Err(Error::NoRow { id }) if id == "002"));
}

/// Each merge removes files that a copy may be about to read.
#[test]
fn a_reader_copies_the_collection_while_the_writer_merges() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("notes.vexdb");
    let notes = filled(&path, 100);
    let reader = Reader::open(&path).unwrap();
    let is_over = AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            for number in (100..).take_while(|_| !is_over.load(Ordering::Relaxed)) {
                notes.upsert(&format!("{:03}", number % 200), &vector(number), Row::new()).unwrap();
            }
        });
        for copy in 0..30 {
            let copy = folder.path().join(format!("{copy}.vexdb"));
            let copied = reader.backup(&copy);
            is_over.store(copied.is_err(), Ordering::Relaxed);
            copied.unwrap();
            let copy = Collection::open(&copy).unwrap().snapshot().unwrap();
            assert!(copy.len().unwrap() >= 100);
            copy.verify().unwrap();
        }
        is_over.store(true, Ordering::Relaxed);
    });
    let copied = reader.backup(folder.path().join("0.vexdb"));
    assert!(matches!(copied, Err(Error::Exists { .. })));
}

/// What a loss of power may leave: nothing of what was written to the store, and all of the journal.
#[test]
fn a_reader_that_comes_first_after_a_loss_of_power_finds_what_was_committed() {
    let folder = tempfile::tempdir().unwrap();
    let (path, left) = (folder.path().join("notes.vexdb"), folder.path().join("left.vexdb"));
    drop(filled(&path, 3));
    std::fs::create_dir(&left).unwrap();
    std::fs::copy(path.join("store.redb"), left.join("store.redb")).unwrap();
    let notes = Collection::open(&path).unwrap();
    notes.upsert("late", &vector(7), Row::new()).unwrap();
    std::fs::copy(path.join("journal"), left.join("journal")).unwrap();
    // Beside a writer, a reader leaves the journal alone.
    assert_eq!(Reader::open(&path).unwrap().snapshot().unwrap().len().unwrap(), 4);
    notes.upsert("later", &vector(8), Row::new()).unwrap();
    assert_eq!(Reader::open(&path).unwrap().snapshot().unwrap().len().unwrap(), 5);
    assert!(std::fs::metadata(path.join("journal")).unwrap().len() > 0);
    drop(notes);
    assert_eq!(std::fs::metadata(path.join("journal")).unwrap().len(), 0);

    // A journal of one collection is not written over the store of another.
    let other = folder.path().join("other.vexdb");
    std::fs::create_dir(&other).unwrap();
    std::fs::copy(left.join("journal"), other.join("journal")).unwrap();
    drop(filled(&other, 1));
    assert_eq!(Collection::open(&other).unwrap().len().unwrap(), 1);

    // Somebody holds the lock, and has not written the journal over the store yet.
    let lock = std::fs::File::create(left.join("lock")).unwrap();
    lock.lock().unwrap();
    let reader = std::thread::scope(|scope| {
        let reader = scope.spawn(|| Reader::open(&left).unwrap());
        std::thread::sleep(std::time::Duration::from_millis(50));
        drop(lock);
        reader.join().unwrap()
    });
    assert!(reader.snapshot().unwrap().get("late").unwrap().is_some());
    let notes = Collection::open(&left).unwrap();
    assert_eq!(notes.len().unwrap(), 4);
    notes.snapshot().unwrap().verify().unwrap();
}
