//! The dictionary of an `.npy` file.

/// The three entries of the dictionary.
#[derive(Debug, PartialEq)]
pub(super) struct Header {
    /// A dtype's name, or the source text of a structured dtype.
    pub(super) descr: String,
    pub(super) fortran_order: bool,
    pub(super) shape: Vec<u64>,
}

/// Parses as much Python as the header needs. An error is the offset at which parsing failed.
pub(super) struct Parser<'a> {
    text: &'a [u8],
    offset: usize,
}

impl<'a> Parser<'a> {
    pub(super) fn new(text: &'a [u8]) -> Self {
        Self { text, offset: 0 }
    }

    pub(super) fn header(mut self) -> Result<Header, usize> {
        let (mut descr, mut fortran_order, mut shape) = (None, None, None);
        self.expect(b'{')?;
        while !self.take(b'}') {
            let key_offset = self.offset;
            let key = self.string()?;
            self.expect(b':')?;
            // A key that comes twice is refused like an unknown one.
            let fresh = match key {
                b"descr" => descr.replace(self.descr()?).is_none(),
                b"fortran_order" => fortran_order.replace(self.boolean()?).is_none(),
                b"shape" => shape.replace(self.shape()?).is_none(),
                _ => false,
            };
            if !fresh {
                return Err(key_offset);
            }
            self.separator(b'}')?;
        }
        self.skip_space();
        match (descr, fortran_order, shape) {
            (Some(descr), Some(fortran_order), Some(shape)) if self.offset == self.text.len() => {
                Ok(Header { descr, fortran_order, shape })
            }
            _ => Err(self.offset),
        }
    }

    /// A string, or the list of a structured dtype, which is kept as text for the error message.
    fn descr(&mut self) -> Result<String, usize> {
        let bytes = if self.peek() == Some(b'[') { self.list()? } else { self.string()? };
        Ok(String::from_utf8_lossy(bytes).into_owned())
    }

    /// Everything up to the bracket that closes this one. Brackets in strings do not count.
    fn list(&mut self) -> Result<&'a [u8], usize> {
        let start = self.offset;
        let mut depth = 0_usize;
        loop {
            match self.peek().ok_or(self.offset)? {
                b'\'' | b'"' => {
                    self.string()?;
                    continue;
                }
                b'[' => depth += 1,
                b']' => depth -= 1,
                _ => {}
            }
            self.offset += 1;
            if depth == 0 {
                return Ok(&self.text[start..self.offset]);
            }
        }
    }

    fn string(&mut self) -> Result<&'a [u8], usize> {
        let quote = self.peek().filter(|byte| matches!(byte, b'\'' | b'"')).ok_or(self.offset)?;
        let start = self.offset + 1;
        let len = self.text[start..].iter().position(|byte| *byte == quote).ok_or(self.offset)?;
        self.offset = start + len + 1;
        Ok(&self.text[start..start + len])
    }

    fn boolean(&mut self) -> Result<bool, usize> {
        self.skip_space();
        for (word, value) in [("True", true), ("False", false)] {
            if self.text[self.offset..].starts_with(word.as_bytes()) {
                self.offset += word.len();
                return Ok(value);
            }
        }
        Err(self.offset)
    }

    fn shape(&mut self) -> Result<Vec<u64>, usize> {
        let mut shape = Vec::new();
        self.expect(b'(')?;
        while !self.take(b')') {
            shape.push(self.integer()?);
            self.separator(b')')?;
        }
        Ok(shape)
    }

    fn integer(&mut self) -> Result<u64, usize> {
        self.skip_space();
        let start = self.offset;
        let mut value = 0_u64;
        while let Some(digit @ b'0'..=b'9') = self.text.get(self.offset) {
            let digit = u64::from(digit - b'0');
            value = value.checked_mul(10).and_then(|tens| tens.checked_add(digit)).ok_or(start)?;
            self.offset += 1;
        }
        if self.offset == start {
            return Err(start);
        }
        // Python 2 wrote long integers with this suffix.
        self.take(b'L');
        Ok(value)
    }

    /// A comma, which may be left out before `close`.
    fn separator(&mut self, close: u8) -> Result<(), usize> {
        if self.take(b',') || self.peek() == Some(close) { Ok(()) } else { Err(self.offset) }
    }

    fn expect(&mut self, byte: u8) -> Result<(), usize> {
        if self.take(byte) { Ok(()) } else { Err(self.offset) }
    }

    fn take(&mut self, byte: u8) -> bool {
        let found = self.peek() == Some(byte);
        self.offset += usize::from(found);
        found
    }

    /// The next byte that is not white space. The parser then stands at it.
    fn peek(&mut self) -> Option<u8> {
        self.skip_space();
        self.text.get(self.offset).copied()
    }

    fn skip_space(&mut self) {
        let rest = &self.text[self.offset..];
        self.offset += rest.len() - rest.trim_ascii_start().len();
    }
}
