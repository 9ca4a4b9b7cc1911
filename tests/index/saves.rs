//! Which files a save replaces, and which it refuses to replace.

use std::fs;
use std::path::Path;

use support::{Random, seal_header};
use vex::{
    BuildError, ChangeError, DeleteError, Index, InsertError, MappedIndex, OpenProblem, Output, Quantization,
    SaveError, SaveOptions, SaveProblem,
};

const DIM: usize = 8;

fn index(count: usize, seed: u64) -> Index {
    let mut random = Random(seed);
    let vector = |random: &mut Random| (0..DIM).map(|_| random.element()).collect::<Vec<_>>();
    let vectors: Vec<_> = (0..count).map(|key| (key as u64, vector(&mut random))).collect();
    Index::builder(DIM).threads(1).build_from(vectors).unwrap()
}

#[track_caller]
fn refused(saved: Result<(), SaveError>) {
    let error = saved.unwrap_err();
    assert!(matches!(error.problem, SaveProblem::Conflict { .. }), "{error}");
}

/// Checks that the folder holds this file alone.
#[track_caller]
fn assert_alone(path: &Path) {
    assert_eq!(fs::read_dir(path.parent().unwrap()).unwrap().count(), 1);
}

#[test]
fn of_two_that_open_change_and_save_the_second_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("index.vex");
    index(50, 1).save(&path).unwrap();
    let (mut first, mut second) = (Index::open(&path).unwrap(), Index::open(&path).unwrap());
    first.insert(1_000, [1.0; DIM]).unwrap();
    // Both had the same number of changes: the sequence numbers are equal, and the files are not.
    second.insert(2_000, [2.0; DIM]).unwrap();
    first.save(&path).unwrap();
    let there = fs::read(&path).unwrap();
    let SaveProblem::Conflict { expected, found } = second.save(&path).unwrap_err().problem else {
        panic!("it must not be saved")
    };
    assert_eq!((expected.sequence, found.unwrap().sequence), (50, 51));
    assert_ne!(expected.checksum, found.unwrap().checksum);
    second.insert(3_000, [3.0; DIM]).unwrap();
    refused(second.save(&path));
    assert!(fs::read(&path).unwrap() == there);
    assert_alone(&path);

    // The first index can be saved again. The second replaces the file only with `overwrite`.
    first.insert(1_001, [1.5; DIM]).unwrap();
    first.save(&path).unwrap();
    second.save_with(&path, SaveOptions::default().overwrite(true)).unwrap();
    second.delete(2_000).unwrap();
    second.save(&path).unwrap();
    refused(first.save(&path));
    let found = Index::open(&path).unwrap();
    assert!(found.get(3_000).is_some() && found.get(2_000).is_none() && found.get(1_000).is_none());
}

#[test]
fn an_index_that_was_built_replaces_what_is_there_and_then_what_it_saved() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("index.vex");
    fs::write(&path, "something else").unwrap();
    let mut built = index(50, 1);
    built.save(&path).unwrap();
    built.insert(1_000, [1.0; DIM]).unwrap();
    built.save(&path).unwrap();
    let mut other = Index::open(&path).unwrap();
    other.insert(2_000, [2.0; DIM]).unwrap();
    other.save(&path).unwrap();
    built.insert(3_000, [3.0; DIM]).unwrap();
    refused(built.save(&path));
    built.compact().unwrap();
    refused(built.save(&path));
    assert!(Index::open(&path).unwrap().get(2_000).is_some());
    // A file that was removed cannot be in conflict.
    fs::remove_file(&path).unwrap();
    built.save(&path).unwrap();
}

