//! `vex info`.

use std::io::Write;
use std::path::{Path, PathBuf};

use serde::Serialize;
use vex::graph::{GraphView, NodeId};
use vex::{MappedIndex, Quantization};

use super::{kernels, print_json};
use crate::error::Failure;
use crate::{human, mmap};

/// Show the header, levels and sections of an index
///
/// Prints the header, the levels of the graph and the sections of the file. The header is checked,
/// and the contents are not: see `vex verify`. Links are counted for a sample of the vectors, so
/// the time does not depend on their number. With `--kernels`, prints the instruction set that
/// computes each distance on this machine.
#[derive(Debug, clap::Args)]
#[command(after_long_help = "\
Examples:
  vex info base.vex --json
  vex info --kernels

JSON: one object with every field of the header, levels (nodes, the mean number of links of a node, and of how many \
nodes it is the mean), unreachable (the vectors that no search can come to; null without --all), codes_in_doubt (of a sample of vectors, those whose neighbors only vectors can distinguish; null without codes) and sections (tag, flags, offset and length in bytes, element_size, checksum in hexadecimal).")]
pub(crate) struct Args {
    /// The index
    #[arg(required_unless_present = "kernels")]
    index: Option<PathBuf>,
    /// List the kernels for every element and metric; VEX_SIMD caps the instruction set
    #[arg(long, conflicts_with = "index")]
    kernels: bool,
    /// Read the index into memory first, instead of mapping the file, so that later changes to the
    /// file do not matter
    #[arg(long, conflicts_with = "kernels")]
    load: bool,
    /// Read all vectors: count the links of each, and look for any that no search can reach
    #[arg(long, conflicts_with = "kernels")]
    all: bool,
    /// Print a JSON object
    #[arg(long)]
    json: bool,
}

#[derive(Serialize)]
struct Info {
    major: u16,
    minor: u16,
    compatible: u32,
    read_only_compatible: u32,
    incompatible: u32,
    file_length: u64,
    segment_id: String,
    sequence: u64,
    kind: &'static str,
    metric: &'static str,
    element: &'static str,
    stores_vectors: bool,
    quantization: Option<&'static str>,
    dim: usize,
    stride: usize,
    count: usize,
    /// How many of these are deleted.
    deleted: usize,
    m: usize,
    m0: usize,
    ef_construction: usize,
    seed: u64,
    keep_pruned: bool,
    /// `None` if there are no vectors.
    entry: Option<NodeId>,
    table_checksum: String,
    levels: Vec<Level>,
    /// `None` if it was not asked for.
    unreachable: Option<usize>,
    /// `None` if there are no codes, or no vectors to compare them with.
    codes_in_doubt: Option<CodesInDoubt>,
    sections: Vec<Section>,
}

/// Of a sample of vectors, those that codes leave in doubt, so that searches for them use vectors.
#[derive(Serialize)]
struct CodesInDoubt {
    sampled: usize,
    in_doubt: usize,
}

#[derive(Serialize)]
struct Level {
    level: usize,
    nodes: usize,
    average_degree: f64,
    /// How many nodes were counted for the average.
    sampled: usize,
}

/// The vectors that are searched for, to measure how many codes leave in doubt.
const CODE_SAMPLE: usize = 100;

/// The nodes of a level whose links are counted.
const SAMPLE: usize = 4096;

#[derive(Serialize)]
struct Section {
    tag: String,
    flags: u32,
    offset: u64,
    length: u64,
    element_size: u32,
    checksum: String,
}

