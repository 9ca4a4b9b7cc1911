//! Commands that change indexes: add, rm, compact, merge, and get, which shows what they did.

use serde_json::{Value, json};

use crate::support::{Folder, bytes, floats, npy, read_ivecs, vectors};

const DIM: usize = 8;

fn rows(seed: u64, count: usize) -> Vec<Vec<f32>> {
    floats(&bytes(seed, count, DIM))
}

/// A folder with an index of 200 rows.
fn prepared() -> (Folder, Vec<Vec<f32>>) {
    let folder = Folder::new();
    let base = rows(1, 200);
    folder.write("base.npy", vectors(&base));
    folder.write("queries.npy", vectors(&rows(2, 20)));
    folder.succeed("build base.npy -o index.vex");
    (folder, base)
}

/// The vector under a key.
fn get(folder: &Folder, index: &str, key: u64) -> Vec<f32> {
    let row = folder.json(&format!("get {index} {key}"));
    assert_eq!(row["key"], json!(key));
    row["vector"].as_array().unwrap().iter().map(|element| element.as_f64().unwrap() as f32).collect()
}

/// Every search finds the keys that brute force finds among these vectors.
fn check_searches(folder: &Folder, index: &str, expected: &[(u64, Vec<f32>)]) {
    folder.succeed(&format!("verify {index}"));
    let queries = rows(2, 20);
    let answers = folder.json(&format!("search {index} -q queries.npy -k 5 --ef-search 1000 --json"));
    for (query, answer) in queries.iter().zip(answers.as_array().unwrap()) {
        let distance = |row: &Vec<f32>| -> f32 { row.iter().zip(query).map(|(a, b)| (a - b).powi(2)).sum() };
        let mut nearest: Vec<(f32, u64)> = expected.iter().map(|(key, row)| (distance(row), *key)).collect();
        nearest.sort_by(|a, b| a.partial_cmp(b).unwrap());
        let expected: Vec<f32> = nearest[..5].iter().map(|(distance, _)| *distance).collect();
        let found: Vec<f32> =
            answer["distances"].as_array().unwrap().iter().map(|d| d.as_f64().unwrap() as f32).collect();
        assert_eq!(found, expected);
    }
    let info = folder.json(&format!("info {index} --json"));
    let [count, deleted] = ["count", "deleted"].map(|field| info[field].as_u64().unwrap());
    assert_eq!(count - deleted, expected.len() as u64);
}

fn keyed(rows: &[Vec<f32>], first: u64) -> Vec<(u64, Vec<f32>)> {
    (first..).zip(rows.iter().cloned()).collect()
}

#[test]
fn added_vectors_are_found_under_keys_that_go_on() {
    let (folder, base) = prepared();
    let more = rows(3, 50);
    folder.write("more.npy", vectors(&more));
    let text = folder.succeed("add index.vex more.npy");
    assert!(text.starts_with("index.vex: 50 vectors added as keys 200 to 249\n250 vectors, "), "{text}");
    let all = [keyed(&base, 0), keyed(&more, 200)].concat();
    check_searches(&folder, "index.vex", &all);
    assert_eq!(get(&folder, "index.vex", 249), more[49]);
    assert!(folder.snapshot().keys().all(|name| !name.starts_with('.')), "a temporary file was left");
}

#[test]
fn added_vectors_have_the_keys_that_are_named_and_replace_only_if_asked() {
    let (folder, base) = prepared();
    let more = rows(3, 3);
    folder.write("more.npy", vectors(&more));
    folder.write("keys.txt", "7\n1000\n18446744073709551615\n");
    let expected =
        "keys.txt: expected keys that index.vex does not have, found key 7; --replace replaces its vector";
    folder.refuse("add index.vex more.npy --keys keys.txt", expected);
    let report = folder.json("add index.vex more.npy --keys keys.txt --replace -o other.vex --json");
    assert_eq!(
        ["added", "replaced", "count", "first_key"].map(|field| report[field].clone()),
        [json!(2), json!(1), json!(202), Value::Null]
    );
    let mut all = keyed(&base, 0);
    all[7].1 = more[0].clone();
    all.extend([(1000, more[1].clone()), (u64::MAX, more[2].clone())]);
    check_searches(&folder, "other.vex", &all);
    // The index that was read is as it was.
    check_searches(&folder, "index.vex", &keyed(&base, 0));
    let expected = "other.vex: expected room for more keys, found the key 18446744073709551615, near the largest \
                    that there is; name other keys";
    folder.refuse("add other.vex more.npy", expected);
    folder.write("twice.txt", "300\n301\n300\n");
    folder.refuse(
        "add index.vex more.npy --keys twice.txt",
        "twice.txt: expected every key once, found key 300 twice",
    );
}