#[test]
fn an_index_that_was_opened_replaces_no_stranger() {
    let folder = tempfile::tempdir().unwrap();
    let [path, copy, stranger, text, new] =
        ["index", "copy", "stranger", "text", "new"].map(|name| folder.path().join(name));
    index(50, 1).save(&path).unwrap();
    fs::copy(&path, &copy).unwrap();
    index(50, 2).save(&stranger).unwrap();
    fs::write(&text, "not an index, and longer than the header of one ".repeat(10)).unwrap();
    let mut opened = Index::open(&path).unwrap();
    opened.insert(1_000, [1.0; DIM]).unwrap();
    refused(opened.save(&stranger));
    let problem = opened.save(&text).unwrap_err().problem;
    assert!(matches!(problem, SaveProblem::Conflict { found: None, .. }), "{problem}");
    for path in [&new, &copy, &path, &new, &path] {
        opened.save(path).unwrap();
        opened.upsert(1_000, [2.0; DIM]).unwrap();
    }
    fs::write(&path, &fs::read(&path).unwrap()[..300]).unwrap();
    // A file that was cut still has the header that this index saved.
    opened.save(&path).unwrap();
    fs::write(&path, "").unwrap();
    refused(opened.save(&path));
}

#[test]
fn an_output_is_locked_from_the_start() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("index.vex");
    let built = index(50, 1);
    let output = Output::create(&path).unwrap();
    assert!(!path.exists());
    let problem = built.save(&path).unwrap_err().problem;
    assert!(matches!(problem, SaveProblem::Locked), "{problem}");
    let problem = Output::create(&path).unwrap_err().problem;
    assert!(matches!(problem, SaveProblem::Locked), "{problem}");
    built.save_output(output, SaveOptions::default()).unwrap();
    assert_eq!(Index::open(&path).unwrap().len(), 50);
    drop(Output::create(&path).unwrap());
    built.save(&path).unwrap();
    assert_alone(&path);
}

#[test]
fn a_file_whose_temporary_name_was_taken_is_not_replaced() {
    let folder = tempfile::tempdir().unwrap();
    let (path, temporary) = (folder.path().join("index.vex"), folder.path().join(".vex-index.vex.tmp"));
    fs::write(&path, "old").unwrap();
    let output = Output::create(&path).unwrap();
    let error = output
        .write(|file| {
            fs::remove_file(&temporary)?;
            fs::write(&temporary, "planted")?;
            file.write_all(b"new")
        })
        .unwrap_err();
    assert!(matches!(error.problem, SaveProblem::Displaced), "{error}");
    assert_eq!(fs::read(&path).unwrap(), b"old");
    assert_eq!(fs::read(&temporary).unwrap(), b"planted", "it is not ours to remove");
    Output::create(&path).unwrap().write(|file| file.write_all(b"new")).unwrap();
    assert_eq!(fs::read(&path).unwrap(), b"new");
    assert_alone(&path);
}

/// A file whose header has this number at this offset.
fn forged(path: &Path, at: usize, number: &[u8]) -> Vec<u8> {
    index(50, 1).save(path).unwrap();
    let mut bytes = fs::read(path).unwrap();
    bytes[at..at + number.len()].copy_from_slice(number);
    seal_header(&mut bytes);
    fs::write(path, &bytes).unwrap();
    bytes
}

