//! Numbers that are spelled as text, in cells of tables and in JSON.

use super::stored::Stored;

/// Why a text is not the numbers of a row.
#[derive(Debug, PartialEq)]
pub(crate) enum Misspelled {
    /// A number is none, or not of the type.
    Number {
        /// Counted from 0.
        position: usize,
        found: String,
    },
    /// There are more or fewer.
    Count { found: usize },
}

/// How many numbers an array has, such as `[0.5, 1e-3]`, `[0.5 1.0]` or `0.5;1.0`.
pub(crate) fn count(text: &str) -> usize {
    split(text).count()
}

/// Writes the numbers of an array as little-endian bytes of a type.
pub(crate) fn parse_row(text: &str, stored: Stored, row: &mut [u8]) -> Result<(), Misspelled> {
    let size = stored.size();
    let mut numbers = split(text);
    for (position, out) in row.chunks_exact_mut(size).enumerate() {
        let Some(number) = numbers.next() else { return Err(Misspelled::Count { found: position }) };
        parse(number, stored, out).ok_or_else(|| Misspelled::Number { position, found: start(number) })?;
    }
    match numbers.count() {
        0 => Ok(()),
        more => Err(Misspelled::Count { found: row.len() / size + more }),
    }
}

/// The numbers of an array as `f32`. An error is the position and the text of what is no number.
pub(crate) fn array_of_f32(text: &str) -> Result<Vec<f32>, (usize, String)> {
    split(text).enumerate().map(|(at, number)| number.parse().map_err(|_| (at, start(number)))).collect()
}

/// The numbers between brackets, separated by commas, semicolons or white space.
fn split(text: &str) -> impl Iterator<Item = &str> {
    let text = text.trim();
    let inner = text.strip_prefix('[').and_then(|text| text.strip_suffix(']')).unwrap_or(text);
    inner.split(|c: char| c == ',' || c == ';' || c.is_whitespace()).filter(|number| !number.is_empty())
}

/// Writes one number as little-endian bytes. Whole numbers may be spelled as floats, as `3.0`.
pub(crate) fn parse(text: &str, stored: Stored, out: &mut [u8]) -> Option<()> {
    // The standard library rounds once.
    match stored {
        Stored::F32 => out.copy_from_slice(&text.parse::<f32>().ok()?.to_le_bytes()),
        Stored::I8 => out.copy_from_slice(&i8::try_from(whole(text)?).ok()?.to_le_bytes()),
        Stored::U8 => out.copy_from_slice(&u8::try_from(whole(text)?).ok()?.to_le_bytes()),
        Stored::I64 => out.copy_from_slice(&whole(text)?.to_le_bytes()),
        // No text is read as another type.
        _ => return None,
    }
    Some(())
}

/// Floats below this are all the whole numbers there are: 2 to the power of 53.
const WHOLE: f64 = 9_007_199_254_740_992.0;

fn whole(text: &str) -> Option<i64> {
    text.parse().ok().or_else(|| {
        let float: f64 = text.parse().ok()?;
        (float.fract() == 0.0 && float.abs() < WHOLE).then_some(float as i64)
    })
}

/// Text for a message, which must not flood the terminal.
pub(crate) fn start(text: &str) -> String {
    const MOST: usize = 40;
    let text = text.trim();
    match text.char_indices().nth(MOST) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn floats(text: &str, dim: usize) -> Result<Vec<f32>, Misspelled> {
        let mut row = vec![0; 4 * dim];
        parse_row(text, Stored::F32, &mut row)?;
        Ok(row.as_chunks().0.iter().map(|bytes| f32::from_le_bytes(*bytes)).collect())
    }

    #[test]
    fn arrays_of_many_programs_are_understood() {
        for text in
            ["[1, -0.5, 2e3]", "[ 1.   -0.5\n 2000. ]", "1;-0.5;2000", "1\t-0.5 2000.0", "[1,-.5,2000]"]
        {
            assert_eq!(count(text), 3, "{text}");
            assert_eq!(floats(text, 3), Ok(vec![1.0, -0.5, 2000.0]), "{text}");
        }
        assert_eq!(count("[]"), 0);
        assert!(floats("[nan]", 1).unwrap()[0].is_nan());
    }

    #[test]
    fn numbers_are_rounded_once() {
        // Just below the middle of two f32, which f64 cannot tell from the middle.
        assert_eq!(floats("1.00000017881393432617187499", 1), Ok(vec![1.000_000_1]));
    }

    #[test]
    fn wrong_numbers_are_placed() {
        let number = |position, found: &str| Err(Misspelled::Number { position, found: found.to_owned() });
        assert_eq!(floats("[1, x, 3]", 3), number(1, "x"));
        assert_eq!(floats("[1, [2], 3]", 3), number(1, "[2]"));
        assert_eq!(floats("[1, null]", 2), number(1, "null"));
        assert_eq!(floats("[1, 2]", 3), Err(Misspelled::Count { found: 2 }));
        assert_eq!(floats("[1, 2, 3, 4]", 3), Err(Misspelled::Count { found: 4 }));
    }

    #[test]
    fn whole_numbers_may_be_spelled_as_floats() {
        let read = |text: &str, stored: Stored| {
            let mut out = vec![0; stored.size()];
            parse(text, stored, &mut out).map(|()| out)
        };
        assert_eq!(read("255", Stored::U8), Some(vec![255]));
        assert_eq!(read("2.550000000000000000e+02", Stored::U8), Some(vec![255]));
        assert_eq!(read("-128.0", Stored::I8), Some(vec![0x80]));
        assert_eq!(read("9223372036854775807", Stored::I64), Some(i64::MAX.to_le_bytes().to_vec()));
        for (text, stored) in
            [("256", Stored::U8), ("-1", Stored::U8), ("0.5", Stored::I8), ("1e30", Stored::I64)]
        {
            assert_eq!(read(text, stored), None, "{text}");
        }
    }
}
