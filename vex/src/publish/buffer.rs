//! Small writes, collected into large ones.

use std::io::{self, Write};

/// A buffered writer whose memory may fail, unlike that of the standard library. Without memory,
/// every write goes through at once, and the file is the same.
pub(super) struct Buffer<W: Write> {
    to: W,
    bytes: Vec<u8>,
    capacity: usize,
}

impl<W: Write> Buffer<W> {
    pub(super) fn new(capacity: usize, to: W) -> Self {
        let mut bytes = Vec::new();
        let capacity = if bytes.try_reserve_exact(capacity).is_ok() { capacity } else { 0 };
        Self { to, bytes, capacity }
    }

    fn hand_over(&mut self) -> io::Result<()> {
        self.to.write_all(&self.bytes)?;
        self.bytes.clear();
        Ok(())
    }
}

impl<W: Write> Write for Buffer<W> {
    /// Takes all bytes.
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.bytes.len() + bytes.len() > self.capacity {
            self.hand_over()?;
        }
        if bytes.len() > self.capacity {
            self.to.write_all(bytes)?;
        } else {
            self.bytes.extend_from_slice(bytes);
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.hand_over()?;
        self.to.flush()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_arrive_in_order_with_room_and_without() {
        for capacity in [0, 1, 7, 100, usize::MAX] {
            let mut arrived = Vec::new();
            let mut buffer = Buffer::new(capacity, &mut arrived);
            let mut expected = Vec::new();
            for len in [3, 0, 7, 1, 40, 6, 6, 200] {
                let bytes: Vec<u8> = (0..len).map(|byte| byte ^ expected.len() as u8).collect();
                buffer.write_all(&bytes).unwrap();
                expected.extend(bytes);
            }
            buffer.flush().unwrap();
            assert_eq!(arrived, expected, "{capacity}");
        }
    }
}