#[test]
fn vectors_that_cannot_be_added_change_nothing() {
    let (folder, _) = prepared();
    let mut bad = rows(3, 30);
    bad[17][3] = f32::NAN;
    folder.write("bad.npy", vectors(&bad));
    let expected = "bad.npy: row 17: expected finite elements, found NaN or infinity at position 3";
    folder.refuse("add index.vex bad.npy", expected);
    folder.write("wide.npy", vectors(&[vec![0.0; DIM + 1]]));
    folder.refuse("add index.vex wide.npy", "wide.npy: expected 8 dimensions as in index.vex, found 9");
    folder.refuse("add base.npy base.npy", &not_an_index(&folder, "base.npy"));
    folder.refuse(
        "add missing.vex base.npy",
        "missing.vex: cannot be opened: No such file or directory (os error 2)",
    );
    folder.refuse("add index.vex base.npy -o base.npy", "base.npy: cannot be written: it is the input");
}

fn not_an_index(folder: &Folder, name: &str) -> String {
    let stderr = folder.run(&format!("info {name}")).stderr;
    stderr.strip_prefix("error: ").unwrap().trim_end().to_owned()
}

#[test]
fn every_element_can_be_added_to_and_printed() {
    let folder = Folder::new();
    let base = bytes(1, 100, DIM);
    folder.write("queries.npy", npy("|u1", false, &[100, DIM], &base.concat()));
    for (descr, options) in [
        ("|u1", ""),
        ("|i1", ""),
        ("|u1", "--metric hamming"),
        ("|u1", "--element f16"),
        ("|u1", "--element f32 --quantize sq8"),
    ] {
        folder.write("base.npy", npy(descr, false, &[100, DIM], &base.concat()));
        folder.succeed(&format!("build base.npy -o index.vex {options}"));
        folder.succeed("add index.vex base.npy");
        let row = folder.json("get index.vex 142");
        let expected: Vec<f64> = base[42]
            .iter()
            .map(|byte| if descr == "|i1" { f64::from(*byte as i8) } else { f64::from(*byte) })
            .collect();
        let found: Vec<f64> =
            row["vector"].as_array().unwrap().iter().map(|element| element.as_f64().unwrap()).collect();
        assert_eq!(found, expected, "{descr} {options}");
        folder.succeed("verify index.vex");
        folder.succeed("merge index.vex index.vex --renumber -o both.vex");
        assert_eq!(folder.json("info both.vex --json")["count"], json!(400), "{options}");
        assert_eq!(folder.json("get both.vex 342")["vector"], row["vector"], "{options}");
    }
}

#[test]
fn deleted_vectors_are_not_found_and_compact_frees_their_room() {
    let (folder, base) = prepared();
    let text = folder.succeed("rm index.vex 3 5 5 199");
    assert!(text.starts_with("index.vex: 3 vectors deleted\n197 vectors, "), "{text}");
    assert!(text.ends_with("; vex compact frees the room\n"), "{text}");
    let left: Vec<_> = keyed(&base, 0).into_iter().filter(|(key, _)| ![3, 5, 199].contains(key)).collect();
    check_searches(&folder, "index.vex", &left);
    folder.refuse("get index.vex 7 5", "index.vex: expected a vector under key 5, found none");
    folder.refuse("rm index.vex 7 5", "index.vex: expected a vector under key 5, found none");
    folder.write("keys.txt", "7\n5\n3\n");
    let report = folder.json("rm index.vex --keys keys.txt --ignore-missing --json");
    assert_eq!(
        ["deleted", "missing", "count"].map(|field| report[field].clone()),
        [json!(1), json!(2), json!(196)]
    );
    let before = folder.read("index.vex").len();
    let text = folder.succeed("compact index.vex");
    assert!(text.starts_with("index.vex: the room of 4 deleted vectors is free\n196 vectors, "), "{text}");
    assert!(folder.read("index.vex").len() < before);
    let left: Vec<_> = left.into_iter().filter(|(key, _)| *key != 7).collect();
    check_searches(&folder, "index.vex", &left);
    assert_eq!(folder.json("info index.vex --json")["deleted"], json!(0));
    // Compacting gives the same bytes again.
    let compact = folder.read("index.vex");
    folder.succeed("compact index.vex -o again.vex --threads 1");
    assert_eq!(folder.read("again.vex").len(), compact.len());
}

