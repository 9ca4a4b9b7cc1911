//! The spans that a subscriber sees.
#![cfg(feature = "tracing")]

use std::collections::BTreeMap;
use std::fmt::Debug;
use std::sync::{Arc, Mutex};

use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Metadata, Subscriber};
use vex::{Index, MappedIndex, Scratch, SearchParams};

/// Name and fields of a span.
#[derive(Clone, Debug, Default)]
struct Span {
    name: &'static str,
    fields: BTreeMap<&'static str, String>,
}

impl Visit for Span {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        self.fields.insert(field.name(), format!("{value:?}"));
    }
}

/// Keeps every span of `vex`.
#[derive(Clone, Default)]
struct Kept(Arc<Mutex<Vec<Span>>>);

impl Subscriber for Kept {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.target() == "vex"
    }

    fn new_span(&self, attributes: &Attributes<'_>) -> Id {
        let mut span = Span { name: attributes.metadata().name(), ..Span::default() };
        attributes.record(&mut span);
        let mut spans = self.0.lock().unwrap();
        spans.push(span);
        Id::from_u64(spans.len() as u64)
    }

    fn record(&self, id: &Id, values: &Record<'_>) {
        values.record(&mut self.0.lock().unwrap()[id.into_u64() as usize - 1]);
    }

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn event(&self, _: &Event<'_>) {}

    fn enter(&self, _: &Id) {}

    fn exit(&self, _: &Id) {}
}

#[test]
fn operations_have_spans_and_searches_tell_what_they_did() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("index.vex");
    let kept = Kept::default();
    let stats = tracing::subscriber::with_default(kept.clone(), || {
        let index = Index::builder(2).threads(1).quantization(None);
        let index = index.build_from((0..100).map(|key| (key, [key as f32, 1.0]))).unwrap();
        index.save(&path).unwrap();
        Index::open(&path).unwrap();
        let index = MappedIndex::read(&path).unwrap();
        index.verify().unwrap();
        let params = SearchParams::new(3).ef_search(20);
        let found = index.searcher().search_with([7.0, 1.0], &params, &mut Scratch::new()).unwrap().stats;
        let even = |key: u64| key.is_multiple_of(2);
        index.searcher().search_filtered([7.0, 1.0], &params, even, &mut Scratch::new()).unwrap();
        index.searcher().search_radius([7.0, 1.0], 2.0, &params, &mut Scratch::new()).unwrap();
        assert!(index.search([1.0], 3).is_err());
        found
    });
    let spans = kept.0.lock().unwrap().clone();
    let names: Vec<_> = spans.iter().map(|span| span.name).collect();
    assert_eq!(names, ["build", "save", "open", "open", "verify", "search", "search", "search", "search"]);
    let field = |span: &Span, name: &str| span.fields.get(name).cloned();
    let expect = |span: &Span, fields: &[(&str, String)]| {
        for (name, expected) in fields {
            assert_eq!(field(span, name).as_ref(), Some(expected), "{name} of {span:?}");
        }
    };
    let count = |count: usize| count.to_string();
    expect(
        &spans[0],
        &[
            ("count", count(100)),
            ("dim", count(2)),
            ("metric", "squared-euclidean".into()),
            ("element", "f32".into()),
        ],
    );
    expect(&spans[1], &[("path", path.display().to_string())]);
    expect(
        &spans[5],
        &[
            ("dim", count(2)),
            ("k", count(3)),
            ("ef_search", count(20)),
            ("found", count(stats.found)),
            ("distances", count(stats.distances)),
            ("reranked", count(stats.reranked)),
            ("hops", count(stats.hops)),
            ("by_vectors", "false".into()),
            ("end", "Exhausted".into()),
        ],
    );
    assert_eq!(field(&spans[8], "found"), None, "a search that failed found nothing");
}
