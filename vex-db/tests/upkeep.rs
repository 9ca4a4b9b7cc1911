//! Space, damage and locks, on a real folder.

use std::fs;
use std::ops::ControlFlow;
use std::path::Path;
use std::time::{Duration, Instant};

use vex_db::{
    Budget, Collection, Error, Filter, Maintenance, Metric, Options, Reader, Row, Schema, field, row,
};

fn schema() -> Schema {
    Schema::new(2, Metric::SquaredEuclidean).int("number").stored("doc")
}

fn fill(rows: &Collection, count: u32, doc: &str) {
    let mut batch = rows.batch();
    for at in 0..count {
        batch.upsert(&format!("row/{at}"), &[at as f32, 0.0], row! { number: at, doc: doc }).unwrap();
    }
    batch.commit().unwrap();
}

fn maintain(rows: &Collection) -> vex_db::Result<vex_db::Report> {
    rows.maintain(Budget::unlimited(), |_| ControlFlow::Continue(()))
}

/// A column of 200,000 bytes and more is no block behind which the file stays long.
#[test]
fn the_store_shrinks_behind_columns_too() {
    let folder = tempfile::tempdir().unwrap();
    let options =
        Options::new().m(4).ef_construction(8).quantization(None).durability(vex_db::Durability::None);
    let rows = options.create(folder.path().join("rows.vexdb"), schema()).unwrap();
    for round in 0..4 {
        fill(&rows, 40_000, &format!("round {round}, of which each row has so many bytes"));
    }
    maintain(&rows).unwrap();
    // Each row takes some 90 bytes, with its id and its entry of the column.
    let stats = rows.stats().unwrap();
    assert!(stats.store_bytes < 40_000 * 150, "{stats}");
    // What cannot shrink further is not tried again.
    assert!(!maintain(&rows).unwrap().compacted);
    rows.snapshot().unwrap().verify().unwrap();
}

#[test]
fn space_of_deleted_rows_is_given_back() {
    let folder = tempfile::tempdir().unwrap();
    let rows = Options::new().seal_at(500).create(folder.path().join("rows.vexdb"), schema()).unwrap();
    fill(&rows, 2_000, &"x".repeat(4_000));
    let full = rows.stats().unwrap().bytes();
    let mut batch = rows.batch();
    (20..2_000).for_each(|at| batch.delete(&format!("row/{at}")));
    batch.commit().unwrap();
    // A snapshot of before keeps the rows.
    let view = rows.snapshot().unwrap();
    assert!(!maintain(&rows).unwrap().compacted);
    drop(view);
    assert!(maintain(&rows).unwrap().compacted);
    let left = rows.stats().unwrap().bytes();
    assert!(left * 20 < full, "{left} of {full} bytes");
    assert!(!maintain(&rows).unwrap().compacted, "nothing is left to give back");
    assert_eq!(rows.snapshot().unwrap().search(&[7.0, 0.0]).k(1).run().unwrap()[0].id, "row/7");
    rows.snapshot().unwrap().verify().unwrap();
}

/// The store is then less than half unused.
#[test]
fn a_third_of_the_space_is_given_back_too() {
    let folder = tempfile::tempdir().unwrap();
    let rows = Options::new().seal_at(500).create(folder.path().join("rows.vexdb"), schema()).unwrap();
    fill(&rows, 3_000, &"x".repeat(4_000));
    maintain(&rows).unwrap();
    let full = rows.stats().unwrap().store_bytes;
    let mut batch = rows.batch();
    (0..1_000).for_each(|at| batch.delete(&format!("row/{at}")));
    batch.commit().unwrap();
    assert!(maintain(&rows).unwrap().compacted);
    let left = rows.stats().unwrap().store_bytes;
    assert!(left * 5 < full * 4 && left * 2 > full, "{left} of {full} bytes");
}

#[test]
fn an_idle_reader_keeps_no_space() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("rows.vexdb");
    let rows = Options::new().seal_at(10_000).create(&path, schema()).unwrap();
    let reader = Reader::open(&path).unwrap();
    drop(reader.snapshot().unwrap());
    for round in 0..300 {
        rows.upsert(&format!("row/{}", round % 10), &[1.0, 0.0], row! { doc: "x".repeat(2_000) }).unwrap();
    }
    let bytes = rows.stats().unwrap().store_bytes;
    assert!(bytes < 2_000_000, "{bytes}");
    assert_eq!(reader.snapshot().unwrap().len().unwrap(), 10);
}

