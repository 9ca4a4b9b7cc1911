//! Error messages have the fault, its place, the expected value and the value found.

use std::fmt::Display;

use vex_format::{Field, OpenError, Tag, VerifyError, WriteError};
use vex_graph::{Element, Metric, OutOfMemory, ParamsError, ViewError};

fn assert_says<E: Display>(messages: &[(E, &str)]) {
    for (error, message) in messages {
        assert_eq!(error.to_string(), *message);
    }
}

#[test]
fn open_errors_say_what_is_wrong_and_where() {
    let (expected, found) = (0xA, 0xBEEF);
    let field = |field, expected| OpenError::Field { field, offset: 68, expected, found: 7 };
    let order = |expected| OpenError::SectionOrder { offset: 160, expected, found: Tag::links(1) };
    assert_says(&[
        (OpenError::BigEndianHost, "an index cannot be searched in place on a big-endian machine"),
        (
            OpenError::Magic { found: *b"PK\x03\x04\0\0\0\0" },
            "not a Vex index: expected the magic bytes of one, found [50, 4b, 03, 04, 00, 00, 00, 00]",
        ),
        (
            OpenError::TooShort { expected: 144, found: 9 },
            "the file is cut off: expected at least 144 bytes, found 9",
        ),
        (
            OpenError::Version { expected: 1, found: 2 },
            "expected a file of format version 1, found version 2",
        ),
        (
            OpenError::HeaderChecksum { expected, found },
            "the header is damaged: expected checksum 0000000a, found 0000beef",
        ),
        (
            OpenError::TableChecksum { expected, found },
            "the section table is damaged: expected checksum 0000000a, found 0000beef",
        ),
        (
            OpenError::MetaChecksum { expected, found },
            "the build parameters are damaged: expected checksum 0000000a, found 0000beef",
        ),
        (
            OpenError::Features { found: 1 << 20 },
            "the file needs a newer version of Vex: unknown feature bits 0x00100000",
        ),
        (field(Field::Stride, (16, 16)), "vector stride at byte 68: expected 16, found 7"),
        (field(Field::Levels, (1, 8)), "number of levels at byte 68: expected 1 to 8, found 7"),
        (OpenError::Length { expected: 9, found: 8 }, "the file is cut off: expected 9 bytes, found 8"),
        (OpenError::Length { expected: 9, found: 10 }, "the file is too long: expected 9 bytes, found 10"),
        (
            OpenError::Misaligned { expected: 64, found: 8 },
            "expected bytes on a multiple of 64, found them 8 beyond one",
        ),
        (
            OpenError::Trailer { offset: 640, expected: [1; 16], found: [0; 16] },
            "the file was not written to its end: its trailer at byte 640 is not its header's",
        ),
        (order(Some(Tag::KEYS)), "section table at byte 160: expected section KEYS, found LNK1"),
        (order(None), "section table at byte 160: expected no more sections, found LNK1"),
        (
            OpenError::UnknownSection { offset: 160, found: Tag(*b"NE\0W") },
            "the file needs a newer version of Vex: unknown section NE\\x00W at byte 160",
        ),
        (OpenError::MissingSection { expected: Tag::META }, "section META is missing"),
        (OpenError::TooLarge { offset: 136 }, "the size at byte 136 is more than this machine can address"),
        (
            ViewError::Coded { found: Element::I8 }.into(),
            "expected codes of f32 or f16 vectors, found vectors of i8",
        ),
    ]);
    assert_eq!(format!("{:?}", Tag::VECTORS), "Tag(VECS)");
}

#[test]
fn every_field_has_a_name_of_its_own() {
    let fields = [
        (Field::HeaderLength, "header length"),
        (Field::Codes, "features of the codes"),
        (Field::AlignLog2, "binary logarithm of the alignment"),
        (Field::BlockLog2, "binary logarithm of the block size"),
        (Field::SectionCount, "number of sections"),
        (Field::FileLength, "file length"),
        (Field::Dim, "dimension"),
        (Field::Stride, "vector stride"),
        (Field::Count, "number of vectors"),
        (Field::Element, "element code"),
        (Field::Metric, "metric code"),
        (Field::Kind, "index kind"),
        (Field::Levels, "number of levels"),
        (Field::M, "m"),
        (Field::M0, "m0"),
        (Field::Entry, "entry point"),
        (Field::LevelCount, "number of nodes of a level"),
        (Field::SectionFlags, "section flags"),
        (Field::SectionOffset, "section offset"),
        (Field::SectionLength, "section length"),
        (Field::SectionElementSize, "element size of a section"),
        (Field::EfConstruction, "ef_construction"),
        (Field::BuildFlags, "build flags"),
        (Field::Reserved, "reserved bytes"),
    ];
    assert_says(&fields);
}

