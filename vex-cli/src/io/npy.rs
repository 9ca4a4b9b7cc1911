//! `.npy`, NumPy's array format: a magic, a version, a Python dictionary, then the elements.
//!
//! The header comes from strangers, so the dictionary is parsed here. The crate `npyz` (0.9.1)
//! allocates whatever length the header claims, and overflows on the product of a claimed shape.
//! Specification: NumPy Enhancement Proposal 1 and `numpy.lib.format`.

mod header;

use std::io::Write;

use header::Parser;

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

fn read_header(source: &mut Source) -> Result<header::Header, FileError> {
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

#[cfg(test)]
mod tests {
    use super::header::Header;
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
