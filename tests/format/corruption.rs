//! Every kind of damage is found. No file, however forged, makes a reader panic or run without end.

use support::{Random, accepted, files, seal};
use vex_format::{AlignedBytes, Image};

#[test]
fn truncation_at_every_byte_is_rejected() {
    let mut cases = 0;
    for (name, file) in files() {
        let bytes = AlignedBytes::copy_of(&file).unwrap();
        assert!(accepted(&bytes), "{name}");
        for len in 0..bytes.len() {
            assert!(Image::open(&bytes[..len]).is_err(), "{name}: {len} of {} bytes", bytes.len());
        }
        cases += bytes.len();
    }
    eprintln!("{} files, {cases} truncations", files().len());
    assert!(files().len() >= 40 && cases > 50_000);
}

#[test]
fn a_flip_of_every_bit_is_rejected() {
    let (mut cases, mut opened) = (0, 0);
    for (name, file) in files() {
        let mut bytes = AlignedBytes::copy_of(&file).unwrap();
        for bit in 0..8 * bytes.len() {
            bytes[bit / 8] ^= 1 << (bit % 8);
            assert!(!accepted(&bytes), "{name}: bit {bit}");
            opened += usize::from(Image::open(&bytes).is_ok());
            bytes[bit / 8] ^= 1 << (bit % 8);
        }
        assert!(accepted(&bytes), "{name}");
        cases += 8 * bytes.len();
    }
    eprintln!("{cases} flips, of which {opened} open without being verified");
    assert!(cases > 400_000 && opened > cases / 2);
}

#[test]
fn every_value_of_every_byte_of_header_and_table_is_survived() {
    for (_, file) in files() {
        let mut bytes = AlignedBytes::copy_of(&file).unwrap();
        for at in 0..128 + 6 * 32 {
            for value in 0..=255 {
                bytes[at] = value;
                seal(&mut bytes);
                accepted(&bytes);
                bytes.copy_from_slice(&file);
            }
        }
    }
}

#[test]
fn forged_files_are_survived() {
    let mut random = Random(7);
    for (_, file) in files() {
        let mut bytes = AlignedBytes::copy_of(&file).unwrap();
        let mut opened = 0;
        for _ in 0..6_000 {
            for _ in 0..1 + random.below(4) {
                let width = [1, 1, 4, 8][random.below(4)];
                let at = random.below(bytes.len() - width);
                let value = match random.below(4) {
                    0 => u64::MAX,
                    1 => random.below(64) as u64,
                    2 => 1 << random.below(64),
                    _ => random.next_u64(),
                };
                bytes[at..at + width].copy_from_slice(&value.to_le_bytes()[..width]);
            }
            if random.below(8) > 0 {
                seal(&mut bytes);
            }
            opened += usize::from(Image::open(&bytes).is_ok());
            accepted(&bytes);
            bytes.copy_from_slice(&file);
        }
        // If fewer opened, the forgeries would test little.
        assert!(opened > 300, "{opened} forgeries opened");
    }
}
