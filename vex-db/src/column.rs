//! The values of one field in one segment, sorted, so that a range of values is a range of nodes.
//!
//! A column has the distinct keys, ascending, and the nodes that have them, sorted by key. A range
//! of keys is found by two binary searches. Its nodes follow each other, so their bits are set at a
//! few nanoseconds each. That serves few distinct keys and many equally well.
//!
//! A range may have most of the nodes. So a column in memory has marks: at every 32nd part of the
//! list, the set of all nodes before. A long range is the difference of the two marks that are
//! nearest to its ends, and the few nodes between the ends and the marks.
//!
//! Bytes of a column, little-endian:
//!
//! ```text
//! u8   0: keys are numbers, 1: keys are texts
//! u32  d: distinct keys        u32  n: nodes
//! d x u32  where each key's nodes end, in the list of nodes
//! numbers: d x u64             texts: d x u32, where each text ends, and the texts
//! n x u32  the nodes, sorted by key, then by number
//! ```

use std::ops::Bound;

use vex::graph::NodeId;

use crate::bits::Bits;
use crate::bytes::{Damaged, Reader};
use crate::{FieldType, Value};

/// A value in a form whose order is that of its field.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Key {
    Number(u64),
    Text(String),
}

const SIGN: u64 = 1 << 63;

impl Key {
    /// The key of a value in a field of this type. `None` if the type does not take the value, or
    /// the field has no keys.
    pub(crate) fn of(value: &Value, kind: FieldType) -> Option<Self> {
        let number = match (kind, value) {
            (FieldType::Text, Value::Text(text)) => return Some(Self::Text(text.clone())),
            (FieldType::Int, Value::Int(int)) => *int as u64 ^ SIGN,
            (FieldType::Bool, Value::Bool(bool)) => u64::from(*bool),
            (FieldType::Float, Value::Float(float)) => float_key(*float)?,
            (FieldType::Float, Value::Int(int)) => float_key(exact(*int)?)?,
            _ => return None,
        };
        Some(Self::Number(number))
    }
}

/// A whole number as a float, if that loses nothing.
pub(crate) fn exact(int: i64) -> Option<f64> {
    let float = int as f64;
    // Beyond the range of i64 the way back saturates, so the bound is compared as well.
    (float as i64 == int && float < i64::MAX as f64).then_some(float)
}

/// A number whose order among `u64` is that of the float. `-0.0` counts as `0.0`.
fn float_key(float: f64) -> Option<u64> {
    let bits = (float + 0.0).to_bits();
    (!float.is_nan()).then_some(if bits & SIGN == 0 { bits | SIGN } else { !bits })
}

/// A range of keys.
#[derive(Clone, Debug)]
pub(crate) enum Range {
    Between(Bound<Key>, Bound<Key>),
    /// Texts that begin with this one.
    Prefix(String),
}

impl Range {
    pub(crate) fn contains(&self, key: &Key) -> bool {
        match self {
            Self::Between(from, to) => {
                let after = match from {
                    Bound::Included(from) => key >= from,
                    Bound::Excluded(from) => key > from,
                    Bound::Unbounded => true,
                };
                let before = match to {
                    Bound::Included(to) => key <= to,
                    Bound::Excluded(to) => key < to,
                    Bound::Unbounded => true,
                };
                after && before
            }
            Self::Prefix(prefix) => matches!(key, Key::Text(text) if text.starts_with(&**prefix)),
        }
    }
}

/// The values of one field in one segment.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Column {
    keys: Keys,
    /// For each key, where its nodes end in `nodes`.
    ends: Vec<u32>,
    nodes: Vec<NodeId>,
    /// `marks[i]` is the set of the first `i * step` nodes. Empty if there are few nodes.
    marks: Vec<Bits>,
    step: usize,
}

/// Parts of the list that have marks at their ends.
const MARKS: usize = 32;

/// A column with fewer nodes has no marks, nor has one with a smaller share of the segment's.
const MARKED_FROM: usize = 4_096;
const MARKED_SHARE: usize = 8;

/// The distinct keys, ascending.
#[derive(Debug, PartialEq)]
enum Keys {
    Numbers(Vec<u64>),
    Texts { ends: Vec<u32>, bytes: String },
}

