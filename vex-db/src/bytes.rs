//! Bytes of the store: little-endian numbers and short ones, read with checks.
//!
//! A short number takes a byte for each 7 of its bits, the low ones first (LEB128). All but the
//! last byte have the highest bit set.

/// Bytes of the store are not what this crate writes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("damaged")]
pub(crate) struct Damaged;

/// Reads values one after the other.
pub(crate) struct Reader<'b>(&'b [u8]);

impl<'b> Reader<'b> {
    pub(crate) fn new(bytes: &'b [u8]) -> Self {
        Self(bytes)
    }

    pub(crate) fn bytes(&mut self, len: usize) -> Result<&'b [u8], Damaged> {
        let (bytes, rest) = self.0.split_at_checked(len).ok_or(Damaged)?;
        self.0 = rest;
        Ok(bytes)
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], Damaged> {
        let (bytes, rest) = self.0.split_first_chunk().ok_or(Damaged)?;
        self.0 = rest;
        Ok(*bytes)
    }

    pub(crate) fn u8(&mut self) -> Result<u8, Damaged> {
        self.array().map(|[byte]| byte)
    }

    pub(crate) fn u32(&mut self) -> Result<u32, Damaged> {
        self.array().map(u32::from_le_bytes)
    }

    pub(crate) fn u64(&mut self) -> Result<u64, Damaged> {
        self.array().map(u64::from_le_bytes)
    }

    /// A short number.
    pub(crate) fn short(&mut self) -> Result<u64, Damaged> {
        let mut number = 0;
        for shift in (0..u64::BITS).step_by(7) {
            let byte = self.u8()?;
            let bits = u64::from(byte & 0x7F);
            if bits << shift >> shift != bits {
                break;
            }
            number |= bits << shift;
            if byte & 0x80 == 0 {
                return Ok(number);
            }
        }
        Err(Damaged)
    }

    /// Text of a length that precedes it, as a short number.
    pub(crate) fn text(&mut self) -> Result<&'b str, Damaged> {
        let len = usize::try_from(self.short()?).map_err(|_| Damaged)?;
        std::str::from_utf8(self.bytes(len)?).map_err(|_| Damaged)
    }

    pub(crate) fn u32s(&mut self, len: usize) -> Result<Vec<u32>, Damaged> {
        let bytes = self.bytes(len.checked_mul(4).ok_or(Damaged)?)?;
        Ok(bytes
            .chunks_exact(4)
            .map(|bytes| u32::from_le_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]))
            .collect())
    }

    pub(crate) fn u64s(&mut self, len: usize) -> Result<Vec<u64>, Damaged> {
        let mut reader = Self(self.bytes(len.checked_mul(8).ok_or(Damaged)?)?);
        (0..len).map(|_| reader.u64()).collect()
    }

    /// Checks that nothing is left.
    pub(crate) fn end(&self) -> Result<(), Damaged> {
        if self.0.is_empty() { Ok(()) } else { Err(Damaged) }
    }
}

pub(crate) fn put_short(out: &mut Vec<u8>, mut number: u64) {
    while number >= 0x80 {
        out.push(number as u8 | 0x80);
        number >>= 7;
    }
    out.push(number as u8);
}

pub(crate) fn put_text(out: &mut Vec<u8>, text: &str) {
    put_short(out, text.len() as u64);
    out.extend_from_slice(text.as_bytes());
}

/// A vector of f32 as bytes.
pub(crate) fn put_vector(vector: &[f32]) -> Vec<u8> {
    vector.iter().flat_map(|element| element.to_le_bytes()).collect()
}

/// The vector in these bytes, of `dim` elements.
pub(crate) fn read_vector(bytes: &[u8], dim: usize) -> Result<Vec<f32>, Damaged> {
    if bytes.len() != dim * 4 {
        return Err(Damaged);
    }
    let element = |bytes: &[u8]| f32::from_le_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]);
    Ok(bytes.chunks_exact(4).map(element).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn short_numbers_come_back_and_longer_ones_are_refused() {
        for number in (0..64).flat_map(|bit| [(1 << bit) - 1, 1 << bit]).chain([u64::MAX]) {
            let mut bytes = Vec::new();
            put_short(&mut bytes, number);
            assert_eq!(bytes.len(), (64 - number.leading_zeros()).div_ceil(7).max(1) as usize, "{number}");
            let mut reader = Reader::new(&bytes);
            assert_eq!((reader.short(), reader.end()), (Ok(number), Ok(())));
            for cut in 0..bytes.len() {
                assert_eq!(Reader::new(&bytes[..cut]).short(), Err(Damaged));
            }
        }
        let beyond = [0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0x02];
        assert_eq!(Reader::new(&beyond).short(), Err(Damaged));
        assert_eq!(Reader::new(&[0x80; 11]).short(), Err(Damaged));
    }
}
