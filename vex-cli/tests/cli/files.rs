//! Vectors in the files that people have, against one file of `f32`.

use crate::support::{Folder, bytes, floats, npy, pipe, vectors};

const ROWS: usize = 60;
const DIM: usize = 8;

fn rows() -> Vec<Vec<u8>> {
    bytes(5, ROWS, DIM)
}

/// A folder with the rows as `.npy` of `f32`, and as an index, whose bytes are returned.
fn prepared() -> (Folder, Vec<u8>) {
    let folder = Folder::new();
    folder.write("base.npy", vectors(&floats(&rows())));
    folder.succeed("build base.npy --output base.vex");
    let index = folder.read("base.vex");
    (folder, index)
}

fn each<T, const N: usize>(rows: &[Vec<u8>], number: impl Fn(u8) -> T, le: impl Fn(T) -> [u8; N]) -> Vec<u8> {
    rows.iter().flatten().flat_map(|byte| le(number(*byte))).collect()
}

fn bin(rows: usize, dim: usize, numbers: &[u8]) -> Vec<u8> {
    [&(rows as u32).to_le_bytes()[..], &(dim as u32).to_le_bytes(), numbers].concat()
}

/// Rows as lines, with this between the numbers.
fn lines(rows: &[Vec<u8>], between: &str) -> String {
    let line = |row: &Vec<u8>| row.iter().map(u8::to_string).collect::<Vec<_>>().join(between);
    rows.iter().map(|row| line(row) + "\n").collect()
}

#[test]
fn every_format_of_floats_gives_the_same_index() {
    let (folder, expected) = prepared();
    let rows = rows();
    let f64s = each(&rows, f64::from, f64::to_le_bytes);
    let named: String = (0..DIM).map(|column| format!(",c{column}")).collect();
    let counted = rows.iter().enumerate().map(|(row, numbers)| {
        let line = numbers.iter().map(|number| format!(",{number}.0")).collect::<String>();
        format!("{row}{line}\n")
    });
    let objects = rows.iter().map(|row| format!("{{\"id\": 1, \"vector\": {row:?}}}\n"));
    let files: [(&str, Vec<u8>); 9] = [
        ("f64.npy", npy("<f8", false, &[ROWS, DIM], &f64s)),
        ("cnpy.npy", npy("f4", false, &[ROWS, DIM], &each(&rows, f32::from, f32::to_le_bytes))),
        ("i2.npy", npy("<i2", false, &[ROWS, DIM], &each(&rows, i16::from, i16::to_le_bytes))),
        ("a.fbin", bin(ROWS, DIM, &each(&rows, f32::from, f32::to_le_bytes))),
        ("a.csv", lines(&rows, ",").into()),
        ("frame.csv", format!("{named}\n{}", counted.collect::<String>()).into()),
        ("a.txt", lines(&rows, " ").into()),
        ("a.jsonl", objects.collect::<String>().into()),
        ("b.jsonl", rows.iter().map(|row| format!("{row:?}\n")).collect::<String>().into()),
    ];
    for (name, bytes) in files {
        folder.write(name, bytes);
        let run = folder.run(&format!("build {name} --output other.vex"));
        let note = if name == "f64.npy" { "note: f64.npy: numbers of f64 are read as f32\n" } else { "" };
        assert_eq!((run.code, &*run.stderr), (Some(0), note), "{name}");
        assert!(folder.read("other.vex") == expected, "{name}");
    }
}

#[test]
fn bytes_and_bits_are_read_as_what_they_are() {
    let folder = Folder::new();
    let rows = rows();
    let numbers = rows.concat();
    folder.write("a.u8bin", bin(ROWS, DIM, &numbers));
    folder.write("a.i8bin", bin(ROWS, DIM, &numbers));
    folder.write("cnpy.npy", npy("<u1", false, &[ROWS, DIM], &numbers));
    folder.write("cnpy-i1.npy", npy("<i1", false, &[ROWS, DIM], &numbers));
    for (name, like, element) in [("a.u8bin", "cnpy.npy", "u8"), ("a.i8bin", "cnpy-i1.npy", "i8")] {
        let report = folder.json(&format!("build {name} --output a.vex --json"));
        assert_eq!(report["element"], element);
        folder.succeed(&format!("build {like} --output b.vex"));
        assert!(folder.read("a.vex") == folder.read("b.vex"), "{name}");
    }
    // One bool for each bit, in the order of numpy.packbits.
    let bools: Vec<u8> =
        numbers.iter().flat_map(|byte| (0..8).rev().map(move |bit| byte >> bit & 1)).collect();
    folder.write("bools.npy", npy("|b1", false, &[ROWS, 8 * DIM], &bools));
    for metric in ["hamming", "jaccard"] {
        folder.succeed(&format!("build bools.npy --output a.vex --metric {metric}"));
        folder.succeed(&format!("build cnpy.npy --output b.vex --metric {metric}"));
        assert!(folder.read("a.vex") == folder.read("b.vex"), "{metric}");
        let bools = folder.succeed("search a.vex --queries bools.npy -k 3");
        assert_eq!(bools, folder.succeed("search a.vex --queries cnpy.npy -k 3"));
    }
    folder.refuse(
        "build bools.npy --output c.vex",
        "bools.npy: vectors of bits have no squared-euclidean distance",
    );
    folder.refuse(
        "build bools.npy --output c.vex --element f32",
        "bools.npy: expected elements of f32, f16, f64, i8, u8, i16 or u16, found bool",
    );
}

