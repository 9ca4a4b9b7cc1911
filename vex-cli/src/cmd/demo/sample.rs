//! The definitions of the demo, embedded in the program: see `demo/README.md`.

use std::path::Path;

use crate::io::{FileError, Matrix, VectorFile};

/// One of so many rows is not indexed, but searched for. The first is chosen so that each of the
/// ten nearest definitions of a query is in the index.
const HELD_OUT_EVERY: usize = 50;
const HELD_OUT_FIRST: usize = 22;

/// The definitions to index, and those to search for.
pub(super) struct Sample {
    vectors: Matrix<f32>,
    queries: Matrix<f32>,
    entries: Vec<Entry>,
    query_entries: Vec<Entry>,
}

/// An entry of the dictionary, from one line of text.
#[derive(Clone, Copy)]
pub(super) struct Entry {
    pub(super) part_of_speech: &'static str,
    words: &'static str,
    definition: &'static str,
}

impl Entry {
    /// The first word, if there are several for one thing.
    pub(super) fn word(&self) -> &'static str {
        self.words.split(", ").next().unwrap_or(self.words)
    }

    /// The definition without the quotations that may follow it.
    pub(super) fn meaning(&self) -> &'static str {
        self.definition.split("; \"").next().unwrap_or(self.definition)
    }
}

impl Sample {
    /// Reads the embedded files.
    pub(super) fn load() -> Result<Self, FileError> {
        let read = |name: &str, bytes| VectorFile::embedded_npy(Path::new(name), bytes)?.read_all();
        Ok(Self {
            vectors: read("definitions.f16.npy", include_bytes!("../../../demo/definitions.f16.npy"))?,
            queries: read("queries.f16.npy", include_bytes!("../../../demo/queries.f16.npy"))?,
            entries: entries(include_str!("../../../demo/definitions.tsv")),
            query_entries: entries(include_str!("../../../demo/queries.tsv")),
        })
    }

    /// Elements of a vector.
    pub(super) fn dim(&self) -> usize {
        self.vectors.dim()
    }

    /// The definitions to index. The key is the number of an entry.
    pub(super) fn indexed(&self) -> impl Iterator<Item = (u64, &[f32])> {
        self.vectors.iter().enumerate().filter(|(row, _)| !is_held_out(*row)).map(|(row, v)| (row as u64, v))
    }

    /// A line for each entry: its words and its definition.
    pub(super) fn lines(&self) -> String {
        self.entries.iter().map(|entry| format!("{}: {}\n", entry.words, entry.definition)).collect()
    }

    /// The entry that is indexed under a key.
    pub(super) fn entry(&self, key: u64) -> Entry {
        self.entries[key as usize]
    }

    /// The chosen queries, with their entries.
    pub(super) fn queries(&self) -> impl ExactSizeIterator<Item = (Entry, &[f32])> {
        self.query_entries.iter().copied().zip(self.queries.iter())
    }

    /// The vectors of all definitions that are not in the index, the chosen queries first.
    pub(super) fn held_out(&self) -> Vec<&[f32]> {
        let rows = self.vectors.iter().enumerate().filter(|(row, _)| is_held_out(*row));
        self.queries.iter().chain(rows.map(|(_, vector)| vector)).collect()
    }
}

fn is_held_out(row: usize) -> bool {
    row % HELD_OUT_EVERY == HELD_OUT_FIRST
}

/// Lines of part of speech, words and definition, separated by tabs.
fn entries(lines: &'static str) -> Vec<Entry> {
    let entry = |line: &'static str| {
        let mut fields = line.split('\t');
        let mut next = || fields.next().unwrap_or_default();
        Entry { part_of_speech: next(), words: next(), definition: next() }
    };
    lines.lines().map(entry).collect()
}

#[cfg(test)]
mod tests {
    use std::ops::ControlFlow;

    use vex::graph::Vectors;
    use vex::{Element, Metric};

    use super::*;

    #[test]
    fn every_vector_has_its_entry() {
        let sample = Sample::load().unwrap();
        assert_eq!(sample.vectors.rows(), sample.entries.len());
        assert_eq!(sample.queries.rows(), sample.query_entries.len());
        assert_eq!(sample.indexed().count() + sample.held_out().len(), sample.entries.len() + 12);
        for entry in sample.entries.iter().chain(&sample.query_entries) {
            assert!(["noun", "verb", "adj", "adv"].contains(&entry.part_of_speech), "{}", entry.words);
            assert!(!entry.words.is_empty() && !entry.definition.is_empty());
        }
    }

    #[test]
    fn word_and_meaning_are_the_first_of_their_fields() {
        let [entry] = entries("verb\tcode, encipher\tmake secret; hide; \"code it\"; \"encode\"")[..] else {
            panic!("one line");
        };
        assert_eq!((entry.word(), entry.meaning()), ("code", "make secret; hide"));
    }

    #[test]
    fn nearest_definitions_of_the_queries_are_indexed() {
        let sample = Sample::load().unwrap();
        let mut vectors = Vectors::new(Element::F32, Metric::Cosine, sample.dim()).unwrap();
        for vector in sample.vectors.iter() {
            vectors.push(vector).unwrap();
        }
        let queries: Vec<&[f32]> = sample.queries.iter().collect();
        let nearest =
            vex::exact_batch(&vectors.rows(), &queries, 10, None, |_| ControlFlow::Continue(())).unwrap();
        assert!(nearest.iter().all(|neighbor| !is_held_out(neighbor.id as usize)));
    }
}
