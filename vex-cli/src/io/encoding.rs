//! Numbers as bytes, and the types that they are read as.

use std::fmt::Debug;

use half::f16;

use super::stored::{ByteOrder, Stored};

/// How a stored number becomes a `T`.
#[derive(Debug)]
pub(crate) struct Encoding<T> {
    /// Stored numbers that make a `T`.
    pub(crate) packs: usize,
    /// Elements of a vector that a stored number holds: eight for a byte of bits.
    pub(crate) elements: usize,
    /// Decodes as many numbers as the shorter of both slices has.
    pub(crate) decode: fn(&[u8], &mut [T]),
}

// A derived `Clone` would need a `T` that is `Clone`, too.
impl<T> Clone for Encoding<T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T> Copy for Encoding<T> {}

/// A type as which numbers of a file can be read.
pub(crate) trait FromFile: Copy + Debug + Default + PartialEq + Send + 'static {
    /// The stored types that can be read as this one.
    const ACCEPTED: &'static [Stored];
    /// The stored type of numbers that a file spells as text.
    const TEXT: Stored;

    /// How a stored type is read as this one, if it can be.
    fn encoding(stored: Stored, order: ByteOrder) -> Option<Encoding<Self>>;
}

/// Floats, and integers that `f32` holds exactly. `f64` is rounded.
impl FromFile for f32 {
    const ACCEPTED: &'static [Stored] =
        &[Stored::F32, Stored::F16, Stored::F64, Stored::I8, Stored::U8, Stored::I16, Stored::U16];
    const TEXT: Stored = Stored::F32;

    fn encoding(stored: Stored, order: ByteOrder) -> Option<Encoding<f32>> {
        use ByteOrder::{Big, Little};
        let decode: fn(&[u8], &mut [f32]) = match (stored, order) {
            (Stored::F32, Little) => |bytes, out| decode(bytes, out, f32::from_le_bytes),
            (Stored::F32, Big) => |bytes, out| decode(bytes, out, f32::from_be_bytes),
            (Stored::F16, Little) => |bytes, out| decode(bytes, out, |b| f16::from_le_bytes(b).to_f32()),
            (Stored::F16, Big) => |bytes, out| decode(bytes, out, |b| f16::from_be_bytes(b).to_f32()),
            (Stored::F64, Little) => |bytes, out| decode(bytes, out, |b| f64::from_le_bytes(b) as f32),
            (Stored::F64, Big) => |bytes, out| decode(bytes, out, |b| f64::from_be_bytes(b) as f32),
            (Stored::I8, _) => |bytes, out| decode(bytes, out, |b| f32::from(i8::from_le_bytes(b))),
            (Stored::U8, _) => |bytes, out| decode(bytes, out, |[b]: [u8; 1]| f32::from(b)),
            (Stored::I16, Little) => |bytes, out| decode(bytes, out, |b| f32::from(i16::from_le_bytes(b))),
            (Stored::I16, Big) => |bytes, out| decode(bytes, out, |b| f32::from(i16::from_be_bytes(b))),
            (Stored::U16, Little) => |bytes, out| decode(bytes, out, |b| f32::from(u16::from_le_bytes(b))),
            (Stored::U16, Big) => |bytes, out| decode(bytes, out, |b| f32::from(u16::from_be_bytes(b))),
            _ => return None,
        };
        Some(plain(decode))
    }
}

impl FromFile for i8 {
    const ACCEPTED: &'static [Stored] = &[Stored::I8];
    const TEXT: Stored = Stored::I8;

    fn encoding(stored: Stored, _: ByteOrder) -> Option<Encoding<i8>> {
        (stored == Stored::I8).then(|| plain(|bytes, out| decode(bytes, out, i8::from_le_bytes)))
    }
}

impl FromFile for u8 {
    const ACCEPTED: &'static [Stored] = &[Stored::U8];
    const TEXT: Stored = Stored::U8;

    fn encoding(stored: Stored, _: ByteOrder) -> Option<Encoding<u8>> {
        (stored == Stored::U8).then(|| plain(|bytes, out| decode(bytes, out, u8::from_le_bytes)))
    }
}