impl Default for Keys {
    fn default() -> Self {
        Self::Numbers(Vec::new())
    }
}

impl Keys {
    fn len(&self) -> usize {
        match self {
            Self::Numbers(numbers) => numbers.len(),
            Self::Texts { ends, .. } => ends.len(),
        }
    }

    fn text<'k>(ends: &[u32], bytes: &'k str, at: usize) -> &'k str {
        let start = at.checked_sub(1).map_or(0, |before| ends[before]);
        &bytes[start as usize..ends[at] as usize]
    }

    /// How many keys come before the first for which `is_before` fails.
    fn partition(&self, number: impl Fn(u64) -> bool, text: impl Fn(&str) -> bool) -> usize {
        let (mut low, mut high) = (0, self.len());
        while low < high {
            let middle = low + (high - low) / 2;
            let is_before = match self {
                Self::Numbers(numbers) => number(numbers[middle]),
                Self::Texts { ends, bytes } => text(Self::text(ends, bytes, middle)),
            };
            if is_before { low = middle + 1 } else { high = middle }
        }
        low
    }

    /// How many keys are smaller than `key`, or equal to it if `or_equal`.
    fn rank(&self, key: &Key, or_equal: bool) -> usize {
        match key {
            Key::Number(key) => {
                self.partition(|number| number < *key || (or_equal && number == *key), |_| false)
            }
            Key::Text(key) => {
                self.partition(|_| false, |text| text < key.as_str() || (or_equal && text == key.as_str()))
            }
        }
    }
}

impl Column {
    /// The column of these nodes, each at most once.
    pub(crate) fn build(mut rows: Vec<(Key, NodeId)>) -> Self {
        rows.sort_unstable();
        let mut column = Self::default();
        if let Some((Key::Text(_), _)) = rows.first() {
            column.keys = Keys::Texts { ends: Vec::new(), bytes: String::new() };
        }
        let mut rest = rows.iter().peekable();
        while let Some((key, node)) = rest.next() {
            column.nodes.push(*node);
            if rest.peek().is_some_and(|(next, _)| next == key) {
                continue;
            }
            column.ends.push(column.nodes.len() as u32);
            match (&mut column.keys, key) {
                (Keys::Numbers(numbers), Key::Number(number)) => numbers.push(*number),
                (Keys::Texts { ends, bytes }, Key::Text(text)) => {
                    bytes.push_str(text);
                    ends.push(bytes.len() as u32);
                }
                _ => unreachable!("a field has keys of one kind"),
            }
        }
        column
    }

    /// Adds the nodes with keys in a range to a set.
    pub(crate) fn select(&self, range: &Range, bits: &mut Bits) {
        let keys = match range {
            Range::Between(from, to) => {
                let start = match from {
                    Bound::Included(key) => self.keys.rank(key, false),
                    Bound::Excluded(key) => self.keys.rank(key, true),
                    Bound::Unbounded => 0,
                };
                let end = match to {
                    Bound::Included(key) => self.keys.rank(key, true),
                    Bound::Excluded(key) => self.keys.rank(key, false),
                    Bound::Unbounded => self.keys.len(),
                };
                start..end
            }
            Range::Prefix(prefix) => {
                let start = self.keys.partition(|_| false, |text| text < prefix.as_str());
                let end = self
                    .keys
                    .partition(|_| false, |text| text < prefix.as_str() || text.starts_with(prefix.as_str()));
                start..end
            }
        };
        if keys.start < keys.end {
            let start = keys.start.checked_sub(1).map_or(0, |before| self.ends[before]);
            self.select_nodes(start as usize..self.ends[keys.end - 1] as usize, bits);
        }
    }

