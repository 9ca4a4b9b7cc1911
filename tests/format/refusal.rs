//! Files that must be refused, each for its own reason. The checksums are right, unless they are
//! the reason.

use support::{Graph, poke, seal, write};
use vex_format::{AlignedBytes, Field, Image, OpenError, Tag, VerifyError};
use vex_graph::{Metric, TERMINATOR};

const HEADER: usize = 128;
const ENTRY: usize = 32;

/// Bytes, their offset, and the contents of the error: the field, its range and its value.
type Case<'a> = (usize, &'a [u8], Field, (u64, u64), u64);

/// Twelve nodes on four levels. The table has seven rows and ends 32 bytes before the first
/// section.
fn file() -> Vec<u8> {
    let graph = Graph::ring(Metric::Cosine, 5, 4, &[3, 2, 2, 1, 1, 1, 0, 0, 0, 0, 0, 0], 12, 1);
    write(&graph.view(), &graph.keys()).to_vec()
}

fn open(bytes: &[u8]) -> Result<(), OpenError> {
    Image::open(&AlignedBytes::copy_of(bytes).unwrap()).map(|image| poke(&image.graph()))
}

fn verify(bytes: &[u8]) -> Result<(), VerifyError> {
    let bytes = AlignedBytes::copy_of(bytes).unwrap();
    let image = Image::open(&bytes).unwrap();
    poke(&image.graph());
    image.verify()
}

/// The file with these bytes at an offset, sealed.
fn with(offset: usize, bytes: &[u8]) -> Vec<u8> {
    let mut file = file();
    file[offset..offset + bytes.len()].copy_from_slice(bytes);
    seal(&mut file);
    file
}

/// The offset of a section.
fn section(file: &[u8], tag: Tag) -> usize {
    let bytes = AlignedBytes::copy_of(file).unwrap();
    let image = Image::open(&bytes).unwrap();
    image.sections().find(|section| section.tag == tag).unwrap().offset as usize
}

/// The file with one more section before the trailer.
fn with_section(tag: &[u8; 4], flags: u32, contents: &[u8]) -> Vec<u8> {
    let mut file = file();
    let trailer = file.len() - 16;
    let entry = HEADER + 7 * ENTRY;
    file[30] = 8;
    file[entry..entry + 4].copy_from_slice(tag);
    file[entry + 4..entry + 8].copy_from_slice(&flags.to_le_bytes());
    file[entry + 8..entry + 16].copy_from_slice(&(trailer as u64).to_le_bytes());
    file[entry + 16..entry + 24].copy_from_slice(&(contents.len() as u64).to_le_bytes());
    file[entry + 24] = 1;
    file.truncate(trailer);
    file.extend_from_slice(contents);
    file.resize(file.len().next_multiple_of(64) + 16, 0);
    let length = file.len() as u64;
    file[32..40].copy_from_slice(&length.to_le_bytes());
    seal(&mut file);
    file
}

#[test]
fn header_fields_out_of_range_are_named() {
    let length = file().len() as u64;
    #[rustfmt::skip]
    let cases: &[Case<'_>] = &[
        (12, &[64], Field::HeaderLength, (128, 128), 64),
        (28, &[7], Field::AlignLog2, (6, 6), 7),
        (29, &[12], Field::BlockLog2, (16, 16), 12),
        (30, &[0], Field::SectionCount, (1, 32), 0),
        (30, &[33], Field::SectionCount, (1, 32), 33),
        (64, &[0], Field::Dim, (1, 65_536), 0),
        (64, &[1, 0, 1], Field::Dim, (1, 65_536), 65_537),
        (68, &[32], Field::Stride, (16, 16), 32),
        (72, &[0xFF; 4], Field::Count, (0, (1 << 31) - 1), u64::from(u32::MAX)),
        (72, &[11], Field::LevelCount, (11, 11), 12),
        (76, &[0], Field::Element, (1, 5), 0),
        (76, &[6], Field::Element, (1, 5), 6),
        (77, &[0], Field::Metric, (1, 3), 0),
        (77, &[4], Field::Metric, (1, 3), 4),
        (78, &[0], Field::Kind, (1, 1), 0),
        (79, &[0], Field::Levels, (1, 8), 0),
        (79, &[9], Field::Levels, (1, 8), 9),
        (80, &[3], Field::M, (4, 512), 3),
        (80, &[1, 2], Field::M, (4, 512), 513),
        (82, &[9], Field::M0, (8, 8), 9),
        (84, &[1], Field::Entry, (0, 0), 1),
        (84, &[0xFF; 4], Field::Entry, (0, 0), u64::from(TERMINATOR)),
        (92, &[13], Field::LevelCount, (1, 12), 13),
        (100, &[0], Field::LevelCount, (1, 3), 0),
        (104, &[1], Field::LevelCount, (0, 0), 1),
    ];
    for (offset, bytes, field, expected, found) in cases {
        let at = if *field == Field::LevelCount { (*offset).max(88) } else { *offset } as u64;
        let error = OpenError::Field { field: *field, offset: at, expected: *expected, found: *found };
        assert_eq!(open(&with(*offset, bytes)), Err(error));
    }
    let shorter = with(32, &(length - 64).to_le_bytes());
    assert_eq!(open(&shorter), Err(OpenError::Length { expected: length - 64, found: length }));
}

