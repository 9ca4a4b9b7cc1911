//! Tails of vectors without masked loads. Where the vector has a whole register, its last register
//! is loaded again, and the elements that were summed before are masked away.

use super::ops::Integer;

/// A mask of which the last `len` of `N` bytes are set. It is a window on 32 bytes of zeros and 32
/// of ones. `len` is less than `N`, and `N` is a power of two up to 32.
#[inline(always)]
pub(super) fn last_bytes<const N: usize>(len: usize) -> &'static [u8; N] {
    const {
        assert!(N.is_power_of_two() && N <= 32);
    }
    static WINDOW: [u8; 64] = {
        let mut window = [0; 64];
        let mut i = 32;
        while i < 64 {
            window[i] = 0xff;
            i += 1;
        }
        window
    };
    let start = 32 - N + len % N;
    match WINDOW[start..].first_chunk() {
        Some(mask) => mask,
        None => unreachable!(),
    }
}

/// Fewer than sixteen elements, padded with zeros. Two loads that overlap replace a loop over
/// bytes.
#[inline(always)]
pub(super) fn short<T: Integer>(tail: &[T]) -> [u8; 16] {
    let tail: &[u8] = bytemuck::cast_slice(tail);
    let len = tail.len();
    let (low, high) = if let (Some(first), Some(last)) = (tail.first_chunk(), tail.last_chunk()) {
        // Of the last eight bytes, `16 - len` are among the first eight, too. The shift drops them.
        (
            u64::from_le_bytes(*first),
            u64::from_le_bytes(*last).checked_shr(8 * (16 - len as u32)).unwrap_or(0),
        )
    } else if let (Some(first), Some(last)) = (tail.first_chunk(), tail.last_chunk()) {
        let rest = u64::from(u32::from_le_bytes(*last)) >> (8 * (8 - len));
        (u64::from(u32::from_le_bytes(*first)) | rest << 32, 0)
    } else if let (Some(first), Some(last)) = (tail.first_chunk(), tail.last_chunk()) {
        let rest = u32::from(u16::from_le_bytes(*last)) >> (8 * (4 - len));
        (u64::from(u32::from(u16::from_le_bytes(*first)) | rest << 16), 0)
    } else {
        (tail.first().map_or(0, |byte| u64::from(*byte)), 0)
    };
    (u128::from(low) | u128::from(high) << 64).to_le_bytes()
}
