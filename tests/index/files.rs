//! Files that are cut short, changed or replaced, and folders that take no file.

use std::fs;
use std::path::Path;

use support::Random;
use vex::{
    Elements, Hit, Index, MappedIndex, OpenProblem, Quantization, SaveProblem, Scratch, SearchParams, Store,
};

const DIM: usize = 8;

fn index(count: usize, seed: u64) -> Index {
    let mut random = Random(seed);
    let vector = |random: &mut Random| (0..DIM).map(|_| random.element()).collect::<Vec<_>>();
    Index::builder(DIM)
        .threads(1)
        .build_from((0..count).map(|key| (key as u64, vector(&mut random))).collect::<Vec<_>>())
        .unwrap()
}

fn nearest(index: &MappedIndex) -> Vec<Hit> {
    index.search([0.1; DIM], 5).unwrap()
}

fn map(path: &Path) -> MappedIndex {
    // SAFETY: the file is in the test's own folder, and is only ever replaced by a rename.
    unsafe { MappedIndex::open(path) }.unwrap()
}

#[test]
#[cfg(unix)]
fn readers_keep_the_file_they_opened() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("index.vex");
    let versions: Vec<_> = (0..10).map(|seed| index(100 + seed, seed as u64)).collect();
    let mut readers = Vec::new();
    for version in &versions {
        version.save(&path).unwrap();
        let reader = map(&path);
        readers.push((version.search([0.1; DIM], 5).unwrap(), reader));
    }
    fs::remove_file(&path).unwrap();
    for (expected, reader) in &readers {
        assert_eq!(&nearest(reader), expected);
        reader.verify().unwrap();
    }
}

#[test]
fn a_file_that_was_cut_short_or_grew_is_an_error() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("index.vex");
    index(50, 1).save(&path).unwrap();
    let whole = fs::read(&path).unwrap();
    let longer = [&whole[..], &[0; 64]].concat();
    for len in (0..whole.len()).step_by(61).chain([whole.len() - 1, whole.len() + 1, longer.len()]) {
        fs::write(&path, &longer[..len]).unwrap();
        assert!(matches!(Index::open(&path).unwrap_err().problem, OpenProblem::Format(_)), "{len} bytes");
        assert!(
            matches!(MappedIndex::read(&path).unwrap_err().problem, OpenProblem::Format(_)),
            "{len} bytes"
        );
    }
}

/// The bytes are verified in memory that nobody else can change. So whatever others do to the file,
/// an index that opens is right.
#[test]
fn a_file_that_changes_while_it_is_read_is_whole_or_an_error() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("index.vex");
    let version = index(3_000, 1);
    version.save(&path).unwrap();
    let whole = fs::read(&path).unwrap();
    let expected = version.search([0.1; DIM], 5).unwrap();
    let mut opened = 0;
    std::thread::scope(|scope| {
        let (path, whole) = (&path, &whole);
        let vandal = scope.spawn(move || {
            let mut random = Random(2);
            for _ in 0..200 {
                let file = fs::OpenOptions::new().write(true).open(path).unwrap();
                file.set_len(random.below(whole.len()) as u64).unwrap();
                fs::write(path, whole).unwrap();
            }
        });
        while !vandal.is_finished() {
            if let Ok(index) = Index::open(path) {
                assert_eq!(index.search([0.1; DIM], 5).unwrap(), expected);
                opened += 1;
            }
            if let Ok(index) = MappedIndex::read(path)
                && index.verify().is_ok()
            {
                assert_eq!(index.search([0.1; DIM], 5).unwrap(), expected);
            }
        }
        vandal.join().unwrap();
    });
    eprintln!("opened {opened} times");
    assert!(Index::open(&path).is_ok());
}