    /// Adds a range of the list of nodes to a set.
    fn select_nodes(&self, range: std::ops::Range<usize>, bits: &mut Bits) {
        if self.marks.is_empty() || range.len() < 2 * self.step {
            self.nodes[range].iter().for_each(|node| bits.set(*node));
            return;
        }
        let mark = |at: usize| ((at + self.step / 2) / self.step).min(self.marks.len() - 1);
        let (first, last) = (mark(range.start), mark(range.end));
        // The nodes before the end, without those before the start: what is in both is in neither.
        let mut found = self.marks[last].clone();
        found.toggle_all(&self.marks[first]);
        for (mark, at) in [(first, range.start), (last, range.end)] {
            let marked = (mark * self.step).min(self.nodes.len());
            self.nodes[marked.min(at)..marked.max(at)].iter().for_each(|node| found.toggle(*node));
        }
        bits.unite(&found);
    }

    /// The column of a segment with `len` nodes, with marks.
    pub(crate) fn marked(mut self, len: usize) -> Self {
        // A mark has a bit for each node of the segment, so it serves a field that many have.
        if self.nodes.len() >= MARKED_FROM.max(len / MARKED_SHARE) {
            self.step = self.nodes.len().div_ceil(MARKS);
            let mut mark = Bits::none(len);
            self.marks.push(mark.clone());
            for part in self.nodes.chunks(self.step) {
                part.iter().for_each(|node| mark.set(*node));
                self.marks.push(mark.clone());
            }
        }
        self
    }

    /// The column of the nodes in a set alone.
    pub(crate) fn only(&self, nodes: &Bits) -> Self {
        let mut entries = Vec::new();
        for at in 0..self.keys.len() {
            let key = match &self.keys {
                Keys::Numbers(numbers) => Key::Number(numbers[at]),
                Keys::Texts { ends, bytes } => Key::Text(Keys::text(ends, bytes, at).to_owned()),
            };
            let start = at.checked_sub(1).map_or(0, |before| self.ends[before]);
            let kept = self.nodes[start as usize..self.ends[at] as usize]
                .iter()
                .filter(|node| nodes.contains(**node));
            entries.extend(kept.map(|node| (key.clone(), *node)));
        }
        Self::build(entries)
    }

    /// Bytes of memory.
    pub(crate) fn memory(&self) -> usize {
        let keys = match &self.keys {
            Keys::Numbers(numbers) => numbers.capacity() * 8,
            Keys::Texts { ends, bytes } => ends.capacity() * 4 + bytes.capacity(),
        };
        let marks: usize = self.marks.iter().map(Bits::memory).sum();
        keys + marks + (self.ends.capacity() + self.nodes.capacity()) * 4
    }

    pub(crate) fn encode(&self) -> Vec<u8> {
        let mut out = vec![u8::from(matches!(self.keys, Keys::Texts { .. }))];
        let put = |out: &mut Vec<u8>, numbers: &[u32]| {
            numbers.iter().for_each(|number| out.extend_from_slice(&number.to_le_bytes()));
        };
        put(&mut out, &[self.keys.len() as u32, self.nodes.len() as u32]);
        put(&mut out, &self.ends);
        match &self.keys {
            Keys::Numbers(numbers) => {
                numbers.iter().for_each(|number| out.extend_from_slice(&number.to_le_bytes()));
            }
            Keys::Texts { ends, bytes } => {
                put(&mut out, ends);
                out.extend_from_slice(bytes.as_bytes());
            }
        }
        put(&mut out, &self.nodes);
        out
    }

