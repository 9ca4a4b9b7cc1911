//! `.npy`, NumPy's array format: a magic, a version, a Python dictionary, then the elements.
//!
//! The header comes from strangers, so the dictionary is parsed here. The crate `npyz` (0.9.1)
//! allocates whatever length the header claims, and overflows on the product of a claimed shape.
//! Specification: NumPy Enhancement Proposal 1 and `numpy.lib.format`.

use std::io::Write;

use super::error::{FileError, Problem};
use super::layout::{Layout, Order};
use super::source::Source;
use super::stored::{ByteOrder, Stored};

const MAGIC: &[u8; 6] = b"\x93NUMPY";

/// The longest header of version 1.0. Later versions are longer for structured arrays alone.
const MAX_HEADER: usize = u16::MAX as usize;

/// The elements start at a multiple of this, so that they can be mapped.
const ALIGN: usize = 64;

/// How a 1-D array counts as a matrix.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Single {
    /// As one column, such as an array of keys. No other array is accepted then.
    Column,
    /// As one column, or as it is if it has two axes.
    Either,
    /// As one row, such as a query.
    Row,
    /// Not at all.
    Refused,
}

/// Reads the header of an array of numbers.
pub(crate) fn layout(source: &mut Source, single: Single) -> Result<Layout, FileError> {
    let header = read_header(source)?;
    let Some((stored, bytes)) = dtype(&header.descr) else {
        // The text may come from a stranger, so it must neither flood nor control the terminal.
        let printable = |c: char| if c.is_control() { char::REPLACEMENT_CHARACTER } else { c };
        let found = header.descr.chars().take(40).map(printable).collect();
        return Err(source.blame(Problem::Dtype { found }));
    };
    let shape = match *header.shape {
        [rows] if matches!(single, Single::Column | Single::Either) => [rows, 1],
        [dim] if single == Single::Row => [1, dim],
        [rows, dim] if single != Single::Column => [rows, dim],
        _ => {
            let expected = match single {
                Single::Column => "a 1-D array",
                Single::Either => "a 1-D or 2-D array",
                Single::Row => "a 2-D array, or a 1-D array for one row",
                Single::Refused => "a 2-D array",
            };
            return Err(source.blame(Problem::Axes { expected, found: header.shape.len() }));
        }
    };
    let order = if header.fortran_order { Order::Columns } else { Order::Rows };
    Layout::new(source, shape, order, stored, bytes)
}

/// The type that a dtype names. Its byte order may be missing, as in some programs' headers, and may
/// be any for types of one byte.
fn dtype(descr: &str) -> Option<(Stored, ByteOrder)> {
    let (bytes, name) = match descr.split_at_checked(1)? {
        ("<" | "|" | "=", name) => (ByteOrder::Little, name),
        (">", name) => (ByteOrder::Big, name),
        _ => (ByteOrder::Little, descr),
    };
    let stored = match name {
        "f2" => Stored::F16,
        "f4" => Stored::F32,
        "f8" => Stored::F64,
        "b1" | "?" => Stored::Bool,
        "i1" => Stored::I8,
        "u1" => Stored::U8,
        "i2" => Stored::I16,
        "u2" => Stored::U16,
        "i4" => Stored::I32,
        "u4" => Stored::U32,
        "i8" => Stored::I64,
        "u8" => Stored::U64,
        _ => return None,
    };
    // A type of several bytes has an order.
    (stored.size() == 1 || !descr.starts_with('|')).then_some((stored, bytes))
}

/// The dtype of a little-endian type.
fn descr(stored: Stored) -> &'static str {
    match stored {
        Stored::F16 => "<f2",
        Stored::F32 => "<f4",
        Stored::F64 => "<f8",
        Stored::Bool => "|b1",
        Stored::I8 => "|i1",
        Stored::U8 => "|u1",
        Stored::I16 => "<i2",
        Stored::U16 => "<u2",
        Stored::I32 => "<i4",
        Stored::U32 => "<u4",
        Stored::I64 => "<i8",
        Stored::U64 => "<u8",
    }
}

/// Writes the header, version 1.0, of a little-endian array stored by rows.
pub(crate) fn write_header(
    out: &mut (impl Write + ?Sized),
    stored: Stored,
    shape: &[usize],
) -> std::io::Result<()> {
    let descr = descr(stored);
    // A tuple of one has a comma.
    let shape: String = match shape {
        [rows] => format!("{rows},"),
        shape => shape.iter().map(usize::to_string).collect::<Vec<_>>().join(", "),
    };
    let dict = format!("{{'descr': '{descr}', 'fortran_order': False, 'shape': ({shape}), }}");
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
    fn dtypes_of_many_programs_are_understood() {
        use ByteOrder::{Big, Little};
        for (descr, expected) in [
            ("<f4", Some((Stored::F32, Little))),
            (">f4", Some((Stored::F32, Big))),
            ("f4", Some((Stored::F32, Little))),
            ("=f8", Some((Stored::F64, Little))),
            ("|i1", Some((Stored::I8, Little))),
            ("<i1", Some((Stored::I8, Little))),
            ("<u1", Some((Stored::U8, Little))),
            ("|b1", Some((Stored::Bool, Little))),
            ("<b1", Some((Stored::Bool, Little))),
            ("|?", Some((Stored::Bool, Little))),
            (">i8", Some((Stored::I64, Big))),
            ("u8", Some((Stored::U64, Little))),
            ("|f4", None),
            ("|O", None),
            ("<c8", None),
            ("<U4", None),
            ("<f16", None),
            ("<", None),
            ("", None),
            ("é4", None),
        ] {
            assert_eq!(dtype(descr), expected, "{descr}");
        }
    }

    #[test]
    fn written_header_is_aligned_and_parses() {
        for (stored, shape) in [
            (Stored::I32, &[1, 1][..]),
            (Stored::F32, &[1000, 10]),
            (Stored::U64, &[7]),
            (Stored::Bool, &[usize::MAX, usize::MAX]),
        ] {
            let mut bytes = Vec::new();
            write_header(&mut bytes, stored, shape).unwrap();
            assert_eq!(bytes.len() % ALIGN, 0);
            assert_eq!(bytes[8..10], ((bytes.len() - 10) as u16).to_le_bytes());
            assert_eq!(bytes.last(), Some(&b'\n'));
            let text = str::from_utf8(&bytes[10..]).unwrap();
            let shape: Vec<u64> = shape.iter().map(|length| *length as u64).collect();
            assert_eq!(parse(text), header(descr(stored), false, &shape));
            assert_eq!(dtype(descr(stored)), Some((stored, ByteOrder::Little)));
        }
    }
}
