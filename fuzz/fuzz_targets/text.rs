//! Files of vectors as text: `.csv`, `.txt`, `.jsonl`.
#![no_main]

use libfuzzer_sys::fuzz_target;
use vex_fuzz::InputFile;

include!("../src/command.rs");

thread_local! {
    static FILES: [InputFile; 3] = ["i.csv", "i.txt", "i.jsonl"].map(InputFile::new);
}

// The first byte chooses the format of the rest.
fuzz_target!(|input: &[u8]| FILES.with(|files| {
    let Some((format, input)) = input.split_first() else { return };
    let path = files[usize::from(*format) % files.len()].write(input);
    let vectors = io::Input::new(path, io::Role::Vectors);
    let Ok(mut file) = io::VectorFile::<f32>::open(&vectors) else { return };
    let (rows, dim) = (file.rows(), file.dim());
    assert!(rows > 0 && dim > 0 && rows <= input.len() && dim <= input.len(), "{rows} x {dim}");
    // Rows are checked as they are read. One by one and all at once, the answer is the same.
    let all = io::VectorFile::<f32>::open(&vectors).and_then(io::VectorFile::read_all);
    let mut row = vec![0.0_f32; dim];
    for at in 0..rows {
        match (file.read_row(&mut row), &all) {
            (Ok(()), Ok(all)) => {
                let expected = all.iter().nth(at).expect("as many rows as were counted");
                assert!(row.iter().zip(expected).all(|(a, b)| a.to_bits() == b.to_bits()));
            }
            (Ok(()), Err(_)) => {}
            (Err(_), all) => {
                assert!(all.is_err());
                return;
            }
        }
    }
    assert!(all.is_ok());
}));