#[test]
fn all_vectors_can_be_deleted_and_others_added() {
    let (folder, base) = prepared();
    folder.write("keys.txt", (0..200).map(|key| format!("{key}\n")).collect::<String>());
    folder.succeed("rm index.vex --keys keys.txt");
    let answers = folder.json("search index.vex -q queries.npy --json");
    assert_eq!(answers[0]["keys"], json!([]));
    folder.refuse(
        "gt index.vex -q queries.npy -o t.npy",
        "index.vex: expected an index with a vector, found none",
    );
    folder.succeed("compact index.vex");
    folder.succeed("add index.vex base.npy");
    check_searches(&folder, "index.vex", &keyed(&base, 0));
}

#[test]
fn merged_indexes_have_the_vectors_of_all() {
    let (folder, base) = prepared();
    let more = rows(3, 70);
    folder.write("more.npy", vectors(&more));
    folder.succeed("build more.npy -o more.vex");
    let expected = "more.vex: expected keys that index.vex does not have, found key ";
    let stderr = folder.run("merge index.vex more.vex -o all.vex").stderr;
    assert!(stderr.starts_with(&format!("error: {expected}")), "{stderr}");
    assert!(stderr.ends_with("; --renumber moves the keys up\n"), "{stderr}");
    assert!(!folder.path("all.vex").exists());

    folder.succeed("rm index.vex 199");
    let text = folder.succeed("merge index.vex more.vex --renumber -o all.vex");
    assert!(text.starts_with("all.vex: 269 vectors of 8 x f32, squared-euclidean\n"), "{text}");
    assert!(text.contains("\nthe keys of more.vex are larger by 199\n"), "{text}");
    check_searches(&folder, "all.vex", &[keyed(&base[..199], 0), keyed(&more, 199)].concat());

    // Keys that differ stay as they are.
    folder.write("keys.txt", (0..70).map(|key| format!("{}\n", 1000 + 2 * key)).collect::<String>());
    folder.succeed("build more.npy --keys keys.txt -o more.vex");
    let report = folder.json("merge index.vex more.vex -o all.vex --m 24 --quantize none --json");
    assert_eq!(report["added_to_keys"], json!([0, 0]));
    let named: Vec<_> = (0..70).map(|row| (1000 + 2 * row as u64, more[row].clone())).collect();
    check_searches(&folder, "all.vex", &[keyed(&base[..199], 0), named].concat());
    let info = folder.json("info all.vex --json");
    assert_eq!((&info["m"], &info["quantization"]), (&json!(24), &Value::Null));
    folder.refuse("merge index.vex more.vex -o more.vex", "more.vex: cannot be written: it is the input");
}

#[test]
fn indexes_of_other_kinds_are_not_merged() {
    let (folder, _) = prepared();
    folder.succeed("build base.npy -o cosine.vex --metric cosine");
    let expected = "cosine.vex: expected 8 x f32, squared-euclidean as in index.vex, found 8 x f32, cosine";
    folder.refuse("merge index.vex cosine.vex -o all.vex", expected);
}

#[test]
fn an_index_that_cannot_change_is_refused_with_the_reason() {
    let (folder, _) = prepared();
    folder.succeed("build base.npy -o codes.vex --quantize sq8 --store none");
    let expected = "codes.vex: expected an index with vectors, found codes alone";
    for command in [
        "add codes.vex base.npy",
        "rm codes.vex 1",
        "compact codes.vex",
        "get codes.vex 1",
        "merge index.vex codes.vex -o all.vex",
        "gt codes.vex -q queries.npy -o t.npy",
    ] {
        folder.refuse(command, expected);
    }
    // A feature of a later version, which must not be lost by a change.
    let mut index = folder.read("index.vex");
    index[20..24].copy_from_slice(&(1_u32 << 31).to_le_bytes());
    let checksum = vex::format::crc32c(&index[..124]);
    index[124..128].copy_from_slice(&checksum.to_le_bytes());
    let trailer = index.len() - 16;
    index.copy_within(124..128, trailer + 8);
    folder.write("later.vex", index);
    folder.succeed("search later.vex -q queries.npy");
    for command in ["add later.vex base.npy", "rm later.vex 1", "compact later.vex"] {
        let before = folder.snapshot();
        let run = folder.run(command);
        let expected = "error: later.vex: expected read-only compatible features that this version knows, found 80000000";
        assert!(run.stderr.starts_with(expected), "{run:?}");
        assert!(run.code == Some(1) && folder.snapshot() == before, "{run:?}");
    }
}

