//! Vectors with names: what the schema takes, what rows may have, and copies into another collection.

use std::convert::Infallible;
use std::ops::ControlFlow;

use vex_db::{
    Budget, Collection, Error, MAX_NAMED_VECTORS, Metric, Options, Reader, RowVectors, Schema, SchemaError,
    Scrolled, field, row,
};

fn schema() -> Schema {
    Schema::new(2, Metric::Cosine).vector("title", 3).int("year").text("lang")
}

#[test]
fn a_schema_with_other_vectors_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("books.vexdb");
    drop(Collection::create(&path, schema()).unwrap());
    let open = |schema: Schema| Collection::open_or_create(&path, schema).unwrap_err().to_string();
    let plain = || Schema::new(2, Metric::Cosine);
    let expected = "vector: expected none, found title (3 x f32, cosine) in the collection";
    assert_eq!(open(plain().int("year").text("lang")), expected);
    let other = plain().vector_by("title", 3, Metric::InnerProduct).int("year").text("lang");
    let expected =
        "vector: expected title (3 x f32, inner-product), found title (3 x f32, cosine) in the collection";
    assert_eq!(open(other), expected);
    let expected = "vector: expected text (2 x f32, cosine), found none in the collection";
    assert_eq!(open(schema().vector("text", 2)), expected);
    let swapped = plain().vector("title", 3).text("lang").int("year");
    let expected = "order of the fields: expected lang, year, found year, lang in the collection";
    assert_eq!(open(swapped), expected);
    assert!(Collection::open_or_create(&path, schema()).is_ok());

    let create = |schema| match Collection::create(folder.path().join("new.vexdb"), schema) {
        Err(Error::Schema(error)) => error,
        other => panic!("{other:?}"),
    };
    assert!(matches!(create(schema().text("title")), SchemaError::FieldTwice { field } if field == "title"));
    assert!(matches!(create(schema().vector("", 2)), SchemaError::FieldName { .. }));
    assert!(
        matches!(create(schema().vector("a", 0)), SchemaError::VectorParams { vector, .. } if vector == "a")
    );
    let many = (0..=MAX_NAMED_VECTORS).fold(plain(), |schema, at| schema.vector(format!("v{at}"), 2));
    assert!(matches!(create(many), SchemaError::TooManyVectors { found } if found == MAX_NAMED_VECTORS + 1));
}

#[test]
fn a_row_whose_vectors_do_not_fit_changes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let books = Collection::create(folder.path().join("books.vexdb"), schema()).unwrap();
    let title = [0.0, 0.6, 0.8];
    books.upsert("a", RowVectors::new(&[1.0, 0.0]).with("title", &title), row! { year: 1 }).unwrap();
    let mut batch = books.batch();
    batch.upsert("b", &[0.0, 1.0], row! {}).unwrap();
    for (vectors, expected) in [
        (RowVectors::new(&[1.0]), "row \"a\": expected 2 dimensions, found 1"),
        (
            RowVectors::new(&[1.0, 0.0]).with("title", &[1.0]),
            "row \"a\": vector title: expected 3 dimensions, found 1",
        ),
        (
            RowVectors::new(&[1.0, 0.0]).with("title", &[0.0; 3]),
            "row \"a\": vector title: expected a vector of positive length, found one of zeros",
        ),
        (
            RowVectors::new(&[1.0, 0.0]).with("tittle", &title),
            "no vector \"tittle\" in the collection, which has title",
        ),
    ] {
        let error = batch.upsert("a", vectors.clone(), row! {}).unwrap_err().to_string();
        assert!(error.starts_with(&expected[..30]), "{error}");
        assert!(books.upsert("a", vectors, row! {}).is_err());
        assert_eq!(batch.len(), 1);
    }
    batch.commit().unwrap();
    let view = books.snapshot().unwrap();
    assert_eq!(view.get("a").unwrap().unwrap().named, [("title".to_owned(), title.to_vec())]);
    assert!(matches!(view.vector("tittle"), Err(Error::UnknownVector { .. })));
    assert!(matches!(view.vector("title").unwrap().near("b"), Err(Error::NoVector { .. })));
    let wrong = view.vector("title").unwrap().search(&[1.0, 0.0]).run();
    assert!(matches!(wrong, Err(Error::Query(_))), "{wrong:?}");
    // A new row without the vector has none, in the files too.
    books.upsert("a", &[1.0, 0.0], row! {}).unwrap();
    assert_eq!(books.snapshot().unwrap().vector("title").unwrap().search(&title).run().unwrap().len(), 0);
    let reader = Reader::open(folder.path().join("books.vexdb")).unwrap();
    assert!(reader.snapshot().unwrap().get("a").unwrap().unwrap().named.is_empty());
}

