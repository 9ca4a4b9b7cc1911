//! Bad input gives one line with the reason, exit code 1, and changes no file.

use vex::format::crc32c;

use crate::support::{Folder, bytes, floats, ivecs, npy, vectors};

/// A folder with vectors, queries, their index and ground truth.
fn prepared() -> Folder {
    let folder = Folder::new();
    folder.write("base.npy", vectors(&floats(&bytes(1, 200, 4))));
    folder.write("queries.npy", vectors(&floats(&bytes(2, 10, 4))));
    folder.succeed("build base.npy --output index.vex");
    folder.succeed("gt base.npy --queries queries.npy -k 10 --output truth.npy");
    folder
}

#[test]
fn queries_of_another_dimension() {
    let folder = prepared();
    folder.write("wide.npy", vectors(&[vec![0.0; 5]]));
    let expected = "wide.npy: expected 4 dimensions as in index.vex, found 5";
    folder.refuse("search index.vex --queries wide.npy --output truth.npy", expected);
    folder.refuse("bench index.vex --queries wide.npy --ground-truth truth.npy", expected);
    let expected = "wide.npy: expected 4 dimensions as in base.npy, found 5";
    folder.refuse("gt base.npy --queries wide.npy --output truth.npy", expected);
}

#[test]
fn vectors_that_cannot_be_compared() {
    let folder = prepared();
    let mut rows = floats(&bytes(3, 30, 4));
    rows[17][3] = f32::NAN;
    folder.write("nan.npy", vectors(&rows));
    let expected = "nan.npy: row 17: expected finite elements, found NaN or infinity at position 3";
    folder.refuse("build nan.npy --output index.vex", expected);
    folder.refuse("gt nan.npy --queries queries.npy --output truth.npy", expected);
    folder.refuse("gt base.npy --queries nan.npy --output truth.npy", expected);
    folder.refuse("search index.vex --queries nan.npy --output truth.npy", expected);

    rows[17] = vec![0.0; 4];
    folder.write("zero.npy", vectors(&rows));
    let expected =
        "zero.npy: row 17: expected a vector with a direction for the cosine metric, found all zeros";
    folder.refuse("build zero.npy --output index.vex --metric cosine", expected);
    folder.refuse("gt zero.npy --queries queries.npy --metric cosine --output truth.npy", expected);
    folder.succeed("build zero.npy --output zero.vex");
}

#[test]
fn vectors_that_are_cut_or_empty() {
    let folder = prepared();
    let whole = folder.read("base.npy");
    folder.write("cut.npy", &whole[..whole.len() - 1]);
    let (expected, found) = (whole.len(), whole.len() - 1);
    let expected =
        format!("cut.npy: expected {expected} bytes for 200 x 4 f32 rows, found {found} (truncated?)");
    folder.refuse("build cut.npy --output index.vex", &expected);
    folder.write("empty.npy", "");
    let expected = "empty.npy: expected a header of at least 6 bytes, found 0 bytes (empty)";
    folder.refuse("build empty.npy --output index.vex", expected);
    folder.refuse("search index.vex --queries empty.npy", expected);
    folder.write("none.npy", npy("<f4", false, &[0, 4], &[]));
    let expected = "none.npy: expected at least one row and one column, found 0 x 4";
    folder.refuse("build none.npy --output index.vex", expected);
}

#[test]
fn vectors_of_more_dimensions_than_an_index_has() {
    let folder = prepared();
    folder.write("wide.npy", vectors(&[vec![0.0; 65_537]]));
    let expected = "wide.npy: dimension: expected 1 to 65536, found 65537";
    folder.refuse("build wide.npy --output index.vex", expected);
    folder.refuse("gt wide.npy --queries wide.npy --output truth.npy", expected);
}

#[test]
fn index_of_a_later_version() {
    let folder = prepared();
    let mut index = folder.read("index.vex");
    index[8..10].copy_from_slice(&2_u16.to_le_bytes());
    let checksum = crc32c(&index[..124]);
    index[124..128].copy_from_slice(&checksum.to_le_bytes());
    folder.write("later.vex", index);
    refuse_index(&folder, "later.vex", "later.vex: expected a file of format version 1, found version 2");
}

#[test]
fn file_that_is_no_index() {
    let folder = prepared();
    folder.write("notes.txt", "Remember the milk, and do not forget the eggs.\n");
    let expected = "notes.txt: not a Vex index: expected the magic bytes of one, \
                    found [52, 65, 6d, 65, 6d, 62, 65, 72]; \
                    vex build makes an index of vectors, which then comes before the queries";
    refuse_index(&folder, "notes.txt", expected);
    folder.write("empty.vex", "");
    let expected = "empty.vex: the file is cut off: expected at least 128 bytes, found 0";
    refuse_index(&folder, "empty.vex", expected);
    let expected = "missing.vex: cannot be opened: No such file or directory (os error 2)";
    refuse_index(&folder, "missing.vex", expected);
    std::fs::create_dir(folder.path("folder")).unwrap();
    refuse_index(&folder, "folder", "folder: cannot be opened: is a directory");
}

