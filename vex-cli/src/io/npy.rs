//! `.npy`, NumPy's array format: a magic, a version, a Python dictionary, then the elements.
//!
//! The header comes from strangers, so the dictionary is parsed here. The crate `npyz` (0.9.1)
//! allocates whatever length the header claims, and overflows on the product of a claimed shape.
//! Specification: NumPy Enhancement Proposal 1 and `numpy.lib.format`.

use std::io::Write;

use super::encoding::Encoding;
use super::error::{FileError, Problem};
use super::layout::{Layout, Order};
use super::source::Source;

const MAGIC: &[u8; 6] = b"\x93NUMPY";

/// The longest header of version 1.0. Later versions are longer for structured arrays alone.
const MAX_HEADER: usize = u16::MAX as usize;

/// The elements start at a multiple of this, so that they can be mapped.
const ALIGN: usize = 64;

/// A dtype as the header spells it, and how to read it.
pub(crate) type Dtype<T> = (&'static str, Encoding<T>);

/// Reads the header of an array with `axes` axes, 1 or 2, and one of the `accepted` dtypes.
///
/// A 1-D array counts as a matrix of one column.
pub(crate) fn layout<T>(
    source: &mut Source,
    axes: usize,
    accepted: &[Dtype<T>],
) -> Result<Layout<T>, FileError> {
    let header = read_header(source)?;
    let Some((_, encoding)) = accepted.iter().find(|(descr, _)| *descr == header.descr) else {
        // The text may come from a stranger, so it must neither flood nor control the terminal.
        let printable = |c: char| if c.is_control() { char::REPLACEMENT_CHARACTER } else { c };
        let found = header.descr.chars().take(40).map(printable).collect();
        let accepted = accepted.iter().map(|(descr, _)| *descr).collect();
        return Err(source.blame(Problem::Dtype { found, accepted }));
    };
    let (rows, dim) = match *header.shape {
        [rows] if axes == 1 => (rows, 1),
        [rows, dim] if axes == 2 => (rows, dim),
        _ => return Err(source.blame(Problem::Axes { expected: axes, found: header.shape.len() })),
    };
    let order = if header.fortran_order { Order::Columns } else { Order::Rows };
    Layout::new(source, rows, dim, order, *encoding)
}

/// Writes the header, version 1.0, of a matrix of little-endian `i32` stored by rows.
pub(crate) fn write_header(out: &mut impl Write, rows: usize, dim: usize) -> std::io::Result<()> {
    let dict = format!("{{'descr': '<i4', 'fortran_order': False, 'shape': ({rows}, {dim}), }}");
    let before_dict = MAGIC.len() + 4;
    let total = (before_dict + dict.len() + 1).next_multiple_of(ALIGN);
    let width = total - before_dict - 1;
    // Two numbers are far shorter than 65,535 bytes.
    let len = (width + 1) as u16;
    out.write_all(MAGIC)?;
    out.write_all(&[1, 0])?;
    out.write_all(&len.to_le_bytes())?;
    writeln!(out, "{dict:width$}")
}

fn read_header(source: &mut Source) -> Result<Header, FileError> {
    if source.header()? != *MAGIC {
        return Err(source.blame(Problem::NpyMagic));
    }
    let found = match source.header()? {
        [1, 0] => u16::from_le_bytes(source.header()?).into(),
        [2 | 3, 0] => u32::from_le_bytes(source.header()?).into(),
        [major, minor] => return Err(source.blame(Problem::NpyVersion { major, minor })),
    };
    match usize::try_from(found) {
        Ok(len) if len <= MAX_HEADER => {
            let text = source.header_text(len)?;
            Parser::new(&text).header().map_err(|offset| source.blame(Problem::NpyHeader { offset }))
        }
        _ => Err(source.blame(Problem::NpyHeaderLength { limit: MAX_HEADER, found })),
    }
}

/// The three entries of the dictionary.
#[derive(Debug, PartialEq)]
struct Header {
    /// A dtype's name, or the source text of a structured dtype.
    descr: String,
    fortran_order: bool,
    shape: Vec<u64>,
}

/// Parses as much Python as the header needs. An error is the offset at which parsing failed.
struct Parser<'a> {
    text: &'a [u8],
    offset: usize,
}