/// Bits in words of 64: bytes of eight as `numpy.packbits` packs them, or one `bool` for each. The
/// last word is filled with zeros.
impl FromFile for u64 {
    const ACCEPTED: &'static [Stored] = &[Stored::U8, Stored::Bool];
    const TEXT: Stored = Stored::U8;

    fn encoding(stored: Stored, _: ByteOrder) -> Option<Encoding<u64>> {
        match stored {
            Stored::U8 => Some(Encoding { packs: 8, elements: 8, decode: pack_bytes }),
            Stored::Bool => Some(Encoding { packs: 64, elements: 1, decode: pack_bools }),
            _ => None,
        }
    }
}

/// Whole numbers, such as keys and ids. `i128` holds those of all types, so signs and widths are
/// checked after decoding.
impl FromFile for i128 {
    const ACCEPTED: &'static [Stored] = &[Stored::U64, Stored::I64, Stored::U32, Stored::I32];
    const TEXT: Stored = Stored::I64;

    fn encoding(stored: Stored, order: ByteOrder) -> Option<Encoding<i128>> {
        use ByteOrder::{Big, Little};
        let decode: fn(&[u8], &mut [i128]) = match (stored, order) {
            (Stored::U64, Little) => |bytes, out| decode(bytes, out, |b| u64::from_le_bytes(b).into()),
            (Stored::U64, Big) => |bytes, out| decode(bytes, out, |b| u64::from_be_bytes(b).into()),
            (Stored::I64, Little) => |bytes, out| decode(bytes, out, |b| i64::from_le_bytes(b).into()),
            (Stored::I64, Big) => |bytes, out| decode(bytes, out, |b| i64::from_be_bytes(b).into()),
            (Stored::U32, Little) => |bytes, out| decode(bytes, out, |b| u32::from_le_bytes(b).into()),
            (Stored::U32, Big) => |bytes, out| decode(bytes, out, |b| u32::from_be_bytes(b).into()),
            (Stored::I32, Little) => |bytes, out| decode(bytes, out, |b| i32::from_le_bytes(b).into()),
            (Stored::I32, Big) => |bytes, out| decode(bytes, out, |b| i32::from_be_bytes(b).into()),
            _ => return None,
        };
        Some(plain(decode))
    }
}

fn plain<T>(decode: fn(&[u8], &mut [T])) -> Encoding<T> {
    Encoding { packs: 1, elements: 1, decode }
}

fn decode<T, const N: usize>(bytes: &[u8], out: &mut [T], one: impl Fn([u8; N]) -> T) {
    let (numbers, _) = bytes.as_chunks();
    for (out, number) in out.iter_mut().zip(numbers) {
        *out = one(*number);
    }
}

fn pack_bytes(bytes: &[u8], words: &mut [u64]) {
    for (word, bytes) in words.iter_mut().zip(bytes.chunks(8)) {
        let mut whole = [0; 8];
        whole[..bytes.len()].copy_from_slice(bytes);
        *word = u64::from_le_bytes(whole);
    }
}

