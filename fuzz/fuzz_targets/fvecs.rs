//! Files of vectors and ids in the formats without text: `.fvecs`, `.bvecs`, `.fbin`, `.ivecs`,
//! `.ibin`.
#![no_main]

use libfuzzer_sys::fuzz_target;
use vex_fuzz::InputFile;

include!("../src/command.rs");

thread_local! {
    static FILES: [InputFile; 5] =
        ["i.fvecs", "i.bvecs", "i.fbin", "i.ivecs", "i.ibin"].map(InputFile::new);
}

// The first byte chooses the format of the rest.
fuzz_target!(|input: &[u8]| FILES.with(|files| {
    let Some((format, input)) = input.split_first() else { return };
    let format = usize::from(*format) % files.len();
    let path = files[format].write(input);
    // A file that is accepted must have the values that a reader without checks finds.
    match format {
        0 => assert_same(floats(path), rows(input, 4).map(|rows| rows.concat())),
        1 => {
            let bytes = rows(input, 1).map(|rows| rows.concat());
            let widened =
                bytes.map(|bytes| bytes.iter().flat_map(|byte| f32::from(*byte).to_le_bytes()).collect());
            assert_same(floats(path), widened);
        }
        2 => assert_same(floats(path), matrix(input)),
        3 => assert_same(ids(path), rows(input, 4).map(|rows| rows.concat())),
        _ => assert_same(ids(path), matrix(input)),
    }
}));

fn floats(path: &std::path::Path) -> Option<Vec<u8>> {
    let input = io::Input::new(path, io::Role::Vectors);
    let all = io::VectorFile::<f32>::open(&input).and_then(io::VectorFile::read_all).ok()?;
    Some(all.iter().flatten().flat_map(|element| element.to_le_bytes()).collect())
}

fn ids(path: &std::path::Path) -> Option<Vec<u8>> {
    let ids = io::read_ids(&io::Input::new(path, io::Role::Ids)).ok()?;
    let narrow = |id: &i64| i32::try_from(*id).expect("the file has int32").to_le_bytes();
    Some(ids.iter().flatten().flat_map(narrow).collect())
}

fn assert_same(found: Option<Vec<u8>>, expected: Option<Vec<u8>>) {
    assert!(found == expected, "found {found:?}, expected {expected:?}");
}

/// The elements of rows that each begin with their length. All lengths are the same.
fn rows(input: &[u8], size: usize) -> Option<Vec<&[u8]>> {
    let dim = input.first_chunk().map(|dim| i32::from_le_bytes(*dim))?;
    let row_bytes = usize::try_from(dim).ok().filter(|dim| *dim > 0)?.checked_mul(size)?.checked_add(4)?;
    let mut rows = input.chunks_exact(row_bytes);
    let found = rows.by_ref().map(|row| row.strip_prefix(&dim.to_le_bytes())).collect::<Option<Vec<_>>>()?;
    rows.remainder().is_empty().then_some(found)
}

/// The elements after the number of rows and columns.
fn matrix(input: &[u8]) -> Option<Vec<u8>> {
    let (lengths, elements) = input.split_first_chunk::<8>()?;
    let number =
        |at: usize| lengths[at..at + 4].iter().rev().fold(0u64, |sum, byte| sum << 8 | u64::from(*byte));
    // Both numbers are below 2³², so only the multiplication by the bytes of an element can
    // overflow.
    let bytes = (number(0) * number(4)).checked_mul(4)?;
    (bytes > 0 && elements.len() as u64 == bytes).then(|| elements.to_vec())
}