impl<'a> Parser<'a> {
    fn new(text: &'a [u8]) -> Self {
        Self { text, offset: 0 }
    }

    fn header(mut self) -> Result<Header, usize> {
        let (mut descr, mut fortran_order, mut shape) = (None, None, None);
        self.expect(b'{')?;
        while !self.take(b'}') {
            let key_offset = self.offset;
            let key = self.string()?;
            self.expect(b':')?;
            // A key that comes twice is refused like an unknown one.
            let fresh = match key {
                b"descr" => descr.replace(self.descr()?).is_none(),
                b"fortran_order" => fortran_order.replace(self.boolean()?).is_none(),
                b"shape" => shape.replace(self.shape()?).is_none(),
                _ => false,
            };
            if !fresh {
                return Err(key_offset);
            }
            self.separator(b'}')?;
        }
        self.skip_space();
        match (descr, fortran_order, shape) {
            (Some(descr), Some(fortran_order), Some(shape)) if self.offset == self.text.len() => {
                Ok(Header { descr, fortran_order, shape })
            }
            _ => Err(self.offset),
        }
    }

    /// A string, or the list of a structured dtype, which is kept as text for the error message.
    fn descr(&mut self) -> Result<String, usize> {
        let bytes = if self.peek() == Some(b'[') { self.list()? } else { self.string()? };
        Ok(String::from_utf8_lossy(bytes).into_owned())
    }

