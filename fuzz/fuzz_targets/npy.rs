//! Files of vectors, ids and keys in NumPy's format.
#![no_main]

use std::path::Path;

use libfuzzer_sys::fuzz_target;
use vex_fuzz::InputFile;

include!("../src/command.rs");

thread_local! {
    static FILE: InputFile = InputFile::new("input.npy");
}

fuzz_target!(|input: &[u8]| FILE.with(|file| {
    let path = file.write(input);
    assert_alike(path, input);
    if let Ok(ids) = io::read_ids(&io::Input::new(path, io::Role::Ids)) {
        assert!(ids.rows() * ids.dim() < input.len());
    }
    // All numbers of keys that such a short input can have.
    for expected in 0..4 {
        if let Ok(keys) = io::read_keys(path, expected) {
            assert_eq!(keys.len(), expected);
        }
    }
}));

/// Reads row by row and all at once, with the same result. There are no more elements than the
/// bytes hold.
fn assert_alike(path: &Path, input: &[u8]) {
    let vectors = io::Input::new(path, io::Role::Vectors);
    let Ok(mut file) = io::VectorFile::<f32>::open(&vectors) else { return };
    let (rows, dim) = (file.rows(), file.dim());
    assert!(rows > 0 && dim > 0 && rows * dim < input.len(), "{rows} x {dim}");
    let all = io::VectorFile::<f32>::open(&vectors).and_then(io::VectorFile::read_all);
    let all = all.expect("the length is checked");
    assert_eq!((all.rows(), all.dim()), (rows, dim));
    let mut row = vec![0.0_f32; dim];
    for expected in all.iter() {
        file.read_row(&mut row).expect("the length is checked");
        assert!(row.iter().zip(expected).all(|(a, b)| a.to_bits() == b.to_bits()));
    }
    assert!(file.read_row(&mut row).is_err(), "a row past the last");
}