#[test]
fn other_versions_and_unknown_features_follow_the_policy() {
    assert_eq!(open(&with(8, &[2])), Err(OpenError::Version { expected: 1, found: 2 }));
    assert_eq!(open(&with(8, &[0])), Err(OpenError::Version { expected: 1, found: 0 }));
    assert_eq!(open(&with(10, &[9])), Ok(()));
    assert_eq!(open(&with(24, &[0, 4])), Err(OpenError::Features { found: 1 << 10 }));
    assert_eq!(open(&with(16, &[0xF8, 0xFF, 0xFF, 0xFF])), Ok(()));
    let read_only = AlignedBytes::copy_of(&with(20, &[1])).unwrap();
    assert!(Image::open(&read_only).unwrap().header().is_read_only());
}

#[test]
fn a_future_version_is_reported_before_its_checksum() {
    let mut file = file();
    file[8] = 2;
    assert_eq!(open(&file), Err(OpenError::Version { expected: 1, found: 2 }));
}

#[test]
fn foreign_and_short_files_have_errors_of_their_own() {
    let file = file();
    let error = OpenError::Magic { found: *b"hello wo" };
    assert_eq!(open(b"hello world"), Err(error));
    assert_eq!(open(b"hi"), Err(OpenError::Magic { found: *b"hi\0\0\0\0\0\0" }));
    assert_eq!(open(b""), Err(OpenError::TooShort { expected: 128, found: 0 }));
    assert_eq!(open(&file[..127]), Err(OpenError::TooShort { expected: 128, found: 127 }));
    let (expected, found) = (file.len() as u64, file.len() as u64 - 1);
    assert_eq!(open(&file[..file.len() - 1]), Err(OpenError::Length { expected, found }));
    let longer = [&file[..], &[0]].concat();
    assert_eq!(open(&longer), Err(OpenError::Length { expected, found: expected + 1 }));
}

#[test]
fn a_file_of_its_own_length_without_a_table_is_too_short() {
    let mut file = file();
    file.truncate(160);
    file[32..40].copy_from_slice(&160_u64.to_le_bytes());
    seal(&mut file);
    let error = open(&file).unwrap_err();
    assert!(matches!(error, OpenError::TooShort { expected: 352, found: 160 }), "{error:?}");
}

#[test]
fn misaligned_bytes_are_refused() {
    let file = file();
    for shift in [1, 4, 32, 63] {
        let mut bytes = AlignedBytes::zeroed(file.len() + shift).unwrap();
        bytes[shift..].copy_from_slice(&file);
        let error = OpenError::Misaligned { expected: 64, found: shift };
        assert_eq!(Image::open(&bytes[shift..]).map(drop), Err(error));
    }
}

#[test]
fn a_layout_refuses_the_bytes_of_another_file() {
    let bytes = AlignedBytes::copy_of(&file()).unwrap();
    let layout = *Image::open(&bytes).unwrap().layout();
    let shorter = &bytes[..bytes.len() - 1];
    let error = OpenError::Length { expected: bytes.len() as u64, found: shorter.len() as u64 };
    assert_eq!(layout.view(shorter).map(drop), Err(error));
    assert_eq!(layout.keys(shorter).map(drop), Err(error));
    assert_eq!(layout.sections(shorter).map(drop), Err(error));
    assert_eq!(layout.image(shorter).map(drop), Err(error));
    assert_eq!(layout.view(&bytes).map(|view| view.count()), Ok(12));
}

