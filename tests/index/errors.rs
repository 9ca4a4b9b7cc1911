//! Errors of the crate `vex`. Each converts into one type, none repeats its cause, and those of
//! many vectors name the row.

use std::io;
use std::ops::ControlFlow;

use support::messages;
use vex::{
    BuildError, Error, Index, MappedIndex, NotRegular, OpenError, OpenProblem, SaveError, SaveProblem,
    Scratch, SearchParams, VectorError, graph,
};

fn io_error() -> io::Error {
    io::Error::other("the disk is on fire")
}

/// Every error that has a cause, and some that have none.
fn errors() -> Vec<Error> {
    let open = |problem| Error::from(OpenError { path: "a.vex".into(), problem });
    let save = |problem| Error::from(SaveError { path: "a.vex".into(), problem });
    let not_regular = NotRegular { found: vex::FileKind::Pipe };
    let missing = || Index::open("missing/none.vex").unwrap_err();
    vec![
        open(io_error().into()),
        open(not_regular.into()),
        open(vex::format::OpenError::BigEndianHost.into()),
        open(OpenProblem::OutOfMemory(vex::OutOfMemory { bytes: 7 })),
        missing().into(),
        save(io_error().into()),
        save(not_regular.into()),
        save(SaveProblem::NotDurable(io_error())),
        save(SaveProblem::Folder { folder: "b".into(), error: io_error() }),
        save(SaveProblem::Locked),
        Index::builder(2).m(1).build().unwrap_err().into(),
        Index::builder(2).build_from([(1, [1.0])]).unwrap_err().into(),
        io_error().into(),
    ]
}

#[test]
fn no_message_repeats_its_cause() {
    for error in errors() {
        let chain = messages(&error);
        for (index, message) in chain.iter().enumerate() {
            assert!(!message.is_empty());
            let after = &chain[index + 1..];
            assert!(!after.iter().any(|cause| message.contains(cause.as_str())), "{chain:?}");
        }
    }
    let [first, last] = ["could not open a.vex", "the disk is on fire"];
    assert_eq!(messages(&errors()[0]), [first, last]);
}

/// Uses `?` as a program's `main` does.
fn all_operations() -> vex::Result<()> {
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("index.vex");
    let mut index = Index::builder(2).build()?;
    index.insert(1, [0.0, 1.0])?;
    index.upsert(1, [0.0, 2.0])?;
    index.delete(1)?;
    index.compact()?;
    index.save(&path)?;
    let filled = Index::builder(2).build_from([(1, [0.0, 1.0])])?;
    filled.searcher().search_many(&[[0.0, 1.0]], &SearchParams::new(1), Some(1))?;
    let mut scratch = Scratch::new();
    filled.searcher().pages(&[0.0, 1.0], &SearchParams::new(1), &mut scratch)?.next_page(1)?;
    let fill = |_: &mut [f32]| Err::<u64, &str>("no more");
    let error = Index::builder(2).build_with(1, fill, |_| ControlFlow::Continue(())).unwrap_err();
    assert_eq!(Error::from(error).to_string(), "no more");
    let loaded = MappedIndex::read(&path)?;
    loaded.verify()?;
    loaded.verify_on(Some(1))?;
    MappedIndex::from_bytes(loaded.as_bytes())?;
    Ok(())
}

#[test]
fn every_operation_converts_into_the_one_error() {
    fn is_for_threads<T: Send + Sync + 'static>() {}
    is_for_threads::<Error>();
    all_operations().unwrap();
}

#[test]
fn errors_of_many_vectors_name_the_row() {
    let error = Index::builder(2).build_from([(1, vec![0.0, 1.0]), (2, vec![0.0])]).unwrap_err();
    let dimension = VectorError::Dimension { expected: 2, found: 1 };
    assert!(
        matches!(error, BuildError::Graph(graph::BuildError::Vector { position: 1, error }) if error == dimension)
    );
    assert_eq!(error.to_string(), "vector 1: expected 2 dimensions, found 1");
    let twice = [(4, [0.0, 1.0]), (5, [1.0, 1.0]), (6, [2.0, 1.0]), (5, [3.0, 1.0])];
    let error = Index::builder(2).build_from(twice).unwrap_err();
    assert_eq!(error.to_string(), "row 3: expected every key once, found key 5 of row 1 again");
}