#[test]
fn commits_go_on_while_another_thread_maintains() {
    let folder = tempfile::tempdir().unwrap();
    let options = Options::new().seal_at(100).maintenance(Maintenance::OnCommit);
    let rows = options.create(folder.path().join("rows.vexdb"), schema()).unwrap();
    fill(&rows, 350, "");
    let mut batch = rows.batch();
    for at in 0..350 {
        batch.upsert(&format!("more/{at}"), &[at as f32, 1.0], Row::new()).unwrap();
    }
    batch.commit().unwrap();
    let mut longest = Duration::ZERO;
    rows.maintain(Budget::unlimited(), |_| {
        // Another thread commits, and waits for nobody.
        let rows = rows.clone();
        let commit = std::thread::spawn(move || {
            let start = Instant::now();
            rows.upsert("another", &[5.0, 5.0], Row::new()).unwrap();
            start.elapsed()
        });
        longest = longest.max(commit.join().unwrap());
        ControlFlow::Continue(())
    })
    .unwrap();
    assert!(longest > Duration::ZERO, "maintenance had nothing to do");
    assert_eq!(rows.snapshot().unwrap().get("another").unwrap().unwrap().vector, [5.0, 5.0]);
}

fn segments(path: &Path) -> Vec<std::path::PathBuf> {
    let names = fs::read_dir(path).unwrap().map(|entry| entry.unwrap().path());
    names.filter(|path| path.extension().is_some_and(|extension| extension == "vex")).collect()
}

#[test]
fn damage_is_not_copied_into_new_segments() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("rows.vexdb");
    let rows = Options::new().seal_at(100).maintenance(Maintenance::Manual).create(&path, schema()).unwrap();
    fill(&rows, 100, "");
    maintain(&rows).unwrap();
    drop(rows);
    let segment = &segments(&path)[0];
    let mut bytes = fs::read(segment).unwrap();
    // In the vector of a row in the middle.
    let at = bytes.windows(4).position(|bytes| bytes == 50f32.to_le_bytes()).unwrap();
    bytes[at] ^= 1;
    fs::write(segment, bytes).unwrap();
    let rows = Options::new().seal_at(100).maintenance(Maintenance::Manual).open(&path).unwrap();
    assert!(matches!(rows.snapshot().unwrap().verify(), Err(Error::Damaged { .. })));
    let mut batch = rows.batch();
    (0..40).for_each(|at| batch.delete(&format!("row/{at}")));
    batch.commit().unwrap();
    assert!(matches!(maintain(&rows), Err(Error::Damaged { .. })));
    assert!(matches!(rows.backup(folder.path().join("copy.vexdb")), Err(Error::Damaged { .. })));
    assert_eq!(segments(&path).len(), 1);
}

#[test]
fn files_of_others_stay() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("rows.vexdb");
    drop(Collection::create(&path, schema()).unwrap());
    fs::write(path.join("my own.vex"), "mine").unwrap();
    fs::write(path.join("0123456789abcdef.vex"), "left by a crash").unwrap();
    drop(Collection::open(&path).unwrap());
    assert_eq!(segments(&path), [path.join("my own.vex")]);
    let taken = folder.path().join("taken");
    fs::create_dir(&taken).unwrap();
    fs::write(taken.join("letter.txt"), "mine").unwrap();
    let error = Collection::create(&taken, schema()).unwrap_err();
    assert!(
        error
            .to_string()
            .ends_with("expected a collection or an empty folder, found a folder with letter.txt")
    );
}