#[test]
fn index_that_is_cut() {
    let folder = prepared();
    let index = folder.read("index.vex");
    let whole = index.len();
    for len in [128, 4096, whole - 16, whole - 1] {
        folder.write("cut.vex", &index[..len]);
        let expected = format!("cut.vex: the file is cut off: expected {whole} bytes, found {len}");
        refuse_index(&folder, "cut.vex", &expected);
    }
    folder.write("cut.vex", &index[..127]);
    refuse_index(&folder, "cut.vex", "cut.vex: the file is cut off: expected at least 128 bytes, found 127");
}

/// Every command that opens an index refuses it with the same line.
#[track_caller]
fn refuse_index(folder: &Folder, index: &str, expected: &str) {
    folder.refuse(&format!("search {index} --queries queries.npy --output truth.npy"), expected);
    folder.refuse(&format!("bench {index} --queries queries.npy --ground-truth truth.npy"), expected);
    folder.refuse(&format!("info {index}"), expected);
    folder.refuse(&format!("verify {index}"), expected);
}

#[test]
fn damage_is_found_by_verify() {
    let folder = prepared();
    let info = folder.json("info index.vex --json");
    for section in info["sections"].as_array().unwrap() {
        let tag = section["tag"].as_str().unwrap();
        // Opening reads this section, so every command finds the fault.
        if tag == "META" {
            continue;
        }
        let offset = section["offset"].as_u64().unwrap();
        let mut index = folder.read("index.vex");
        index[offset as usize] ^= 1;
        folder.write("damaged.vex", index);
        let stderr = folder.run("verify damaged.vex").stderr;
        let expected = format!(
            "error: damaged.vex: section {tag} at byte {offset} is damaged: expected checksum {}, found ",
            section["checksum"].as_str().unwrap()
        );
        assert!(stderr.starts_with(&expected), "{stderr}");
        assert_eq!(folder.run("verify damaged.vex").code, Some(1));
        folder.succeed("search damaged.vex --queries queries.npy");
    }
}

#[test]
fn unknown_extensions() {
    let folder = prepared();
    folder.write("base.dat", "1,2,3,4\n");
    let expected = "base.dat: unknown extension: expected --format, or one of .npy, .fvecs, .bvecs, .ivecs, .fbin, \
                    .u8bin, .i8bin, .ibin, .csv, .tsv, .txt, .jsonl, .ndjson, .parquet, .arrow, .feather, .ipc, \
                    .hdf5, .h5";
    folder.refuse("build base.dat --output index.vex", expected);
    folder.refuse("search index.vex --queries base.dat", expected);
    folder.refuse("bench index.vex --queries queries.npy --ground-truth base.dat", expected);
    let expected = "base.dat: unknown extension: expected --to, or an extension of a format that is written";
    folder.refuse("convert base.npy base.dat", expected);
    let expected = "base.dat: unknown extension, expected .npy or .txt";
    folder.refuse("build base.npy --keys base.dat --output index.vex", expected);
    let expected = "base.dat: unknown extension, expected .npy, .ivecs or .ibin";
    folder.refuse("gt base.npy --queries queries.npy --output base.dat", expected);
    folder.refuse("search index.vex --queries queries.npy --output base.dat", expected);
}

#[test]
fn keys_that_do_not_name_each_vector() {
    let folder = prepared();
    let lines = |keys: &mut dyn Iterator<Item = u64>| keys.map(|key| format!("{key}\n")).collect::<String>();
    folder.write("twice.txt", lines(&mut (0..200).map(|row| if row == 150 { 7 } else { row })));
    let expected = "twice.txt: expected every key once, found key 7 twice";
    folder.refuse("build base.npy --keys twice.txt --output index.vex", expected);
    folder.write("short.txt", lines(&mut (0..199)));
    let expected = "short.txt: expected 200 keys, one for each vector, found 199";
    folder.refuse("build base.npy --keys short.txt --output index.vex", expected);
}

#[test]
fn keys_that_ids_cannot_hold() {
    let folder = prepared();
    folder
        .write("keys.txt", (0..200).map(|row| format!("{}\n", row + 3_000_000_000_u64)).collect::<String>());
    folder.succeed("build base.npy --keys keys.txt --output wide.vex");
    let arguments = "search wide.vex --queries base.npy -k 1 --output truth.ivecs";
    let expected =
        "wide.vex: expected keys up to 2147483647, which the file of ids can hold, found key 3000000000";
    folder.refuse(arguments, expected);
    // An array has ids of 64 bits if one needs them.
    folder.succeed("search wide.vex --queries base.npy -k 1 --output wide.npy");
    let ids: Vec<u8> = (0..200).flat_map(|row| (row + 3_000_000_000_i64).to_le_bytes()).collect();
    assert!(folder.read("wide.npy").ends_with(&ids));
    folder.succeed("bench wide.vex --queries base.npy -k 1 --ef-search 10 --ground-truth wide.npy");
}

#[test]
fn ground_truth_of_other_queries() {
    let folder = prepared();
    let arguments = "bench index.vex --queries queries.npy --ground-truth other.ivecs";
    folder.write("other.ivecs", ivecs(&vec![vec![0; 10]; 9]));
    folder.refuse(arguments, "other.ivecs: expected 10 rows as in queries.npy, found 9");
    folder.write("other.ivecs", ivecs(&vec![vec![0; 9]; 10]));
    folder.refuse(arguments, "other.ivecs: expected at least 10 ids a row, for k = 10, found 9");
}