/// In the order of `numpy.packbits`, whose first element is the highest bit of a byte. So vectors of
/// bools and packed ones can be compared.
fn pack_bools(bools: &[u8], words: &mut [u64]) {
    for (word, bools) in words.iter_mut().zip(bools.chunks(64)) {
        let mut whole = [0_u8; 8];
        for (byte, bools) in whole.iter_mut().zip(bools.chunks(8)) {
            *byte = bools.iter().zip((0..8).rev()).map(|(bool, bit)| u8::from(*bool != 0) << bit).sum();
        }
        *word = u64::from_le_bytes(whole);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ByteOrder::{Big, Little};

    fn first<T: FromFile>(stored: Stored, order: ByteOrder, bytes: &[u8]) -> T {
        assert_eq!(bytes.len(), stored.size(), "{stored}");
        let mut out = [T::default()];
        (T::encoding(stored, order).unwrap().decode)(bytes, &mut out);
        let [value] = out;
        value
    }

    #[test]
    fn every_encoding_decodes_its_own_bytes() {
        assert_eq!(first::<f32>(Stored::F32, Little, &1.5_f32.to_le_bytes()), 1.5);
        assert_eq!(first::<f32>(Stored::F32, Big, &1.5_f32.to_be_bytes()), 1.5);
        assert_eq!(first::<f32>(Stored::F16, Little, &f16::from_f32(-0.25).to_le_bytes()), -0.25);
        assert_eq!(first::<f32>(Stored::F16, Big, &f16::from_f32(-0.25).to_be_bytes()), -0.25);
        assert_eq!(first::<f32>(Stored::F64, Little, &0.1_f64.to_le_bytes()), 0.1);
        assert_eq!(first::<f32>(Stored::F64, Big, &0.1_f64.to_be_bytes()), 0.1);
        assert_eq!(first::<f32>(Stored::U8, Little, &[255]), 255.0);
        assert_eq!(first::<f32>(Stored::I8, Big, &[0x80]), -128.0);
        assert_eq!(first::<f32>(Stored::I16, Little, &(-300_i16).to_le_bytes()), -300.0);
        assert_eq!(first::<f32>(Stored::I16, Big, &(-300_i16).to_be_bytes()), -300.0);
        assert_eq!(first::<f32>(Stored::U16, Little, &60_000_u16.to_le_bytes()), 60_000.0);
        assert_eq!(first::<f32>(Stored::U16, Big, &60_000_u16.to_be_bytes()), 60_000.0);
        assert_eq!(first::<u8>(Stored::U8, Little, &[255]), 255);
        assert_eq!(first::<i8>(Stored::I8, Little, &[0x80]), -128);
        assert_eq!(first::<i128>(Stored::I32, Little, &(-2_i32).to_le_bytes()), -2);
        assert_eq!(first::<i128>(Stored::I32, Big, &(-2_i32).to_be_bytes()), -2);
        assert_eq!(first::<i128>(Stored::U32, Little, &u32::MAX.to_le_bytes()), i128::from(u32::MAX));
        assert_eq!(first::<i128>(Stored::U32, Big, &7_u32.to_be_bytes()), 7);
        assert_eq!(first::<i128>(Stored::U64, Little, &u64::MAX.to_le_bytes()), i128::from(u64::MAX));
        assert_eq!(first::<i128>(Stored::U64, Big, &7_u64.to_be_bytes()), 7);
        assert_eq!(first::<i128>(Stored::I64, Little, &(-7_i64).to_le_bytes()), -7);
        assert_eq!(first::<i128>(Stored::I64, Big, &i64::MIN.to_be_bytes()), i128::from(i64::MIN));
    }

    #[test]
    fn accepted_types_are_those_that_have_an_encoding() {
        fn check<T: FromFile>() {
            use Stored::*;
            for stored in [F16, F32, F64, Bool, I8, U8, I16, U16, I32, U32, I64, U64] {
                assert_eq!(T::ACCEPTED.contains(&stored), T::encoding(stored, Little).is_some(), "{stored}");
                assert_eq!(T::ACCEPTED.contains(&stored), T::encoding(stored, Big).is_some(), "{stored}");
            }
            assert!(T::ACCEPTED.contains(&T::TEXT));
        }
        check::<f32>();
        check::<i8>();
        check::<u8>();
        check::<u64>();
        check::<i128>();
    }

    #[test]
    fn bits_fill_words_from_their_low_end() {
        let mut words = [u64::MAX; 2];
        pack_bytes(&[1, 0, 0, 0, 0, 0, 0, 0x80, 3], &mut words);
        assert_eq!(words, [1 | 1 << 63, 3]);
    }

    #[test]
    fn bools_are_packed_as_numpy_packs_them() {
        let bools: Vec<u8> = (0..70).map(|bit| u8::from(bit % 3 == 0)).collect();
        let packed: Vec<u8> = bools
            .chunks(8)
            .map(|byte| byte.iter().enumerate().map(|(bit, bool)| bool << (7 - bit)).sum())
            .collect();
        let [mut by_bools, mut by_bytes] = [[u64::MAX; 2]; 2];
        pack_bools(&bools, &mut by_bools);
        pack_bytes(&packed, &mut by_bytes);
        assert_eq!(by_bools, by_bytes);
    }
}
