//! Files of keys, which are the caller's names for vectors.

use std::io::{BufRead, Read};
use std::path::Path;

use super::error::{FileError, Problem};
use super::npy::{self, Single};
use super::reader::BinaryRows;
use super::source::Source;
use super::vectors::VectorFile;

/// Reads one key for each of `expected_rows` vectors.
///
/// A 1-D `.npy` array of `u64`, `i64`, `u32` or `i32`, or a `.txt` file with one decimal number a
/// line.
///
/// # Errors
/// If a key is not a number from 0 to `u64::MAX`, or there are more or fewer keys than vectors.
pub(crate) fn read_keys(path: &Path, expected_rows: usize) -> Result<Vec<u64>, FileError> {
    read(path, Some(expected_rows))
}

/// Reads any number of keys, as [`read_keys`] does.
///
/// # Errors
/// If a key is not a number from 0 to `u64::MAX`.
pub(crate) fn read_key_list(path: &Path) -> Result<Vec<u64>, FileError> {
    read(path, None)
}

/// Reads keys: as many as are expected, if a number is.
fn read(path: &Path, expected: Option<usize>) -> Result<Vec<u64>, FileError> {
    let extension = path.extension().unwrap_or_default().to_ascii_lowercase();
    match extension.to_str() {
        Some("npy") => read_npy(Source::open(path)?, expected),
        Some("txt") => read_text(Source::open(path)?, expected),
        _ => Err(FileError::new(path, Problem::Extension { accepted: ".npy or .txt" })),
    }
}

/// More than any key with its line ending, so that a file without line endings is not read as one
/// line.
const MAX_LINE: u64 = 64;

fn read_npy(mut source: Source, expected: Option<usize>) -> Result<Vec<u64>, FileError> {
    let layout = npy::layout(&mut source, Single::Column)?;
    let rows = layout.rows;
    if let Some(expected) = expected
        && rows != expected
    {
        return Err(source.blame(Problem::KeyCount { expected, found: rows }));
    }
    let mut file = VectorFile::<i128>::of(Box::new(BinaryRows::new(source, layout)))?;
    let mut keys = Vec::new();
    keys.try_reserve_exact(rows).map_err(|error| FileError::new(file.path(), error.into()))?;
    for row in 0..rows {
        let mut key = [0];
        file.read_row(&mut key)?;
        let [key] = key;
        let Ok(key) = u64::try_from(key) else {
            return Err(FileError::new(file.path(), Problem::NegativeKey { row, key }));
        };
        keys.push(key);
    }
    Ok(keys)
}

fn read_text(mut source: Source, expected: Option<usize>) -> Result<Vec<u64>, FileError> {
    let mut keys = Vec::new();
    let mut line = Vec::new();
    let mut found = 0;
    loop {
        line.clear();
        let read = source.stream().take(MAX_LINE).read_until(b'\n', &mut line);
        if read.map_err(|error| source.blame(Problem::Read(error)))? == 0 {
            break;
        }
        found += 1;
        // A line that was cut must not count as several keys.
        let whole = line.ends_with(b"\n") || (line.len() as u64) < MAX_LINE;
        let Some(key) = parse_key(&line).filter(|_| whole) else {
            return Err(source.blame(Problem::KeyLine { line: found }));
        };
        // The other keys are only counted, for the message.
        if expected.is_none_or(|expected| found <= expected) {
            keys.try_reserve(1).map_err(|error| source.blame(error.into()))?;
            keys.push(key);
        }
    }
    match expected {
        Some(expected) if found != expected => Err(source.blame(Problem::KeyCount { expected, found })),
        _ => Ok(keys),
    }
}