#[test]
fn verify_errors_say_what_is_wrong_and_where() {
    let (level, node) = (1, 7);
    assert_says(&[
        (
            VerifyError::Checksum { section: Tag::KEYS, offset: 640, expected: 0xA, found: 0xBEEF },
            "section KEYS at byte 640 is damaged: expected checksum 0000000a, found 0000beef",
        ),
        (VerifyError::Padding { offset: 632, found: 3 }, "padding at byte 632: expected zero, found 3"),
        (
            VerifyError::VectorPadding { node, position: 5 },
            "vector 7: expected zero padding, found something else at position 5",
        ),
        (
            VerifyError::NotFinite { node, position: 5 },
            "vector 7: expected finite elements, found NaN or infinity at position 5",
        ),
        (
            VerifyError::ZeroVector { node },
            "vector 7: expected a direction for the cosine metric, found all zeros",
        ),
        (
            VerifyError::NotUnitLength { node, found: 1.5 },
            "vector 7: expected unit length for the cosine metric, found 1.5 squared",
        ),
        (VerifyError::Terms { node }, "code 7: expected finite terms, found NaN or infinity"),
        (
            VerifyError::Mean { position: 5 },
            "mean: expected finite elements, found NaN or infinity at position 5",
        ),
        (VerifyError::Tombstone { expected: 5, found: 6 }, "tombstones: expected ids below 5, found 6"),
        (VerifyError::NoTombstones, "tombstones: expected at least one, found none"),
        (
            VerifyError::Copies { node, found: [3, 8] },
            "node 7: expected its place in a chain of copies, found 3 after it and 8 before it",
        ),
        (VerifyError::LinkedCopy { node }, "node 7: expected no links of a copy, found some"),
        (
            VerifyError::UnequalCopy { node, previous: 3 },
            "node 7: expected the vector of node 3, of which it is a copy",
        ),
        (VerifyError::NoCopies, "copies: expected at least one, found none"),
        (
            VerifyError::Link { level, node, expected: 8, found: 9 },
            "node 7 on level 1: expected links to ids below 8, found 9",
        ),
        (
            VerifyError::LinkAfterEnd { level, node, found: 3 },
            "node 7 on level 1: expected no link after the end of its row, found 3",
        ),
        (VerifyError::SelfLink { level, node }, "node 7 on level 1 links to itself"),
        (VerifyError::DuplicateLink { level, node, found: 3 }, "node 7 on level 1 links to 3 twice"),
    ]);
}

#[test]
fn write_errors_say_what_is_wrong() {
    assert_says(&[
        (ParamsError::M { found: 3 }.into(), "m: expected 4 to 512, found 3"),
        (WriteError::M { expected: 16, found: 8 }, "m: expected 16 as in the graph, found 8"),
        (WriteError::Keys { expected: 3, found: 2 }, "expected 3 keys, found 2"),
        (WriteError::NoVectors, "an index without codes must keep its vectors"),
        (WriteError::Element { found: Element::U8 }, "f16: expected vectors of f32, found u8"),
        (
            WriteError::Range { node: 7, position: 5 },
            "vector 7: expected elements of at most 65504 for f16, found a larger one at position 5",
        ),
        (
            WriteError::Terms { node: 7 },
            "vector 7: expected finite correction terms of its code, found NaN or infinity: is it longer than 4.611686018427388e18?",
        ),
        (
            WriteError::Mean { position: 5 },
            "codes: expected a finite mean, found NaN or infinity at position 5",
        ),
        (WriteError::Metric { found: Metric::Hamming }, "the file format has no code for the metric hamming"),
        (WriteError::Entry { expected: 3, found: 4 }, "expected an entry point below 3, found 4"),
        (WriteError::TooLarge, "the file would be longer than a file can be"),
        (OutOfMemory { bytes: 640 }.into(), "could not allocate 640 bytes"),
    ]);
}
