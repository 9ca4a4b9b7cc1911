//! `vex get`.

use std::collections::HashMap;
use std::io::Write;
use std::path::PathBuf;

use serde::{Serialize, Serializer};
use vex::Elements;

use super::{print_json, values};
use crate::error::Failure;
use crate::mmap;

/// Print vectors of an index by their keys
///
/// Prints an object for each key, one a line, as the index has the vector. Under cosine, vectors of
/// floats were scaled to unit length. Bits are printed as bytes of eight, as they were read. If one
/// of the keys is not in the index, nothing is printed.
#[derive(Debug, clap::Args)]
#[command(after_long_help = "\
Example:
  vex get base.vex 7 9
  {\"key\":7,\"vector\":[1.0,0.0,0.0]}
  {\"key\":9,\"vector\":[0.7035265,0.7035265,0.10050378]}")]
pub(crate) struct Args {
    /// The index
    index: PathBuf,
    /// The keys
    #[arg(value_name = "KEY", required = true, value_parser = values::key)]
    keys: Vec<u64>,
}

#[derive(Serialize)]
struct Row<'a> {
    key: u64,
    vector: Numbers<'a>,
}

/// The elements of a vector, as numbers.
struct Numbers<'a> {
    elements: Elements<'a>,
    dim: usize,
}

impl Serialize for Numbers<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.elements {
            Elements::F32(vector) => vector.serialize(serializer),
            Elements::F16(vector) => serializer.collect_seq(vector.iter().map(|element| element.to_f32())),
            Elements::I8(vector) => vector.serialize(serializer),
            Elements::U8(vector) => vector.serialize(serializer),
            Elements::Bits(words) => {
                let bytes = words.iter().flat_map(|word| word.to_le_bytes());
                serializer.collect_seq(bytes.take(self.dim.div_ceil(8)))
            }
        }
    }
}

pub(crate) fn run(args: &Args, out: &mut dyn Write) -> Result<(), Failure> {
    let path = &args.index;
    let index = mmap::open(path)?;
    let searcher = index.searcher();
    if !searcher.graph().rows().are_stored() {
        return Err(Failure::NoVectors { path: path.clone() });
    }
    // A file has no table from keys to vectors, so one pass over all keys finds those that were
    // asked for.
    let mut found: HashMap<u64, Option<Elements<'_>>> = args.keys.iter().map(|key| (*key, None)).collect();
    for (key, vector) in searcher.iter() {
        if let Some(place) = found.get_mut(&key) {
            *place = Some(vector);
        }
    }
    let row = |key: &u64| {
        let missing = || Failure::MissingKey { path: path.clone(), key: *key };
        let elements = found.get(key).copied().flatten().ok_or_else(missing)?;
        Ok::<_, Failure>(Row { key: *key, vector: Numbers { elements, dim: index.dim() } })
    };
    let rows = args.keys.iter().map(row).collect::<Result<Vec<_>, _>>()?;
    rows.iter().try_for_each(|row| print_json(out, row))
}