fn parse_key(line: &[u8]) -> Option<u64> {
    let digits = line.trim_ascii();
    // `parse` would accept a sign.
    if !digits.iter().all(u8::is_ascii_digit) {
        return None;
    }
    str::from_utf8(digits).ok()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::super::fixture::Fixture;
    use super::*;

    fn message(file: &Fixture, rows: usize) -> String {
        read_keys(file.path(), rows).unwrap_err().to_string()
    }

    #[test]
    fn a_list_of_keys_has_any_length() {
        let file = Fixture::new("keys.txt", b"3\n5\n3\n");
        assert_eq!(read_key_list(file.path()).unwrap(), [3, 5, 3]);
        let file = Fixture::new("keys.txt", b"3\nfive\n");
        assert!(matches!(read_key_list(file.path()).unwrap_err().problem, Problem::KeyLine { line: 2 }));
        let file = Fixture::new("keys.txt", b"");
        assert!(read_key_list(file.path()).unwrap().is_empty());
    }

    #[test]
    fn lines_of_text_become_keys() {
        for text in ["3\n18446744073709551615\n0\n", "3\r\n 18446744073709551615 \r\n0"] {
            let file = Fixture::new("keys.txt", text.as_bytes());
            assert_eq!(read_keys(file.path(), 3).unwrap(), [3, u64::MAX, 0], "{text:?}");
        }
    }

    #[test]
    fn line_that_is_no_key_is_named() {
        for line in ["", "-1", "+1", "1.0", "one", "18446744073709551616", "1 2", "\u{663}"] {
            let file = Fixture::new("keys.txt", format!("7\n{line}\n8\n").as_bytes());
            let message = message(&file, 3);
            assert!(message.ends_with("from 0 to 18446744073709551615 in line 2"), "{line:?}: {message}");
        }
    }

    #[test]
    fn endless_line_is_refused() {
        for digit in [b'0', b'1'] {
            let file = Fixture::new("keys.txt", &[digit; 100_000]);
            assert!(message(&file, 1).ends_with("in line 1"));
        }
    }

    #[test]
    fn every_vector_needs_one_key() {
        for (text, found) in [("", 0), ("1\n", 1), ("1\n2\n3\n4\n", 4)] {
            let file = Fixture::new("keys.txt", text.as_bytes());
            let expected = format!("expected 3 keys, one for each vector, found {found}");
            assert!(message(&file, 3).ends_with(&expected));
        }
        let file = npy("<u8", "(2,)", &[0; 16]);
        assert!(message(&file, 3).ends_with("expected 3 keys, one for each vector, found 2"));
    }

    #[test]
    fn arrays_of_integers_become_keys() {
        for descr in ["<i4", "<u4"] {
            let file = npy(descr, "(2,)", &[7, 0, 0, 0, 2, 1, 0, 0]);
            assert_eq!(read_keys(file.path(), 2).unwrap(), [7, 258], "{descr}");
        }
        let keys = [5_i64, 0, i64::MAX];
        let expected = keys.map(|key| key as u64);
        let little: Vec<u8> = keys.iter().flat_map(|key| key.to_le_bytes()).collect();
        let big: Vec<u8> = keys.iter().flat_map(|key| key.to_be_bytes()).collect();
        for (descr, bytes) in [("<i8", &little), ("<u8", &little), (">i8", &big), (">u8", &big)] {
            let file = npy(descr, "(3,)", bytes);
            assert_eq!(read_keys(file.path(), 3).unwrap(), expected, "{descr}");
        }
        let file = npy("<u8", "(1,)", &[0xff; 8]);
        assert_eq!(read_keys(file.path(), 1).unwrap(), [u64::MAX]);
    }

    #[test]
    fn negative_key_is_named() {
        let file = npy("<i8", "(2,)", &[1, 0, 0, 0, 0, 0, 0, 0, 255, 255, 255, 255, 255, 255, 255, 255]);
        assert!(message(&file, 2).ends_with("expected keys of at least 0, found -1 in row 1"));
    }

    #[test]
    fn array_of_other_shape_or_dtype_is_refused() {
        let file = npy("<u8", "(1, 2)", &[0; 16]);
        assert!(message(&file, 2).ends_with("expected a 1-D array, found a 2-D array"));
        let file = npy("<f8", "(2,)", &[0; 16]);
        assert!(message(&file, 2).ends_with("expected elements of u64, i64, u32 or i32, found f64"));
    }

    #[test]
    fn unknown_extension_lists_the_known_ones() {
        let error = read_keys(Path::new("keys.csv"), 1).unwrap_err();
        assert_eq!(error.to_string(), "keys.csv: unknown extension, expected .npy or .txt");
    }

    fn npy(descr: &str, shape: &str, elements: &[u8]) -> Fixture {
        let dict = format!("{{'descr': '{descr}', 'fortran_order': False, 'shape': {shape}, }}\n");
        Fixture::npy("keys.npy", &dict, elements)
    }
}