#[test]
fn each_damaged_checksum_has_an_error_of_its_own() {
    let mut file = file();
    file[40] ^= 1;
    assert!(matches!(open(&file), Err(OpenError::HeaderChecksum { .. })));
    let trailer = file.len() - 1;
    file[40] ^= 1;
    file[trailer] ^= 1;
    let offset = file.len() as u64 - 16;
    assert!(matches!(open(&file), Err(OpenError::Trailer { offset: at, .. }) if at == offset));
    file[trailer] ^= 1;
    file[HEADER + 5] ^= 1;
    assert!(matches!(open(&file), Err(OpenError::TableChecksum { .. })));
    file[HEADER + 5] ^= 1;
    let meta = section(&file, Tag::META);
    file[meta + 9] ^= 1;
    assert!(matches!(open(&file), Err(OpenError::MetaChecksum { .. })));
}

#[test]
fn sections_stand_in_their_order_once() {
    let (first, second) = (HEADER, HEADER + ENTRY);
    let order = |offset: usize, expected, found| {
        Err(OpenError::SectionOrder { offset: offset as u64, expected, found })
    };
    assert_eq!(open(&with(first, b"KEYS")), order(first, Some(Tag::VECTORS), Tag::KEYS));
    assert_eq!(open(&with(second, b"VECS")), order(second, Some(Tag::KEYS), Tag::VECTORS));
    assert_eq!(open(&with(second, b"LNK7")), order(second, Some(Tag::KEYS), Tag::links(7)));
    let twice = with_section(b"META", 0, &[0; 32]);
    assert_eq!(open(&twice), order(HEADER + 7 * ENTRY, None, Tag::META));
    let error = OpenError::UnknownSection { offset: first as u64, found: Tag(*b"VECX") };
    assert_eq!(open(&with(first, b"VECX")), Err(error));
    // The third row is that of the base links. It now claims to be a section that can be skipped.
    let disguised = with(HEADER + 2 * ENTRY, b"XNK0\x01");
    let expected = Some(Tag::links(0));
    assert_eq!(open(&disguised), order(HEADER + 3 * ENTRY, expected, Tag::links(1)));
}

#[test]
fn a_missing_section_is_named() {
    let file = with(HEADER + 6 * ENTRY, b"XETA\x01");
    assert_eq!(open(&file), Err(OpenError::MissingSection { expected: Tag::META }));
}

#[test]
fn unknown_sections_are_skipped_if_they_may_be() {
    let contents = [7; 100];
    for tag in [b"NEWS", b"LNK8", b"LNK\0"] {
        assert_eq!(open(&with_section(tag, 1, &contents)), Ok(()));
        assert_eq!(verify(&with_section(tag, 1, &contents)), Ok(()));
    }
    let entry = (HEADER + 7 * ENTRY) as u64;
    let error = OpenError::UnknownSection { offset: entry, found: Tag(*b"NEWS") };
    assert_eq!(open(&with_section(b"NEWS", 0, &contents)), Err(error));
    let (field, offset) = (Field::SectionFlags, entry + 4);
    let error = OpenError::Field { field, offset, expected: (0, 1), found: 3 };
    assert_eq!(open(&with_section(b"NEWS", 3, &contents)), Err(error));

    let mut damaged = with_section(b"NEWS", 1, &contents);
    let offset = section(&damaged, Tag(*b"NEWS"));
    damaged[offset] ^= 1;
    let Err(VerifyError::Checksum { section: tag, .. }) = verify(&damaged) else { panic!("verified") };
    assert_eq!(tag, Tag(*b"NEWS"));
}

#[test]
fn table_entries_have_one_value() {
    let file = file();
    let vectors = section(&file, Tag::VECTORS) as u64;
    let most = file.len() as u64 - 16 - vectors;
    #[rustfmt::skip]
    let cases: &[Case<'_>] = &[
        (4, &[1], Field::SectionFlags, (0, 0), 1),
        (8, &[64], Field::SectionOffset, (vectors, vectors), vectors - vectors % 256 + 64),
        (8, &[0xFF; 8], Field::SectionOffset, (vectors, vectors), u64::MAX),
        (16, &[1], Field::SectionLength, (768, 768), 769),
        (16, &[0xFF; 8], Field::SectionLength, (0, most), u64::MAX),
        (24, &[8], Field::SectionElementSize, (4, 4), 8),
    ];
    for (at, bytes, field, expected, found) in cases {
        let offset = HEADER + at;
        let error =
            OpenError::Field { field: *field, offset: offset as u64, expected: *expected, found: *found };
        assert_eq!(open(&with(offset, bytes)), Err(error));
    }
}