/// Segments of each vector are sealed, merged and rewritten on their own.
#[test]
fn each_vector_has_segments_of_its_own() {
    let folder = tempfile::tempdir().unwrap();
    let options = Options::new().seal_at(20).threads(1);
    let path = folder.path().join("books.vexdb");
    let books = options.clone().create(&path, schema()).unwrap();
    let angle = |at: i64| [(at as f32 * 0.01).cos(), (at as f32 * 0.01).sin()];
    for at in 0..300 {
        let ([x, y], title) = (angle(at), [angle(at)[0], angle(at)[1], 1.0]);
        let (vector, id) = ([x, y], format!("book/{at:03}"));
        let vectors = RowVectors::new(&vector);
        let vectors = if at % 3 == 0 { vectors.with("title", &title) } else { vectors };
        books.upsert(&id, vectors, row! { year: at }).unwrap();
    }
    let of = |vector: &str| {
        let segments = books.stats().unwrap().segments;
        segments.iter().filter(|segment| segment.vector == vector).map(|segment| segment.rows).sum::<usize>()
    };
    assert_eq!((of(""), of("title")), (300, 100));
    for at in (0..150).step_by(3) {
        books.delete(&format!("book/{at:03}")).unwrap();
    }
    books.maintain(Budget::unlimited(), |_| ControlFlow::Continue(())).unwrap();
    assert_eq!((of(""), of("title")), (250, 50));
    drop(books);
    let books = options.open(&path).unwrap();
    let view = books.snapshot().unwrap();
    let query = [angle(200)[0], angle(200)[1], 1.0];
    let filter = field("year").between(190, 230);
    let hits = view.vector("title").unwrap().search(&query).k(5).ef_search(100).filter(filter).run().unwrap();
    let ids: Vec<&str> = hits.iter().map(|hit| &*hit.id).collect();
    assert_eq!(ids, ["book/201", "book/198", "book/204", "book/195", "book/207"]);
    view.verify().unwrap();
}

#[test]
fn named_vectors_are_copied_into_another_model() {
    let folder = tempfile::tempdir().unwrap();
    let old = Collection::create(folder.path().join("old.vexdb"), schema()).unwrap();
    let new = Schema::new(4, Metric::Cosine).vector("title", 3).int("year").text("lang");
    let new = Collection::create(folder.path().join("new.vexdb"), new).unwrap();
    let title = [0.3, 0.5, 0.7];
    old.upsert("a", RowVectors::new(&[1.0, 0.0]).with("title", &title), row! { year: 1 }).unwrap();
    old.upsert("b", &[1.0, 0.0], row! { year: 2 }).unwrap();
    let embed = |rows: &[Scrolled]| {
        Ok::<_, Infallible>(rows.iter().map(|_| vec![1.0, 2.0, 3.0, 4.0]).collect::<Vec<_>>())
    };
    let done = |to: &Collection| {
        let done = old.snapshot().unwrap().reembed(to, embed).unwrap();
        (done.embedded, done.kept)
    };
    assert_eq!(done(&new), (2, 0));
    // Copies are rounded, which is no change.
    assert_eq!(done(&new), (0, 2));
    let [from, to] = [&old, &new].map(|books| {
        let named = books.snapshot().unwrap().get("a").unwrap().unwrap().named;
        named[0].1.clone()
    });
    assert!(from.iter().zip(&to).all(|(one, other)| (one - other).abs() < 1e-6), "{from:?} {to:?}");
    // A change of the title alone is brought over.
    old.upsert("a", RowVectors::new(&[1.0, 0.0]).with("title", &[0.0, 0.0, 1.0]), row! { year: 1 }).unwrap();
    assert_eq!(done(&new), (1, 1));
    // Nothing is dropped in silence.
    let without = Schema::new(4, Metric::Cosine).int("year").text("lang");
    let without = Collection::create(folder.path().join("without.vexdb"), without).unwrap();
    let error = old.snapshot().unwrap().reembed(&without, embed).unwrap_err().to_string();
    assert_eq!(error, "vector: expected title (3 x f32, cosine), found none in the collection");
    // A vector that only the new collection has stays, and the order of names is of no matter.
    let more = Schema::new(4, Metric::Cosine).vector("cover", 1).vector("title", 3).int("year").text("lang");
    let more = Collection::create(folder.path().join("more.vexdb"), more).unwrap();
    assert_eq!(done(&more), (2, 0));
    more.upsert("b", RowVectors::new(&[1.0; 4]).with("cover", &[1.0]), row! { year: 2 }).unwrap();
    assert_eq!(done(&more), (0, 2));
    old.upsert("b", &[1.0, 0.0], row! { year: 3 }).unwrap();
    assert_eq!(done(&more), (1, 1));
    let b = more.snapshot().unwrap().get("b").unwrap().unwrap();
    assert_eq!((b.named, b.row.int("year")), (vec![("cover".to_owned(), vec![1.0])], Some(3)));
    // A title that is gone is gone there, too.
    old.upsert("a", &[1.0, 0.0], row! { year: 1 }).unwrap();
    assert_eq!(done(&more), (1, 1));
    assert!(more.snapshot().unwrap().get("a").unwrap().unwrap().named.is_empty());
}