pub(crate) fn run(args: &Args, out: &mut dyn Write) -> Result<(), Failure> {
    let Some(path) = &args.index else { return kernels::print(args.json, out) };
    let info = if args.load {
        Info::of(path, &MappedIndex::read(path)?, args.all)?
    } else {
        Info::of(path, &mmap::open(path)?, args.all)?
    };
    if args.json {
        return print_json(out, &info);
    }
    let mut field = |name: &str, value: String| writeln!(out, "{name:<16}{value}");
    field("file", human::path(path))?;
    field("bytes", format!("{} ({})", human::count(info.file_length), human::bytes(info.file_length)))?;
    field("format", format!("{} {}.{}", info.kind, info.major, info.minor))?;
    field("vectors", human::count(info.count as u64))?;
    if info.deleted > 0 {
        field("deleted", human::count(info.deleted as u64))?;
    }
    field("dimensions", format!("{} x {}, in rows of {}", info.dim, info.element, info.stride))?;
    field("stored", if info.stores_vectors { "vectors" } else { "codes alone" }.to_owned())?;
    field("codes", info.quantization.unwrap_or("none").to_owned())?;
    field("metric", info.metric.to_owned())?;
    field("m", format!("{}, on the base {}", info.m, info.m0))?;
    field("ef_construction", info.ef_construction.to_string())?;
    field("seed", info.seed.to_string())?;
    field("keep_pruned", info.keep_pruned.to_string())?;
    field("entry point", info.entry.map_or("none".to_owned(), |entry| entry.to_string()))?;
    field("sequence", info.sequence.to_string())?;
    field("segment id", info.segment_id)?;
    let features = [info.compatible, info.read_only_compatible, info.incompatible];
    field("features", features.map(|bits| format!("{bits:08x}")).join(" "))?;
    field("table checksum", info.table_checksum)?;

    if let Some(CodesInDoubt { sampled, in_doubt }) = info.codes_in_doubt {
        field("codes in doubt", format!("{in_doubt} of a sample of {sampled} vectors"))?;
    }
    if let Some(unreachable) = info.unreachable {
        field("unreachable", human::count(unreachable as u64))?;
    }

    writeln!(out, "\nlevel           nodes  average degree")?;
    for Level { level, nodes, average_degree, sampled } in info.levels.iter().rev() {
        write!(out, "{level:>5}  {:>14}  {average_degree:>14.1}", human::count(*nodes as u64))?;
        if sampled < nodes {
            write!(out, "  of a sample of {}", human::count(*sampled as u64))?;
        }
        writeln!(out)?;
    }
    writeln!(out, "\nsection            offset            length  checksum")?;
    for Section { tag, offset, length, checksum, .. } in &info.sections {
        let (offset, length) = (human::count(*offset), human::count(*length));
        writeln!(out, "{tag:<7}  {offset:>16}  {length:>16}  {checksum}")?;
    }
    Ok(())
}

impl Info {
    fn of<B: AsRef<[u8]>>(path: &Path, index: &MappedIndex<B>, all: bool) -> Result<Self, Failure> {
        let (header, params, graph) = (index.header(), index.params(), index.graph());
        let sections = index.sections().map(|section| Section {
            tag: section.tag.to_string(),
            flags: section.flags,
            offset: section.offset,
            length: section.length,
            element_size: section.element_size,
            checksum: format!("{:08x}", section.checksum),
        });
        let check =
            index.searcher().check_codes(CODE_SAMPLE).map_err(|error| Failure::refused(path, error))?;
        let unreachable = || graph.unreachable().map_err(|error| Failure::refused(path, error));
        Ok(Self {
            major: header.major,
            minor: header.minor,
            compatible: header.compatible,
            read_only_compatible: header.read_only_compatible,
            incompatible: header.incompatible,
            file_length: header.file_length,
            segment_id: header.segment_id.iter().map(|byte| format!("{byte:02x}")).collect(),
            sequence: header.sequence,
            kind: header.kind.name(),
            metric: header.metric.name(),
            element: header.element.name(),
            stores_vectors: header.stores_vectors(),
            quantization: header.quantization.map(Quantization::name),
            dim: header.dim,
            stride: header.stride,
            count: header.count,
            deleted: graph.tombstones().len(),
            m: params.m,
            m0: params.m0(),
            ef_construction: params.ef_construction,
            seed: params.seed,
            keep_pruned: params.keep_pruned,
            entry: graph.entry(),
            table_checksum: format!("{:08x}", header.table_checksum),
            levels: (0..graph.levels().len()).map(|level| Level::of(&graph, level, all)).collect(),
            unreachable: all.then(unreachable).transpose()?,
            codes_in_doubt: (check.sampled > 0)
                .then_some(CodesInDoubt { sampled: check.sampled, in_doubt: check.in_doubt }),
            sections: sections.collect(),
        })
    }
}

impl Level {
    fn of(graph: &GraphView<'_>, level: usize, all: bool) -> Self {
        let nodes = graph.levels()[level].count();
        let sampled = if all { nodes } else { nodes.min(SAMPLE) };
        // In a file, the first nodes are those of the upper levels. The sample is spread over all
        // nodes of the level.
        let ids = (0..sampled as u64).map(|index| (index * nodes as u64 / sampled as u64) as NodeId);
        let links: usize = ids.map(|id| graph.links(id, level).len()).sum();
        Self { level, nodes, average_degree: links as f64 / sampled.max(1) as f64, sampled }
    }
}
