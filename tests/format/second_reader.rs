//! A reader in Python reads the same from every file as Vex. `reader.py` was written from FORMAT.md
//! alone.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::{Value, json};
use support::coded;
use vex_format::{AlignedBytes, Image, Meta, Writer};
use vex_graph::{Element, Elements, Hnsw, Metric, NodeSet, Params, Quantization};

/// Prints why there is no Python with numpy. With `VEX_REQUIRE_ALL=1` that is a failure.
fn skip(reason: &str) {
    eprintln!("SKIPPED: the second reader cannot run: {reason}");
    assert!(std::env::var("VEX_REQUIRE_ALL").as_deref() != Ok("1"), "{reason}");
}

fn python(arguments: &[&Path]) -> Option<Output> {
    let run = |arguments: &[&Path]| Command::new("python3").args(arguments).output();
    match run(&["-c".as_ref(), "import numpy".as_ref()]) {
        Err(error) => skip(&format!("python3: {error}")),
        Ok(output) if !output.status.success() => skip("python3 has no numpy"),
        Ok(_) => {
            let reader: &Path = concat!(env!("CARGO_MANIFEST_DIR"), "/format/reader.py").as_ref();
            return Some(run(&[&[reader], arguments].concat()).unwrap());
        }
    }
    None
}

fn fixtures() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures");
    let mut files: Vec<_> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    files
}

/// Files with codes beside vectors, from which the reader computes the correction terms again. They
/// have 300 dimensions, so that a rotation has two parts. There are empty files, too, which have a
/// mean.
fn with_codes(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    let pairs = Metric::NUMERIC.into_iter().flat_map(|metric| Quantization::ALL.map(|kind| (metric, kind)));
    let kinds =
        pairs.flat_map(|kind| [(Element::F32, kind, 12), (Element::F16, kind, 12), (Element::F32, kind, 0)]);
    for (element, (metric, quantization), count) in kinds {
        let graph = coded(element, metric, quantization, 300, count, 5);
        let view = graph.view().with_tombstones(NodeSet::new(&[0b10_0100]));
        let keys: Vec<u64> = (0..count as u64).map(|id| u64::MAX - 3 * id).collect();
        let params = *graph.params();
        let meta = Meta::new(params).segment_id([7; 16]).sequence(5);
        let mut bytes = Vec::new();
        let writer = Writer::new(&view, &keys, &meta).unwrap();
        writer
            .write_to(&mut |chunk: &[u8]| {
                bytes.extend_from_slice(chunk);
                Ok::<(), ()>(())
            })
            .unwrap();
        let path = folder.join(format!("{element}-{metric}-{quantization}-{count}.vex"));
        fs::write(&path, bytes).unwrap();
        files.push(path);
    }
    files
}

/// A file of a graph that grew, with copies. One of them is deleted.
fn with_copies(folder: &Path) -> Vec<PathBuf> {
    let params = Params::new().m(4).ef_construction(20);
    let mut graph = Hnsw::new(Metric::SquaredEuclidean, 3, params).unwrap();
    for index in 0..90 {
        graph.insert(&[(index % 7) as f32, 1.0, 2.0]).unwrap();
    }
    [0, 30, 31].into_iter().for_each(|id| graph.delete(id).unwrap());
    let keys: Vec<u64> = (0..90).collect();
    let meta = Meta::new(params).segment_id([7; 16]).sequence(5);
    let mut bytes = Vec::new();
    let mut sink = |chunk: &[u8]| {
        bytes.extend_from_slice(chunk);
        Ok::<(), ()>(())
    };
    Writer::new(&graph.view(), &keys, &meta).unwrap().write_to(&mut sink).unwrap();
    let path = folder.join("copies.vex");
    fs::write(&path, bytes).unwrap();
    vec![path]
}

/// The values that Vex reads, with the names of the format.
fn expected(path: &Path) -> Value {
    let bytes = AlignedBytes::copy_of(&fs::read(path).unwrap()).unwrap();
    let image = Image::open(&bytes).unwrap();
    image.verify().unwrap();
    let (header, params, graph) = (image.header(), image.params(), image.graph());
    let table = image.sections().map(|section| {
        json!({
            "tag": section.tag.to_string(), "offset": section.offset, "length": section.length,
            "size": section.element_size, "checksum": section.checksum,
        })
    });
    let links = (0..header.levels).map(|level| {
        (0..header.level_count[level]).map(|id| graph.links(id, level).to_vec()).collect::<Vec<_>>()
    });
    let mut value = json!({
        "major": header.major, "minor": header.minor, "header_length": 128,
        "compatible": header.compatible, "read_only_compatible": header.read_only_compatible,
        "incompatible": header.incompatible, "align_log2": 6, "block_log2": 16,
        "sections": header.sections, "file_length": header.file_length, "sequence": header.sequence,
        "dim": header.dim, "stride": header.stride, "count": header.count,
        "element": 1 + Element::ALL.iter().position(|element| *element == header.element).unwrap(),
        "metric": 1 + Metric::ALL.iter().position(|metric| *metric == header.metric).unwrap(),
        "kind": 1, "levels": header.levels, "m": header.m, "m0": 2 * header.m, "entry": header.entry,
        "level_count": header.level_count, "table": table.collect::<Vec<_>>(), "keys": image.keys(),
        "links": links.collect::<Vec<_>>(), "tombstones": graph.tombstones().iter().collect::<Vec<_>>(),
        "copies": graph.copies(),
        "ef_construction": params.ef_construction, "build_flags": u8::from(params.keep_pruned),
        "seed": params.seed,
    });
    if header.stores_vectors() {
        let vector = |id| match graph.rows().row(id) {
            Elements::F32(vector) => vector.iter().map(|element| element.to_bits()).collect(),
            Elements::F16(vector) => vector.iter().map(|element| element.to_bits()).collect(),
            Elements::I8(vector) => json!(vector),
            Elements::U8(vector) => json!(vector),
            Elements::Bits(words) => json!(words),
        };
        value["vectors"] = (0..header.count as u32).map(vector).collect();
    }
    value
}

#[test]
fn the_second_reader_finds_what_vex_finds() {
    let folder = tempfile::tempdir().unwrap();
    let files = [fixtures(), with_codes(folder.path()), with_copies(folder.path())].concat();
    assert!(files.len() >= 30, "{files:?}");
    let arguments: Vec<&Path> = files.iter().map(PathBuf::as_path).collect();
    let Some(output) = python(&arguments) else { return };
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let found: Vec<Value> = output
        .stdout
        .split_inclusive(|byte| *byte == b'\n')
        .map(|line| serde_json::from_slice(line).unwrap())
        .collect();
    assert_eq!(found.len(), files.len());
    for (path, found) in files.iter().zip(found) {
        assert_eq!(found, expected(path), "{}", path.display());
    }
    eprintln!("{} files read alike", files.len());
}

#[test]
fn the_second_reader_refuses_damage() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("damaged.vex");
    for at in [9, 50, 140, 400, 2700] {
        let mut bytes = fs::read(&fixtures()[0]).unwrap();
        bytes[at] ^= 1;
        fs::write(&path, &bytes).unwrap();
        let Some(output) = python(&[&path]) else { return };
        assert!(!output.status.success(), "byte {at}");
    }
}