#[test]
fn odd_options_are_refused_when_a_collection_is_opened() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("rows.vexdb");
    for options in [Options::new().m(1), Options::new().m(513), Options::new().ef_construction(0)] {
        assert!(matches!(options.create(&path, schema()), Err(Error::Schema(_))));
    }
    assert!(matches!(Options::new().threads(0).create(&path, schema()), Err(Error::NoThreads)));
    let rows = Options::new().m(512).seal_at(1).cache(0).create(&path, schema()).unwrap();
    fill(&rows, 20, "");
    assert_eq!(rows.stats().unwrap().maintenance_error, None);
    let view = rows.snapshot().unwrap();
    assert_eq!(view.search(&[0.0, 0.0]).k(usize::MAX).ef_search(0).run().unwrap().len(), 20);
    assert_eq!(view.search(&[0.0, 0.0]).k(0).run().unwrap().len(), 0);
    assert!(matches!(Collection::open(&path), Err(Error::Locked { .. })));
    // A limit that no step obeys is said, and commits go on.
    drop((view, rows));
    let rows = Options::new().seal_at(10).memory_limit(0).open(&path).unwrap();
    fill(&rows, 20, "");
    assert!(rows.stats().unwrap().maintenance_error.unwrap().contains("memory"));
}

#[test]
fn a_filter_of_a_hundred_thousand_levels_is_an_error() {
    let folder = tempfile::tempdir().unwrap();
    let rows = Collection::create(folder.path().join("rows.vexdb"), schema()).unwrap();
    let mut filter: Filter = field("number").eq(1);
    for _ in 0..100_000 {
        filter = !(filter & field("number").ge(0));
    }
    let view = rows.snapshot().unwrap();
    let error = view.search(&[0.0, 0.0]).filter(filter.clone()).run().unwrap_err();
    assert!(matches!(error, Error::Filter(vex_db::FilterError::TooDeep)), "{error}");
}

/// In a process of its own, since all tests of one share the folder they are in.
#[test]
fn a_collection_stays_where_it_is_when_the_program_goes_elsewhere() {
    const HERE: &str = "VEX_DB_TEST_ELSEWHERE";
    if std::env::var_os(HERE).is_some() {
        let rows = Options::new().seal_at(20).create("rows.vexdb", schema()).unwrap();
        std::env::set_current_dir("elsewhere").unwrap();
        fill(&rows, 50, "");
        assert_eq!(rows.stats().unwrap().maintenance_error, None);
        assert_eq!(segments(Path::new("../rows.vexdb")).len(), 1);
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join("elsewhere")).unwrap();
    let name = "a_collection_stays_where_it_is_when_the_program_goes_elsewhere";
    let run = std::process::Command::new(std::env::current_exe().unwrap())
        .args([name, "--exact"])
        .env(HERE, "1")
        .current_dir(folder.path())
        .output()
        .unwrap();
    assert!(run.status.success(), "{}", String::from_utf8_lossy(&run.stdout));
}

#[test]
fn a_collection_that_lost_its_store_is_not_replaced() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("rows.vexdb");
    let rows = Options::new().seal_at(20).create(&path, schema()).unwrap();
    fill(&rows, 50, "");
    drop(rows);
    let store = path.join("store.redb");
    let whole = fs::read(&store).unwrap();
    fs::write(&store, "").unwrap();
    assert!(Collection::open(&path).is_err());
    assert_eq!(fs::metadata(&store).unwrap().len(), 0, "a file without bytes is left as it is");
    fs::remove_file(&store).unwrap();
    assert!(matches!(Collection::create(&path, schema()), Err(Error::NotACollection { .. })));
    assert!(matches!(Collection::open_or_create(&path, schema()), Err(Error::NotACollection { .. })));
    assert_eq!(segments(&path).len(), 1);
    fs::write(&store, whole).unwrap();
    Collection::open(&path).unwrap().snapshot().unwrap().verify().unwrap();
    // What a backup leaves that was killed is taken for what it is.
    let copy = folder.path().join("copy.vexdb");
    fs::create_dir(&copy).unwrap();
    fs::copy(&segments(&path)[0], copy.join("0123456789abcdef.vex")).unwrap();
    fs::write(copy.join(".backup.tmp"), "").unwrap();
    Reader::open(&path).unwrap().backup(&copy).unwrap();
    assert_eq!(Collection::open(&copy).unwrap().len().unwrap(), 50);
    assert_eq!(segments(&copy).len(), 1);
}