#[test]
fn standard_input_is_read_as_a_file() {
    let (folder, expected) = prepared();
    for (format, bytes) in [("npy", folder.read("base.npy")), ("csv", lines(&rows(), ",").into())] {
        let run = pipe(&folder, &format!("build - --format {format} --output other.vex"), &bytes);
        assert_eq!((run.code, &*run.stderr), (Some(0), ""), "{format}");
        assert!(folder.read("other.vex") == expected, "{format}");
    }
    let queries = pipe(&folder, "search base.vex --queries - --format npy -k 2", &folder.read("base.npy"));
    assert_eq!(queries.stdout, folder.succeed("search base.vex --queries base.npy -k 2"));
    let refusal = |arguments: &str, bytes: &[u8]| pipe(&folder, arguments, bytes).stderr;
    assert_eq!(
        refusal("build - --output other.vex", b""),
        "error: standard input: expected --format, since it has no extension\n"
    );
    assert_eq!(
        refusal("build - --format npy --output other.vex", b"12345"),
        "error: standard input: expected a header of at least 6 bytes, found 5 bytes (truncated?)\n"
    );
    let cut = &folder.read("base.npy")[..300];
    let message = refusal("build - --format npy --output other.vex", cut);
    assert!(message.contains(" x 8 f32 rows, found 300 (truncated?)"), "{message}");
    for twice in [
        "gt - --queries - --format npy --output a.npy",
        "tune - --queries - --format npy",
        "bench base.vex --queries - --ground-truth - --format npy",
    ] {
        assert_eq!(
            refusal(twice, b""),
            "error: standard input: expected to be read once, found two inputs named -\n",
            "{twice}"
        );
    }
    folder.refuse(
        "gt base.vex --queries base.npy --on-invalid skip --output a.npy",
        "base.vex: expected no --on-invalid: every vector of an index is valid",
    );
}

#[test]
fn folder_of_files_is_read_in_the_order_of_names() {
    let (folder, expected) = prepared();
    std::fs::create_dir(folder.path("shards")).unwrap();
    let rows = floats(&rows());
    for (name, rows) in [("02.npy", &rows[25..]), ("01.npy", &rows[..25])] {
        folder.write(&format!("shards/{name}"), vectors(rows));
    }
    folder.write("shards/_SUCCESS", "");
    folder.succeed("build shards --output other.vex");
    assert!(folder.read("other.vex") == expected);
    assert!(folder.succeed("gt shards --queries base.npy -k 1 --output a.npy").contains("60 queries"));

    let mut broken = rows[25..].to_vec();
    broken[3][1] = f32::NAN;
    folder.write("shards/02.npy", vectors(&broken));
    let expected = "shards/02.npy: row 3: expected finite elements, found NaN or infinity at position 1";
    folder.refuse("build shards --output other.vex", expected);
    folder.refuse("gt shards --queries base.npy --output a.npy", expected);
    folder.write("shards/02.npy", vectors(&[vec![0.0; 7]]));
    let expected = "shards/02.npy: expected rows of 8 as in shards/01.npy, found rows of 7";
    folder.refuse("build shards --output other.vex", expected);
    // An output among the inputs would be one of them the next time.
    folder.write("shards/02.npy", vectors(&rows[25..]));
    for output in ["build shards --output shards/base.vex", "convert shards shards/02.npy"] {
        let name = output.rsplit(' ').next().unwrap();
        folder.refuse(output, &format!("{name}: cannot be written: it is the input"));
    }
    folder.write("shards/02.npy", "cut");
    let expected = "shards/02.npy: expected a header of at least 6 bytes, found 3 bytes (truncated?)";
    folder.refuse("build shards --output other.vex", expected);
    std::fs::create_dir(folder.path("empty")).unwrap();
    folder.refuse(
        "build empty --output other.vex",
        "empty: expected a folder of files with vectors, found none",
    );
}

#[test]
fn array_of_one_axis_is_one_query() {
    let (folder, _) = prepared();
    folder.write("one.npy", npy("<f4", false, &[DIM], &each(&rows()[..1], f32::from, f32::to_le_bytes)));
    let found = folder.succeed("search base.vex --queries one.npy -k 1");
    assert_eq!(found, "0\t0:0\n");
    folder.refuse("build one.npy --output other.vex", "one.npy: expected a 2-D array, found a 1-D array");
}

#[test]
fn absurd_headers_are_refused() {
    let folder = Folder::new();
    let largest = bin(u32::MAX as usize, u32::MAX as usize, &[]);
    for name in ["a.fbin", "a.u8bin", "a.i8bin", "a.ibin"] {
        folder.write(name, &largest);
        let message = folder.run(&format!("build {name} --output a.vex")).stderr;
        let is_refused = message.contains("more than can be addressed") || message.contains("(truncated?)");
        assert!(is_refused, "{message}");
    }
}

/// Without the feature, the message names it. With it, the files are read: see the tests of formats.
#[test]
#[cfg(not(feature = "formats"))]
fn formats_of_libraries_name_their_feature() {
    let folder = Folder::new();
    for (name, format) in
        [("a.parquet", "parquet"), ("a.arrow", "arrow"), ("a.feather", "arrow"), ("a.h5", "hdf5")]
    {
        folder.write(name, "");
        folder.refuse(
            &format!("build {name} --output a.vex"),
            &format!(
                "{name}: {format} needs the feature formats, which is off: cargo install --path vex-cli --features formats"
            ),
        );
    }
}