    /// Reads a column of a segment with `len` nodes. Whatever the bytes are, the column can be
    /// used.
    pub(crate) fn decode(bytes: &[u8], len: usize) -> Result<Self, Damaged> {
        let mut reader = Reader::new(bytes);
        let is_text = match reader.u8()? {
            0 => false,
            1 => true,
            _ => return Err(Damaged),
        };
        let (distinct, count) = (reader.u32()? as usize, reader.u32()? as usize);
        let ends = reader.u32s(distinct)?;
        let keys = if is_text {
            let text_ends = reader.u32s(distinct)?;
            let bytes = reader.bytes(text_ends.last().map_or(0, |end| *end as usize))?;
            let bytes = String::from_utf8(bytes.to_vec()).map_err(|_| Damaged)?;
            let are_texts =
                text_ends.is_sorted() && text_ends.iter().all(|end| bytes.is_char_boundary(*end as usize));
            if !are_texts {
                return Err(Damaged);
            }
            Keys::Texts { ends: text_ends, bytes }
        } else {
            Keys::Numbers(reader.u64s(distinct)?)
        };
        let nodes = reader.u32s(count)?;
        reader.end()?;
        let fits = ends.is_sorted()
            && ends.last().map_or(0, |end| *end as usize) == nodes.len()
            && nodes.iter().all(|node| (*node as usize) < len);
        if fits { Ok(Self { keys, ends, nodes, ..Self::default() }) } else { Err(Damaged) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_have_the_order_of_their_values() {
        let floats = [f64::NEG_INFINITY, -1e300, -1.5, -1.0, -5e-324, 0.0, 5e-324, 1.0, 1.5, f64::INFINITY];
        let keys = floats.map(|float| Key::of(&float.into(), FieldType::Float).unwrap());
        assert!(keys.is_sorted_by(|one, other| one < other));
        let zero = |zero: f64| Key::of(&zero.into(), FieldType::Float);
        assert_eq!(zero(-0.0), zero(0.0));
        assert_eq!(zero(f64::NAN), None);
        let ints = [i64::MIN, -1, 0, 1, i64::MAX].map(|int| Key::of(&int.into(), FieldType::Int).unwrap());
        assert!(ints.is_sorted_by(|one, other| one < other));
        assert_eq!(Key::of(&Value::Int(7), FieldType::Float), zero(7.0));
        for lossy in [i64::MAX, i64::MIN + 1, (1 << 53) + 1] {
            assert_eq!(Key::of(&lossy.into(), FieldType::Float), None, "{lossy}");
        }
        assert_eq!(exact(i64::MIN), Some(-(2f64.powi(63))));
    }

    #[test]
    fn ranges_have_the_same_nodes_with_marks_and_without() {
        const LEN: usize = 3 * MARKED_FROM + 1;
        for distinct in [1, 7, 1_000, LEN as u64] {
            // Not all nodes have a key.
            let nodes = (0..LEN as NodeId).filter(|node| node % 11 != 0);
            let key =
                |node: NodeId| Key::Number(u64::from(node).wrapping_mul(0x9E37_79B9_7F4A_7C15) % distinct);
            let column = Column::build(nodes.map(|node| (key(node), node)).collect());
            let marked = Column::decode(&column.encode(), LEN).unwrap().marked(LEN);
            assert_eq!(marked.marks.len(), MARKS + 1);
            for part in 0..=20 {
                for end in part..=21 {
                    let [from, to] = [part, end].map(|part| Key::Number(part * distinct / 20));
                    let range = Range::Between(Bound::Included(from), Bound::Excluded(to));
                    // What is in the set before stays.
                    let (mut one, mut other) = (Bits::none(LEN), Bits::none(LEN));
                    one.set(22);
                    other.set(22);
                    column.select(&range, &mut one);
                    marked.select(&range, &mut other);
                    assert!(one == other, "{distinct} keys, {part} to {end}");
                }
            }
        }
    }

    #[test]
    fn no_bytes_make_a_column_that_panics() {
        let texts = ["", "a", "ä", "a", "zz"].map(|text| Key::Text(text.to_owned()));
        let numbers = [3, 1, 3, 7].map(Key::Number);
        for keys in [texts.to_vec(), numbers.to_vec(), Vec::new()] {
            let column = Column::build(keys.into_iter().zip(0..).collect());
            let bytes = column.encode();
            assert_eq!(Column::decode(&bytes, 5), Ok(column));
            for at in 0..bytes.len() {
                assert_eq!(Column::decode(&bytes[..at], 5), Err(Damaged));
                for change in 1..=255 {
                    let mut bytes = bytes.clone();
                    bytes[at] ^= change;
                    let Ok(column) = Column::decode(&bytes, 5) else { continue };
                    for key in [Key::Number(3), Key::Text("a".to_owned())] {
                        let (from, to) = (Bound::Included(key.clone()), Bound::Excluded(key));
                        column.select(&Range::Between(from, Bound::Unbounded), &mut Bits::none(5));
                        column.select(&Range::Between(Bound::Unbounded, to), &mut Bits::none(5));
                    }
                    column.select(&Range::Prefix("a".to_owned()), &mut Bits::none(5));
                }
            }
        }
    }
}
