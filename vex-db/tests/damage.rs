//! A store that was damaged. The crate of the store checks pages only when it is asked to, so calls
//! may see other rows then. But they end without a panic, and a check finds the damage.

use std::fs;
use std::ops::ControlFlow;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;

use vex_db::{
    Budget, Collection, Maintenance, Metric, Options, Reader, Result, Schema, Snapshot, field, row,
};

const ROWS: u64 = 400;

/// So many stores are damaged, each in another place.
const PLACES: u64 = 100;

fn options() -> Options {
    Options::new().seal_at(100).maintenance(Maintenance::Manual)
}

fn vector(row: u64) -> [f32; 2] {
    [row as f32, (row % 7) as f32]
}

/// A collection with a segment, dead rows and pending ones.
fn create(path: &Path) {
    let schema = Schema::new(2, Metric::SquaredEuclidean).text("lang").int("year").stored("doc");
    let rows = options().create(path, schema).unwrap();
    let commit = |of: &mut dyn Iterator<Item = u64>| {
        let mut batch = rows.batch();
        for at in of {
            let fields = row! { lang: ["de", "en"][at as usize % 2], year: at as i64, doc: "x".repeat(50) };
            batch.upsert(&format!("row/{at}"), &vector(at), fields).unwrap();
        }
        batch.commit().unwrap();
    };
    commit(&mut (0..300));
    rows.maintain(Budget::unlimited(), |_| ControlFlow::Continue(())).unwrap();
    commit(&mut (250..ROWS));
}

/// What all kinds of reads say.
fn read(view: &Snapshot) -> Result<String> {
    let hits = view.search(&[7.0, 0.0]).filter(field("year").lt(350) & field("lang").eq("de")).run()?;
    let rows = view.scroll().vectors().run()?;
    let groups = view.search(&[7.0, 0.0]).k(2).groups("lang", 2)?;
    let near = view.near("row/399")?.fetch_all().run()?;
    Ok(format!("{:?} {rows:?} {groups:?} {:?} {:?}", &*hits, &*near, view.get("row/3")?))
}

/// Seals the pending rows, which reads all of them. Whatever happens, no file is left that the store
/// does not name.
fn seal(path: &Path) -> Result<()> {
    let rows = options().open(path)?;
    let _ = rows.maintain(Budget::unlimited(), |_| ControlFlow::Continue(()));
    let named = rows.snapshot()?.stats()?.segments.len();
    let names = fs::read_dir(path).unwrap().map(|entry| entry.unwrap().path());
    let files = names.filter(|name| name.extension().is_some_and(|extension| extension == "vex")).count();
    assert_eq!(files, named, "segments");
    Ok(())
}

/// Everything that a program does with a collection.
fn use_all(path: &Path, copy: &Path) -> Result<()> {
    let reader = Reader::open(path)?;
    let _ = read(&reader.snapshot()?);
    let _ = reader.backup(copy);
    drop(reader);
    let rows = options().open(path)?;
    let _ = read(&rows.snapshot()?);
    let _ = rows.snapshot()?.verify();
    let _ = rows.stats();
    let mut batch = rows.batch();
    (0..ROWS).step_by(3).for_each(|at| batch.delete(&format!("row/{at}")));
    batch.upsert("row/1", &[1.0, 1.0], row! { lang: "nl" })?;
    let _ = batch.commit();
    let _ = rows.maintain(Budget::unlimited(), |_| ControlFlow::Continue(()));
    Ok(())
}

#[test]
fn calls_on_a_damaged_store_end_without_a_panic_and_a_check_finds_the_damage() {
    let folder = tempfile::tempdir().unwrap();
    let (whole, path) = (folder.path().join("whole.vexdb"), folder.path().join("rows.vexdb"));
    create(&whole);
    let (healthy, before) = {
        let rows = options().open(&whole).unwrap();
        (read(&rows.snapshot().unwrap()).unwrap(), rows.snapshot().unwrap().commits())
    };
    let store = fs::read(whole.join("store.redb")).unwrap();
    // Where something is: pages that were never used are zero.
    let used: Vec<usize> = (0..store.len()).filter(|at| store[*at] != 0).collect();
    let (mut panics, mut found) = (Vec::new(), 0);
    // Panics of the store are expected, and need no message each.
    std::panic::set_hook(Box::new(|_| ()));
    for place in 0..PLACES {
        // A step by the golden ratio goes everywhere evenly.
        let at = used[(place as f64 * 0.618_033_988_749_895 % 1.0 * used.len() as f64) as usize];
        let damage = || {
            let _ = fs::remove_dir_all(&path);
            fs::create_dir(&path).unwrap();
            for entry in fs::read_dir(&whole).unwrap() {
                let entry = entry.unwrap();
                fs::copy(entry.path(), path.join(entry.file_name())).unwrap();
            }
            let mut bytes = store.clone();
            bytes[at] ^= 1 << (place % 8);
            fs::write(path.join("store.redb"), bytes).unwrap();
        };
        damage();
        let copy = folder.path().join(format!("copy-{place}.vexdb"));
        if catch_unwind(AssertUnwindSafe(|| use_all(&path, &copy))).is_err() {
            panics.push(at);
        }
        damage();
        if catch_unwind(AssertUnwindSafe(|| seal(&path))).is_err() {
            panics.push(at);
        }
        damage();
        let checked = options().verify(true).open(&path).and_then(|rows: Collection| {
            let view = rows.snapshot()?;
            view.verify()?;
            Ok((read(&view)?, view.commits()))
        });
        match checked {
            // The commit before is what a power cut leaves, too.
            Ok((rows, commits)) => assert!(rows == healthy || commits < before, "byte {at}: other rows"),
            Err(_) => found += 1,
        }
    }
    let _ = std::panic::take_hook();
    assert_eq!(panics, []);
    assert!(found > PLACES / 4, "{found} of {PLACES} were found");
}
