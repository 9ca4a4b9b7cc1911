//! A file is read in place, so a host with another byte order refuses it.

use vex_format::{Image, OpenError, include_index};

static INDEX: &[u8] = include_index!("../../tests/fixtures/v1.0-cosine.vex");

#[test]
fn a_big_endian_host_refuses_every_file_and_no_other_does() {
    let found = Image::open(INDEX).map(|image| image.keys()[0]);
    let expected = if cfg!(target_endian = "big") { Err(OpenError::BigEndianHost) } else { Ok(1000) };
    assert_eq!(found, expected);
}
