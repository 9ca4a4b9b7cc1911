//! `vex convert`: from one format to another and back, and out of an index.

use std::collections::BTreeSet;

use crate::support::{Folder, bytes, floats, ivecs, npy, read_ivecs, vectors};

/// What `vex convert` writes for `.npy` files has its header in this many bytes.
const HEADER: usize = 128;

fn prepared() -> Folder {
    let folder = Folder::new();
    folder.write("a.npy", vectors(&floats(&bytes(7, 50, 6))));
    folder
}

/// The elements of an `.npy` file.
fn elements(folder: &Folder, name: &str) -> Vec<u8> {
    let bytes = folder.read(name);
    let len = usize::from(u16::from_le_bytes([bytes[8], bytes[9]]));
    bytes[10 + len..].to_vec()
}

#[test]
fn floats_come_back_from_every_format() {
    let folder = prepared();
    let line = folder.succeed("convert a.npy b.fbin");
    assert!(line.starts_with("b.fbin: 50 rows of 6 x f32 as fbin in "), "{line}");
    let formats: &[&str] = if cfg!(feature = "formats") {
        &["fbin", "fvecs", "csv", "tsv", "jsonl", "parquet", "arrow", "npy", "u8bin", "bvecs"]
    } else {
        &["fbin", "fvecs", "csv", "tsv", "jsonl", "npy", "u8bin", "bvecs"]
    };
    for format in formats {
        folder.succeed(&format!("convert a.npy there.{format}"));
        folder.succeed(&format!("convert there.{format} back.fbin"));
        assert!(folder.read("back.fbin") == folder.read("b.fbin"), "{format}");
    }
    folder.succeed("convert b.fbin back.npy");
    assert_eq!(folder.read("back.npy").len(), HEADER + 50 * 6 * 4);
    assert!(elements(&folder, "back.npy") == elements(&folder, "a.npy"));
}

#[test]
fn numbers_keep_all_their_digits() {
    let folder = Folder::new();
    let odd = [0.1_f32, 1.0 / 3.0, 1e-40, 3.4e38, -16_777_217.0, 1.000_000_1];
    folder.write("a.npy", vectors(&[odd.to_vec()]));
    let formats: &[&str] =
        if cfg!(feature = "formats") { &["csv", "jsonl", "parquet", "arrow"] } else { &["csv", "jsonl"] };
    for format in formats {
        folder.succeed(&format!("convert a.npy there.{format}"));
        folder.succeed(&format!("convert there.{format} back.npy"));
        assert!(elements(&folder, "back.npy") == elements(&folder, "a.npy"), "{format}");
    }
}

#[test]
fn ids_come_back_from_every_format() {
    let folder = Folder::new();
    let ids = vec![vec![0, 1, -1], vec![i32::MAX, 7, i32::MIN]];
    folder.write("a.ivecs", ivecs(&ids));
    for format in ["ibin", "npy", "ivecs"] {
        folder.succeed(&format!("convert a.ivecs there.{format}"));
        folder.succeed(&format!("convert there.{format} back.ivecs"));
        assert_eq!(read_ivecs(&folder.read("back.ivecs")), ids, "{format}");
    }
    let wide: Vec<u8> = [7_i64, -1, 1 << 40].iter().flat_map(|id| id.to_le_bytes()).collect();
    folder.write("wide.npy", npy("<i8", false, &[1, 3], &wide));
    folder.succeed("convert wide.npy wide.jsonl");
    assert_eq!(folder.read("wide.jsonl"), b"[7,-1,1099511627776]\n");
    folder.refuse(
        "convert wide.npy wide.ivecs",
        "wide.npy: row 0: expected whole numbers of i32 for ivecs, found 1099511627776 at position 2",
    );
    folder.refuse(
        "convert a.ivecs a.fbin",
        "a.ivecs: expected elements of f32, f16, f64, i8, u8, i16 or u16, found i32",
    );
}

#[test]
fn numbers_that_do_not_fit_are_refused_and_nothing_is_written() {
    let folder = Folder::new();
    folder.write("a.npy", vectors(&[vec![1.0, 2.0], vec![3.0, 0.5]]));
    folder.write("old.u8bin", "older");
    let expected = "a.npy: row 1: expected whole numbers of u8 for u8bin, found 0.5 at position 1";
    folder.refuse("convert a.npy old.u8bin", expected);
    folder.write("a.csv", "1,2\n3,300\n");
    let expected = "a.csv: line 2: expected a number of u8 at position 1, found 300";
    folder.refuse("convert a.csv old.u8bin", expected);
    let expected = "a.npy: expected elements of u64, i64, u32 or i32, found f32";
    folder.refuse("convert a.npy a.ivecs", expected);
    folder.refuse("convert a.npy ./a.npy", "./a.npy: cannot be written: it is the input");
    folder.refuse("convert a.npy a.hdf5", "a.hdf5: expected an output of another format: hdf5 is read alone");
}