    /// Everything up to the bracket that closes this one. Brackets in strings do not count.
    fn list(&mut self) -> Result<&'a [u8], usize> {
        let start = self.offset;
        let mut depth = 0_usize;
        loop {
            match self.peek().ok_or(self.offset)? {
                b'\'' | b'"' => {
                    self.string()?;
                    continue;
                }
                b'[' => depth += 1,
                b']' => depth -= 1,
                _ => {}
            }
            self.offset += 1;
            if depth == 0 {
                return Ok(&self.text[start..self.offset]);
            }
        }
    }

    fn string(&mut self) -> Result<&'a [u8], usize> {
        let quote = self.peek().filter(|byte| matches!(byte, b'\'' | b'"')).ok_or(self.offset)?;
        let start = self.offset + 1;
        let len = self.text[start..].iter().position(|byte| *byte == quote).ok_or(self.offset)?;
        self.offset = start + len + 1;
        Ok(&self.text[start..start + len])
    }

    fn boolean(&mut self) -> Result<bool, usize> {
        self.skip_space();
        for (word, value) in [("True", true), ("False", false)] {
            if self.text[self.offset..].starts_with(word.as_bytes()) {
                self.offset += word.len();
                return Ok(value);
            }
        }
        Err(self.offset)
    }

    fn shape(&mut self) -> Result<Vec<u64>, usize> {
        let mut shape = Vec::new();
        self.expect(b'(')?;
        while !self.take(b')') {
            shape.push(self.integer()?);
            self.separator(b')')?;
        }
        Ok(shape)
    }

    fn integer(&mut self) -> Result<u64, usize> {
        self.skip_space();
        let start = self.offset;
        let mut value = 0_u64;
        while let Some(digit @ b'0'..=b'9') = self.text.get(self.offset) {
            let digit = u64::from(digit - b'0');
            value = value.checked_mul(10).and_then(|tens| tens.checked_add(digit)).ok_or(start)?;
            self.offset += 1;
        }
        if self.offset == start {
            return Err(start);
        }
        // Python 2 wrote long integers with this suffix.
        self.take(b'L');
        Ok(value)
    }

    /// A comma, which may be left out before `close`.
    fn separator(&mut self, close: u8) -> Result<(), usize> {
        if self.take(b',') || self.peek() == Some(close) { Ok(()) } else { Err(self.offset) }
    }

    fn expect(&mut self, byte: u8) -> Result<(), usize> {
        if self.take(byte) { Ok(()) } else { Err(self.offset) }
    }

    fn take(&mut self, byte: u8) -> bool {
        let found = self.peek() == Some(byte);
        self.offset += usize::from(found);
        found
    }

    /// The next byte that is not white space. The parser then stands at it.
    fn peek(&mut self) -> Option<u8> {
        self.skip_space();
        self.text.get(self.offset).copied()
    }

    fn skip_space(&mut self) {
        let rest = &self.text[self.offset..];
        self.offset += rest.len() - rest.trim_ascii_start().len();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<Header, usize> {
        Parser::new(text.as_bytes()).header()
    }

    fn header(descr: &str, fortran_order: bool, shape: &[u64]) -> Result<Header, usize> {
        Ok(Header { descr: descr.into(), fortran_order, shape: shape.into() })
    }

    #[test]
    fn dictionaries_of_every_spelling_parse() {
        for (text, expected) in [
            (
                "{'descr': '<f4', 'fortran_order': False, 'shape': (3, 4), }   \n",
                header("<f4", false, &[3, 4]),
            ),
            ("{'shape':(3,4),'fortran_order':True,'descr':\"<f2\"}", header("<f2", true, &[3, 4])),
            ("{'descr': '<i8', 'fortran_order': False, 'shape': (5L,)}", header("<i8", false, &[5])),
            ("{'descr': '|O', 'fortran_order': False, 'shape': (), }", header("|O", false, &[])),
            (
                "{'descr': [('a]', '<f4'), ('b', [('c', '<i2')])], 'fortran_order': False, 'shape': (1,), }",
                header("[('a]', '<f4'), ('b', [('c', '<i2')])]", false, &[1]),
            ),
        ] {
            assert_eq!(parse(text), expected, "{text}");
        }
    }

    #[test]
    fn malformed_dictionaries_are_located() {
        for (text, offset) in [
            ("", 0),
            ("[]", 0),
            ("{}", 2),
            ("{'descr': '<f4', 'fortran_order': False}", 40),
            ("{'descr': '<f4', 'fortran_order': False, 'shape': (3, 4)", 56),
            ("{'descr': '<f4', 'fortran_order': False, 'shape': (3, 4)} x", 58),
            ("{'descr': '<f4', 'fortran_order': 0, 'shape': (3, 4)}", 34),
            ("{'descr': '<f4', 'fortran_order': False, 'shape': (3 4)}", 53),
            ("{'descr': '<f4', 'fortran_order': False, 'shape': (-3, 4)}", 51),
            ("{'descr': '<f4', 'fortran_order': False, 'shape': (18446744073709551616,)}", 51),
            ("{'descr': '<f4', 'descr': '<f4'}", 17),
            ("{'other': '<f4'}", 1),
            ("{'descr': '<f4", 10),
            ("{'descr': [[[", 13),
        ] {
            assert_eq!(parse(text), Err(offset), "{text}");
        }
    }

    #[test]
    fn no_prefix_of_a_header_parses_or_panics() {
        let text = "{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': (3L, 4), }";
        for len in 0..text.len() {
            assert!(parse(&text[..len]).is_err(), "{}", &text[..len]);
        }
    }

    #[test]
    fn deep_brackets_do_not_recurse() {
        let text = format!("{{'descr': {}", "[".repeat(MAX_HEADER));
        assert_eq!(parse(&text), Err(text.len()));
    }

    #[test]
    fn written_header_is_aligned_and_parses() {
        for (rows, dim) in [(1, 1), (1000, 10), (usize::MAX, usize::MAX)] {
            let mut bytes = Vec::new();
            write_header(&mut bytes, rows, dim).unwrap();
            assert_eq!(bytes.len() % ALIGN, 0);
            assert_eq!(bytes[8..10], ((bytes.len() - 10) as u16).to_le_bytes());
            assert_eq!(bytes.last(), Some(&b'\n'));
            let text = str::from_utf8(&bytes[10..]).unwrap();
            assert_eq!(parse(text), header("<i4", false, &[rows as u64, dim as u64]));
        }
    }
}
