//! The texts that belong to the vectors: a line for each key.

use std::path::Path;

use crate::io::{FileError, read_bytes};

/// Line n belongs to key n.
pub(in crate::cmd) struct Texts {
    text: String,
    /// Where each line ends.
    ends: Vec<usize>,
}

impl Texts {
    /// Reads a regular file of UTF-8. Bytes that are none are shown as a replacement character.
    pub(in crate::cmd) fn read(path: &Path) -> Result<Self, FileError> {
        Ok(Self::of(String::from_utf8_lossy(&read_bytes(path)?).into_owned()))
    }

    /// Reads lines that are in memory.
    pub(in crate::cmd) fn of(text: String) -> Self {
        let mut ends: Vec<_> = text.match_indices('\n').map(|(at, _)| at).collect();
        if !text.is_empty() && !text.ends_with('\n') {
            ends.push(text.len());
        }
        Self { text, ends }
    }

    /// The line of a key, if there is one that says anything. An empty name could not be shown.
    pub(in crate::cmd) fn line(&self, key: u64) -> Option<&str> {
        let index = usize::try_from(key).ok()?;
        let end = *self.ends.get(index)?;
        let start = index.checked_sub(1).map_or(0, |before| self.ends[before] + 1);
        let line = self.text[start..end].trim_end_matches('\r');
        (!line.trim().is_empty()).then_some(line)
    }
}

#[cfg(test)]
mod tests {
    use super::Texts;

    #[test]
    fn each_key_has_its_line() {
        let texts = Texts::of("a\r\n\nb c\n \t\r\nlast".to_string());
        let lines: Vec<_> = (0..6).map(|key| texts.line(key)).collect();
        assert_eq!(lines, [Some("a"), None, Some("b c"), None, Some("last"), None]);
        assert_eq!(Texts::of(String::new()).line(0), None);
        assert_eq!(Texts::of("a\n".to_string()).line(1), None);
    }
}
