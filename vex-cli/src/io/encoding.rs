//! Elements as bytes.

use half::f16;

/// How an element is stored, and how it becomes a `T`.
#[derive(Debug)]
pub(crate) struct Encoding<T> {
    /// Name of the stored type, for messages.
    pub(crate) name: &'static str,
    /// Bytes of an element.
    pub(crate) size: usize,
    /// Elements that make a `T`.
    pub(crate) packs: usize,
    /// Decodes as many elements as the shorter of both slices has.
    pub(crate) decode: fn(&[u8], &mut [T]),
}

// A derived `Clone` would need a `T` that is `Clone`, too.
impl<T> Clone for Encoding<T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T> Copy for Encoding<T> {}

impl Encoding<f32> {
    /// Little-endian `f32`.
    pub(crate) const F32_LE: Self =
        Self { name: "f32", size: 4, packs: 1, decode: |bytes, out| decode(bytes, out, f32::from_le_bytes) };
    /// Big-endian `f32`.
    pub(crate) const F32_BE: Self =
        Self { name: "f32", size: 4, packs: 1, decode: |bytes, out| decode(bytes, out, f32::from_be_bytes) };
    /// Little-endian `f16`, widened.
    pub(crate) const F16_LE: Self = Self {
        name: "f16",
        size: 2,
        packs: 1,
        decode: |bytes, out| decode(bytes, out, |b| f16::from_le_bytes(b).to_f32()),
    };
    /// Big-endian `f16`, widened.
    pub(crate) const F16_BE: Self = Self {
        name: "f16",
        size: 2,
        packs: 1,
        decode: |bytes, out| decode(bytes, out, |b| f16::from_be_bytes(b).to_f32()),
    };
    /// `u8`, read as a number from 0 to 255.
    pub(crate) const WIDE_U8: Self = Self {
        name: "u8",
        size: 1,
        packs: 1,
        decode: |bytes, out| decode(bytes, out, |[b]: [u8; 1]| f32::from(b)),
    };
    /// `i8`, read as a number from −128 to 127.
    pub(crate) const WIDE_I8: Self = Self {
        name: "i8",
        size: 1,
        packs: 1,
        decode: |bytes, out| decode(bytes, out, |b| f32::from(i8::from_le_bytes(b))),
    };
}

impl Encoding<u8> {
    /// `u8`.
    pub(crate) const U8: Self =
        Self { name: "u8", size: 1, packs: 1, decode: |bytes, out| decode(bytes, out, u8::from_le_bytes) };
}

impl Encoding<i8> {
    /// `i8`.
    pub(crate) const I8: Self =
        Self { name: "i8", size: 1, packs: 1, decode: |bytes, out| decode(bytes, out, i8::from_le_bytes) };
}

impl Encoding<u64> {
    /// Bits, eight to a byte, as words of 64. The last word is filled with zeros.
    pub(crate) const BITS: Self = Self { name: "u8", size: 1, packs: 8, decode: pack };
}

fn pack(bytes: &[u8], words: &mut [u64]) {
    for (word, bytes) in words.iter_mut().zip(bytes.chunks(8)) {
        let mut whole = [0; 8];
        whole[..bytes.len()].copy_from_slice(bytes);
        *word = u64::from_le_bytes(whole);
    }
}

impl Encoding<i32> {
    /// Little-endian `i32`.
    pub(crate) const I32_LE: Self =
        Self { name: "i32", size: 4, packs: 1, decode: |bytes, out| decode(bytes, out, i32::from_le_bytes) };
    /// Big-endian `i32`.
    pub(crate) const I32_BE: Self =
        Self { name: "i32", size: 4, packs: 1, decode: |bytes, out| decode(bytes, out, i32::from_be_bytes) };
}

/// `i128` holds every `u64` and every `i64`, so the sign is checked after decoding.
impl Encoding<i128> {
    /// Little-endian `u64`.
    pub(crate) const U64_LE: Self = Self {
        name: "u64",
        size: 8,
        packs: 1,
        decode: |bytes, out| decode(bytes, out, |b| u64::from_le_bytes(b).into()),
    };
    /// Big-endian `u64`.
    pub(crate) const U64_BE: Self = Self {
        name: "u64",
        size: 8,
        packs: 1,
        decode: |bytes, out| decode(bytes, out, |b| u64::from_be_bytes(b).into()),
    };
    /// Little-endian `i64`.
    pub(crate) const I64_LE: Self = Self {
        name: "i64",
        size: 8,
        packs: 1,
        decode: |bytes, out| decode(bytes, out, |b| i64::from_le_bytes(b).into()),
    };
    /// Big-endian `i64`.
    pub(crate) const I64_BE: Self = Self {
        name: "i64",
        size: 8,
        packs: 1,
        decode: |bytes, out| decode(bytes, out, |b| i64::from_be_bytes(b).into()),
    };
}

fn decode<T, const N: usize>(bytes: &[u8], out: &mut [T], one: impl Fn([u8; N]) -> T) {
    let (elements, _) = bytes.as_chunks();
    for (out, element) in out.iter_mut().zip(elements) {
        *out = one(*element);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn first<T: Default>(encoding: Encoding<T>, bytes: &[u8]) -> T {
        assert_eq!(bytes.len(), encoding.size, "{}", encoding.name);
        let mut out = [T::default()];
        (encoding.decode)(bytes, &mut out);
        let [value] = out;
        value
    }

    #[test]
    fn every_encoding_decodes_its_own_bytes() {
        assert_eq!(first(Encoding::F32_LE, &1.5_f32.to_le_bytes()), 1.5);
        assert_eq!(first(Encoding::F32_BE, &1.5_f32.to_be_bytes()), 1.5);
        assert_eq!(first(Encoding::F16_LE, &f16::from_f32(-0.25).to_le_bytes()), -0.25);
        assert_eq!(first(Encoding::F16_BE, &f16::from_f32(-0.25).to_be_bytes()), -0.25);
        assert_eq!(first(Encoding::WIDE_U8, &[255]), 255.0);
        assert_eq!(first(Encoding::WIDE_I8, &[0x80]), -128.0);
        assert_eq!(first(Encoding::U8, &[255]), 255);
        assert_eq!(first(Encoding::I8, &[0x80]), -128);
        assert_eq!(first(Encoding::I32_LE, &(-2_i32).to_le_bytes()), -2);
        assert_eq!(first(Encoding::I32_BE, &(-2_i32).to_be_bytes()), -2);
        assert_eq!(first(Encoding::U64_LE, &u64::MAX.to_le_bytes()), i128::from(u64::MAX));
        assert_eq!(first(Encoding::U64_BE, &7_u64.to_be_bytes()), 7);
        assert_eq!(first(Encoding::I64_LE, &(-7_i64).to_le_bytes()), -7);
        assert_eq!(first(Encoding::I64_BE, &i64::MIN.to_be_bytes()), i128::from(i64::MIN));
    }

    #[test]
    fn bits_fill_words_from_their_low_end() {
        let mut words = [u64::MAX; 2];
        (Encoding::BITS.decode)(&[1, 0, 0, 0, 0, 0, 0, 0x80, 3], &mut words);
        assert_eq!(words, [1 | 1 << 63, 3]);
    }
}
