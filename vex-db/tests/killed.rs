//! A writer that is killed under load loses nothing that it acknowledged, and readers in other
//! processes never notice.
//!
//! The test starts its own program again, once as the writer and three times as a reader. The
//! writer commits batches: batch `n` sets five rows to `n`. A reader that sees two numbers in one
//! snapshot, or a smaller one than before, has seen half a commit or lost one.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use vex_db::{Collection, Maintenance, Metric, Options, Reader, Schema, Snapshot, field, row};

const ROLE: &str = "VEX_DB_TEST_ROLE";
const PLACE: &str = "VEX_DB_TEST_PATH";

fn path() -> PathBuf {
    std::env::var_os(PLACE).expect("the path of the collection").into()
}

fn schema() -> Schema {
    Schema::new(2, Metric::SquaredEuclidean).int("number").stored("text")
}

/// A small number of rows is sealed, so that kills meet seals and merges too.
fn options() -> Options {
    Options::new().seal_at(7).threads(1).cache(1 << 20).wait(true)
}

/// The number that all rows have. 0 if there are none.
fn number(view: &Snapshot) -> i64 {
    let hits = view.search(&[0.0, 0.0]).k(5).fetch_all().run().unwrap();
    let numbers: Vec<i64> = hits.iter().map(|hit| hit.row.int("number").unwrap()).collect();
    let Some(first) = numbers.first() else {
        assert_eq!(view.len().unwrap(), 0);
        return 0;
    };
    assert_eq!(numbers, [*first; 5], "half a commit: {}", hits.explain());
    assert_eq!(view.len().unwrap(), 5);
    for hit in &hits {
        assert_eq!(hit.distance, (*first % 97) as f32 * (*first % 97) as f32);
    }
    let same = view.search(&[0.0, 0.0]).filter(field("number").eq(*first)).run().unwrap();
    assert_eq!(same.len(), 5);
    *first
}

/// Not a test of its own: the part of the writer and of the readers.
#[test]
fn role() {
    match std::env::var(ROLE).as_deref() {
        Ok("writer") => write(),
        Ok("reader") => read(),
        _ => (),
    }
}

/// Commits until it is killed, and prints each number once it is acknowledged.
fn write() {
    let maintenance =
        if std::process::id().is_multiple_of(2) { Maintenance::Background } else { Maintenance::OnCommit };
    let rows = options().maintenance(maintenance).open_or_create(path(), schema()).unwrap();
    let mut last = number(&rows.snapshot().unwrap());
    // The line after the name of the test.
    println!("\nopened at {last}");
    loop {
        last += 1;
        let mut batch = rows.batch();
        for id in 0..5 {
            let text = "x".repeat((last % 300) as usize);
            batch
                .upsert(&id.to_string(), &[(last % 97) as f32, 0.0], row! { number: last, text: text })
                .unwrap();
        }
        batch.commit().unwrap();
        println!("acknowledged {last}");
    }
}

/// Reads until it is killed. A panic ends it before.
fn read() {
    let reader = Reader::open(path()).unwrap();
    let (mut last, mut reads) = (0, 0u64);
    println!("\nopened");
    loop {
        let now = number(&reader.snapshot().unwrap());
        assert!(now >= last, "{now} after {last}");
        last = now;
        reads += 1;
        if reads.is_multiple_of(64) {
            println!("read {reads}");
        }
    }
}

fn start(role: &str, path: &Path) -> Child {
    Command::new(std::env::current_exe().unwrap())
        .args(["role", "--exact", "--nocapture", "--test-threads=1"])
        .env(ROLE, role)
        .env(PLACE, path)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap()
}

/// Waits for a line with this beginning, and returns the rest.
fn wait_for(lines: &mut impl Iterator<Item = std::io::Result<String>>, beginning: &str) -> String {
    for line in lines {
        if let Some(rest) = line.unwrap().strip_prefix(beginning) {
            return rest.to_owned();
        }
    }
    panic!("the process ended before it printed {beginning:?}");
}

/// `VEX_DB_KILLS` sets how often the writer is killed. A deep run takes 2,000.
#[test]
fn a_killed_writer_loses_nothing_and_readers_go_on() {
    if std::env::var_os(ROLE).is_some() {
        return;
    }
    let kills: u64 = std::env::var("VEX_DB_KILLS").map_or(20, |kills| kills.parse().unwrap());
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("rows.vexdb");
    drop(Collection::create(&path, schema()).unwrap());
    let mut readers: Vec<Child> = (0..3).map(|_| start("reader", &path)).collect();
    let mut reader_lines: Vec<_> =
        readers.iter_mut().map(|reader| BufReader::new(reader.stdout.take().unwrap()).lines()).collect();
    reader_lines.iter_mut().for_each(|lines| drop(wait_for(lines, "opened")));
    // Readers must not wait for room in a pipe.
    let drains: Vec<_> = reader_lines
        .into_iter()
        .map(|lines| std::thread::spawn(move || lines.map_while(Result::ok).last()))
        .collect();

    let (mut acknowledged, mut commits, mut seed) = (0i64, 0, 1u64);
    for kill in 0..kills {
        let mut writer = start("writer", &path);
        let mut lines = BufReader::new(writer.stdout.take().unwrap()).lines();
        let opened: i64 = wait_for(&mut lines, "opened at ").parse().unwrap();
        // The commit that was under way may be there.
        assert!((acknowledged..=acknowledged + 1).contains(&opened), "kill {kill}: {opened}, {acknowledged}");
        acknowledged = opened;
        // However slow the disk is, some kills come after a commit.
        if kill % 4 == 0 {
            acknowledged = wait_for(&mut lines, "acknowledged ").parse().unwrap();
            commits += acknowledged - opened;
        }
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let end = Instant::now() + Duration::from_micros((seed >> 33) % 40_000);
        let reads = std::thread::spawn(move || {
            lines
                .map_while(Result::ok)
                .filter_map(|line| line.strip_prefix("acknowledged ")?.parse().ok())
                .last()
        });
        std::thread::sleep(end.saturating_duration_since(Instant::now()));
        writer.kill().unwrap();
        writer.wait().unwrap();
        if let Some(last) = reads.join().unwrap() {
            commits += last - acknowledged;
            acknowledged = last;
        }
        for reader in &mut readers {
            assert_eq!(reader.try_wait().unwrap(), None, "a reader has failed after {kill} kills");
        }
        // A reader that comes now finds the store as the writer left it.
        if kill % 4 == 0 {
            let now = number(&Reader::open(&path).unwrap().snapshot().unwrap());
            assert!((acknowledged..=acknowledged + 1).contains(&now), "kill {kill}: {now}, {acknowledged}");
        }
    }
    for reader in &mut readers {
        reader.kill().unwrap();
        reader.wait().unwrap();
    }
    for drain in drains {
        println!("a reader: {:?}", drain.join().unwrap());
    }
    println!("{kills} kills, {commits} commits acknowledged");
    assert!(commits > 0);
    let rows = Options::new().verify(true).open(&path).unwrap();
    rows.snapshot().unwrap().verify().unwrap();
    let leftovers = std::fs::read_dir(&path).unwrap().count();
    assert_eq!(leftovers, rows.stats().unwrap().segments.len() + 3, "lock, store, journal and segments");
}