#[test]
#[cfg(unix)]
fn an_index_that_is_written_is_locked() {
    let (folder, _) = prepared();
    let first = std::fs::File::create(folder.path(".vex-index.vex.tmp")).unwrap();
    first.lock().unwrap();
    for command in ["add index.vex base.npy", "rm index.vex 1", "compact index.vex"] {
        folder.refuse(command, "index.vex: locked by another writer");
    }
    drop(first);
    folder.succeed("rm index.vex 1");
}

#[test]
fn the_truth_of_an_index_has_its_keys_and_its_metric() {
    let (folder, base) = prepared();
    folder.write("keys.txt", (0..200).map(|row| format!("{}\n", 5000 - 3 * row)).collect::<String>());
    for metric in ["cosine", "inner-product"] {
        folder.succeed(&format!("build base.npy --keys keys.txt --metric {metric} -o index.vex"));
        folder.succeed(&format!("gt base.npy -q queries.npy --metric {metric} -k 10 -o rows.ivecs"));
        folder.succeed("gt index.vex -q queries.npy -k 10 -o keys.ivecs");
        let rows = read_ivecs(&folder.read("rows.ivecs"));
        let keys = read_ivecs(&folder.read("keys.ivecs"));
        let named: Vec<Vec<i32>> =
            rows.iter().map(|row| row.iter().map(|row| 5000 - 3 * row).collect()).collect();
        assert_eq!(keys, named, "{metric}");
        let row = &folder
            .json("bench index.vex -q queries.npy --ground-truth keys.ivecs --ef-search 200 --json")[0];
        assert_eq!(row["recall"], json!(1.0));
    }
    let expected =
        "index.vex: expected --metric inner-product, as the index was built, or none, found cosine";
    folder.refuse("gt index.vex -q queries.npy --metric cos -o t.npy", expected);
    folder.succeed("gt index.vex -q queries.npy --metric ip --element f32 -o t.npy");

    // Deleted vectors are no neighbors.
    folder.succeed("build base.npy -o index.vex");
    folder.succeed("gt index.vex -q queries.npy -k 3 -o before.ivecs");
    let gone: Vec<i32> = read_ivecs(&folder.read("before.ivecs")).concat();
    let text = gone.iter().map(|key| format!("{key}\n")).collect::<String>();
    folder.write("gone.txt", text);
    folder.succeed("rm index.vex --keys gone.txt");
    for threads in [1, 3, 100] {
        folder.succeed(&format!("gt index.vex -q queries.npy -k 5 --threads {threads} -o after.ivecs"));
        let after = read_ivecs(&folder.read("after.ivecs"));
        for (query, found) in self::rows(2, 20).iter().zip(after) {
            let distance =
                |row: usize| -> f32 { base[row].iter().zip(query).map(|(a, b)| (a - b).powi(2)).sum() };
            let mut nearest: Vec<usize> = (0..200).filter(|row| !gone.contains(&(*row as i32))).collect();
            nearest.sort_by(|a, b| distance(*a).total_cmp(&distance(*b)).then(a.cmp(b)));
            let found: Vec<f32> = found.iter().map(|row| distance(*row as usize)).collect();
            let expected: Vec<f32> = nearest[..5].iter().map(|row| distance(*row)).collect();
            assert_eq!(found, expected);
        }
    }
}

#[test]
fn keys_that_a_file_of_ids_cannot_hold_have_no_truth() {
    let (folder, _) = prepared();
    folder
        .write("keys.txt", (0..200).map(|row| format!("{}\n", row + 3_000_000_000_u64)).collect::<String>());
    folder.succeed("build base.npy --keys keys.txt -o wide.vex");
    let stderr = folder.run("gt wide.vex -q queries.npy -o t.ivecs").stderr;
    let expected =
        "error: wide.vex: expected keys up to 2147483647, which the file of ids can hold, found key 30000";
    assert!(stderr.starts_with(expected), "{stderr}");
    assert!(!folder.path("t.ivecs").exists());
    // An .npy file has room for them.
    folder.succeed("gt wide.vex -q queries.npy -o t.npy");
}