#[test]
fn float64_is_rounded_and_said() {
    let folder = Folder::new();
    let numbers: Vec<u8> = [0.1_f64, -2.5].iter().flat_map(|number| number.to_le_bytes()).collect();
    folder.write("a.npy", npy("<f8", false, &[1, 2], &numbers));
    let run = folder.run("convert a.npy b.npy");
    assert_eq!((run.code, &*run.stderr), (Some(0), "note: a.npy: numbers of f64 are read as f32\n"));
    assert!(folder.read("b.npy").ends_with(&[0.1_f32.to_le_bytes(), (-2.5_f32).to_le_bytes()].concat()));
}

#[test]
fn streams_go_in_and_out() {
    let folder = prepared();
    folder.succeed("convert a.npy b.fbin");
    let output = folder.command("convert a.npy - --to fbin").output().unwrap();
    assert_eq!((output.status.code(), &*output.stderr), (Some(0), &b""[..]));
    assert!(output.stdout == folder.read("b.fbin"));
    let expected = "standard output: expected --to, since it has no extension";
    folder.refuse("convert a.npy -", expected);
}

#[test]
fn parts_of_an_index_are_written_by_key() {
    let folder = prepared();
    let keys: String = (0..50).map(|row| format!("{}\n", 1_000 - 7 * row)).collect();
    folder.write("keys.txt", keys);
    folder.succeed("build a.npy --keys keys.txt --output a.vex --m 4");
    folder.succeed("convert a.vex keys.npy --part keys");
    let expected: Vec<u8> = (0..50_u64).rev().flat_map(|row| (1_000 - 7 * row).to_le_bytes()).collect();
    assert!(elements(&folder, "keys.npy") == expected);
    folder.succeed("convert a.vex sorted.txt --part keys");
    let expected: String = (0..50).rev().map(|row| format!("{}\n", 1_000 - 7 * row)).collect();
    assert_eq!(String::from_utf8(folder.read("sorted.txt")).unwrap(), expected);

    folder.succeed("convert a.vex vectors.npy");
    let expected: Vec<u8> = elements(&folder, "a.npy").chunks(24).rev().flatten().copied().collect();
    assert!(elements(&folder, "vectors.npy") == expected);
    // What was taken out gives the index again.
    folder.succeed("build vectors.npy --keys keys.npy --output b.vex --m 4");
    let found = |index: &str| folder.json(&format!("search {index} --queries a.npy --ef-search 50 --json"));
    assert_eq!(found("a.vex"), found("b.vex"));

    folder.succeed("convert a.vex links.ivecs --part links");
    let links = read_ivecs(&folder.read("links.ivecs"));
    let keys: BTreeSet<i32> = (0..50).map(|row| 1_000 - 7 * row).collect();
    assert_eq!(links.len(), 50);
    let mut longest = 0;
    for (row, key) in links.iter().zip(&keys) {
        let known = row.iter().filter(|link| **link != -1).count();
        longest = longest.max(known);
        assert!(row[..known].iter().all(|link| keys.contains(link) && link != key), "{row:?}");
        assert!(known > 0 && row[known..].iter().all(|link| *link == -1), "{row:?}");
    }
    assert!(longest == links[0].len() && longest <= 8);
    folder.refuse("convert a.npy b.npy --part keys", "a.npy: expected an index, for --part");
}

#[test]
fn vectors_of_every_element_are_written_as_they_are() {
    let folder = Folder::new();
    let rows = bytes(9, 20, 5).concat();
    for (descr, bytes) in [("|i1", &rows[..]), ("|u1", &rows), ("<f2", &[0, 0x3c].repeat(100))] {
        folder.write("a.npy", npy(descr, false, &[20, 5], bytes));
        folder.succeed("build a.npy --output a.vex");
        folder.succeed("convert a.vex b.npy");
        assert!(elements(&folder, "b.npy") == bytes, "{descr}");
    }
    folder.write("a.npy", npy("|u1", false, &[20, 5], &rows));
    folder.succeed("build a.npy --output a.vex --metric hamming");
    folder.succeed("convert a.vex b.npy");
    assert!(elements(&folder, "b.npy") == rows);
}
