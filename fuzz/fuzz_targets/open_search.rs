//! Bytes from anywhere are opened, searched and verified: no panic, no endless loop.
#![no_main]

use libfuzzer_sys::fuzz_target;
use vex_format::{AlignedBytes, Image};

#[path = "../../tests/support/poke.rs"]
mod poke;
#[path = "../../tests/support/seal.rs"]
mod seal;

fuzz_target!(|input: &[u8]| {
    let mut bytes = AlignedBytes::copy_of(input).expect("inputs are small");
    read(&bytes);
    // A fuzzer does not find checksums.
    seal::seal(&mut bytes);
    read(&bytes);
});

fn read(bytes: &[u8]) {
    if let Ok(image) = Image::open(bytes) {
        poke::poke(&image.graph());
        let _ = image.verify();
    }
}