#[test]
fn a_gap_before_the_trailer_is_refused() {
    let mut file = file();
    let expected = file.len() as u64;
    file.resize(file.len() + 64, 0);
    file[32..40].copy_from_slice(&(expected + 64).to_le_bytes());
    seal(&mut file);
    let (field, expected, found) = (Field::FileLength, (expected, expected), expected + 64);
    assert_eq!(open(&file), Err(OpenError::Field { field, offset: 32, expected, found }));
}

#[test]
fn build_parameters_out_of_range_are_named() {
    let meta = section(&file(), Tag::META);
    let error = |at: usize, field, expected, found| {
        Err(OpenError::Field { field, offset: (meta + at) as u64, expected, found })
    };
    let ef = (1, u64::from(u32::MAX));
    assert_eq!(open(&with(meta, &[0; 4])), error(0, Field::EfConstruction, ef, 0));
    assert_eq!(open(&with(meta + 4, &[2])), error(4, Field::BuildFlags, (0, 1), 2));
    assert_eq!(open(&with(meta + 24, &[5])), error(24, Field::Reserved, (0, 0), 5));
}

#[test]
fn verify_names_what_breaks_the_rules() {
    let file = file();
    let links = section(&file, Tag::links(0));
    let row = |node: usize, ids: &[u32]| -> Vec<u8> {
        let bytes: Vec<u8> = ids.iter().flat_map(|id| id.to_le_bytes()).collect();
        with(links + 32 * node, &bytes)
    };
    let level = 0;
    let error = VerifyError::Link { level, node: 2, expected: 12, found: 12 };
    assert_eq!(verify(&row(2, &[12])), Err(error));
    assert_eq!(verify(&row(2, &[4, 2])), Err(VerifyError::SelfLink { level, node: 2 }));
    assert_eq!(verify(&row(2, &[4, 5, 4])), Err(VerifyError::DuplicateLink { level, node: 2, found: 4 }));
    let error = VerifyError::LinkAfterEnd { level, node: 2, found: 5 };
    assert_eq!(verify(&row(2, &[4, TERMINATOR, 5])), Err(error));
    // Node 4 exists, but not on level 2.
    let above = with(section(&file, Tag::links(2)), &4_u32.to_le_bytes());
    assert_eq!(verify(&above), Err(VerifyError::Link { level: 2, node: 0, expected: 3, found: 4 }));

    let vectors = section(&file, Tag::VECTORS);
    let element = |node: usize, position: usize, value: f32| {
        verify(&with(vectors + 64 * node + 4 * position, &value.to_le_bytes()))
    };
    assert_eq!(element(3, 2, f32::NAN), Err(VerifyError::NotFinite { node: 3, position: 2 }));
    assert_eq!(element(3, 2, f32::INFINITY), Err(VerifyError::NotFinite { node: 3, position: 2 }));
    assert_eq!(element(3, 5, -0.0), Err(VerifyError::VectorPadding { node: 3, position: 5 }));
    assert!(matches!(element(3, 2, 2.0), Err(VerifyError::NotUnitLength { node: 3, .. })));

    let padding = vectors - 1;
    assert_eq!(verify(&with(padding, &[3])), Err(VerifyError::Padding { offset: padding as u64, found: 3 }));
    let padding = file.len() - 17;
    assert_eq!(verify(&with(padding, &[3])), Err(VerifyError::Padding { offset: padding as u64, found: 3 }));
}

#[test]
fn opening_reads_nothing_but_header_table_parameters_and_trailer() {
    let mut file = file();
    let (first, meta) = (section(&file, Tag::VECTORS), section(&file, Tag::META));
    let trailer = file.len() - 16;
    file[HEADER + 7 * ENTRY..first].fill(0xA5);
    file[first..meta].fill(0xA5);
    file[meta + 32..trailer].fill(0xA5);
    assert_eq!(open(&file), Ok(()));
}
