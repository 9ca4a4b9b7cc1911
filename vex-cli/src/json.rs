//! JSON whose strings hold no character that steers a terminal.

use std::io::{self, Write};

use serde::Serialize;
use serde_json::Serializer;
use serde_json::ser::{CompactFormatter, Formatter};

use crate::human;

/// Writes a document on one line.
pub(crate) fn write_line(out: &mut dyn Write, document: &impl Serialize) -> io::Result<()> {
    document.serialize(&mut Serializer::with_formatter(&mut *out, Escaping))?;
    writeln!(out)
}

/// Escapes what [`human::printable`] replaces. Standard output would drop some of these characters,
/// since it removes colors for programs that read it.
struct Escaping;

impl Formatter for Escaping {
    fn write_string_fragment<W: ?Sized + Write>(&mut self, writer: &mut W, fragment: &str) -> io::Result<()> {
        let mut rest = fragment;
        while let Some(at) = rest.find(human::steers) {
            CompactFormatter.write_string_fragment(writer, &rest[..at])?;
            let mut after = rest[at..].chars();
            // All of them have one unit in UTF-16.
            after.next().map_or(Ok(()), |c| write!(writer, "\\u{:04x}", u32::from(c)))?;
            rest = after.as_str();
        }
        CompactFormatter.write_string_fragment(writer, rest)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_steers_a_terminal_is_escaped_and_read_back() {
        let text = "a\u{7f}\u{9b}2J\u{202e}\u{2069}\n\"é\u{1f600}";
        let mut out = Vec::new();
        write_line(&mut out, &text).unwrap();
        let line = String::from_utf8(out).unwrap();
        assert_eq!(line, "\"a\\u007f\\u009b2J\\u202e\\u2069\\n\\\"é\u{1f600}\"\n");
        assert_eq!(serde_json::from_str::<String>(&line).unwrap(), text);
    }
}
