//! Numbers, and names of files, for people.

use std::path::Path;
use std::time::Duration;

/// Text on one line without characters that control the terminal, since names of files may come
/// from strangers.
pub(crate) fn printable(text: &str) -> String {
    text.chars().map(|c| if steers(c) { char::REPLACEMENT_CHARACTER } else { c }).collect()
}

/// Whether a character controls the terminal, or changes the direction of the text after it.
pub(crate) fn steers(c: char) -> bool {
    c.is_control() || matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// The name of a file, as [printable] text.
pub(crate) fn path(path: &Path) -> String {
    printable(&path.to_string_lossy())
}

/// The name of a file as shells take it, as [printable] text.
pub(crate) fn argument(path: &Path) -> String {
    let text = self::path(path);
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"/._-+=:,@%".contains(&byte);
    match !text.is_empty() && text.bytes().all(is_plain) {
        true => text,
        false => format!("'{}'", text.replace('\'', r"'\''")),
    }
}

/// With commas between the thousands.
pub(crate) fn count(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// A number and the noun it counts, whose plural ends in an s.
pub(crate) fn plural(number: u64, noun: &str) -> String {
    let ending = if number == 1 { "" } else { "s" };
    format!("{} {noun}{ending}", count(number))
}

/// In decimal units, as disks and networks are measured.
pub(crate) fn bytes(bytes: u64) -> String {
    match bytes {
        0..1_000 => format!("{bytes} B"),
        1_000..1_000_000 => format!("{:.1} kB", bytes as f64 / 1e3),
        1_000_000..1_000_000_000 => format!("{:.1} MB", bytes as f64 / 1e6),
        _ => format!("{:.2} GB", bytes as f64 / 1e9),
    }
}

/// In the unit that leaves one to three digits before the point.
pub(crate) fn time(time: Duration) -> String {
    let seconds = time.as_secs_f64();
    if seconds < 1e-3 {
        format!("{:.0} µs", seconds * 1e6)
    } else if seconds < 1.0 {
        format!("{:.1} ms", seconds * 1e3)
    } else {
        format!("{seconds:.1} s")
    }
}

/// Bytes in a time, in GB/s.
pub(crate) fn rate(bytes: u64, time: Duration) -> String {
    format!("{:.1} GB/s", bytes as f64 / time.as_secs_f64().max(1e-9) / 1e9)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_files_do_not_steer_the_terminal() {
        let name = "a\n\x1b[2J\u{9b}2J\u{202e}b\u{7f} é.vex";
        let expected = "a\u{fffd}\u{fffd}[2J\u{fffd}2J\u{fffd}b\u{fffd} é.vex";
        assert_eq!(path(Path::new(name)), expected);
    }

    #[test]
    fn names_of_files_are_one_argument() {
        for (name, text) in
            [("a/b-1.npy", "a/b-1.npy"), ("a b", "'a b'"), ("it's", r"'it'\''s'"), ("$x", "'$x'")]
        {
            assert_eq!(argument(Path::new(name)), text);
        }
    }

    #[test]
    fn thousands_are_separated() {
        for (number, text) in [(0, "0"), (999, "999"), (1_000, "1,000"), (1_234_567, "1,234,567")] {
            assert_eq!(count(number), text);
        }
        assert_eq!(plural(1, "thread"), "1 thread");
        assert_eq!(plural(2, "thread"), "2 threads");
    }

    #[test]
    fn units_follow_the_size() {
        assert_eq!(bytes(999), "999 B");
        assert_eq!(bytes(1_500), "1.5 kB");
        assert_eq!(bytes(17_040_000), "17.0 MB");
        assert_eq!(bytes(1_540_000_000), "1.54 GB");
        assert_eq!(time(Duration::from_nanos(38_400)), "38 µs");
        assert_eq!(time(Duration::from_micros(2_560)), "2.6 ms");
        assert_eq!(time(Duration::from_millis(1_960)), "2.0 s");
    }
}
