//! Every field with every boundary value, alone and in pairs, under checksums that fit. Also flips
//! of a few bits anywhere.

use support::{Random, accepted, files, seal};
use vex_format::{AlignedBytes, Image, Tag};

/// The number of random flips, if `VEX_CASES` sets it. Then pairs of fields are tried in every
/// file.
fn cases() -> Option<u64> {
    std::env::var("VEX_CASES").ok().and_then(|cases| cases.parse().ok())
}

/// A number in a file: its offset and its bytes.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Field {
    at: usize,
    width: usize,
    name: &'static str,
}

/// The header, except its two checksums.
const HEADER: [(usize, &str); 32] = [
    (8, "magic"),
    (2, "major"),
    (2, "minor"),
    (4, "header length"),
    (4, "compatible"),
    (4, "read-only compatible"),
    (4, "incompatible"),
    (1, "alignment"),
    (1, "block"),
    (2, "sections"),
    (8, "file length"),
    (8, "segment id"),
    (8, "segment id"),
    (8, "sequence"),
    (4, "dim"),
    (4, "stride"),
    (4, "count"),
    (1, "element"),
    (1, "metric"),
    (1, "kind"),
    (1, "levels"),
    (2, "m"),
    (2, "m0"),
    (4, "entry"),
    LEVEL_COUNT,
    LEVEL_COUNT,
    LEVEL_COUNT,
    LEVEL_COUNT,
    LEVEL_COUNT,
    LEVEL_COUNT,
    LEVEL_COUNT,
    LEVEL_COUNT,
];
const LEVEL_COUNT: (usize, &str) = (4, "level count");
/// A row of the table, except its checksum.
const ENTRY: [(usize, &str); 5] =
    [(4, "tag"), (4, "flags"), (8, "offset"), (8, "length"), (4, "element size")];
const META: [(usize, &str); 5] =
    [(4, "ef_construction"), (4, "build flags"), (8, "seed"), (8, "reserved"), (8, "reserved")];