/// A folder that takes no file even from root: `/proc/self/fd`, whose names are links to open
/// files.
#[test]
#[cfg(target_os = "linux")]
fn a_read_only_folder_is_opened_from_and_not_saved_to() {
    use std::os::fd::AsRawFd;

    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("index.vex");
    let saved = index(50, 1);
    saved.save(&path).unwrap();
    let before = fs::read(&path).unwrap();
    let file = fs::File::open(&path).unwrap();
    let open = format!("/proc/self/fd/{}", file.as_raw_fd());
    assert_eq!(Index::open(&open).unwrap().len(), 50);
    assert_eq!(nearest(&map(open.as_ref())), saved.search([0.1; DIM], 5).unwrap());
    let new = "/proc/self/fd/index.vex";
    let error = saved.save(new).unwrap_err();
    assert!(matches!(error.problem, SaveProblem::Folder { .. }), "{error}");
    assert!(error.to_string().ends_with(new), "{error}");
    assert!(fs::read(&open).unwrap() == before);
    // The file at the end of the link is replaced, as long as it has a name.
    saved.save(&open).unwrap();
    fs::remove_file(&path).unwrap();
    assert!(saved.save(&open).is_err());
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
}

#[test]
#[cfg(unix)]
fn a_folder_without_permission_to_write_is_opened_from_and_not_saved_to() {
    use std::os::unix::fs::PermissionsExt;

    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("index.vex");
    let saved = index(50, 1);
    saved.save(&path).unwrap();
    fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o555)).unwrap();
    if fs::write(folder.path().join("probe"), "").is_ok() {
        eprintln!("SKIPPED: this user's files ignore permissions");
        return;
    }
    assert_eq!(Index::open(&path).unwrap().len(), 50);
    let error = saved.save(&path).unwrap_err();
    let SaveProblem::Folder { error: denied, .. } = &error.problem else { panic!("{error}") };
    assert_eq!(denied.kind(), std::io::ErrorKind::PermissionDenied);
    fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o755)).unwrap();
}

/// The answers do not depend on which bytes are mapped and which are read.
#[test]
fn an_index_with_its_vectors_mapped_answers_as_one_in_memory() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("index.vex");
    let params = SearchParams::new(5).ef_search(40);
    for quantization in [None, Some(Quantization::Sq8), Some(Quantization::Sq4), Some(Quantization::Sq2x2)] {
        let mut saved = index(2_000, 3);
        saved.requantize(quantization).unwrap();
        assert!(saved.delete(7).unwrap());
        for store in [Store::All, Store::None] {
            if store == Store::None && quantization.is_none() {
                continue;
            }
            saved.save_with(&path, store).unwrap();
            let whole = MappedIndex::read(&path).unwrap();
            // SAFETY: the file is the test's own. It is replaced, and not changed.
            let near = unsafe { MappedIndex::open_near(&path) }.unwrap();
            near.verify().unwrap();
            assert_eq!(near.len(), whole.len());
            assert_eq!(near.node_keys(), whole.node_keys());
            // Keys were read into memory, like everything except the vectors, which are in the
            // mapping.
            let is_mapped = |start: *const u8| near.as_bytes().as_ptr_range().contains(&start);
            assert!(!is_mapped(near.node_keys().as_ptr().cast()));
            if let (Store::All, Elements::F32(vectors)) = (store, near.graph().rows().elements()) {
                assert!(is_mapped(vectors.as_ptr().cast()));
            }
            let mut random = Random(5);
            let (mut one, mut other) = (Scratch::new(), Scratch::new());
            for _ in 0..100 {
                let query: [f32; DIM] = std::array::from_fn(|_| random.element());
                let expected = whole.search_with(query, &params, &mut one).unwrap();
                let found = near.search_with(query, &params, &mut other).unwrap();
                assert_eq!(found.hits, expected.hits, "{quantization:?}, {store:?}");
                assert_eq!(found.stats, expected.stats);
            }
        }
    }
    fs::write(&path, &fs::read(&path).unwrap()[..500]).unwrap();
    // SAFETY: as above.
    let problem = unsafe { MappedIndex::open_near(&path) }.unwrap_err().problem;
    assert!(matches!(problem, OpenProblem::Format(_)), "{problem}");
}
