//! Filters as text: one that is parsed is written as the same filter. It selects the same rows in a
//! scroll, which asks the rows, as in a search, which asks columns.
#![no_main]

use std::collections::BTreeSet;

use libfuzzer_sys::fuzz_target;
use tempfile::TempDir;
use vex_db::{Collection, Error, Filter, FilterError, Metric, Options, ParseError, Row, Schema, Value};

const LANGS: [Option<&str>; 5] = [None, Some(""), Some("d"), Some("de"), Some("it's")];
const YEARS: [Option<i64>; 4] = [None, Some(-1), Some(0), Some(2020)];
const SCORES: [Option<f64>; 4] = [None, Some(-0.5), Some(0.0), Some(f64::INFINITY)];
const DONE: [Option<bool>; 3] = [None, Some(false), Some(true)];

/// As many as are sealed.
const ROWS_OF_A_COMMIT: usize = 30;

thread_local! {
    static ROWS: Rows = Rows::new();
}

fuzz_target!(|input: &[u8]| {
    let Ok(text) = str::from_utf8(input) else { return };
    let filter = match Filter::parse(text, &[]) {
        Err(ParseError::Params { expected, found: 0 }) => Filter::parse(text, &params(expected)),
        parsed => parsed,
    };
    let filter = match filter {
        Ok(filter) => filter,
        Err(error) => return assert!(!error.to_string().is_empty()),
    };
    let written = filter.to_string();
    let again = match Filter::parse(&written, &[]) {
        Ok(again) => again,
        // A filter at the limits of a text can be written as a text beyond them.
        Err(ParseError::TooLong { .. } | ParseError::TooDeep { .. }) => return,
        Err(error) => panic!("{written}: {error}"),
    };
    assert_eq!(again, filter, "{written}");
    ROWS.with(|rows| rows.check(&filter));
});

/// What `?` stand for.
fn params(count: usize) -> Vec<Value> {
    let values: [Value; 4] = ["de".into(), 2020.into(), 0.0.into(), true.into()];
    values.into_iter().cycle().take(count).collect()
}

/// Rows with values in many combinations, half of them in a segment.
struct Rows {
    rows: Collection,
    // Deletes the files after the collection is closed.
    _folder: TempDir,
}

impl Rows {
    fn new() -> Self {
        let folder = TempDir::new().expect("a folder for a collection");
        let schema =
            Schema::new(1, Metric::SquaredEuclidean).text("lang").int("year").float("score").bool("done");
        let options = Options::new().seal_at(ROWS_OF_A_COMMIT).threads(1);
        let rows = options.create(folder.path().join("rows.vexdb"), schema).expect("a new collection");
        for commit in [0..ROWS_OF_A_COMMIT, ROWS_OF_A_COMMIT..2 * ROWS_OF_A_COMMIT - 1] {
            let mut batch = rows.batch();
            for at in commit {
                let mut row = Row::new();
                let mut set = |name: &str, value: Option<Value>| {
                    value.into_iter().for_each(|value| row.insert(name.to_owned(), value));
                };
                set("lang", LANGS[at % 5].map(Value::from));
                set("year", YEARS[at % 4].map(Value::from));
                set("score", SCORES[at / 4 % 4].map(Value::from));
                set("done", DONE[at % 3].map(Value::from));
                batch.upsert(&at.to_string(), &[at as f32], row).expect("a good row");
            }
            batch.commit().expect("room for a small collection");
        }
        Self { rows, _folder: folder }
    }

    fn check(&self, filter: &Filter) {
        let view = self.rows.snapshot().expect("a snapshot");
        let scroll = |filter: Filter| -> BTreeSet<String> {
            let rows = view.scroll().filter(filter).run().expect("a filter that fits");
            rows.into_iter().map(|row| row.id).collect()
        };
        let hits = match view.search(&[0.0]).k(1000).filter(filter.clone()).run() {
            Ok(hits) => hits,
            Err(Error::Filter(FilterError::TooDeep)) => panic!("{filter}: deeper than a text can be"),
            // Not these fields, or values of other types.
            Err(Error::Filter(_)) => return,
            Err(error) => panic!("{filter}: {error}"),
        };
        let hits: BTreeSet<String> = hits.iter().map(|hit| hit.id.clone()).collect();
        assert_eq!(hits, scroll(filter.clone()), "{filter}");
        let others = scroll(!filter.clone());
        assert!(hits.is_disjoint(&others), "{filter}");
        assert_eq!((hits.len() + others.len()) as u64, view.len().expect("a length"), "{filter}");
    }
}