/// Every number of the header, the table and the build parameters.
fn fields(file: &[u8]) -> Vec<Field> {
    let mut fields = Vec::new();
    let mut put = |mut at: usize, row: &[(usize, &'static str)]| {
        for (width, name) in row {
            fields.push(Field { at, width: *width, name });
            at += width;
        }
    };
    put(0, &HEADER);
    let sections = usize::from(u16::from_le_bytes([file[30], file[31]]));
    (0..sections).for_each(|section| put(128 + 32 * section, &ENTRY));
    put(meta(file), &META);
    fields
}

fn meta(file: &[u8]) -> usize {
    let bytes = AlignedBytes::copy_of(file).unwrap();
    let image = Image::open(&bytes).unwrap();
    image.sections().find(|section| section.tag == Tag::META).unwrap().offset as usize
}

/// Numbers around boundaries that fit into a field and differ from its value.
fn boundaries(file: &[u8], field: Field) -> Vec<u64> {
    let valid = (0..field.width).rev().fold(0, |number, byte| number << 8 | u64::from(file[field.at + byte]));
    let most = u64::MAX >> (64 - 8 * field.width);
    let powers = [7, 8, 15, 16, 31, 32, 63].map(|power| 1_u64 << power);
    let length = file.len() as u64;
    let mut values = vec![0, 1, 2, 63, 64, 65, 128, most, most - 1, most / 2, length, length - 16];
    values.extend(powers.iter().flat_map(|power| [power - 1, *power, power + 1]));
    for near in [1, 16, 32, 64] {
        values.extend([valid.wrapping_add(near), valid.wrapping_sub(near)]);
    }
    values.extend([valid << 1, valid >> 1, !valid]);
    values.iter_mut().for_each(|value| *value &= most);
    values.retain(|value| *value != valid);
    values.sort_unstable();
    values.dedup();
    values
}

fn put(bytes: &mut [u8], field: Field, value: u64) {
    bytes[field.at..field.at + field.width].copy_from_slice(&value.to_le_bytes()[..field.width]);
}

/// Fields that can have another value in a valid file, since no other field determines them. With a
/// larger dimension, zeros of the padding become elements. Signed integers can become unsigned.
const FREE: [&str; 12] = [
    "dim",
    "minor",
    "compatible",
    "read-only compatible",
    "segment id",
    "sequence",
    "element",
    "metric",
    "entry",
    "ef_construction",
    "build flags",
    "seed",
];

#[test]
fn every_field_with_every_boundary_value_is_rejected_or_free() {
    let (mut fields_in_all, mut cases, mut free) = (0, 0, 0);
    for (name, file) in files() {
        let mut bytes = AlignedBytes::copy_of(&file).unwrap();
        let fields = fields(&file);
        fields_in_all += fields.len();
        for field in fields {
            for value in boundaries(&file, field) {
                put(&mut bytes, field, value);
                seal(&mut bytes);
                if accepted(&bytes) {
                    assert!(FREE.contains(&field.name), "{name}: {field:?} of {value}");
                    free += 1;
                }
                cases += 1;
                bytes.copy_from_slice(&file);
            }
        }
    }
    eprintln!("{fields_in_all} fields, {cases} values, of which {free} are as good as the right one");
    assert!(fields_in_all > 3_000 && cases > 100_000 && free > 1_000);
}

#[test]
fn every_pair_of_fields_is_survived() {
    let (mut cases, mut opened) = (0_u64, 0_u64);
    for (_, file) in files().into_iter().step_by(if self::cases().is_some() { 1 } else { 8 }) {
        let mut bytes = AlignedBytes::copy_of(&file).unwrap();
        let fields = fields(&file);
        let values: Vec<_> = fields.iter().map(|field| boundaries(&file, *field)).collect();
        let meta = self::meta(&file)..self::meta(&file) + 32;
        for (index, first) in fields.iter().enumerate() {
            for (second, seconds) in fields[..index].iter().zip(&values) {
                for (a, b) in values[index].iter().flat_map(|a| seconds.iter().map(move |b| (*a, *b))) {
                    put(&mut bytes, *first, a);
                    put(&mut bytes, *second, b);
                    // The contents of other sections did not change, so their checksums fit.
                    if meta.contains(&first.at) || meta.contains(&second.at) {
                        seal(&mut bytes);
                    } else {
                        support::seal_header(&mut bytes);
                    }
                    if Image::open(&bytes).is_ok() {
                        accepted(&bytes);
                        opened += 1;
                    }
                    cases += 1;
                    bytes.copy_from_slice(&file);
                }
            }
        }
    }
    eprintln!("{cases} pairs, of which {opened} open");
    assert!(cases > 10_000_000 && opened > 100_000);
}

#[test]
fn flips_of_two_and_three_bits_are_rejected() {
    let most = cases().unwrap_or(100_000);
    let mut random = Random(11);
    let mut files: Vec<_> =
        files().into_iter().map(|(_, file)| AlignedBytes::copy_of(&file).unwrap()).collect();
    let mut opened = 0;
    for case in 0..most {
        let index = random.below(files.len());
        let bytes = &mut files[index];
        let mut bits = [0; 3];
        for at in 0..2 + (case % 2) as usize {
            // Half of the flips are in the first bytes, which readers check most.
            let bytes = if random.below(2) == 0 { bytes.len() } else { 512.min(bytes.len()) };
            bits[at] = loop {
                let bit = random.below(8 * bytes);
                if !bits[..at].contains(&bit) {
                    break bit;
                }
            };
        }
        let flips = &bits[..2 + (case % 2) as usize];
        flips.iter().for_each(|bit| bytes[bit / 8] ^= 1 << (bit % 8));
        assert!(!accepted(bytes), "file {index}, bits {flips:?}");
        opened += usize::from(Image::open(bytes).is_ok());
        flips.iter().for_each(|bit| bytes[bit / 8] ^= 1 << (bit % 8));
    }
    eprintln!("{most} flips of two and three bits, of which {opened} open without being verified");
    assert!(opened as u64 > most / 10);
}