#[test]
fn an_unknown_read_only_compatible_feature_is_searched_and_not_written_back() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("index.vex");
    let bytes = forged(&path, 20, &0x8000_0000_u32.to_le_bytes());
    let mut opened = Index::open(&path).unwrap();
    assert!(opened.is_read_only() && MappedIndex::read(&path).unwrap().header().is_read_only());
    let before = opened.search([0.1; DIM], 10).unwrap();
    assert_eq!(before, index(50, 1).search([0.1; DIM], 10).unwrap());

    let is_refused = |error: ChangeError| match error {
        ChangeError::ReadOnly(read_only) => assert_eq!(read_only.features, 0x8000_0000),
        error => panic!("{error}"),
    };
    let inserted = |error| match error {
        InsertError::Change(error) => is_refused(error),
        error => panic!("{error}"),
    };
    inserted(opened.insert(1_000, [1.0; DIM]).unwrap_err());
    inserted(opened.upsert(1_000, [1.0; DIM]).unwrap_err());
    inserted(opened.upsert(7, [1.0; DIM]).unwrap_err());
    let DeleteError::Change(error) = opened.delete(7).unwrap_err() else { panic!("not for memory") };
    is_refused(error);
    for changed in [opened.compact(), opened.requantize(Quantization::Sq8), opened.requantize(None)] {
        let Err(BuildError::Change(error)) = changed else { panic!("{changed:?}") };
        is_refused(error);
    }
    for path in [&path, &folder.path().join("new.vex")] {
        for options in [SaveOptions::default(), SaveOptions::default().overwrite(true)] {
            let error = opened.save_with(path, options).unwrap_err();
            assert!(matches!(error.problem, SaveProblem::ReadOnly(_)), "{error}");
        }
    }
    assert_eq!((opened.len(), opened.search([0.1; DIM], 10).unwrap()), (50, before));
    assert!(fs::read(&path).unwrap() == bytes);
    assert_alone(&path);
}

#[test]
fn the_last_sequence_number_is_not_followed_by_the_first() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("index.vex");
    forged(&path, 56, &(u64::MAX - 1).to_le_bytes());
    let mut opened = Index::open(&path).unwrap();
    opened.insert(1_000, [1.0; DIM]).unwrap();
    assert!(matches!(opened.insert(1_001, [1.0; DIM]), Err(InsertError::Change(ChangeError::SequenceEnd))));
    assert!(matches!(opened.upsert(7, [1.0; DIM]), Err(InsertError::Change(ChangeError::SequenceEnd))));
    assert!(matches!(opened.upsert(8_000, [1.0; DIM]), Err(InsertError::Change(ChangeError::SequenceEnd))));
    assert!(matches!(opened.delete(7), Err(DeleteError::Change(ChangeError::SequenceEnd))));
    assert!(!opened.delete(9_999).unwrap());
    assert_eq!(opened.len(), 51);
    opened.compact().unwrap();
    opened.save(&path).unwrap();
    let saved = MappedIndex::read(&path).unwrap();
    assert_eq!((saved.header().sequence, saved.len()), (u64::MAX, 51));
}

#[test]
#[cfg(unix)]
fn what_is_not_a_regular_file_is_neither_opened_nor_replaced() {
    use std::os::unix::fs::FileTypeExt;

    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("pipe.vex");
    assert!(std::process::Command::new("mkfifo").arg(&path).status().unwrap().success());
    // SAFETY: nothing is mapped.
    let mapped = unsafe { MappedIndex::open(&path) };
    // SAFETY: as above.
    let near = unsafe { MappedIndex::open_near(&path) };
    let opened = [
        Index::open(&path).unwrap_err(),
        MappedIndex::read(&path).unwrap_err(),
        mapped.unwrap_err(),
        near.unwrap_err(),
    ];
    for error in opened {
        let OpenProblem::NotRegular(problem) = error.problem else { panic!("{error}") };
        assert_eq!(problem.found, vex::FileKind::Pipe);
    }
    assert!(vex::Loaded::read(&path).is_err());
    // SAFETY: nothing is mapped.
    assert!(unsafe { vex::Mapping::open(&path) }.is_err());
    let problem = index(5, 1).save(&path).unwrap_err().problem;
    assert!(matches!(problem, SaveProblem::NotRegular(problem) if problem.found == vex::FileKind::Pipe));
    let problem = index(5, 1).save(folder.path()).unwrap_err().problem;
    assert!(matches!(problem, SaveProblem::NotRegular(problem) if problem.found == vex::FileKind::Folder));
    let problem = index(5, 1).save(folder.path().join("new.vex/")).unwrap_err().problem;
    assert!(matches!(problem, SaveProblem::NotRegular(problem) if problem.found == vex::FileKind::Folder));
    assert!(fs::symlink_metadata(&path).unwrap().file_type().is_fifo());
    assert_alone(&path);
}
